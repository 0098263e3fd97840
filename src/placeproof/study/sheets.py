"""Sergeant's sheets of the newest whole run: its tables by place and week, put on paper."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from placeproof.calendar import operating_day, period_start
from placeproof.errors import InputError, OutputError, SettingsError
from placeproof.patrols.coverage import Coverage, coverage
from placeproof.patrols.next_weeks import next_changes
from placeproof.patrols.weeks import (
    main_attendance,
    main_dose,
    weekly_delivery,
    windows,
)
from placeproof.report import sheets as pages
from placeproof.report.sheets_contents import SheetContents
from placeproof.study.plan import read_plan
from placeproof.study.reading import Progress
from placeproof.study.settings import find_folder
from placeproof.study.showing import newest_run
from placeproof.study.store import refusals_explained

TARGET_MINUTES = 15.0
"""The conventional length of a visit, where the plan names no other."""
WEEKS_SHOWN, WEEKS_BACK = 8, 4
MOST_WEEKS = 1000
EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)
"""Weeks that may be asked for; one without data is printed as not supplied."""

_READ = {
    "visit": ("hotspot_id", "arrived_at", "dwell_s", "source"),
    "dose": None,
    "attendance": None,
    "route": None,
    "hotspot": None,
    "street": None,
    "panel": None,
}
"""What of a run the sheets read; of visits no device."""


def sheets(
    folder: Path,
    *,
    week: date | None,
    weeks: int,
    hotspot: str | None,
    progress: Progress,
) -> Path:
    """
    Write the sheets of a study's newest whole run.

    Parameters
    ----------
    folder : Path
        The study's folder.
    week : date or None
        A day of the last week to print; None: the newest whole week with data.
    weeks : int
        How many weeks to print, counted back from that one.
    hotspot : str or None
        One hot spot only; None: all of them.
    progress : callable
        Told of each hot spot.

    Returns
    -------
    Path
        The index, `runs/<id>/sheets/index.html`.

    Raises
    ------
    InputError
        If the run holds neither tasking nor presence, or no hot spots.
    SettingsError
        If the hot spot is not known, or fewer than one week is asked for.
    OutputError
        If the sheets cannot be written; sheets that stood there stay whole.
    """
    if not 1 <= weeks <= MOST_WEEKS:
        raise SettingsError(
            f"{weeks} weeks cannot be printed.", mend=f"ask for one or more, up to {MOST_WEEKS}."
        )
    if week is not None and not EARLIEST <= week <= LATEST:
        raise SettingsError(
            f"the week of {week} is in no study.", mend="name a day in which patrols were made."
        )
    run, plan = newest_run(folder), read_plan(find_folder(folder))
    tables = {name: table_of(run, name, columns) for name, columns in _READ.items()}
    contents = assembled(
        tables,
        manifest=json.loads((run / "manifest.json").read_text(encoding="utf-8")),
        week=week,
        weeks=weeks,
        hotspot=hotspot,
        cell_m=plan.patrols.routes.cell_m,
        reach_m=plan.patrols.routes.reach_m,
        target_minutes=plan.patrols.target_minutes or TARGET_MINUTES,
    )
    return put(run, "sheets", lambda fresh: pages.write(contents, fresh, progress=progress))


def assembled(
    tables: dict[str, pl.DataFrame | None],
    *,
    manifest: dict[str, object],
    week: date | None,
    weeks: int,
    hotspot: str | None,
    cell_m: float,
    reach_m: float,
    target_minutes: float,
) -> SheetContents:
    """
    Turn the tables of a run into what sheets are made of.

    Parameters
    ----------
    tables : dict
        `hotspot`, and where there are any `visit`, `dose`, `attendance`, `route`, `street` and
        `panel`.
    manifest : dict
        Of the run.
    week, weeks, hotspot : see `sheets`
        The same.
    cell_m, reach_m : float
        As for `patrols.coverage`.
    target_minutes : float
        Length of visit that is aimed at.

    Returns
    -------
    SheetContents

    Raises
    ------
    InputError
        If there are no hot spots, or neither tasking nor presence.
    SettingsError
        If the hot spot is not known.
    """
    register = _register(tables["hotspot"], hotspot)
    ids = register["hotspot_id"].unique().sort().to_list()
    mine = {
        name: table.filter(pl.col("hotspot_id").is_in(ids))
        for name, table in tables.items()
        if table is not None and "hotspot_id" in table.columns
    }
    attendance, visit, dose = (
        _given(mine, "attendance"),
        _given(mine, "visit"),
        _given(mine, "dose"),
    )
    if attendance is None and dose is None:
        raise InputError(
            "the newest run holds neither tasked windows nor minutes of presence.",
            mend="supply positions, ready-made visits or tasking, and run the study again",
        )
    facts = dict(manifest["study"])  # type: ignore[call-overload]
    cut_off = date.fromisoformat(str(facts["cut_off"]))
    printed = _weeks(attendance, dose, cut_off=cut_off, week=week, weeks=weeks)
    known = _weeks_before(printed)
    main = None if dose is None else main_dose(dose)
    daily = None if main is None else main.filter(pl.col("hours") == "all")
    attendance = None if attendance is None else main_attendance(attendance)
    window = None if attendance is None else windows(attendance)
    seen = None if visit is None else _one_source(visit)
    lately = pl.col("week").is_between(printed[0] - timedelta(weeks=WEEKS_BACK - 1), printed[-1])
    route = mine.get("route")
    route = None if route is None else route.with_columns(week=_week_of_arrival()).filter(lately)
    covered = _covered(
        route, register, daily, tables.get("street"), lately, cell_m=cell_m, reach_m=reach_m
    )
    return SheetContents(
        study=str(facts["name"]),
        force=str(facts["force"]),
        stamp=str(manifest["stamp"] or ""),
        cut_off=cut_off,
        weeks=printed,
        weeks_shown=WEEKS_SHOWN,
        weeks_back=WEEKS_BACK,
        target_minutes=target_minutes,
        reach_m=reach_m,
        source=_sources(main),
        places=register.sort("version").unique("hotspot_id", keep="last", maintain_order=True)
        .select("hotspot_id", "name", "town").sort("hotspot_id"),
        outlines=register.select("hotspot_id", "version", "valid_from", "valid_to", "geometry"),
        weekly=weekly_delivery(
            window, attendance, daily, seen, weeks=known, hotspot_ids=ids
        ),
        windows=window,
        days=None
        if daily is None
        else daily.select("hotspot_id", "operating_day", "patrol_minutes"),
        bands=None if main is None else _bands(main, known),
        visits=None
        if seen is None
        else seen.select("hotspot_id", "dwell_s", week=_week_of_arrival()),
        changes=next_changes(
            window, attendance, covered, weeks=printed, hotspot_ids=ids, weeks_back=WEEKS_BACK
        ),
        pieces=None if covered is None else covered.pieces,
        reached=None if covered is None else covered.reached,
        shares=None if covered is None else covered.shares,
        routes=None if route is None else route.select("hotspot_id", "line", "week"),
        crimes=_crimes(tables.get("panel"), ids, manifest),
    )  # fmt: skip


def put(run: Path, name: str, write: Callable[[Path], object]) -> Path:
    """
    Write into a fresh folder, and put it in the old one's place when it is whole.

    Parameters
    ----------
    run : Path
        Folder of the run.
    name : str
        What to call the folder.
    write : callable
        Given the fresh folder.

    Returns
    -------
    Path
        `index.html` in the folder.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there stays whole.
    """
    final, fresh = run / name, run / f".{name}-{os.getpid()}"
    aside = run / f".{name}-{os.getpid()}-old"
    try:
        with refusals_explained(final):
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            write(fresh)
            if final.exists():
                final.replace(aside)
            fresh.replace(final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if aside.exists() and not final.exists():
            aside.replace(final)
        shutil.rmtree(aside, ignore_errors=True)
    if not final.is_dir():
        raise OutputError(f"{final} was not written.", mend="free the disk and try again")
    return final / "index.html"


def table_of(run: Path, name: str, columns: Sequence[str] | None) -> pl.DataFrame | None:
    """
    Read a table of a run.

    Parameters
    ----------
    run : Path
        Folder of the run.
    name : str
        Name of the table.
    columns : sequence of str or None
        None: all of them.

    Returns
    -------
    DataFrame or None
        None where the run does not hold it.
    """
    path = run / "tables" / f"{name}.parquet"
    if not path.is_file():
        return None
    return pl.read_parquet(path, columns=list(columns) if columns else None)


def _given(tables: dict[str, pl.DataFrame], name: str) -> pl.DataFrame | None:
    table = tables.get(name)
    return table if table is not None and table.height else None


def _register(hotspots: pl.DataFrame | None, hotspot: str | None) -> pl.DataFrame:
    if hotspots is None or hotspots.is_empty():
        raise InputError(
            "the newest run holds no hot spots.",
            mend="supply outlines of hot spots, and run the study again",
        )
    if hotspot is None:
        return hotspots
    chosen = hotspots.filter(pl.col("hotspot_id") == hotspot)
    if chosen.is_empty():
        known = ", ".join(hotspots["hotspot_id"].unique().sort().to_list()[:30])
        raise SettingsError(f"there is no hot spot {hotspot!r}.", mend=f"name one of {known}")
    return chosen


def _weeks(
    attendance: pl.DataFrame | None,
    dose: pl.DataFrame | None,
    *,
    cut_off: date,
    week: date | None,
    weeks: int,
) -> tuple[date, ...]:
    days = [table["operating_day"] for table in (attendance, dose) if table is not None]
    latest = max(column.max() for column in days)  # type: ignore[type-var]
    assert isinstance(latest, date)
    if week is not None:
        last = week - timedelta(days=week.weekday())
    else:
        last = min(latest, cut_off)
        last -= timedelta(days=last.weekday())
        if last + timedelta(days=6) > cut_off:
            last -= timedelta(weeks=1)
    return tuple(last - timedelta(weeks=n) for n in reversed(range(weeks)))


def _weeks_before(printed: Sequence[date]) -> list[date]:
    """The printed weeks and those that their calendars show."""
    first = printed[0] - timedelta(weeks=WEEKS_SHOWN - 1)
    count = (printed[-1] - first).days // 7 + 1
    return [first + timedelta(weeks=n) for n in range(count)]


def _week_of_arrival() -> pl.Expr:
    return period_start(operating_day(pl.col("arrived_at")), kind="week")


def _one_source(visit: pl.DataFrame) -> pl.DataFrame:
    """Measured visits where a hot spot has any, else ready-made ones: never both."""
    measured = (pl.col("source") == "pings").any().over("hotspot_id")
    return visit.filter((pl.col("source") == "pings") | ~measured)


def _covered(
    route: pl.DataFrame | None,
    register: pl.DataFrame,
    daily: pl.DataFrame | None,
    streets: pl.DataFrame | None,
    lately: pl.Expr,
    *,
    cell_m: float,
    reach_m: float,
) -> Coverage | None:
    if route is None or daily is None:
        return None
    return coverage(
        route,
        register,
        observed=daily.with_columns(week=period_start(pl.col("operating_day"), kind="week")).filter(
            lately
        ),
        streets=streets,
        cell_m=cell_m,
        reach_m=reach_m,
        kind="week",
    )


def _bands(main: pl.DataFrame, weeks: Sequence[date]) -> pl.DataFrame | None:
    bands = main.filter(pl.col("hours").str.starts_with("band:"))
    if bands.is_empty():
        return None
    return bands.filter(pl.col("operating_day") >= weeks[0]).select(
        "hotspot_id", "operating_day", "hours", "patrol_minutes"
    )


def _sources(main: pl.DataFrame | None) -> dict[str, str]:
    if main is None:
        return {}
    firsts = main.unique("hotspot_id", keep="first", maintain_order=True)
    return {
        row["hotspot_id"]: _source_words(row["source"], row["delivered_by"])
        for row in firsts.iter_rows(named=True)
    }


def _source_words(source: str, delivered_by: str | None) -> str:
    if source == "pings":
        return (
            "Minutes are measured by positions of devices, several at once counted once; visits "
            "are counted for each device."
        )
    if source == "reconciled":
        return "Minutes come from positions, and from ready-made statements where there are none."
    return f"Minutes are as stated by {delivered_by or 'the source'}; they were not measured."


def _crimes(
    panel: pl.DataFrame | None, ids: Sequence[str], manifest: dict[str, object]
) -> pl.DataFrame | None:
    """Weekly counts of the headline outcomes, once the plan lets outcomes be seen."""
    lock = manifest.get("lock")
    state = lock.get("state") if isinstance(lock, dict) else None
    if panel is None or state not in ("locked", "exploratory", "deviated", "changed"):
        return None
    own = panel.filter(
        pl.col("kind") == "hotspot",
        pl.col("period_kind") == "week",
        pl.col("hours") == "all",
        pl.col("place_id").is_in(list(ids)),
    )
    if own.is_empty():
        return None
    from placeproof.definitions import outcomes

    known = outcomes()
    wanted = [name for name in _SHOWN_OUTCOMES if name in set(own["outcome"])]
    labels = {name: known[name].label for name in wanted if name in known}
    return own.filter(pl.col("outcome").is_in(list(labels))).select(
        "count",
        hotspot_id="place_id",
        week="period_start",
        outcome_label=pl.col("outcome").replace_strict(labels, default=None),
    )


_SHOWN_OUTCOMES = ("sv-street-nondom", "robbery", "asb-all")
