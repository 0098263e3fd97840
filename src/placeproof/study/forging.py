"""Compared with what? The headline under many sets of comparison places, and their placebos."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from placeproof import calendar, effects, geometry, hotspots, panel
from placeproof.definitions import outcomes
from placeproof.errors import StudyError
from placeproof.files import geo
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.placing import GRID_OFFSET_M, first_start, matching_outcome
from placeproof.study.work import Work, described
from placeproof.tables import estimate

EVERY_SET = "comparison places of all sets"


@dataclass(frozen=True)
class _Chosen:
    """Where the places of all sets lie, set by set under each other."""

    names: tuple[str, ...]
    hot_spots: tuple[str, ...]
    outlines: np.ndarray
    of_set: np.ndarray
    """(all places) index of the set."""
    spare: np.ndarray
    """Outlines of the matchings for placebos, likewise."""
    spare_set: np.ndarray
    plays: np.ndarray
    """Index of the hot spot whose part the place plays; -1: it is compared with."""


def forge_comparisons(work: Work) -> None:
    """
    Match many sets of comparison places and make the headline estimates anew under each.

    Parameters
    ----------
    work : Work
        The run; estimates are added: how alike the sets are to the hot spots and, where outcomes
        may be seen, the effects under each set, placebos in space and time, and the headline
        without each place in turn. Where no set can be matched, one row for each headline outcome
        says why.
    """
    plan = work.plan.forge
    if not plan.sets or work.hotspots is None or work.places is None:
        return
    ground = _ground(work)
    if isinstance(ground, str):
        work.add(_nothing(work, ground, status="not_supplied"))
        return
    made = hotspots.forged(
        ground,
        sets=plan.sets,
        kinds=plan.kinds,
        matching=hotspots.Matching(
            work.plan.comparison_per_hotspot, work.plan.match_shape_weight, plan.feature_weight
        ),
        rng=work.rng("forge", "grids"),
    )
    if not made:
        work.add(_nothing(work, NO_CANDIDATE, status="not_identified"))
        return
    work.add(_balance(work, ground, made))
    if work.panel is None or not work.lock.outcomes_visible:
        return
    chosen = _together(made, _treated(work)["place_id"].to_list(), work.rng("forge", "placebos"))
    counted = for_estimation(work, work.panel)
    planned = planned_outcomes(work)
    for name in work.headline_outcomes():
        if name in planned:
            outcome = replace(planned[name], feeds=planned[name].feeds + _features_used(ground))
            work.add(_of_outcome(work, name, outcome, counted, chosen))
    work.add(_paths(work, chosen, _features_used(ground)))


NO_CANDIDATE = (
    "No place outside the hot spots and their rings held enough events in the history, so that no "
    "other set of comparison places can be matched."
)
NO_AREA = "The outline of the area is missing: nobody can say where else comparison places may lie."


def _treated(work: Work) -> pl.DataFrame:
    return work.places.filter(kind="hotspot", group="treated").sort("place_id")  # type: ignore[union-attr]


def _ground(work: Work) -> hotspots.Ground | str:
    """Where candidates may lie and what happened there, or why there is no such ground."""
    outcome = matching_outcome(work)
    events = work.selected.get(outcome)
    if events is None:
        return work.not_supplied.get(outcome) or f"The outcome {outcome} was not supplied."
    if work.inputs.area_wkb is None:
        return NO_AREA
    treated = _treated(work)
    if treated.is_empty():
        return "No hot spot was ever patrolled."
    window = (work.plan.history_from, work.plan.history_to)
    kind = work.plan.period
    periods = calendar.periods(*window, kind=kind)["period_start"].to_list()  # type: ignore[arg-type]
    if work.plan.baseline == "unused":
        periods, _ = hotspots.split_periods(periods)
    history = _points(work, events, periods)
    if isinstance(history, str):
        return history
    outlines = geometry.outlines(treated["geometry"])
    every = work.places.filter(kind="hotspot").sort("place_id")  # type: ignore[union-attr]
    return hotspots.Ground(
        history=history,
        area_wkb=work.inputs.area_wkb,
        outlines=outlines,
        own=history.counted(outlines),
        forbidden=geometry.outlines(every["geometry"]),
        excluded_within_m=work.plan.ring_edges_m[-1],
        side_m=work.plan.side_m,
        least_events=work.plan.least_events,
        features=_features(work),
    )


def _points(work: Work, events: pl.DataFrame, periods: Sequence[date]) -> hotspots.Points | str:
    try:
        amounts = panel.amounts(events, period_kind=work.plan.period)  # type: ignore[arg-type]
    except StudyError as error:
        return error.message
    return hotspots.gathered(events, amounts, periods=periods)


def _features(work: Work) -> hotspots.Features:
    plan, table = work.plan.forge, work.inputs.get("place_feature")
    areas, file = None, work.study.lsoa
    wanted = None if table is None else table.filter(pl.col("feature").is_in(plan.features))
    if file is not None and wanted is not None and wanted["area_code"].is_not_null().any():
        areas = geo.lsoa_places(
            file.path, code_column=file.code, name_column=file.name or file.code, crs=file.crs
        )
    return hotspots.features_of(
        table, names=plan.features, areas=areas, reach_m=plan.feature_reach_m
    )


def _features_used(ground: hotspots.Ground) -> str:
    return " place_feature" if ground.features.names else ""


def _balance(
    work: Work, ground: hotspots.Ground, made: Sequence[hotspots.MatchedSet]
) -> pl.DataFrame:
    outcome = matching_outcome(work)
    beside = work.comparison
    return hotspots.balance_of_sets(
        ground,
        made,
        hotspots.candidate_pool(ground, kind=hotspots.TESSELLATED, offset_m=GRID_OFFSET_M),
        headline=np.zeros(0, dtype=object)
        if beside is None
        else geometry.outlines(beside["geometry"]),
        definition_edition=outcomes()[outcome].edition_tag,
        window=(work.plan.history_from, work.plan.history_to),
        feeds=work.feeds_of(outcome) + _features_used(ground),
    )


def _together(
    made: Sequence[hotspots.MatchedSet], hot_spots: list[str], rng: np.random.Generator
) -> _Chosen:
    """Lay all sets under each other; in each, one place by lot plays the part of its hot spot."""
    plays = []
    for one in made:
        # The first of each hot spot's places in an order drawn by lot.
        order = rng.permutation(len(one.spare_target))
        _, first = np.unique(one.spare_target[order], return_index=True)
        part = np.full(len(order), -1)
        part[order[first]] = one.spare_target[order[first]]
        plays.append(part)
    return _Chosen(
        names=tuple(one.name for one in made),
        hot_spots=tuple(hot_spots),
        outlines=np.concatenate([one.outlines for one in made]),
        of_set=np.repeat(np.arange(len(made)), [len(one.outlines) for one in made]),
        spare=np.concatenate([one.spare_outlines for one in made]),
        spare_set=np.repeat(np.arange(len(made)), [len(one.spare_outlines) for one in made]),
        plays=np.concatenate(plays),
    )


def _of_outcome(
    work: Work,
    name: str,
    planned: effects.PlannedOutcome,
    counted: pl.DataFrame,
    chosen: _Chosen,
) -> pl.DataFrame:
    mine = counted.filter(outcome=name, hours="all")
    periods = mine["period_start"].unique().sort().to_list()
    points = _points(work, work.selected[name], periods)
    if isinstance(points, str):
        return _nothing(work, points, status="not_supplied", names=[name])
    sets = len(chosen.names)
    own, spare = points.counted(chosen.outlines), points.counted(chosen.spare)
    plays = chosen.plays >= 0
    pretended = np.zeros((sets, len(chosen.hot_spots), len(periods)))
    pretended[chosen.spare_set[plays], chosen.plays[plays]] = spare[plays]
    return effects.choice_of_comparison(
        mine,
        outcome=name,
        planned=planned,
        sets=effects.Sets(
            names=chosen.names,
            periods=tuple(periods),
            events=_summed(own, chosen.of_set, sets),
            places=np.bincount(chosen.of_set, minlength=sets),
            hot_spots=chosen.hot_spots,
            pretended=pretended,
            beside=_summed(spare[~plays], chosen.spare_set[~plays], sets),
            beside_places=np.bincount(chosen.spare_set, minlength=sets),
        ),
        wanted=work.plan.forge.sets,
        earlier=work.plan.forge.pretended_starts,
        level=work.plan.level,
    )


def _summed(counts: np.ndarray, of_set: np.ndarray, sets: int) -> np.ndarray:
    total = np.zeros((sets, counts.shape[1]))
    np.add.at(total, of_set, counts)
    return total


def _paths(work: Work, chosen: _Chosen, used: str) -> pl.DataFrame:
    """The months before patrols in hot spots, in the headline's comparison places, in all sets."""
    outcome, until = matching_outcome(work), first_start(work)
    mine = work.panel.filter(outcome=outcome, hours="all")  # type: ignore[union-attr]
    if until is None or mine.is_empty():
        return estimate.rows([])
    amount = pl.when(pl.col("count").null_count() == 0).then(pl.col("count").sum())
    population = (
        pl.when(kind="hotspot", group="treated")
        .then(pl.lit("treated hot spots"))
        .when(kind="comparison")
        .then(pl.lit("comparison places"))
    )
    means = (
        mine.with_columns(population=population)
        .drop_nulls("population")
        .group_by("population", "period_start")
        .agg(places=pl.len().cast(pl.Int64), events=amount)
    )
    periods = mine["period_start"].unique().sort().to_list()
    points = _points(work, work.selected[outcome], periods)
    if not isinstance(points, str):
        supplied = mine.group_by("period_start").agg(pl.col("count").is_not_null().any())
        total = points.counted(chosen.outlines).sum(axis=0)
        every = pl.DataFrame({"period_start": list(points.periods), "events": total}).join(
            supplied, on="period_start"
        )
        means = pl.concat(
            [
                means,
                every.select(
                    pl.lit(EVERY_SET).alias("population"),
                    "period_start",
                    pl.lit(len(chosen.outlines), dtype=pl.Int64).alias("places"),
                    pl.when("count").then("events"),
                ),
            ]
        )
    return panel.paths(
        means,
        period_kind=work.plan.period,
        until=until,
        **dict(described(work, outcome)) | {"feeds": work.feeds_of(outcome) + used},  # type: ignore[arg-type]
    )


def _nothing(
    work: Work, reason: str, *, status: str, names: Sequence[str] | None = None
) -> pl.DataFrame:
    return estimate.rows(
        [
            dict(described(work, name))
            | {
                "question": work.question_of(name),
                "population": "treated hot spots",
                "estimand": "median_rate_ratio",
                "method": "poisson_imputation_over_matched_sets",
                "role": "robustness",
                "unit": "ratio",
                "status": status,
                "reason": reason,
            }
            for name in (work.headline_outcomes() if names is None else names)
        ]
    )
