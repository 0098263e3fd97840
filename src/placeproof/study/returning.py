"""The funder's return of the newest whole run; logs, plans and money from the study's files."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from placeproof.errors import InputError, SettingsError
from placeproof.patrols.returns import released, returned
from placeproof.report import funder_return as report
from placeproof.study.plan import read_plan
from placeproof.study.reading import Inputs, Progress, read_all
from placeproof.study.settings import Study, find_folder, read_study
from placeproof.study.sheets import TARGET_MINUTES, put, table_of
from placeproof.study.showing import newest_run

FEEDS = ("patrol_log", "crime", "stop_search", "problem_plan", "cost")
"""Read from the study's files: none of them is kept in a run."""

_VISIT = ("hotspot_id", "arrived_at", "dwell_s", "source")


def funder_return(folder: Path, *, quarter: str | None, progress: Progress) -> Path:
    """
    Write the return of a study's newest whole run.

    Parameters
    ----------
    folder : Path
        The study's folder.
    quarter : str or None
        As "2024Q2"; None: every quarter that has data.
    progress : callable
        Told of each feed.

    Returns
    -------
    Path
        The page, `runs/<id>/return/index.html`; a workbook and a plain table stand beside it.

    Raises
    ------
    InputError
        If nothing of what a return holds is supplied.
    SettingsError
        If the quarter is not written as one, or is not in the study.
    OutputError
        If it cannot be written; a return that stood there stays whole.
    """
    folder = find_folder(folder)
    run = newest_run(folder)
    study, plan = read_study(folder), read_plan(folder)
    inputs = _fed(study, progress)
    tables = {name: table_of(run, name, None) for name in ("dose", "attendance", "hotspot")}
    visits = table_of(run, "visit", _VISIT)
    first, last = _days(study, [*tables.values()], visits, inputs)
    wanted = None if quarter is None else _period(quarter)
    exact = returned(
        dose=tables["dose"],
        visits=visits,
        attendance=tables["attendance"],
        patrol_log=inputs.get("patrol_log"),
        crime=inputs.get("crime"),
        stop_search=inputs.get("stop_search"),
        problem_plan=inputs.get("problem_plan"),
        cost=inputs.get("cost"),
        hotspots=tables["hotspot"] if tables["hotspot"] is not None else inputs.get("hotspot"),
        first=first,
        last=last,
        target_minutes=plan.patrols.target_minutes or TARGET_MINUTES,
    )
    shown = released(exact, counts_below=plan.counts_below, round_to=plan.round_to)
    if wanted is not None:
        shown = shown.filter(pl.col("period_start").dt.truncate("1q") == wanted)
        if shown.is_empty():
            raise SettingsError(
                f"the study has no data in {quarter}.",
                mend=f"name a quarter between {first} and {last}",
            )
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return put(
        run,
        "return",
        lambda fresh: report.write(
            shown,
            fresh,
            study=study.name,
            force=study.force,
            sponsor=study.sponsor,
            stamp=str(manifest["stamp"] or ""),
            cut_off=study.cut_off,
            counts_below=plan.counts_below,
            round_to=plan.round_to,
        ),
    )


def _fed(study: Study, progress: Progress) -> Inputs:
    """Only the feeds that a return needs: positions stay where they are."""
    needed = tuple(
        spec
        for spec in study.feeds
        if spec.contract in {*FEEDS, "hotspot"} or spec.format == "police-uk"
    )
    return read_all(replace(study, feeds=needed), progress)


def _days(
    study: Study,
    tables: list[pl.DataFrame | None],
    visits: pl.DataFrame | None,
    inputs: Inputs,
) -> tuple[date, date]:
    """From the first month with anything about patrols up to the cut-off."""
    days = [t["operating_day"].min() for t in tables if t is not None and "operating_day" in t]
    if visits is not None and visits.height:
        days.append(visits["arrived_at"].dt.date().min())
    for name, column in (("patrol_log", "started_at"), ("cost", "month")):
        table = inputs.get(name)
        if table is not None:
            days.append(table[column].cast(pl.Date).min())
    known = [day for day in days if isinstance(day, date)]
    if not known and inputs.get("problem_plan") is None:
        raise InputError(
            "nothing that a return holds is supplied.",
            mend="supply positions, visits, tasking, logs, plans or costs, and run the study again",
        )
    first = max(min(known, default=study.start), study.start)
    return first, study.cut_off


def _period(quarter: str) -> date:
    match = re.fullmatch(r"(\d{4})-?Q([1-4])", quarter.strip().upper())
    if match is None:
        raise SettingsError(f"{quarter!r} is no quarter.", mend='write it as "2024Q2"')
    return date(int(match[1]), 3 * int(match[2]) - 2, 1)
