"""HonestDiD as rows of table `estimate`: the interval at each size of departure, the breakdown."""

import math
from collections.abc import Sequence

from placeproof.effects.grid import Grid
from placeproof.effects.robustness.honest import (
    Bound,
    Course,
    breakdown,
    course,
    library,
    relative_magnitudes,
    smoothness,
)
from placeproof.effects.rows import Row, as_json, refused, rests_on

RELATIVE = "honest_relative_magnitudes"
SMOOTH = "honest_smoothness"

_UNITS = {RELATIVE: "times the largest before", SMOOTH: "log points a step"}


def honest_rows(
    base: Row,
    table: Grid,
    *,
    weeks: int,
    lags: int,
    most_leads: int,
    relative: Sequence[float],
    smooth: Sequence[float],
    level: float,
) -> list[Row]:
    """
    Write down how far trends may part before the effect is no longer seen.

    Parameters
    ----------
    base : dict
        Columns so far, method among them for the row that says why there is nothing.
    table : Grid
        Not modified.
    weeks : int
        Length of a step.
    lags : int
        Steps after the start over which the effect is averaged.
    most_leads : int
        Steps before the base, at most.
    relative, smooth : sequence of float
        Sizes of departure; 0 is always tried as well.
    level : float
        Coverage that intervals claim.

    Returns
    -------
    list of dict
        For both kinds of departure one row for each size, up to the first whose interval holds no
        effect, and the breakdown value; or one row with the reason why there is none.
    """
    try:
        library()
    except ModuleNotFoundError as absent:
        return [refused({**base, "estimand": "rate_ratio"}, str(absent), status="not_supplied")]
    made = course(table, weeks=weeks, lags=lags, most_leads=most_leads, level=level)
    if made.refusal:
        return [refused({**base, "estimand": "rate_ratio"}, made.refusal)]
    rows: list[Row] = []
    for method, sizes, bounds_of in (
        (RELATIVE, relative, relative_magnitudes),
        (SMOOTH, smooth, smoothness),
    ):
        bounds = bounds_of(made, sizes=sorted({0.0, *map(float, sizes)}), level=level)
        rows += [_bound_row({**base, "method": method}, table, made, one, level) for one in bounds]
        rows.append(_breakdown_row({**base, "method": method}, table, made, bounds, level, weeks))
    return rows


def _bound_row(base: Row, table: Grid, made: Course, bound: Bound, level: float) -> Row:
    name = "relative_magnitudes" if base["method"] == RELATIVE else "smoothness"
    ends = [_ratio(bound.lower), _ratio(bound.upper)]
    known = None not in ends
    return {
        **base,
        **rests_on(table),
        "estimand": "rate_ratio",
        "horizon": f"{name}={bound.size:g}",
        "estimate": math.exp(bound.estimate),
        "lower": ends[0] if known else None,
        "upper": ends[1] if known else None,
        "level": level if known else None,
        "reason": None if known else "The interval has no end within reach on one side.",
        "diagnostics": as_json(_figures(made)),
    }


def _breakdown_row(
    base: Row, table: Grid, made: Course, bounds: Sequence[Bound], level: float, weeks: int
) -> Row:
    found = breakdown(bounds)
    reason = None
    if found is None:
        reason = "Already without any departure the interval holds no effect."
    elif found == bounds[-1].size:
        reason = "At least this: it is the largest size that the plan names."
    return {
        **base,
        **rests_on(table),
        "estimand": "breakdown_value",
        "unit": _UNITS[str(base["method"])],
        "estimate": 0.0 if found is None else found,
        "reason": reason,
        "diagnostics": as_json(
            {
                **_figures(made),
                "level": level,
                "weeks_per_step": weeks,
                "sizes": [bound.size for bound in bounds],
                "seen_without_departure": found is not None,
            }
        ),
    }


def _ratio(log_ratio: float) -> float | None:
    return math.exp(log_ratio) if math.isfinite(log_ratio) and abs(log_ratio) < 500 else None


def _figures(made: Course) -> dict[str, object]:
    return {
        "scale": "log",
        "steps_since_the_start": list(made.steps),
        "base_step": -1,
        "treated_places": made.treated_places,
        "degrees_of_freedom": made.treated_places - 1,
    }
