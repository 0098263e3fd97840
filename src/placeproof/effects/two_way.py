"""Two-way Poisson with fixed effects and clustered errors, by pyfixest, beside the imputation."""

import contextlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from placeproof.effects.grid import Grid
from placeproof.effects.inference import Spread, spread


@dataclass(frozen=True)
class TwoWay:
    """The coefficient of being patrolled, on the log scale."""

    log_ratio: float
    spread: Spread | None
    cells: int
    places: int
    separated: int
    """Cells left out because their place or period has no event at all."""
    refusal: str | None = None


def two_way(table: Grid, *, level: float) -> TwoWay:
    """
    Fit count = place × period × ratio^patrolled by Poisson, clustered by place.

    It weighs early and late cohorts in a way that the imputation does not, and its interval is
    somewhat too narrow; it stands beside the headline because readers expect it.

    Parameters
    ----------
    table : Grid
        Not modified.
    level : float
        Coverage that the interval claims; the reference is t(places − 1).

    Returns
    -------
    TwoWay
        With `refusal` where the ratio is not determined.
    """
    used = table.observed & (table.before | table.after)
    return two_way_with(table, {PATROLLED: table.after}, used=used, level=level)[PATROLLED]


PATROLLED = "patrolled"


def two_way_with(
    table: Grid, terms: Mapping[str, np.ndarray], *, used: np.ndarray, level: float
) -> dict[str, TwoWay]:
    """
    Fit count = place × period × ratio^patrolled × … by Poisson, clustered by place.

    Parameters
    ----------
    table : Grid
        Not modified.
    terms : mapping of str to array of bool, shape (n, T)
        What was at work, by name.
    used : array of bool, shape (n, T)
        Cells that take part.
    level : float
        Coverage that the intervals claim; the reference is t(places − 1).

    Returns
    -------
    dict of str to TwoWay
        For each term its coefficient, or its `refusal`.
    """
    row, column = np.nonzero(used)
    counts = table.counts[row, column]
    kept = _not_separated(row, column, counts, table.counts.shape)
    separated = int((~kept).sum())
    row, column, counts = row[kept], column[kept], counts[kept]
    marks = {name: term[row, column] for name, term in terms.items()}
    why = {name: _refusal(row, column, counts, mark) for name, mark in marks.items()}
    borne = {name: mark for name, mark in marks.items() if why[name] is None}
    made = _fitted(row, column, counts, borne, separated, level) if borne else {}
    return {
        name: made.get(name) or TwoWay(float("nan"), None, 0, 0, separated, why[name])
        for name in terms
    }


def _not_separated(
    row: np.ndarray, column: np.ndarray, counts: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    by_row = np.bincount(row, weights=counts, minlength=shape[0])
    by_column = np.bincount(column, weights=counts, minlength=shape[1])
    return (by_row[row] > 0) & (by_column[column] > 0)


def _refusal(
    row: np.ndarray, column: np.ndarray, counts: np.ndarray, patrolled: np.ndarray
) -> str | None:
    if not len(row):
        return "No event was counted."
    if len(np.unique(row)) < 3:
        return "Fewer than three places have events: errors cannot be clustered by place."
    if counts[patrolled].sum() == 0 or counts[~patrolled].sum() == 0:
        return "No event was counted on one side of the start."
    left = patrolled.astype(float)
    for _ in range(500):
        shift = np.bincount(row, left) / np.maximum(np.bincount(row), 1)
        left = left - shift[row]
        across = np.bincount(column, left) / np.maximum(np.bincount(column), 1)
        left = left - across[column]
        if max(np.abs(shift).max(), np.abs(across).max()) < 1e-10:
            break
    if np.abs(left).max() < 1e-6:
        return "Places and periods alone say who is patrolled: the ratio is not determined."
    return None


def _fitted(
    row: np.ndarray,
    column: np.ndarray,
    counts: np.ndarray,
    marks: Mapping[str, np.ndarray],
    separated: int,
    level: float,
) -> dict[str, TwoWay]:
    import pandas as pd

    columns = {f"x{k}": mark.astype(float) for k, mark in enumerate(marks.values())}
    frame = pd.DataFrame({"count": counts, **columns, "place": row, "period": column})
    nothing = float("nan")
    try:
        # pyfixest speaks of pandas 3 and of dropped singletons; neither is news to a reader here.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            import pyfixest

            model = pyfixest.fepois(
                f"count ~ {' + '.join(columns)} | place + period",
                data=frame,
                vcov={"CRV1": "place"},
                iwls_tol=1e-10,
                iwls_maxiter=200,
                fixef_rm="none",
            )
            estimates, errors = model.coef().to_dict(), model.se().to_dict()
    except (ValueError, RuntimeError, np.linalg.LinAlgError, IndexError) as trouble:
        why = f"The two-way Poisson could not be fitted ({type(trouble).__name__})."
        return {name: TwoWay(nothing, None, 0, 0, separated, why) for name in marks}
    if len(estimates) < len(columns):
        why = "Two of the terms are always at work together: they cannot be told apart."
        return {name: TwoWay(nothing, None, 0, 0, separated, why) for name in marks}
    places = len(np.unique(row))
    made = {}
    for name, column_name in zip(marks, columns, strict=True):
        estimate = float(estimates.get(column_name, nothing))
        error = float(errors.get(column_name, nothing))
        made[name] = _one(estimate, error, len(row), places, separated, level)
    return made


def _one(
    estimate: float, error: float, cells: int, places: int, separated: int, level: float
) -> TwoWay:
    if not (np.isfinite(estimate) and np.isfinite(error)) or abs(estimate) > 20:
        why = "The two-way Poisson did not come to rest: the zeros separate the counts."
        return TwoWay(float("nan"), None, 0, 0, separated, why)
    interval = spread(estimate, error, degrees=places - 1, level=level)
    return TwoWay(estimate, interval, cells, places, separated)
