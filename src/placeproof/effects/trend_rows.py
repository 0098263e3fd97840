"""The trend-adjusted ratio and the slope before the start, as rows of table `estimate`."""

import math

import numpy as np

from placeproof.effects.effect import Effect
from placeproof.effects.grid import Grid
from placeproof.effects.inference import Spread, jackknife, power
from placeproof.effects.rows import (
    PRE_TREND,
    TREND_ADJUSTED,
    Row,
    as_json,
    interval,
    refused,
    rests_on,
)
from placeproof.effects.trend import adjusted

PERIODS_A_YEAR = {"day": 365.25, "week": 365.25 / 7, "month": 12.0}

NOT_DETERMINED = (
    "No trend of the treated places relative to the comparison places can be fitted: it needs at "
    "least two periods before patrols that both have, and events in them."
)


def trend_rows(base: Row, effect: Effect, table: Grid, *, level: float) -> list[Row]:
    """
    Write the trend-adjusted ratio and the pre-trend slope down, the slope with its power.

    The slope is given as the ratio by which treated places change a year relative to comparison
    places before any patrol. Its power is that of finding, at two-sided 5 %, the slope that would
    by itself make up the whole headline effect: a test that could not have seen it reassures
    nobody.

    Parameters
    ----------
    base : dict
        Columns so far.
    effect : Effect
        The headline effect of the same places.
    table : Grid
        Not modified.
    level : float
        Coverage that intervals claim.

    Returns
    -------
    list of dict
        Two rows of table `estimate`.
    """
    ratio: Row = {**base, "estimand": "rate_ratio", "method": TREND_ADJUSTED}
    slope: Row = {
        **base,
        "estimand": "pre_trend_slope",
        "method": PRE_TREND,
        "unit": "ratio a year",
    }
    if effect.refusal or effect.observed <= 0:
        why = effect.refusal or "No event was counted after the start."
        return [refused(ratio, why), refused(slope, why)]
    full, without = adjusted(table)
    log_ratio, log_slope = float(full.log_ratio[0]), float(full.slope[0])
    if not (math.isfinite(log_ratio) and math.isfinite(log_slope)) or abs(log_ratio) > 50:
        return [refused(ratio, NOT_DETERMINED), refused(slope, NOT_DETERMINED)]
    year = PERIODS_A_YEAR[table.period_kind]
    degrees = effect.treated_places - 1
    ratio_spread = _spread(log_ratio, without.log_ratio, degrees, level)
    slope_spread = _spread(log_slope * year, without.slope * year, degrees, level)
    return [
        {
            **ratio,
            **rests_on(table),
            **interval(ratio_spread, level=level),
            "estimate": math.exp(log_ratio),
            "reason": None if ratio_spread else _bare(degrees),
            "diagnostics": as_json(
                {
                    "scale": "log",
                    "observed_events": float(full.observed[0]),
                    "imputed_events": float(full.imputed[0]),
                    "degrees_of_freedom": degrees,
                    "slope_a_year": math.exp(log_slope * year),
                }
            ),
        },
        {
            **slope,
            **rests_on(table),
            **interval(slope_spread, level=level),
            "estimate": math.exp(log_slope * year),
            "reason": None if slope_spread else _bare(degrees),
            "diagnostics": as_json(
                _own_power(effect, log_ratio, log_slope * year, slope_spread, degrees)
            ),
        },
    ]


def _spread(value: float, replicates: np.ndarray, degrees: int, level: float) -> Spread | None:
    if degrees < 1 or not np.isfinite(replicates).all():
        return None
    made = jackknife(value, replicates, degrees=degrees, level=level)
    return made if max(abs(made.lower), abs(made.upper)) < 500 else None


def _bare(degrees: int) -> str:
    if degrees < 1:
        return "One treated place: leaving places out gives no interval."
    return "Without some single place no trend can be fitted, so there is no interval."


def _own_power(
    effect: Effect, log_ratio: float, slope: float, spread: Spread | None, degrees: int
) -> dict[str, object]:
    # Headline and trend-adjusted ratio differ by slope times lever: the years over which a trend of
    # the time before works on the effect.
    lever = (effect.log_ratio - log_ratio) / slope if abs(slope) > 1e-9 else math.nan
    made: dict[str, object] = {"scale": "log", "degrees_of_freedom": degrees, "lever_years": lever}
    if spread is None or not math.isfinite(lever) or abs(lever) < 1e-9:
        return made
    explaining = effect.log_ratio / lever
    made["slope_that_explains_the_effect"] = math.exp(np.clip(explaining, -500, 500))
    if spread.standard_error > 0:
        made["power_against_that_slope"] = power(explaining, spread.standard_error, degrees=degrees)
    return made
