"""Where: hot spots, comparison places, rings, and the one place that each event belongs to."""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from placeproof import calendar, hotspots, panel
from placeproof.definitions import outcomes, select, supplied
from placeproof.errors import IdentificationError
from placeproof.study.store import sha256_of
from placeproof.study.work import Work, described
from placeproof.tables import estimate

CONCENTRATION_CELL_M = 200.0
CONCENTRATION_TOP = (10, 24, 50, 100)
SINGLE_POINT_NOTICED_FROM = 0.5
"""Share of a place's events on one point from which the report says that a person should look."""
GRID_OFFSET_M = (0.0, 0.0)
"""Shift of the grid of candidate places, in metres."""


def select_outcomes(work: Work) -> None:
    """
    Pick the events of every outcome that the plan names.

    Parameters
    ----------
    work : Work
        The run; `selected` and `not_supplied` are filled.
    """
    crime, incident = work.inputs.get("crime"), work.inputs.get("incident")
    for outcome_id in work.plan.outcome_ids():
        outcome = outcomes()[outcome_id]
        reason = supplied(outcome, crime=crime, incident=incident)
        if reason:
            work.not_supplied[outcome_id] = reason
        else:
            events = select(outcome, crime=crime, incident=incident)
            work.selected[outcome_id] = _visible(work, events)


def first_start(work: Work) -> date | None:
    """
    Find the first day of patrols anywhere.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    date or None
        None where no hot spot was ever patrolled.
    """
    if work.plan.derive:
        return work.plan.patrols_start
    register = work.inputs.get("hotspot")
    first = None if register is None else register["first_treated"].drop_nulls().min()
    return first if isinstance(first, date) else None


def masked_from(work: Work) -> date | None:
    """
    Find the first month whose outcomes may not be seen yet.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    date or None
        None where the plan is locked or exploratory: everything may be seen. While it is open,
        the month of the first start; where nobody said when patrols started, the first month
        after the selection window, because a start that is not known cannot be shown to be later.
    """
    if work.lock.outcomes_visible:
        return None
    first = first_start(work) or work.plan.patrols_start
    if first is None:
        first = work.plan.selection_to.replace(day=28) + timedelta(days=4)
    return first.replace(day=1)


def _visible(work: Work, events: pl.DataFrame) -> pl.DataFrame:
    """Outcomes that may be seen: before the first start only, while the plan is not locked."""
    first = masked_from(work)
    return events if first is None else events.filter(pl.col("month") < first)


def find_places(work: Work) -> None:
    """
    Settle hot spots, comparison places and rings, and give every event its place.

    Parameters
    ----------
    work : Work
        The run; `hotspots`, `comparison`, `places` and `place_id` of the events are filled.
    """
    work.hotspots = _register(work)
    if work.hotspots is None:
        return
    shown = hotspots.places(work.hotspots, day=work.plan.analysis_from)
    work.comparison = _comparison(work, shown)
    targets = shown if work.comparison is None else pl.concat([shown, work.comparison])
    rings = hotspots.ring_places(targets, edges_m=work.plan.ring_edges_m)
    work.places = pl.concat([targets, rings]).sort("place_id")
    work.tables["place"] = work.places
    for outcome_id, events in work.selected.items():
        work.selected[outcome_id] = assigned(work, events)


