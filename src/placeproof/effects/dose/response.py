"""Counts by dose of patrol: planned minutes as exposure, delivered minutes with their error."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from placeproof.effects.dose.slopes import Slopes, two_way_slopes
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.identified import why_not_supplied
from placeproof.effects.rows import PlannedOutcome, Row, about, as_json, interval, refused
from placeproof.tables import estimate

SLOPE = "poisson_two_way_dose_jackknife"
CALIBRATED = "poisson_two_way_dose_calibrated"
ASSOCIATION = (
    "An association: who went where and for how long was decided by people who knew the places."
)


@dataclass(frozen=True)
class DoseRules:
    """
    Choices about the dose; every one is a line of the plan.

    Parameters
    ----------
    step_minutes : float
        Minutes a day for which the slope is stated.
    groups : int
        Groups of alike dose beside the slope.
    level : float
        Coverage that intervals claim.
    """

    step_minutes: float
    groups: int
    level: float


def dose_response(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    errors: pl.DataFrame | None,
    rules: DoseRules,
) -> pl.DataFrame:
    """
    Estimate by how much counts change for each step of patrol minutes a day.

    Parameters
    ----------
    panel : table `panel`
        The rows on which effects are estimated. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    errors : DataFrame or None
        `place_id`, `period_start`, `variance`: of the error of delivered minutes, in minutes
        squared. None: not known.
    rules : DoseRules
        Choices of the plan.

    Returns
    -------
    table `estimate`
        Treated hot spots: `dose_rate_ratio` for each step of minutes a day, by planned minutes
        (with the time before patrols and the comparison places at no dose; and within patrolled
        time alone) and by delivered minutes, as they are and corrected for their error;
        `dose_group_rate_ratio` of groups of alike planned dose against no dose.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        if table is None or why_not_supplied(table):
            continue
        base = {
            **about(outcomes[outcome], outcome, table, population=HOT_SPOTS, hours="all"),
            "estimand": "dose_rate_ratio",
            "method": SLOPE,
            "role": "robustness",
        }
        cells = whole.filter(
            (pl.col("outcome") == outcome) & (pl.col("hours") == "all")
            & pl.col("place_id").is_in(list(table.places))
        )  # fmt: skip
        rows += _planned(base, table, _laid(cells, table, "planned_minutes"), rules)
        variance = None if errors is None else _laid(errors, table, "variance")
        rows += _delivered(base, table, _laid(cells, table, "delivered_minutes"), variance, rules)
    return estimate.rows(rows)


def _laid(cells: pl.DataFrame, table: Grid, column: str) -> np.ndarray:
    """A column as an array of places and periods; not a number where nothing is said."""
    places = {name: k for k, name in enumerate(table.places)}
    periods = {day: k for k, day in enumerate(table.period_starts)}
    made = np.full(table.counts.shape, np.nan)
    for place, day, value in cells.select("place_id", "period_start", column).drop_nulls().rows():
        if place in places and day in periods:
            made[places[place], periods[day]] = value
    return made


def _days(table: Grid) -> np.ndarray:
    ends = zip(table.period_starts, table.period_ends, strict=True)
    return np.array([(last - first).days + 1 for first, last in ends], dtype=float)


def _planned(base: Row, table: Grid, minutes: np.ndarray, rules: DoseRules) -> list[Row]:
    head = {**base, "horizon": "dose=planned"}
    if not np.isfinite(minutes).any():
        why = "No tasking was supplied: what was planned is not known."
        return [refused(head, why, status="not_supplied")]
    a_day = minutes / _days(table)
    dose = np.where(table.before, 0.0, a_day)
    used = table.observed & np.isfinite(dose) & (table.before | table.after)
    made = two_way_slopes(table.counts, used, dose[None] / rules.step_minutes)
    rows = [_row(head, made, 0, rules)]
    inside = used & table.after
    made = two_way_slopes(table.counts, inside, dose[None] / rules.step_minutes)
    within = {**base, "horizon": "dose=planned, patrolled time"}
    rows.append(_row(within, made, 0, rules, ASSOCIATION))
    return rows + _grouped(base, table, dose, used, rules)


