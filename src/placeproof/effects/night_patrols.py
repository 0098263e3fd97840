"""What became of the other hours: the effect hour by hour around the nights that are patrolled."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from placeproof.effects.effect import Effect, effects
from placeproof.effects.first_set import HOT_SPOTS
from placeproof.effects.grid import Grid
from placeproof.effects.hours import ratio_of_ratios
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.inference import jackknife
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

CORE = "nte"
"""The hours of the night themselves, among the bands."""
REST = "rest"
"""The other hours that lie beside no night."""


def without_bands(other: Grid, bands: Sequence[Grid]) -> Grid:
    """
    Take the counts of some bands out of the other hours.

    Parameters
    ----------
    other : Grid
        All hours outside the night. Not modified.
    bands : sequence of Grid
        Parts of them, of the same places and periods.

    Returns
    -------
    Grid
        What is left; never below 0.
    """
    left = other.counts - np.sum([band.counts for band in bands], axis=0)
    return replace(other, counts=np.where(left < 1e-9, 0.0, left))


def band_rows(
    bands: Mapping[str, Grid],
    *,
    outcome: str,
    planned: PlannedOutcome,
    nte: str,
    level: float,
) -> list[Row]:
    """
    Estimate the effect in each band of hours around the nights, and the night's against it.

    Parameters
    ----------
    bands : mapping of str to Grid
        "nte" and others, such as "before", "after" and "rest": counts in those hours.
    outcome : str
        Id of the outcome.
    planned : PlannedOutcome
        What the plan says of it.
    nte : str
        Id of the preset that says what night is.
    level : float
        Coverage that intervals claim.

    Returns
    -------
    list of rows for table `estimate`
        For RQ9, role robustness, hours "BAND:PRESET": `rate_ratio` in each band but the night,
        which stands elsewhere, and `ratio_of_rate_ratios` of the night against it.
    """
    rows: list[Row] = []
    core = bands[CORE]
    for name, table in bands.items():
        if name == CORE:
            continue
        base = _base(planned, outcome, table, f"{name}:{nte}")
        head = {**base, "estimand": "rate_ratio", "method": IMPUTATION}
        why = why_not_supplied(table) or why_not_identified(table)
        if why:
            rows.append(refused(head, why))
            continue
        log_ratio, spread, first, second = ratio_of_ratios(core, table, level=level)
        rows.append(ratio_row(base, second, table, level=level))
        contrast = {**base, "estimand": "ratio_of_rate_ratios", "method": IMPUTATION}
        if not math.isfinite(log_ratio):
            why = first.refusal or second.refusal or "No event was counted in one set of hours."
            rows.append(refused(contrast, why))
            continue
        rows.append(
            {
                **contrast,
                **rests_on(table),
                **interval(spread, level=level),
                "n_events": float(core.counts.sum() + table.counts.sum()),
                "estimate": math.exp(log_ratio),
                "reason": " ".join(dict.fromkeys([*first.limits, *second.limits])) or None,
                "diagnostics": as_json(
                    {"numerator": f"nte:{nte}", "denominator": f"{name}:{nte}", "scale": "log"}
                ),
            }
        )
    return rows


def _base(planned: PlannedOutcome, outcome: str, table: Grid | None, hours: str) -> Row:
    asked = PlannedOutcome("RQ9", planned.label, planned.edition, "robustness", planned.feeds)
    row = about(asked, outcome, table, population=HOT_SPOTS, hours=hours)
    return {**row, "role": "robustness"}


BY_NIGHT, BY_DAY = "first_tasked=at night", "first_tasked=in other hours only"


def first_tasked_rows(
    tables: Mapping[str, Grid],
    at_night: Mapping[str, bool],
    *,
    outcome: str,
    planned: PlannedOutcome,
    nte: str,
    level: float,
) -> list[Row]:
    """
    Compare places that were first tasked at night with those that were not.

    Parameters
    ----------
    tables : mapping of str to Grid
        "nte" and "other": counts in those hours.
    at_night : mapping of str to bool
        Patrolled place to whether its first tasks lay in night-time hours too.
    outcome : str
        Id of the outcome.
    planned : PlannedOutcome
        What the plan says of it.
    nte : str
        Id of the preset that says what night is.
    level : float
        Coverage that intervals claim.

    Returns
    -------
    list of rows for table `estimate`
        For RQ9, role robustness: for either hours the ratio of both kinds of place and one
        divided by the other; or one row that says why there is no comparison.
    """
    other = tables["other"]
    kinds = [at_night.get(place) for place in other.places]
    member = np.array([[kind is True for kind in kinds], [kind is False for kind in kinds]])
    sizes = member.sum(axis=1)
    base = _base(planned, outcome, other, f"other:{nte}")
    contrast = {
        **base,
        "estimand": "ratio_of_rate_ratios",
        "method": IMPUTATION,
        "subgroup": BY_NIGHT,
    }
    if sizes.min() < 2:
        return [refused(contrast, _too_alike(int(sizes[0]), int(sizes[1])))]
    rows = []
    for hours, table in tables.items():
        here = _base(planned, outcome, table, f"{hours}:{nte}")
        why = why_not_supplied(table) or why_not_identified(table)
        if why:
            rows.append(refused({**contrast, **here, "subgroup": BY_NIGHT}, why))
            continue
        parts = table.after[None] & member[:, :, None]
        made = effects(table, parts=parts, apart=member.T, level=level)
        rows += [
            ratio_row({**here, "subgroup": subgroup}, one, table, level=level)
            for subgroup, one in zip((BY_NIGHT, BY_DAY), made, strict=True)
        ]
        rows.append(_kinds_against({**contrast, **here, "subgroup": BY_NIGHT}, table, made, level))
    return rows


def _kinds_against(base: Row, table: Grid, made: Sequence[Effect], level: float) -> Row:
    night, day = made
    log_ratio = night.log_ratio - day.log_ratio
    if night.refusal or day.refusal or not math.isfinite(log_ratio):
        return refused(base, night.refusal or day.refusal or "No event was counted on one side.")
    spread = None
    if night.spread and day.spread:
        degrees = min(night.spread.degrees, day.spread.degrees)
        replicates = night.replicates - day.replicates
        spread = jackknife(log_ratio, replicates, degrees=degrees, level=level)
    return {
        **base,
        **rests_on(table),
        **interval(spread, level=level),
        "estimate": math.exp(log_ratio),
        "diagnostics": as_json({"numerator": BY_NIGHT, "denominator": BY_DAY, "scale": "log"}),
    }


def _too_alike(by_night: int, by_day: int) -> str:
    if not by_night and not by_day:
        return "Nobody says at what hours any place was first tasked."
    few, many = ("at night", "in other hours only")
    if not by_day:
        return (
            "Every place was tasked in night-time hours from the start: places cannot be compared "
            "by when they were patrolled, only hours within places."
        )
    if not by_night:
        return (
            "No place was tasked in night-time hours at the start: places cannot be compared by "
            "when they were patrolled, only hours within places."
        )
    which = many if by_day < 2 else few
    return f"Only one place was first tasked {which}: no interval can be made from it."