def describe_places(work: Work) -> None:
    """
    Ask where crime is concentrated and whether the hot spots were the hottest places.

    Parameters
    ----------
    work : Work
        The run; estimates are added.
    """
    primary = work.selected.get(work.plan.primary)
    if primary is None or work.inputs.area_wkb is None:
        reason = work.not_supplied.get(work.plan.primary) or "The outline of the area is missing."
        row = {"question": "places", "estimand": "top_share", "method": "lorenz_over_places"}
        row |= {"unit": "share", "status": "not_supplied", "reason": reason}
        work.add(estimate.rows([dict(described(work, work.plan.primary)) | row]))
        return
    window = (work.plan.selection_from, work.plan.selection_to)
    cells = hotspots.grid_counts(
        _between(primary, *window),
        cell_m=CONCENTRATION_CELL_M,
        area_wkb=work.inputs.area_wkb,
        weight=None,
    )
    name = dict(described(work, work.plan.primary))
    work.add(
        hotspots.concentration(
            cells,
            top=CONCENTRATION_TOP,
            population=f"{CONCENTRATION_CELL_M:g} m cells of the study area",
            window=window,
            **name,  # type: ignore[arg-type]
        )
    )
    if work.hotspots is not None and work.places is not None:
        work.add(_persistence(work, name))
        inside = primary.filter(pl.col("zone") == "inside")
        work.add(
            hotspots.single_point_shares(
                inside,
                noticed_from=SINGLE_POINT_NOTICED_FROM,
                **name,  # type: ignore[arg-type]
            )
        )


def _register(work: Work) -> pl.DataFrame | None:
    given = work.inputs.get("hotspot")
    if not work.plan.derive:
        if given is not None:
            hotspots.require_register(given)
        return given
    events = work.selected.get(work.plan.derive_on)
    if events is None or work.inputs.area_wkb is None:
        return None
    window = (work.plan.selection_from, work.plan.selection_to)
    chosen_from = _between(events, *window)
    name = dict(described(work, work.plan.derive_on))
    try:
        made = hotspots.derive(
            chosen_from,
            area_wkb=work.inputs.area_wkb,
            n_places=work.plan.n,
            side_m=work.plan.side_m,
            separation_m=work.plan.ring_edges_m[-1],
            false_discovery_rate=work.plan.false_discovery_rate,
            largest_part_share=work.plan.largest_part_share,
            selection=window,
            valid_from=window[1] + timedelta(days=1),
            first_treated=work.plan.patrols_start,
            treated_until=None,
            source_sha256=sha256_of(work.inputs.sha256s(work.feeds_of(work.plan.derive_on))),
        )
    except IdentificationError as error:
        work.why_no_places = error.message
        row = {"question": "places", "estimand": "places_derived", "unit": "places"}
        row |= {"method": "fullest_squares_gi_star", "status": "not_identified"}
        work.add(estimate.rows([name | row | {"reason": error.message}]))
        return None
    work.add(
        hotspots.delineation_estimates(
            made,
            chosen_from,
            n_wanted=work.plan.n,
            **name,  # type: ignore[arg-type]
        )
    )
    return made


def matching_outcome(work: Work) -> str:
    """
    Name the outcome on whose history comparison places are matched.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    str
        The primary outcome, or the one that hot spots are delineated on where it is not supplied.
    """
    return work.plan.primary if work.plan.primary in work.selected else work.plan.derive_on


def _comparison(work: Work, treated: pl.DataFrame) -> pl.DataFrame | None:
    outcome = matching_outcome(work)
    events = work.selected.get(outcome)
    if events is None or work.inputs.area_wkb is None:
        lacking = work.not_supplied.get(outcome) or "The outline of the area is missing."
        work.add(_unmatched(work, outcome, "not_supplied", lacking))
        return None
    window = (work.plan.history_from, work.plan.history_to)
    history = _between(events, *window)
    pool = hotspots.candidates(
        history,
        area_wkb=work.inputs.area_wkb,
        treated=treated,
        side_m=work.plan.side_m,
        offset_m=GRID_OFFSET_M,
        excluded_within_m=work.plan.ring_edges_m[-1],
        least_events=work.plan.least_events,
    )
    try:
        return _matched(work, treated, pool, history, outcome, window)
    except IdentificationError as error:
        work.add(_unmatched(work, outcome, "not_identified", error.message))
        return None


def _unmatched(work: Work, outcome: str, status: str, reason: str) -> pl.DataFrame:
    row = {"question": "places", "estimand": "matched_places", "method": "optimal_matching"}
    row |= {"unit": "places", "status": status, "reason": reason}
    return estimate.rows([dict(described(work, outcome)) | row])


