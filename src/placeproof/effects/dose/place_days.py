"""Days with a tasked patrol against days without one, within places and their months."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from placeproof.effects.dose.within import Within, within_strata
from placeproof.effects.first_set import HOT_SPOTS
from placeproof.effects.rows import Row, as_json, interval, refused

WITHIN = "poisson_within_place_months_jackknife"
ASSOCIATION = (
    "An association: nobody drew lots for these days, so whatever made a day a day of patrol may "
    "have moved the counts as well."
)
BY_LOT, NOT_BY_LOT = "days=by lot", "days=not by lot"
NEAR_DAYS = 14
"""Untasked days this close to a span of lots, and outside it, belong to neither kind of day."""


@dataclass(frozen=True)
class DayRules:
    """
    Choices about place-days; every one is a line of the plan.

    Parameters
    ----------
    lag_days : int
        Days after a patrol over which what is left of it is followed.
    washout_days : int
        Days without a patrol this soon after one are left out where carry-over is washed out.
    lot_block : str
        "week" or "month": within which chance allotted the days of a place.
    permutations : int
        Allotments drawn anew; 0 leaves randomisation inference out.
    level : float
        Coverage that intervals claim.
    """

    lag_days: int
    washout_days: int
    lot_block: str
    permutations: int
    level: float


def place_days(panel: pl.DataFrame, *, by_lot: pl.DataFrame, lag_days: int) -> pl.DataFrame:
    """
    Lay out patrolled place-days with what was tasked on them and on the days before.

    Parameters
    ----------
    panel : table `panel`
        Days of hot spots, one outcome and one set of hours, without gaps. Not modified.
    by_lot : DataFrame
        `place_id`, `first`, `last`: the span of days in which lots were drawn for a place.
    lag_days : int
        How many days back.

    Returns
    -------
    DataFrame
        `place_id`, `day`, `count`, `tasked`, `lot`, and `lag_1` … : whether a patrol was asked for
        that many days before (null where nobody says). Patrolled days with a count and a word on
        tasking only, sorted by place and day.
    """
    tasked = (
        pl.when(pl.col("treated").not_()).then(pl.lit(value=False))
        .otherwise(pl.col("planned_minutes") > 0)
    )  # fmt: skip
    days = panel.sort("place_id", "period_start").with_columns(day="period_start", tasked=tasked)
    days = days.with_columns(
        pl.col("tasked").shift(lag).over("place_id").alias(f"lag_{lag}")
        for lag in range(1, lag_days + 1)
    )
    days = days.join(by_lot, on="place_id", how="left").with_columns(
        lot=pl.col("day").is_between("first", "last").fill_null(value=False)
    )
    # Whether lots were drawn already, or still, on a day without a patrol just outside: who knows.
    near = pl.col("day").is_between(
        pl.col("first").dt.offset_by(f"-{NEAR_DAYS}d"), pl.col("last").dt.offset_by(f"{NEAR_DAYS}d")
    )
    unclear = near & ~pl.col("lot") & ~pl.col("tasked")
    days = days.filter(~unclear.fill_null(value=False))
    lags = [f"lag_{lag}" for lag in range(1, lag_days + 1)]
    return days.filter("treated").drop_nulls(["count", "tasked"]).select(
        "place_id", "day", "count", "tasked", "lot", *lags
    )  # fmt: skip


def tasked_day_rows(days: pl.DataFrame, base: Row, *, rules: DayRules, lags: bool) -> list[Row]:
    """
    Compare tasked with untasked days of the same place and month, days of the week held.

    Parameters
    ----------
    days : DataFrame
        As `place_days` makes it.
    base : dict
        Columns so far: outcome, window, hours.
    rules : DayRules
        Choices of the plan.
    lags : bool
        Whether what is left on later days is followed as well.

    Returns
    -------
    list of rows for table `estimate`
        Days for which lots were drawn and others apart, by subgroup. Never one place alone.
    """
    rows: list[Row] = []
    for subgroup, part in (
        (BY_LOT, days.filter("lot")),
        (NOT_BY_LOT, days.filter(~pl.col("lot"))),
    ):
        if part.is_empty():
            continue
        mine = {
            **base,
            "population": HOT_SPOTS,
            "subgroup": subgroup,
            "role": "beside" if subgroup == BY_LOT else "robustness",
            "method": WITHIN,
            "unit": "ratio",
            "n_places": part["place_id"].n_unique(),
        }
        note = None if subgroup == BY_LOT else ASSOCIATION
        if why := _alike(part):
            head = {**mine, "estimand": "tasked_day_rate_ratio"}
            rows += [refused(head, why)] if lags else []
            continue
        rows.append(_contrast({**mine, "estimand": "tasked_day_rate_ratio"}, part, rules, note))
        if lags:
            rows += _lags(mine, part, rules, note)
            kept = part.filter(pl.col("tasked") | ~_soon_after(rules.washout_days))
            washed = {**mine, "estimand": "tasked_day_rate_ratio", "role": "robustness"}
            washed["horizon"] = f"washout={rules.washout_days}"
            rows.append(_contrast(washed, kept, rules, note))
    return rows


def _soon_after(washout_days: int) -> pl.Expr:
    recent = [pl.col(f"lag_{lag}") for lag in range(1, washout_days + 1)]
    return pl.any_horizontal(recent).fill_null(value=True) if recent else pl.lit(value=False)


def _fitted(days: pl.DataFrame, asked: list[str]) -> Within:
    known = days.drop_nulls(asked)
    # A weekday without any event is expected to have none: its days say nothing more.
    weekday = pl.col("day").dt.weekday()
    known = known.filter(pl.col("count").sum().over(weekday) > 0)
    if known.is_empty():
        return within_strata(*(np.zeros((0, 1)) for _ in range(4)), asked=1)
    month = known.select(
        pl.struct("place_id", pl.col("day").dt.month_start()).rank("dense") - 1
    ).to_series()
    place = known.select(pl.col("place_id").rank("dense") - 1).to_series()
    on = known.select(weekday).to_series().to_numpy()
    terms = [known[name].cast(pl.Float64).to_numpy() for name in asked]
    terms += [(on == day).astype(float) for day in np.unique(on)[1:]]
    return within_strata(
        known["count"].to_numpy(),
        np.column_stack(terms),
        month.to_numpy().astype(int),
        place.to_numpy().astype(int),
        asked=len(asked),
    )


def _contrast(base: Row, days: pl.DataFrame, rules: DayRules, note: str | None) -> Row:
    made = _fitted(days, ["tasked"])
    more = _days_counted(days)
    if made.refusal:
        why = _alike(days) or made.refusal
        return refused({**base, "diagnostics": as_json(more)}, why)
    return _row(base, made, [0], rules, note, more)


def _alike(days: pl.DataFrame) -> str | None:
    if not days["tasked"].any():
        return "No patrol was asked for on any of these days."
    if days["tasked"].all():
        return "A patrol was asked for on every one of these days: none stands beside them."
    return None


def _days_counted(days: pl.DataFrame) -> dict[str, object]:
    return {
        "scale": "log",
        "tasked_place_days": int(days["tasked"].sum()),
        "untasked_place_days": int((~days["tasked"]).sum()),
    }


def _row(
    base: Row, made: Within, terms: list[int], rules: DayRules, note: str | None, more: Row
) -> Row:
    estimate, _ = made.summed(terms)
    spread = made.spread(terms, level=rules.level)
    few = None
    if spread is None:
        few = "It rests on a single place somewhere, so there is no interval."
    return {
        **base,
        **interval(spread, level=rules.level),
        "estimate": math.exp(estimate),
        "n": made.rows,
        "n_places": made.places,
        "n_events": made.events,
        "reason": " ".join(filter(None, (few, note))) or None,
        "diagnostics": as_json(more),
    }


def _lags(base: Row, days: pl.DataFrame, rules: DayRules, note: str | None) -> list[Row]:
    asked = ["tasked", *(f"lag_{lag}" for lag in range(1, rules.lag_days + 1))]
    made = _fitted(days, asked)
    head = {**base, "role": "robustness"}
    summed = {**head, "estimand": "summed_lag_rate_ratio", "horizon": f"days=0-{rules.lag_days}"}
    if made.refusal:
        return [refused(summed, _alike(days) or made.refusal)]
    more = _days_counted(days)
    rows = [
        _row({**head, "estimand": "lag_rate_ratio", "horizon": f"day={lag}"}, made, [lag], rules,
             note, more)
        for lag in range(len(asked))
    ]  # fmt: skip
    rows.append(_row(summed, made, list(range(len(asked))), rules, note, more))
    after = {**head, "estimand": "summed_lag_rate_ratio", "horizon": f"days=1-{rules.lag_days}"}
    if rules.lag_days:
        rows.append(_row(after, made, list(range(1, len(asked))), rules, note, more))
    return rows
