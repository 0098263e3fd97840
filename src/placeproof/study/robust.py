"""The headline by other estimators, and without what came after a place left the list."""

from dataclasses import asdict, replace

import polars as pl

from placeproof.effects import PlannedOutcome
from placeproof.effects.otherwise import without_cells
from placeproof.effects.robustness import Choices, robustness_set
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.work import Work

AFTER_EXIT = "after-exit"
"""What the variant is called in which place-periods after the last day of patrols are left out."""

_SPOTS = ("hotspot", "comparison")


def estimate_otherwise(work: Work) -> None:
    """
    Estimate the headline effects by every estimator that the plan names beside the headline.

    Parameters
    ----------
    work : Work
        The run; estimates are added. While the plan is not locked, nothing is estimated.
    """
    kept, planned = _headlines(work)
    if kept is None:
        return
    choices = Choices(**asdict(work.plan.robustness))
    work.add(robustness_set(kept, outcomes=planned, choices=choices, level=work.plan.level))


def censor_at_exit(work: Work) -> None:
    """
    Estimate the headline effects again without what came after a hot spot left the list.

    The headline counts a place as patrolled from its first start on, whatever came later: that is
    the intention to treat. Here a place's periods with a day after its last day of patrols go.

    Parameters
    ----------
    work : Work
        The run; estimates are added where a place has left the list within the panel.
    """
    kept, planned = _headlines(work)
    if kept is None or work.places is None:
        return
    left = work.places.filter(pl.col("kind") == "hotspot").select("place_id", "treated_until")
    gone = (
        kept.join(left.drop_nulls(), on="place_id", how="inner")
        .filter(pl.col("period_end") > pl.col("treated_until"))
        .select("place_id", "period_start")
        .unique()
        .sort("place_id", "period_start")
    )
    if gone.is_empty():
        return
    own = {
        name: replace(outcome, feeds=" ".join(dict.fromkeys(f"{outcome.feeds} hotspot".split())))
        for name, outcome in planned.items()
    }
    work.add(without_cells(kept, outcomes=own, left_out={AFTER_EXIT: gone}, level=work.plan.level))


def _headlines(work: Work) -> tuple[pl.DataFrame | None, dict[str, PlannedOutcome]]:
    """The rows on which headlines are estimated, and what the plan says of their outcomes."""
    planned = {
        name: outcome
        for name, outcome in planned_outcomes(work).items()
        if name in work.headline_outcomes()
    }
    if work.panel is None or not work.lock.outcomes_visible or not planned:
        return None, {}
    counted = work.panel.filter(
        pl.col("outcome").is_in(list(planned)), pl.col("kind").is_in(_SPOTS), hours="all"
    )
    return (None, {}) if counted.is_empty() else (for_estimation(work, counted), planned)
