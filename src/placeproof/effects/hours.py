"""Core night-time economy hours against the other hours, within the same places."""

import math

import numpy as np

from placeproof.effects.effect import Effect, overall
from placeproof.effects.grid import Grid, only
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.inference import Spread, jackknife
from placeproof.effects.rows import (
    IMPUTATION,
    PlannedOutcome,
    Row,
    about,
    as_json,
    interval,
    ratio_row,
    refused,
    rests_on,
)


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


def hours_rows(
    night: Grid | None,
    other: Grid | None,
    *,
    outcome: str,
    planned: PlannedOutcome,
    population: str,
    nte: str,
    level: float,
) -> list[Row]:
    """
    Write down the effect in core hours, in the other hours, and one against the other.

    Parameters
    ----------
    night, other : Grid or None
        Counts in the two sets of hours; None: not counted.
    outcome : str
        Id of the outcome.
    planned : PlannedOutcome
        What the plan says of it; the contrast takes its role.
    population : str
        Which places.
    nte : str
        Id of the preset by which the hours were split.
    level : float
        Coverage that intervals claim.

    Returns
    -------
    list of rows for table `estimate`
        For RQ9. None where either set of hours was not counted; the contrast alone, with the
        reason, where either cannot be identified.
    """
    if night is None or other is None:
        return []
    asked = PlannedOutcome("RQ9", planned.label, planned.edition, planned.role, planned.feeds)
    labels = f"nte:{nte}", f"other:{nte}"
    bases = [
        {**about(asked, outcome, t, population=population, hours=h), "role": "beside"}
        for t, h in ((night, labels[0]), (other, labels[1]), (night, "all"))
    ]
    contrast = {
        **bases[2],
        "role": planned.role,
        "estimand": "ratio_of_rate_ratios",
        "method": IMPUTATION,
    }
    for table, name in ((night, "core hours"), (other, "the other hours")):
        why = why_not_supplied(table) or why_not_identified(table)
        if why:
            return [refused(contrast, f"In {name}: {why}")]
    log_ratio, spread, first, second = ratio_of_ratios(night, other, level=level)
    rows = [
        ratio_row(bases[0], first, night, level=level),
        ratio_row(bases[1], second, other, level=level),
    ]
    if not math.isfinite(log_ratio):
        why = first.refusal or second.refusal or "No event was counted in one set of hours."
        return [*rows, refused(contrast, why)]
    limits = " ".join(dict.fromkeys([*first.limits, *second.limits]))
    more = {"numerator": labels[0], "denominator": labels[1], "scale": "log"}
    return [
        *rows,
        {
            **contrast,
            **rests_on(night),
            **interval(spread, level=level),
            "n_events": float(night.counts.sum() + other.counts.sum()),
            "estimate": math.exp(log_ratio),
            "reason": limits or None,
            "diagnostics": as_json(more),
        },
    ]
