"""The headline made otherwise: without some periods, or with the hours split by another rule."""

import math
from collections.abc import Collection, Mapping
from datetime import date

import polars as pl

from placeproof.effects.effect import Effect, overall
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.hours import hours_rows
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
from placeproof.tables import estimate


def without_periods(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    left_out: Mapping[str, Collection[date]],
    level: float,
) -> pl.DataFrame:
    """
    Estimate the headline ratio again without some periods, and how far that moves it.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    left_out : mapping of str to collection of date
        What to call the variant, and the first days of the periods that go.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Role robustness, horizon "without=NAME", for treated hot spots at all hours: estimand
        `rate_ratio`, as `first_set` makes it from the periods that stay, or the reason why there
        is none (too little is left for an estimate, or for an interval where the headline has
        one); and `change_in_rate_ratio`, that ratio divided by the headline's. The interval of
        the change comes from leaving each place out of both at once, because the two share most of
        their counts. No placebo permutation.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    frames = {
        name: pl.DataFrame({"period_start": sorted(gone)}, schema={"period_start": pl.Date})
        for name, gone in left_out.items()
    }
    return without_cells(panel, outcomes=outcomes, left_out=frames, level=level)


def without_cells(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    left_out: Mapping[str, pl.DataFrame],
    level: float,
) -> pl.DataFrame:
    """
    Estimate the headline ratio again without some place-periods, and how far that moves it.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    left_out : mapping of str to DataFrame
        What to call the variant, and what goes: every row of the panel that agrees with a row of
        the frame in all its columns, such as `place_id` and `period_start`.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        As `without_periods` makes it.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        headline = overall(table, level=level) if table and not _why(table) else None
        for name in sorted(left_out):
            gone = left_out[name]
            kept = whole.join(gone, on=gone.columns, how="anti")
            part = grid(kept, outcome=outcome, hours="all", kinds=SPOTS)
            base = {
                **about(outcomes[outcome], outcome, part, population=HOT_SPOTS, hours="all"),
                "role": "robustness",
                "horizon": f"without={name}",
            }
            rows += _again(base, part, table, headline, level=level)
    return estimate.rows(rows)


def _why(table: Grid | None) -> str | None:
    return why_not_supplied(table) or (why_not_identified(table) if table else None)


def _again(
    base: Row, part: Grid | None, whole: Grid | None, headline: Effect | None, *, level: float
) -> list[Row]:
    why = _why(part)
    if why or part is None or whole is None:
        head = {**base, "estimand": "rate_ratio", "method": IMPUTATION}
        return [refused(head, f"Too little is left. {why}")]
    effect = overall(part, level=level)
    head = ratio_row(base, effect, part, level=level)
    if headline is None or headline.refusal or effect.refusal:
        return [head]
    if effect.spread is None and headline.spread is not None:
        return [refused(head, f"Too little is left. {' '.join(effect.limits)}")]
    made = [head]
    change = effect.log_ratio - headline.log_ratio
    if not math.isfinite(change) or part.places != whole.places:
        return made
    spread = None
    if effect.spread is not None and headline.spread is not None:
        degrees = min(effect.spread.degrees, headline.spread.degrees)
        replicates = effect.replicates - headline.replicates
        spread = jackknife(change, replicates, degrees=degrees, level=level)
    return [
        *made,
        {
            **base,
            **rests_on(part),
            **interval(spread, level=level),
            "minimum_detectable_effect": None,
            "estimand": "change_in_rate_ratio",
            "method": IMPUTATION,
            "estimate": math.exp(change),
            "diagnostics": as_json({"numerator": base["horizon"], "scale": "log"}),
        },
    ]


def by_hours(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    nte: str,
    level: float,
) -> pl.DataFrame:
    """
    Estimate the effect in night-time hours and in the other hours, split by one more rule.

    Parameters
    ----------
    panel : table `panel`
        Counts of hours "nte" and "other" under that rule. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    nte : str
        Id of the preset by which the hours were split.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        As `first_set` makes them for RQ9, all of role robustness; the contrast stands under the
        hours "nte:PRESET", so that the one of the pinned preset keeps its name.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        night, other = (
            grid(whole, outcome=outcome, hours=hours, kinds=SPOTS) for hours in ("nte", "other")
        )
        rows += hours_rows(
            night, other, outcome=outcome, planned=outcomes[outcome], population=HOT_SPOTS,
            nte=nte, level=level,
        )  # fmt: skip
    for row in rows:
        row["role"] = "robustness"
        if row["estimand"] == "ratio_of_rate_ratios":
            row["hours"] = f"nte:{nte}"
    return estimate.rows(rows)