def _grouped(
    base: Row, table: Grid, dose: np.ndarray, used: np.ndarray, rules: DoseRules
) -> list[Row]:
    patrolled = used & table.after & (np.where(used, dose, 0) > 0)
    if not patrolled.any():
        return []
    values = dose[patrolled]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, rules.groups + 1)[1:-1]))
    group = np.searchsorted(edges, np.where(used, dose, 0.0), side="right")
    numbers = [k for k in range(len(edges) + 1) if (patrolled & (group == k)).any()]
    terms = np.stack([(patrolled & (group == k)).astype(float) for k in numbers])
    made = two_way_slopes(table.counts, used, terms)
    rows = []
    for at, k in enumerate(numbers):
        mine = patrolled & (group == k)
        head = {**base, "estimand": "dose_group_rate_ratio", "horizon": f"group={at + 1}"}
        more: dict[str, object] = {
            "minutes_a_day": float(dose[mine].mean()),
            "least_minutes_a_day": float(dose[mine].min()),
            "most_minutes_a_day": float(dose[mine].max()),
            "place_periods": int(mine.sum()),
        }
        row = _row(head, made, at, rules, None, **more)
        rows.append({**row, "n_places": int(mine.any(axis=1).sum())})
    return rows


def _delivered(
    base: Row, table: Grid, minutes: np.ndarray, variance: np.ndarray | None, rules: DoseRules
) -> list[Row]:
    head = {**base, "horizon": "dose=delivered"}
    used = table.observed & table.after & np.isfinite(minutes)
    if not used.any():
        why = "No delivered minutes stand beside counts of patrolled time."
        return [refused(head, why, status="not_supplied")]
    unit = _days(table) * rules.step_minutes
    dose = np.where(used, minutes / unit, 0.0)
    rows = [_row(head, two_way_slopes(table.counts, used, dose[None]), 0, rules, ASSOCIATION)]
    head = {**head, "method": CALIBRATED}
    if variance is None or not np.isfinite(variance[used]).all():
        why = "The error of the delivered minutes is not known everywhere: nothing can correct it."
        return [*rows, refused(head, why)]
    error = np.where(used, variance / unit**2, 0.0)
    found = calibrated(dose, error, used)
    if found is None:
        why = "The delivered minutes vary no more than their error: they tell nothing of a dose."
        return [*rows, refused(head, why)]
    better, reliability = found
    apart = np.stack([_without(dose, error, used, i) for i in range(len(dose))])[:, None]
    made = two_way_slopes(table.counts, used, better[None], apart=apart)
    return [*rows, _row(head, made, 0, rules, ASSOCIATION, reliability=reliability)]


def _without(dose: np.ndarray, error: np.ndarray, used: np.ndarray, i: int) -> np.ndarray:
    left = used.copy()
    left[i] = False
    found = calibrated(dose, error, left) if left.any() else None
    return np.full(dose.shape, np.nan) if found is None else found[0]


def calibrated(
    dose: np.ndarray, error: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """
    Expect the true dose from the measured one, place and period held (regression calibration).

    Parameters
    ----------
    dose : array, shape (n, T)
        As measured: the truth and an error that is independent of it.
    error : array, shape (n, T)
        Variance of that error.
    used : array of bool, shape (n, T)
        Cells that take part.

    Returns
    -------
    (array, float) or None
        The expected dose, and what share of the variance within places and periods is true; None
        where the doses vary no more than their errors do.
    """
    off = np.where(used, dose, 0.0)
    for _ in range(500):
        across = off.sum(1) / np.maximum(used.sum(1), 1)
        off = np.where(used, off - across[:, None], 0.0)
        down = off.sum(0) / np.maximum(used.sum(0), 1)
        off = np.where(used, off - down[None, :], 0.0)
        if max(np.abs(across).max(), np.abs(down).max()) < 1e-12:
            break
    free = int(used.sum() - used.any(1).sum() - used.any(0).sum() + 1)
    if free < 1:
        return None
    noise = float(error[used].mean())
    true = float((off**2).sum() / free) - noise
    if true <= 0 or not math.isfinite(true):
        return None
    kept = true / (true + error)
    return np.where(used, dose - (1 - kept) * off, 0.0), true / (true + noise)


def _row(
    base: Row,
    made: Slopes,
    term: int,
    rules: DoseRules,
    note: str | None = None,
    **more: object,
) -> Row:
    told = {"scale": "log", "minutes_a_day_step": rules.step_minutes, **more}
    if made.refusal:
        return refused({**base, "diagnostics": as_json(told)}, made.refusal)
    spread = made.spread(term, level=rules.level)
    few = None if spread else "Too few places carry it for an interval."
    return {
        **base,
        **interval(spread, level=rules.level),
        "estimate": math.exp(float(made.log_ratios[term])),
        "n": made.cells,
        "n_places": made.places,
        "n_events": made.events,
        "reason": " ".join(filter(None, (few, note))) or None,
        "diagnostics": as_json(told),
    }
