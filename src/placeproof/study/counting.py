"""How many: the panel, what missing locations could do to it, and what patrols delivered."""

from datetime import date

import polars as pl

from placeproof import calendar, hotspots, panel
from placeproof.definitions import outcomes
from placeproof.errors import StudyError
from placeproof.files import geo
from placeproof.study.placing import masked_from
from placeproof.study.work import Work, described, without_effect


def count_panel(work: Work) -> None:
    """
    Count every outcome in every place, period and hours.

    Parameters
    ----------
    work : Work
        The run; `panel` is filled, and what became of every event is added to the estimates.
    """
    if work.places is None:
        return
    first = min(work.plan.history_from, work.plan.analysis_from)
    made = []
    for outcome_id, events in work.selected.items():
        try:
            counted = panel.build(
                events,
                work.places,
                outcome_id=outcome_id,
                period_kind=work.plan.period,  # type: ignore[arg-type]
                first=first,
                last=min(work.plan.analysis_to, work.study.cut_off),
                supplied_months=supplied_months(work, outcome_id),
                nte_intervals=night_hours(work, work.plan.nte, events),
                planned=work.tables.get("planned_minutes"),
                delivered=work.tables.get("delivered_minutes"),
            )
        except StudyError as error:
            work.not_supplied[outcome_id] = error.message
            continue
        made.append(counted)
        work.add(
            panel.reconcile(
                events,
                counted,
                population="hot spots, comparison places and their rings",
                outcome_label=outcomes()[outcome_id].label,
                feeds=work.feeds_of(outcome_id),
            )
        )
    if made:
        work.panel = pl.concat(made)
        work.tables["panel"] = work.panel
    if work.not_supplied:
        work.add(without_effect(work, work.not_supplied, status="not_supplied"))


def count_areas(work: Work) -> None:
    """
    Count every outcome in every LSOA and month, by the area code that the source gives.

    Parameters
    ----------
    work : Work
        The run; table `panel_lsoa` is added where `study.toml` names LSOAs and events carry codes,
        and what became of every event is added to the estimates.
    """
    file = work.study.lsoa
    if file is None:
        return
    areas = geo.lsoa_places(
        file.path, code_column=file.code, name_column=file.name or file.code, crs=file.crs
    )
    if work.places is not None:
        spots = work.places.filter(kind="hotspot")
        areas = hotspots.areas_by_patrol(areas, spots, near_m=work.plan.ring_edges_m[-1])
    made = []
    for outcome_id, events in work.selected.items():
        if "lsoa_code" not in events.columns or events["lsoa_code"].null_count() == events.height:
            continue
        placed = events.with_columns(place_id=hotspots.assign_by_code(events, areas))
        counted = panel.build(
            placed,
            areas,
            outcome_id=outcome_id,
            period_kind="month",
            first=min(work.plan.history_from, work.plan.analysis_from),
            last=min(work.plan.analysis_to, work.study.cut_off),
            supplied_months=supplied_months(work, outcome_id),
            nte_intervals=None,
        )
        made.append(counted)
        work.add(
            panel.reconcile(
                placed,
                counted,
                population="lower-layer super output areas",
                outcome_label=outcomes()[outcome_id].label,
                feeds=work.feeds_of(outcome_id),
            )
        )
    if made:
        work.tables["panel_lsoa"] = pl.concat(made)


def follow_missing_locations(work: Work) -> None:
    """
    Show how many events have no location from month to month.

    Parameters
    ----------
    work : Work
        The run; estimates are added.
    """
    for outcome_id, events in work.selected.items():
        if outcome_id != work.plan.primary and outcome_id not in set(
            work.plan.headline_per_question.values()
        ):
            continue
        name = dict(described(work, outcome_id))
        work.add(panel.missing_location(events, located_by="easting_m", **name))  # type: ignore[arg-type]


def count_in_hours(
    work: Work, outcome_id: str, intervals: pl.DataFrame, *, like: pl.DataFrame
) -> pl.DataFrame:
    """
    Count an outcome in hot spots and comparison places, in some hours and in the others.

    Parameters
    ----------
    work : Work
        The run.
    outcome_id : str
        An outcome that was selected.
    intervals : DataFrame
        As `calendar.nte_intervals` makes them.
    like : table `panel`
        Rows whose first and last day the counts take over.

    Returns
    -------
    table `panel`
        Hours "nte" and "other" only.
    """
    spots = work.places.filter(pl.col("kind").is_in(["hotspot", "comparison"]))  # type: ignore[union-attr]
    events = work.selected[outcome_id]
    return panel.build(
        events.filter(pl.col("place_id").is_in(spots["place_id"].implode())),
        spots,
        outcome_id=outcome_id,
        period_kind=work.plan.period,  # type: ignore[arg-type]
        first=like["period_start"].min(),  # type: ignore[arg-type]
        last=like["period_end"].max(),  # type: ignore[arg-type]
        supplied_months=supplied_months(work, outcome_id),
        nte_intervals=intervals,
    ).filter(pl.col("hours") != "all")


def supplied_months(work: Work, outcome_id: str) -> list[date]:
    """
    List the months in which the sources of an outcome sent any row at all, in every source.

    Parameters
    ----------
    work : Work
        The run.
    outcome_id : str
        An outcome of the plan.

    Returns
    -------
    list of date
        First days, sorted; before the first start alone while the plan is not locked.
    """
    months: set[date] | None = None
    for name in outcomes()[outcome_id].source_tables:
        table = work.inputs.get(name)
        found = set(table["month"].unique().to_list()) if table is not None else set()
        months = found if months is None else months & found
    supplied = sorted(months or set())
    first = masked_from(work)
    return supplied if first is None else [month for month in supplied if month < first]


def night_hours(work: Work, preset: str, events: pl.DataFrame) -> pl.DataFrame | None:
    """
    List the night-time economy hours by which events can be split.

    Parameters
    ----------
    work : Work
        The run.
    preset : str
        Id of a registered set of hours.
    events : DataFrame
        Events of one outcome.

    Returns
    -------
    DataFrame or None
        As `calendar.nte_intervals` makes them; None where no event has a time of day.
    """
    if "occurred_from" not in events.columns or not events["occurred_from"].is_not_null().any():
        return None
    first = min(work.plan.history_from, work.plan.analysis_from, work.study.start)
    return nights(work, preset, first=first, last=work.study.cut_off)


def nights(work: Work, preset: str, *, first: date, last: date) -> pl.DataFrame:
    """
    List the hours of the night-time economy between two days, events of the study among them.

    Parameters
    ----------
    work : Work
        The run.
    preset : str
        Id of a registered set of hours.
    first, last : date
        Operating days.

    Returns
    -------
    DataFrame
        As `calendar.nte_intervals` makes them.
    """
    return calendar.nte_intervals(
        calendar.NTE_PRESETS[preset], first=first, last=last, events=work.inputs.get("event")
    )
