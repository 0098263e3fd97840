"""Core night-time economy hours against the other hours, within the same places."""

import numpy as np

from placeproof.effects.effect import Effect, overall
from placeproof.effects.grid import Grid, only
from placeproof.effects.inference import Spread, jackknife


def ratio_of_ratios(
    night: Grid, other: Grid, *, level: float
) -> tuple[float, Spread | None, Effect, Effect]:
    """
    Compare the effect in core hours with the effect in the other hours of the same places.

    Parameters
    ----------
    night, other : Grid
        Counts in the two sets of hours. Places found in one only are left out.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    (float, Spread or None, Effect, Effect)
        Log of (rate ratio in core hours / rate ratio in other hours), not a number where either
        has none; its interval, from leaving each place out of both at once, so that what a place's
        nights and days share does not count twice; and the two effects.
    """
    both = sorted(set(night.places) & set(other.places))
    first, second = (
        overall(only(table, np.isin(np.array(table.places), both)), level=level)
        for table in (night, other)
    )
    if first.refusal or second.refusal:
        return float("nan"), None, first, second
    log_ratio = first.log_ratio - second.log_ratio
    if first.spread is None or second.spread is None:
        return log_ratio, None, first, second
    degrees = min(first.spread.degrees, second.spread.degrees)
    interval = jackknife(
        log_ratio, first.replicates - second.replicates, degrees=degrees, level=level
    )
    return log_ratio, interval, first, second