def _matched(
    work: Work,
    treated: pl.DataFrame,
    pool: pl.DataFrame,
    history: pl.DataFrame,
    outcome: str,
    window: tuple[date, date],
) -> pl.DataFrame:
    if pool.is_empty():
        raise IdentificationError(
            f"no place outside the hot spots and their rings has {work.plan.least_events} events "
            f"from {window[0]} to {window[1]}, so there is no comparison place."
        )
    kind = work.plan.period
    starts = calendar.periods(*window, kind=kind)["period_start"].to_list()  # type: ignore[arg-type]
    matched_on = starts
    if work.plan.baseline == "unused":
        matched_on, spare = hotspots.split_periods(starts)
        work.baseline_periods = frozenset(spare)
    own = _history_counts(work, history, treated, window, matched_on)
    other = _history_counts(work, history, pool, window, matched_on)
    matches = hotspots.match(
        own.filter(pl.col("place_id").is_in(treated.filter(group="treated")["place_id"].to_list())),
        other,
        per_hotspot=work.plan.comparison_per_hotspot,
        shape_weight=work.plan.match_shape_weight,
        widest_distance=None,
    )
    work.tables["match"] = matches
    work.add(
        hotspots.balance(
            own,
            other,
            matches,
            wanted=treated.height * work.plan.comparison_per_hotspot,
            definition_edition=outcomes()[outcome].edition_tag,
            window=window,
            feeds=work.feeds_of(outcome),
        )
    )
    return hotspots.matched_places(pool, matches)


def _history_counts(
    work: Work,
    history: pl.DataFrame,
    places: pl.DataFrame,
    window: tuple[date, date],
    matched_on: list[date],
) -> pl.DataFrame:
    placed = history.with_columns(place_id=hotspots.assign_to_places(history, places))
    counted = panel.build(
        placed,
        places,
        outcome_id="history",
        period_kind=work.plan.period,  # type: ignore[arg-type]
        first=window[0],
        last=window[1],
        supplied_months=history["month"].unique().sort().to_list(),
        nte_intervals=None,
    )
    return counted.filter(pl.col("period_start").is_in(matched_on)).select(
        "place_id", "period_start", "count"
    )


def assigned(work: Work, events: pl.DataFrame) -> pl.DataFrame:
    """
    Give events their place.

    Parameters
    ----------
    work : Work
        The run, its hot spots settled.
    events : DataFrame
        As `definitions.select` takes them. Not modified.

    Returns
    -------
    DataFrame
        With `place_id` and `zone`.
    """
    found = hotspots.assign(
        events,
        work.hotspots,  # type: ignore[arg-type]
        comparison=work.comparison,
        edges_m=work.plan.ring_edges_m,
        outline_rule=work.plan.outline_rule,  # type: ignore[arg-type]
    )
    return events.with_columns(found["place_id"], found["zone"])


def _persistence(work: Work, name: Mapping[str, object]) -> pl.DataFrame:
    first = work.hotspots["first_treated"].drop_nulls().max()  # type: ignore[index]
    later_from = first if isinstance(first, date) else work.plan.selection_to
    windows = (
        (work.plan.selection_from, work.plan.selection_to),
        (later_from, work.plan.analysis_to),
    )
    targets = work.places.filter(pl.col("kind").is_in(["hotspot", "comparison"]))  # type: ignore[union-attr]
    before, after = (
        targets.select("place_id").join(
            _between(work.selected[work.plan.primary], *window)
            .group_by("place_id")
            .agg(count=pl.len().cast(pl.Float64)),
            on="place_id",
            how="left",
        ).with_columns(pl.col("count").fill_null(0.0))
        for window in windows
    )  # fmt: skip
    return hotspots.persistence(
        before,
        after,
        hotspot_ids=targets.filter(kind="hotspot")["place_id"].to_list(),
        windows=windows,
        **name,  # type: ignore[arg-type]
    )


def _between(events: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Events of whole months inside a window; a month that only touches it counts as inside."""
    return events.filter(pl.col("month").is_between(first.replace(day=1), last))
