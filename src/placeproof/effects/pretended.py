"""Placebos in space and time, and how much the headline hangs on any one place."""

import math
from collections.abc import Sequence

import numpy as np

from placeproof.effects.effect import Effect, effects
from placeproof.effects.forged import FEWEST_SETS, METHOD, SetCounts
from placeproof.effects.grid import Grid
from placeproof.effects.inference import placebo_p_value
from placeproof.effects.rows import IMPUTATION, Row, as_json, ratio_row, refused

IN_SPACE = "poisson_imputation_placebo_in_space"
FEWEST_BEFORE = 2
"""Periods that must be left before a pretended start."""


def space_rows(
    base: Row, counts: SetCounts, log_ratios: np.ndarray, *, headline: float | None
) -> list[Row]:
    """
    Write down what the estimate finds in places that never had patrols.

    Parameters
    ----------
    base : dict
        Columns so far.
    counts : SetCounts
        The sets, each with one place that plays the part of each hot spot.
    log_ratios : array, shape (S,)
        As `pretended_log_ratios` gives them.
    headline : float or None
        The headline on the log scale; None: it has none.

    Returns
    -------
    list of dict
        Columns of table `estimate`, role placebo: `placebo_in_space_rate_ratio` of each set, and
        for all of them the median, whose p-value is the share of placebos at least as far from no
        change as the headline. The sets share ground, so they are no independent draws.
    """
    base = {**base, "estimand": "placebo_in_space_rate_ratio", "role": "placebo"}
    rows: list[Row] = []
    for i, name in enumerate(counts.names):
        if np.isfinite(log_ratios[i]):
            rows.append(
                {
                    **base,
                    "method": METHOD,
                    "horizon": name,
                    "estimate": math.exp(log_ratios[i]),
                    "n_places": int(counts.places[i]),
                    "n_events": float(counts.events[i].sum()),
                }
            )
    found = log_ratios[np.isfinite(log_ratios)]
    whole = {**base, "method": IN_SPACE}
    if len(found) < FEWEST_SETS:
        why = f"{len(found)} sets of places without patrols give an estimate: too few to compare."
        return [*rows, refused(whole, why)]
    p_value = None if headline is None else placebo_p_value(headline, found)
    told = {
        "scale": "log",
        "sets": len(found),
        "root_mean_square": float(np.sqrt((found**2).mean())),
    }
    return [
        *rows,
        {
            **whole,
            "estimate": math.exp(float(np.median(found))),
            "p_value": p_value,
            "n": len(found),
            "n_places": int(counts.places.min()),
            "n_events": float(np.median(counts.events.sum(axis=1))),
            "diagnostics": as_json(told),
        },
    ]


def time_rows(base: Row, table: Grid, *, earlier: Sequence[int], level: float) -> list[Row]:
    """
    Pretend that patrols began earlier than they did, and estimate from what was before them.

    Parameters
    ----------
    base : dict
        Columns so far.
    table : Grid
        Hot spots and the headline's comparison places, as the headline has them. Not modified.
    earlier : sequence of int
        By how many of its own counted periods before patrols each hot spot is pretended to have
        begun earlier.
    level : float
        Coverage that intervals claim.

    Returns
    -------
    list of dict
        Columns of table `estimate`, role placebo, estimand `placebo_in_time_rate_ratio`, horizon
        such as "week=-13". Hot spots with fewer than `FEWEST_BEFORE` periods left before their
        pretended start are left out.
    """
    base = {**base, "role": "placebo"}
    rows: list[Row] = []
    for steps in earlier:
        late, part = pretended_cells(table, steps)
        row = {**base, "horizon": f"{table.period_kind}=-{steps}"}
        if not part.any():
            head = row | {"estimand": "placebo_in_time_rate_ratio", "method": IMPUTATION}
            rows.append(refused(head, _too_short(steps, table.period_kind)))
            continue
        effect = effects(table, parts=part[None], before=table.before & ~late, level=level)[0]
        made = ratio_row(
            row | {"estimand": "placebo_in_time_rate_ratio"}, effect, table, level=level
        )
        left_out = int((late.any(axis=1) & ~part.any(axis=1)).sum())
        if left_out and made.get("status") is None:
            made["reason"] = " ".join([*effect.limits, f"{left_out} hot spots have too few periods "
                                       "before the pretended start and are left out."])  # fmt: skip
        rows.append(made)
    return rows


def pretended_cells(table: Grid, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """
    Find the cells that count as patrolled where patrols are pretended to have begun earlier.

    Parameters
    ----------
    table : Grid
        Not modified.
    steps : int
        By how many of its own counted periods before patrols.

    Returns
    -------
    (array of bool, array of bool), shape (n, T) each
        Cells that no fit may use, and those of them of which an effect is made: the same without
        hot spots that have fewer than `FEWEST_BEFORE` periods left before their pretended start.
    """
    free = table.before & table.observed
    # How many untreated periods of its own each cell has from here on.
    remaining = free[:, ::-1].cumsum(axis=1)[:, ::-1]
    late = free & (remaining <= steps) & table.patrolled[:, None]
    enough = (free & ~late).sum(axis=1) >= FEWEST_BEFORE
    return late, late & enough[:, None]


def _too_short(steps: int, kind: str) -> str:
    return (
        f"No hot spot has {steps + FEWEST_BEFORE} counted {kind}s before patrols: with a start "
        f"pretended {steps} {kind}s earlier nothing is left to compare with."
    )


def one_left_out_rows(base: Row, effect: Effect, table: Grid) -> list[Row]:
    """
    Write down what the headline would be without each place in turn.

    Parameters
    ----------
    base : dict
        Columns so far.
    effect : Effect
        The headline, with its replicates.
    table : Grid
        The counts it was made from.

    Returns
    -------
    list of dict
        Columns of table `estimate`, role robustness, estimand `one_left_out_rate_ratio`, horizon
        "hotspot=FM18" or "comparison=C455200-0306400".
    """
    base = {
        **base,
        "estimand": "one_left_out_rate_ratio",
        "method": METHOD,
        "role": "robustness",
    }
    if effect.refusal:
        return []
    rows: list[Row] = []
    supplied = np.where(table.observed, table.counts, 0.0)
    for i, (place, patrolled) in enumerate(zip(table.places, table.patrolled, strict=True)):
        kind = "hotspot" if patrolled else "comparison"
        row = {
            **base,
            "horizon": f"{kind}={place}",
            "n_places": len(table.places) - 1,
            "n_events": float(supplied.sum() - supplied[i].sum()),
        }
        value = effect.replicates[i]
        if np.isfinite(value):
            rows.append(row | {"estimate": math.exp(value)})
        else:
            rows.append(refused(row, "Without this place nothing can be estimated."))
    return rows
