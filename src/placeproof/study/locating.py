"""The headline under what events without a location could have been."""

import polars as pl

from placeproof import panel
from placeproof.effects import unlocated
from placeproof.study.counting import supplied_months
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.work import Work

_SPOTS = ("hotspot", "comparison")
_FORCE = {"kind": "force", "group": "other", "target_id": None, "first_treated": None}


def bound_missing_locations(work: Work) -> None:
    """
    Estimate the headline effects under moderate and extreme answers to where unlocated events lie.

    Parameters
    ----------
    work : Work
        The run; estimates are added for each headline outcome with events without a location.
    """
    names = work.headline_outcomes()
    if work.panel is None or not work.lock.outcomes_visible or not names:
        return
    chosen = pl.col("outcome").is_in(names) & pl.col("kind").is_in(_SPOTS)
    counted = work.panel.filter(chosen, hours="all")
    if counted.is_empty():
        return
    totals = {name: _totals(work, name, counted) for name in names}
    work.add(
        unlocated.bounded(
            for_estimation(work, counted),
            outcomes=planned_outcomes(work),
            totals=totals,
            odds=work.plan.registers.unlocated_odds,
            level=work.plan.level,
        )
    )


def _totals(work: Work, outcome_id: str, like: pl.DataFrame) -> pl.DataFrame:
    """Events of the whole study area in each period, with and without a location."""
    sides = pl.when(pl.col("easting_m").is_null()).then(pl.lit("unlocated"))
    events = work.selected[outcome_id].with_columns(place_id=sides.otherwise(pl.lit("located")))
    schema = {"place_id": pl.String, "kind": pl.String, "group": pl.String,
              "target_id": pl.String, "first_treated": pl.Date}  # fmt: skip
    places = pl.DataFrame(
        [{"place_id": side, **_FORCE} for side in ("located", "unlocated")], schema=schema
    )
    counts = panel.build(
        events,
        places,
        outcome_id=outcome_id,
        period_kind=work.plan.period,  # type: ignore[arg-type]
        first=like["period_start"].min(),  # type: ignore[arg-type]
        last=like["period_end"].max(),  # type: ignore[arg-type]
        supplied_months=supplied_months(work, outcome_id),
        nte_intervals=None,
    )
    wide = counts.pivot("place_id", index="period_start", values="count")
    return wide.select("period_start", "located", "unlocated")
