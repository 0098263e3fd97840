"""The effect once more on whole small areas, where every event with an area code counts."""

from dataclasses import replace
from datetime import date

import polars as pl

from placeproof import calendar, effects, hotspots
from placeproof.errors import IdentificationError
from placeproof.study.estimating import planned_outcomes, serves_as_baseline
from placeproof.study.work import Work, described
from placeproof.tables import estimate

POPULATION = "areas with treated hot spots"


def estimate_areas(work: Work) -> None:
    """
    Estimate the headline effects by LSOA and month.

    An area that holds a hot spot is far larger than it: the effect is diluted, but no event is
    lost for want of a point, and no outline was drawn to fit the events.

    Parameters
    ----------
    work : Work
        The run; estimates are added, all of role robustness, or why there are none. Nothing where
        no areas were counted.
    """
    counted = work.tables.get("panel_lsoa")
    if counted is None or not work.lock.outcomes_visible:
        return
    planned = {
        name: replace(outcome, role="robustness")
        for name, outcome in planned_outcomes(work).items()
        if name in work.headline_outcomes() and name in set(counted["outcome"].unique())
    }
    chosen, why = _compared(work, counted)
    if chosen is None:
        work.add(_refused(work, list(planned), why))
        return
    work.add(
        effects.first_set(
            chosen,
            outcomes=planned,
            level=work.plan.level,
            permutations=work.plan.permutations,
            rng=work.rng("areas", "permutations"),
            widths=(),
            leads=0,
            nte=None,
            bands={},
        )
    )


def _compared(work: Work, counted: pl.DataFrame) -> tuple[pl.DataFrame | None, str]:
    """Areas with hot spots and areas matched to them on the history, on periods that may serve."""
    treated = counted.filter(group="treated")["place_id"].unique()
    if not len(treated):
        return None, "No LSOA holds a patrolled hot spot."
    outcome = work.plan.primary
    months = calendar.periods(work.plan.history_from, work.plan.history_to, kind="month")
    starts: list[date] = months["period_start"].to_list()
    matched_on, spare = starts, None
    if work.plan.baseline == "unused":
        matched_on, spare = hotspots.split_periods(starts)
    history = counted.filter(
        pl.col("period_start").is_in(matched_on), outcome=outcome, hours="all"
    ).select("place_id", "period_start", "count", "group")
    try:
        matches = hotspots.match(
            history.filter(group="treated"),
            history.filter(group="comparison"),
            per_hotspot=work.plan.comparison_per_hotspot,
            shape_weight=work.plan.match_shape_weight,
            widest_distance=None,
        )
    except IdentificationError as error:
        return None, error.message
    kept = [*treated.to_list(), *matches["place_id"].to_list()]
    return (
        counted.filter(pl.col("place_id").is_in(kept), serves_as_baseline(work.plan, spare)),
        "",
    )


def _refused(work: Work, names: list[str], why: str) -> pl.DataFrame:
    return estimate.rows(
        [
            dict(described(work, name))
            | {
                "question": work.question_of(name),
                "population": POPULATION,
                "estimand": "rate_ratio",
                "method": "poisson_imputation_jackknife",
                "role": "robustness",
                "unit": "ratio",
                "status": "not_identified",
                "reason": why,
            }
            for name in names
        ]
    )
