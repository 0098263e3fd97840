"""For whom: the effect by age, sex and ethnic group of the victims."""

from collections.abc import Callable

import polars as pl

from placeproof import panel
from placeproof.definitions import demography, outcomes
from placeproof.effects import groups
from placeproof.effects.rows import IMPUTATION
from placeproof.panel.unrecorded import unrecorded_share
from placeproof.study.counting import night_hours, supplied_months
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.plan import Plan
from placeproof.study.work import Work, described
from placeproof.surveys.levels import holm
from placeproof.tables import estimate

_SPOTS = ("hotspot", "comparison")

COLUMNS = {
    "victim_age_band": ("victim_age", "age of the victim"),
    "victim_sex": ("victim_sex", "sex of the victim"),
    "victim_ethnicity": ("victim_ethnicity", "ethnic group of the victim"),
}
"""Variable of a subgroup to the column of events that it is made from, and its words."""


def split_by_victim(work: Work) -> None:
    """
    Estimate the headline effects in each group of victims.

    Parameters
    ----------
    work : Work
        The run; estimates are added for each headline outcome: the effect by group and each group
        against the others, the share of events whose victim has no group, or why there is none.
    """
    if work.panel is None or not work.lock.outcomes_visible:
        return
    planned = planned_outcomes(work)
    for name in work.headline_outcomes():
        events = labelled(work.selected[name], work.plan)
        known = [
            variable
            for variable in work.plan.subgroups.victim_variables
            if events[variable].null_count() < events.height
        ]
        work.add(_absent(work, name, known))
        if not known:
            continue
        for variable in known:
            words = COLUMNS[variable][1]
            work.add(
                unrecorded_share(
                    events, group=variable, words=words, described=described(work, name)
                )
            )
        work.add(
            groups.by_group(
                [_split(work, name, events, variable) for variable in known],
                outcome=name,
                planned=planned[name],
                least_events=work.plan.subgroups.least_events_per_group,
                nte=work.plan.nte,
                level=work.plan.level,
                adjusted=holm,
            )
        )


def labelled(events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """
    Put each event's victim into groups.

    Parameters
    ----------
    events : DataFrame
        As `definitions.select` makes them. Not modified.
    plan : Plan
        Its editions of bands and groups.

    Returns
    -------
    DataFrame
        The same events with the columns `victim_age_band`, `victim_sex` and `victim_ethnicity`,
        null where the victim has no group of that edition.
    """
    asked = plan.subgroups
    return events.with_columns(
        demography.age_band(pl.col("victim_age"), edition=asked.age_bands).alias("victim_age_band"),
        demography.sex_group(pl.col("victim_sex"), edition=asked.sex_groups).alias("victim_sex"),
        demography.ethnic_group(pl.col("victim_ethnicity"), edition=asked.ethnic_groups).alias(
            "victim_ethnicity"
        ),
    )


def _editions(plan: Plan) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Variable to its edition and the groups of it, in the order of a table."""
    asked = plan.subgroups
    return {
        "victim_age_band": (asked.age_bands, demography.AGE_BANDS[asked.age_bands].labels),
        "victim_sex": (asked.sex_groups, demography.SEX_GROUPS[asked.sex_groups].labels),
        "victim_ethnicity": (
            asked.ethnic_groups,
            demography.ETHNIC_GROUPS[asked.ethnic_groups].labels,
        ),
    }


def _split(work: Work, name: str, events: pl.DataFrame, variable: str) -> groups.Split:
    edition, labels = _editions(work.plan)[variable]
    count = _counter(work, name)
    panels = {
        label: count(events.filter(pl.col(variable) == label))
        for label in labels
        if (events[variable] == label).any()
    }
    panels[groups.NOT_RECORDED] = count(events.filter(pl.col(variable).is_null()))
    return groups.Split(variable, edition, panels)


def _counter(work: Work, name: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Count some events of an outcome as its panel counts them all."""
    like = work.panel.filter(pl.col("outcome") == name)  # type: ignore[union-attr]
    spots = work.places.filter(pl.col("kind").is_in(_SPOTS))  # type: ignore[union-attr]
    inside = spots["place_id"].implode()
    first, last = like["period_start"].min(), like["period_end"].max()
    months = supplied_months(work, name)
    nights = night_hours(work, work.plan.nte, work.selected[name])

    def count(events: pl.DataFrame) -> pl.DataFrame:
        within = events.filter(pl.col("place_id").is_in(inside))
        # Days and weeks need a time; whoever has none is in no group's count, nor in the total's.
        made = panel.build(
            within, spots, outcome_id=name, period_kind=work.plan.period,  # type: ignore[arg-type]
            first=first, last=last, supplied_months=months, nte_intervals=nights,  # type: ignore[arg-type]
        )  # fmt: skip
        return for_estimation(work, made)

    return count


def _absent(work: Work, name: str, known: list[str]) -> pl.DataFrame:
    """Why there is no split by the variables that no event carries."""
    missing = [each for each in work.plan.subgroups.victim_variables if each not in known]
    if not missing:
        return estimate.rows([])
    if set(outcomes()[name].source_tables) == {"incident"}:
        reasons = {"victims": "Incidents of anti-social behaviour carry no victim."}
    elif not known:
        reasons = {"victims": "The records say nothing of age, sex or ethnic group of victims."}
    else:
        reasons = {each: f"No record carries the {COLUMNS[each][1]}." for each in missing}
    rows = [
        dict(described(work, name))
        | {
            "question": "RQ8",
            "population": "treated hot spots",
            "subgroup": variable,
            "estimand": "rate_ratio",
            "method": IMPUTATION,
            "role": "beside",
            "unit": "ratio",
            "status": "not_supplied",
            "reason": reason,
        }
        for variable, reason in reasons.items()
    ]
    return estimate.rows(rows)
