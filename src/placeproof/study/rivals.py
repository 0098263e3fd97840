"""What else was done, by the registers: terms of the model, and sensitivity without its traces."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time

import polars as pl

from placeproof import calendar, geometry
from placeproof.effects import PlannedOutcome, registers
from placeproof.effects.otherwise import without_cells
from placeproof.effects.rivals import Rival
from placeproof.study.counting import count_in_hours
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.work import Work
from placeproof.tables import estimate

SPOTS = ("hotspot", "comparison")
EVERY_DAY = frozenset(range(1, 8))
_HOURS = re.compile(r"^\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*$")
PLANS, PLANS_IN_WORDS = "problem-solving-plans", "problem-solving plans"
_LASTING = ("recording", "system", "legal")


def estimate_beside_rivals(work: Work) -> None:
    """
    Estimate patrols and what the registers name beside each other, and without their traces.

    Parameters
    ----------
    work : Work
        The run; estimates are added for each headline outcome: one factor for patrols and one for
        each rival, the headline without the place-periods that a rival or an event touched, the
        same inside and outside a rival's hours, and patrols before and since each change of
        recording. Nothing where no register names anything.
    """
    names = work.headline_outcomes()
    if work.panel is None or work.places is None or not work.lock.outcomes_visible or not names:
        return
    planned = {name: planned_outcomes(work)[name] for name in names}
    chosen = pl.col("outcome").is_in(names) & pl.col("kind").is_in(SPOTS)
    counted = for_estimation(work, work.panel.filter(chosen, hours="all"))
    if counted.is_empty():
        return
    tied, everywhere = registered(work)
    work.add(registers.everywhere_at_once(counted, outcomes=planned, rivals=everywhere))
    if tied:
        work.add(
            registers.beside_rivals(
                counted,
                outcomes=planned,
                rivals=tied,
                apart_days=work.plan.registers.apart_days,
                level=work.plan.level,
            )
        )
    work.add(_without_traces(work, counted, planned, tied))
    work.add(_before_and_since(work, counted, planned))
    for rival, hours in _with_hours(work, tied):
        others = [other for other in tied if other is not rival]
        work.add(_by_hours(work, planned, rival, others, hours))


def registered(work: Work) -> tuple[list[Rival], list[Rival]]:
    """
    Gather the rivals that the registers name.

    Parameters
    ----------
    work : Work
        The run, with its places.

    Returns
    -------
    (list of Rival, list of Rival)
        Those that work in some places, and those that are tied to no place.
    """
    tied: list[Rival] = []
    everywhere: list[Rival] = []
    register = work.inputs.get("cointervention")
    if register is not None:
        for (name,), rows in register.sort("name").group_by("name", maintain_order=True):
            spells = _spells(work, rows)
            rival = Rival(slug(str(name)), str(name), tuple(spells or ()), "cointervention")
            (everywhere if spells is None else tied).append(rival)
    plans = work.inputs.get("problem_plan")
    if plans is not None:
        listed = plans.select("hotspot_id", "starts_on", "ends_on").sort("hotspot_id", "starts_on")
        tied.append(Rival(PLANS, PLANS_IN_WORDS, tuple(listed.iter_rows()), "problem_plan"))
    return tied, everywhere


def listed(work: Work) -> pl.DataFrame:
    """
    List what else was done, for the calendar of the report.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    DataFrame
        `name`, `place_id` (null: the whole study area), `starts_on`, `ends_on`, sorted.
    """
    schema = {"name": pl.String, "place_id": pl.String, "starts_on": pl.Date, "ends_on": pl.Date}
    if work.places is None:
        return pl.DataFrame(schema=schema)
    tied, everywhere = registered(work)
    rows = [(rival.name, *spell) for rival in tied for spell in rival.spells]
    register = work.inputs.get("cointervention")
    if register is not None:
        names = [rival.name for rival in everywhere]
        loose = register.filter(pl.col("name").is_in(names))
        rows += loose.select("name", pl.lit(None), "starts_on", "ends_on").iter_rows()
    made = pl.DataFrame(rows, schema=schema, orient="row")
    return made.sort("name", "starts_on", "place_id", nulls_last=True)


def slug(words: str) -> str:
    """
    Make an identifier of words.

    Parameters
    ----------
    words : str
        Such as a name in a register.

    Returns
    -------
    str
        Lower-case letters, digits and hyphens.
    """
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "unnamed"


def _spells(work: Work, rows: pl.DataFrame) -> list[tuple[str, date, date | None]] | None:
    """Place, first and last day; None where any row is tied to no place."""
    outlines = geometry.outlines_from_text(rows["area_wkt"])
    places = work.places.filter(pl.col("kind").is_in(SPOTS))  # type: ignore[union-attr]
    drawn = geometry.outlines(places["geometry"])
    found: list[tuple[str, date, date | None]] = []
    for row, outline in zip(rows.iter_rows(named=True), outlines, strict=True):
        when = (row["starts_on"], row["ends_on"])
        if row["hotspot_id"] is None and outline is None:
            return None
        if row["hotspot_id"] is not None:
            found.append((row["hotspot_id"], *when))
        if outline is not None:
            touched = [
                place
                for place, shape in zip(places["place_id"].to_list(), drawn, strict=True)
                if shape is not None and shape.intersection(outline).area > 0
            ]
            found += [(place, *when) for place in touched]
    return sorted(set(found), key=lambda spell: (spell[0], spell[1], spell[2] or date.max))


def _without_traces(
    work: Work,
    counted: pl.DataFrame,
    planned: dict[str, PlannedOutcome],
    tied: Sequence[Rival],
) -> pl.DataFrame:
    """The headline without the place-periods that a rival, or an event, touched."""
    left_out: dict[str, pl.DataFrame] = {}
    if tied:
        left_out["rivals"] = registers.contaminated(counted, tied)
    if len(tied) > 1:
        left_out |= {rival.rival: registers.contaminated(counted, [rival]) for rival in tied}
    events = _events(work)
    if events is not None:
        left_out["events"] = registers.contaminated(counted, [events])
    feeds = " ".join(dict.fromkeys(" ".join(rival.feeds for rival in tied).split()))
    if events is not None:
        feeds = f"{feeds} event".strip()
    told = {name: _also(outcome, feeds) for name, outcome in planned.items()}
    return without_cells(counted, outcomes=told, left_out=left_out, level=work.plan.level)


def _events(work: Work) -> Rival | None:
    register = work.inputs.get("event")
    if register is None:
        return None
    every = work.places.filter(pl.col("kind").is_in(SPOTS))["place_id"].to_list()  # type: ignore[union-attr]
    days = register.with_columns(
        first=calendar.operating_day(pl.col("starts_at")),
        last=calendar.operating_day(pl.col("ends_at")),
    )
    spells = [
        (place, row["first"], row["last"])
        for row in days.iter_rows(named=True)
        for place in ([row["hotspot_id"]] if row["hotspot_id"] else every)
    ]
    return Rival("events", "registered events", tuple(spells), "event")


def _before_and_since(
    work: Work, counted: pl.DataFrame, planned: dict[str, PlannedOutcome]
) -> pl.DataFrame:
    """Patrols before and since each change of recording that the register names."""
    own = "shock" if work.inputs.get("shock") is not None else ""
    changes = {
        row["shock_id"]: row["starts_on"]
        for row in work.shocks().iter_rows(named=True)
        if row["kind"] in _LASTING and row["ends_on"] is None
    }
    told = {name: _also(outcome, own) for name, outcome in planned.items()}
    return registers.before_and_since(
        counted, outcomes=told, changes=changes, level=work.plan.level
    )


def _also(outcome: PlannedOutcome, feeds: str) -> PlannedOutcome:
    named = " ".join(dict.fromkeys(f"{outcome.feeds} {feeds}".split()))
    return replace(outcome, feeds=named)


def _with_hours(work: Work, tied: Sequence[Rival]) -> list[tuple[Rival, tuple[str, time, time]]]:
    """The rivals that work in one set of hours, and these."""
    register = work.inputs.get("cointervention")
    if register is None:
        return []
    found = []
    for rival in tied:
        stated = register.filter(pl.col("name") == rival.name)["hours"].unique().to_list()
        match = _HOURS.match(str(stated[0])) if len(stated) == 1 and stated[0] else None
        if match is None:
            continue
        numbers = [int(part) for part in match.groups()]
        if numbers[0] > 24 or numbers[2] > 24 or numbers[1] > 59 or numbers[3] > 59:
            continue
        start, end = time(numbers[0] % 24, numbers[1]), time(numbers[2] % 24, numbers[3])
        if start != end:
            found.append((rival, (f"{start:%H:%M}-{end:%H:%M}", start, end)))
    return found


def _by_hours(
    work: Work,
    planned: dict[str, PlannedOutcome],
    rival: Rival,
    others: list[Rival],
    hours: tuple[str, time, time],
) -> pl.DataFrame:
    """Patrols outside the rival's hours, where it cannot act; both within them; others in both."""
    words, start, end = hours
    preset = calendar.NteHours(
        id=rival.rival, label=words, weekdays=EVERY_DAY, starts=start, ends=end,
        bank_holiday_eves=False,
    )  # fmt: skip
    intervals = calendar.nte_intervals(
        preset,
        first=min(work.plan.history_from, work.plan.analysis_from, work.study.start),
        last=work.study.cut_off,
        events=None,
    )
    timed = [
        name
        for name in planned
        if "occurred_from" in work.selected[name].columns
        and work.selected[name]["occurred_from"].is_not_null().any()
    ]
    like = work.panel.filter(pl.col("outcome").is_in(timed), hours="all")  # type: ignore[union-attr]
    if not timed or like.is_empty():
        return estimate.rows([])
    split = pl.concat([count_in_hours(work, name, intervals, like=like) for name in timed])
    split = for_estimation(work, split)
    told = {name: _also(planned[name], rival.feeds) for name in timed}
    made = [
        registers.beside_rivals(
            split,
            outcomes=told,
            rivals=rivals,
            apart_days=work.plan.registers.apart_days,
            level=work.plan.level,
            hours=hours_of,
            hours_label=f"{label}:{words}",
        )
        for label, hours_of, rivals in (
            ("within", "nte", [rival, *others]),
            ("outside", "other", others),
        )
    ]
    return pl.concat(made)
