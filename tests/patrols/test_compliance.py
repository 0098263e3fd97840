"""Five levels of compliance against tasking, by hand."""

import inspect
import itertools
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from placeproof.patrols.activities import taxonomy, with_classes
from placeproof.patrols.compliance import LEVELS, attendance, attendance_by_day
from placeproof.patrols.minutes import stated_minutes
from placeproof.patrols.visits import ready_made_visits
from placeproof.tables import Attendance, PatrolLog, Tasking, Visit

from .conftest import START, at, delivered, filled, task, tasking

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "compliance.md"
DAYS = {"Fri": date(2024, 5, 3), "Sat": date(2024, 5, 4), "Sun": date(2024, 5, 5)}
FRIDAY = pl.Series([DAYS["Fri"]])
RULES = {"visible_share": 0.5, "log_tolerance_s": 300.0}


def table_under(heading: str) -> list[dict[str, str]]:
    """The first table of the page below a heading, one mapping for each row."""
    section = PAGE.read_text(encoding="utf-8").split(f"### {heading}\n")[1]
    lines = re.search(r"(?:^\|.*\n)+", section, re.M)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def moment(text: str) -> datetime:
    day, clock = text.split()
    hour, minute = map(int, clock.split(":"))
    local = datetime.combine(DAYS[day], datetime.min.time(), ZoneInfo("Europe/London"))
    return local.replace(hour=hour, minute=minute).astimezone(UTC)


def stay(
    place: str,
    first: datetime,
    last: datetime,
    *,
    device: str = "device",
    on_foot_s: float | None = None,
    sd_s: float | None = None,
    unseen_s: float = 0.0,
    interval_s: float | None = None,
) -> dict:
    seen = (last - first).total_seconds()
    return {
        "device_id": device,
        "hotspot_id": place,
        "arrived_at": first,
        "left_at": last,
        "seen_s": seen,
        "dwell_s": seen + unseen_s,
        "dwell_sd_s": sd_s,
        "visible_s": on_foot_s,
        "interval_s": interval_s,
        "pings": 2,
        "source": "pings",
        "method": "order_free",
    }


def stays(*rows: dict) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Visit.columns().items()}
    return Visit.validate(pl.DataFrame(list(rows), schema=schema), cast=True)


def visits_of_the_page() -> pl.DataFrame:
    return stays(
        *(
            stay(
                row["place"],
                moment(row["arrived"]),
                moment(row["left"]),
                device=row["visit"],
                on_foot_s=None
                if row["on foot, min"] == "not known"
                else 60 * float(row["on foot, min"]),
                sd_s=60 * float(row["error, min"]),
            )
            for row in table_under("Visits")
        )
    )


def logs_of_the_page() -> pl.DataFrame:
    rows = [
        {
            "log_id": row["log"],
            "hotspot_id": row["place"],
            "started_at": moment(row["start"]),
            "ended_at": None if row["end"] == "blank" else moment(row["end"]),
            "activity": row["activity"],
        }
        for row in table_under("Logs")
    ]
    return with_classes(filled(PatrolLog, rows), taxonomy(own={}))


def tasks_of_the_page() -> pl.DataFrame:
    rows = []
    for row in table_under("Windows"):
        cancelled = row["state"] == "cancelled"
        reason = row["reason"] or None
        rows.append(
            {
                "task_id": row["task"],
                "hotspot_id": row["place"],
                "window_from": moment(row["from"]),
                "window_to": moment(row["to"]),
                "target_minutes": float(row["minutes asked for"]),
                "cancelled": cancelled,
                "cancel_reason": reason if cancelled else None,
                "missed_reason": None if cancelled else reason,
            }
        )
    return filled(Tasking, rows)


def held(**changes: object) -> pl.DataFrame:
    given: dict[str, object] = {
        "tasking": tasks_of_the_page(),
        "visit": visits_of_the_page(),
        "observed_days": FRIDAY,
        "add_interval": False,
        "target_minutes": None,
        "logs": logs_of_the_page(),
        "stated": None,
    }
    return attendance(**(given | RULES | changes)).sort(
        pl.col("task_id").str.strip_chars_start("t").cast(pl.Int64)
    )


def shown(row: dict[str, object]) -> dict[str, str]:
    def said(value: object) -> str:
        if value is None:
            return "blank"
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}"

    words = {"minutes in the window": "minutes_in_window", "minutes that day": "minutes_in_day"}
    words |= {f"level {n}": f"level_{n}" for n in range(1, 6)}
    words |= {"level 3 uncertain": "level_3_uncertain"}
    return {"task": str(row["task_id"])} | {w: said(row[name]) for w, name in words.items()}


def test_the_twelve_windows_of_the_page() -> None:
    printed = table_under("Result")
    assert len(printed) == 12
    assert [shown(row) for row in held().iter_rows(named=True)] == printed


def test_the_shares_of_the_page() -> None:
    found = held()
    section = PAGE.read_text(encoding="utf-8").split("| level | windows | of | share |")[1]
    rows = re.findall(r"^\| (\d) \| (\d+) \| (\d+) \| ([\d.]+) \|$", section, re.M)
    assert len(rows) == 5
    for level, yes, of, share in rows:
        column = found[f"level_{level}"].drop_nulls()
        assert (column.sum(), column.len()) == (int(yes), int(of))
        assert f"{column.mean():.2f}" == share


def test_the_target_moves_the_levels_of_length_alone() -> None:
    fifteen, ten = held(target_minutes=15.0), held(target_minutes=10.0)
    changed = {
        name
        for name in Attendance.column_names()
        if not fifteen[name].equals(ten[name], null_equal=True)
    }
    assert changed - {"target_minutes", "level_3_uncertain", "level_2_uncertain"} == {
        "level_3",
        "level_4",
    }
    # Only task 2 (12 minutes, on foot) lies between 10 and 15.
    moved = fifteen.filter(fifteen["level_3"].ne_missing(ten["level_3"]))["task_id"]
    assert moved.to_list() == ["2"]
    assert fifteen["level_1"].equals(ten["level_1"])
    assert held(target_minutes=8.0).filter(task_id="8")["level_2"].item()


def test_levels_include_the_one_before() -> None:
    found = held().filter("observed")
    for lower, higher in (("level_1", "level_3"), ("level_2", "level_3")):
        assert found.filter(pl.col(higher) & ~pl.col(lower)).is_empty()
    for lower, higher in itertools.pairwise(LEVELS[2:]):
        assert found.filter(pl.col(higher) & ~pl.col(lower)).is_empty()


def test_reasons_of_cancelled_and_missed_windows_are_kept() -> None:
    reasons = dict(held().select("task_id", "reason").drop_nulls().rows())
    assert reasons == {
        "2": "Short of officers",
        "7": "Called away",
        "10": "Weather",
        "11": "Stood down",
    }


def test_without_evidence_or_logs_the_upper_levels_are_not_known() -> None:
    blind = visits_of_the_page().with_columns(visible_s=pl.lit(None, dtype=pl.Float64))
    assert held(visit=blind, logs=None)["level_4"].null_count() == 12
    silent = held(logs=None)
    assert silent["level_4"].null_count() == 1
    assert silent["level_5"].null_count() == 12
    assert silent["logs"].null_count() == 12
    # The logs alone are evidence: p, r and s say that the patrol was on foot.
    by_log = held(visit=blind).filter("level_4")["task_id"].to_list()
    assert by_log == ["1", "6", "9", "11"]


def test_a_ready_made_statement_on_foot_is_evidence() -> None:
    stated = delivered(
        {"kind": "visit", "started_at": at(5), "ended_at": at(25), "activity": "Wardens on foot"},
        {"kind": "visit", "started_at": at(65), "ended_at": at(85), "activity": "Foot patrol"},
    )
    found = attendance(
        tasking(task(1, 0, 60, 15), task(2, 60, 120, 15)),
        ready_made_visits(stated),
        observed_days=pl.Series([START.date()]),
        add_interval=True,
        target_minutes=None,
        logs=None,
        stated=with_classes(stated, taxonomy(own={})),
        **RULES,
    )
    assert found["source"].to_list() == ["visits", "visits"]
    assert found["level_3"].to_list() == [True, True]
    assert found["level_4"].to_list() == [False, True]
    assert found["level_5"].to_list() == [None, None]


def test_hours_decide_the_length_alone() -> None:
    given = stated_minutes(delivered({"minutes": 14.0}))
    tasks = tasking(task(1, 0, 60, 15), task(2, 0, 60, 10), task(3, 2 * 1440, 2 * 1440 + 60, 10))
    found = attendance_by_day(
        tasks, given, source="hours", target_minutes=None, log_tolerance_s=0.0, logs=None
    )
    assert found.sort("task_id")["level_2"].to_list() == [False, True, None]
    assert found["observed"].to_list() == [True, True, False]
    for name in ("level_1", "level_3", "level_4", "level_5"):
        assert found[name].null_count() == 3
    override = attendance_by_day(
        tasks, given, source="hours", target_minutes=14.0, log_tolerance_s=0.0, logs=None
    )
    assert override.sort("task_id")["level_2"].to_list() == [True, True, None]


def test_the_error_is_that_of_the_ends_inside_the_window() -> None:
    def error(first: float, last: float, *seen: dict) -> float | None:
        return held(
            tasking=tasking(task(1, first, last, 15)), visit=stays(*seen), logs=None
        )["minutes_in_window_sd"].item()  # fmt: skip

    one = stay("H01", at(0), at(20), sd_s=120.0)
    assert error(-10, 30, one) == pytest.approx(2.0)
    assert error(5, 30, one) == pytest.approx(2.0 / 2**0.5)
    assert error(5, 15, one) == 0.0
    two = stay("H01", at(10), at(25), sd_s=240.0, device="other")
    assert error(-10, 30, one, two) == pytest.approx((2.0**2 / 2 + 4.0**2 / 2) ** 0.5)
    unknown = stay("H01", at(25), at(28))
    assert error(-10, 30, one, unknown) is None
    assert error(-10, 22, one, unknown) == pytest.approx(2.0)


def test_a_target_of_no_minutes_is_met_by_being_there() -> None:
    tasks = tasking(task(1, 0, 60, 0), task(2, 100, 120, 0), task(3, 0, 60, 0, hotspot_id="H02"))
    found = held(tasking=tasks, visit=stays(stay("H01", at(60), at(70))), logs=None)
    assert found.select("level_1", "level_2", "level_3").rows() == [
        (True, True, True),
        (False, True, False),
        (False, False, False),
    ]
    sure = held(
        tasking=tasks,
        visit=stays(stay("H01", at(60), at(70), sd_s=60.0)),
        logs=None,
    )
    # Nobody was seen and nothing was asked for: there is no error that could decide it.
    assert sure["level_3_uncertain"].to_list() == [True, False, False]


def test_evidence_on_foot_is_a_stated_share_of_the_time() -> None:
    seen = stays(
        stay("H01", at(0), at(20), on_foot_s=300.0),
        stay("H01", at(5), at(15), on_foot_s=420.0, device="other"),
        stay("H01", at(5), at(50), device="without speed"),
    )
    for share, evident in ((0.4, True), (0.401, False), (0.0, True)):
        found = held(
            tasking=tasking(task(1, 0, 60, 15)), visit=seen, logs=None, visible_share=share
        )
        assert found["level_4"].item() is evident
    driven = stays(stay("H01", at(0), at(20), on_foot_s=0.0))
    found = held(tasking=tasking(task(1, 0, 60, 15)), visit=driven, logs=None, visible_share=0.0)
    assert not found["level_4"].item()


def test_a_log_belongs_to_a_window_up_to_the_tolerance() -> None:
    rows = [
        {"log_id": name, "hotspot_id": "H01", "started_at": at(first), "ended_at": at(last)}
        for name, first, last in (("near", 65, 80), ("far", 65.1, 80), ("before", -20, -5))
    ]
    book = filled(PatrolLog, rows).with_columns(visible=pl.lit(None, dtype=pl.Boolean))
    found = held(tasking=tasking(task(1, 0, 60, 15)), logs=book)
    assert found.select("logs", "logs_completed").row(0) == (2, 0)


def test_the_interval_between_pings_is_added_and_kept() -> None:
    seen = stays(stay("H01", at(0), at(14), unseen_s=60.0, interval_s=60.0))
    tasks = tasking(task(1, 0, 60, 15))
    assert not held(tasking=tasks, visit=seen, logs=None)["level_3"].item()
    longer = held(tasking=tasks, visit=seen, logs=None, add_interval=True)
    assert longer["level_3"].item()
    assert longer["interval_s"].item() == 60.0


def test_a_window_across_six_in_the_morning_counts_whole_on_its_day() -> None:
    # START is 21:00 local: 06:00 is 540 minutes later.
    seen = stays(stay("H01", at(530), at(550)))
    found = held(tasking=tasking(task(1, 520, 600, 20)), visit=seen, logs=None)
    assert found.select("level_1", "level_2", "level_3").row(0) == (True, True, True)
    assert found["minutes_in_day"].item() == 20.0


def test_windows_on_the_night_when_clocks_go_back_are_as_long_as_they_are() -> None:
    start = datetime(2024, 10, 26, 23, 30, tzinfo=UTC)
    row = task(1, 0, 0, 90) | {
        "window_from": start,
        "window_to": start + timedelta(hours=3),
    }
    seen = stays(stay("H01", start, start + timedelta(minutes=90)))
    found = held(
        tasking=tasking(row), visit=seen, logs=None, observed_days=pl.Series([date(2024, 10, 26)])
    )
    assert found["minutes_in_window"].item() == 90.0
    assert found["level_3"].item()


def test_nothing_else_moves_when_rows_are_shuffled() -> None:
    mixed = [
        frame.sample(fraction=1, shuffle=True, seed=5)
        for frame in (tasks_of_the_page(), visits_of_the_page(), logs_of_the_page())
    ]
    again = held(tasking=mixed[0], visit=mixed[1], logs=mixed[2])
    assert again.write_json() == held().write_json()


def test_units_can_be_swapped_and_no_result_moves() -> None:
    tasks = tasks_of_the_page()
    renamed = tasks.with_columns(unit_id=pl.format("unit {}", pl.col("task_id")))
    assert held(tasking=renamed).equals(held(), null_equal=True)
    assert "unit" not in held(tasking=renamed).write_json()
    words = ("unit", "officer", "device", "callsign")
    assert not [name for name in Attendance.column_names() if any(w in name for w in words)]


@pytest.mark.parametrize(
    "changes",
    [
        {"tasking": tasking()},
        {"visit": stays()},
        {"visit": stays(), "logs": None},
        {"observed_days": pl.Series([], dtype=pl.Date)},
        {"tasking": tasking(task(1, 60, 0, 15), task(2, 0, 0, 0))},
    ],
)
def test_thin_tables_give_thin_results(changes: dict[str, object]) -> None:
    found = held(**changes)
    assert found.height == changes.get("tasking", tasks_of_the_page()).height
    if changes.get("visit", visits_of_the_page()).is_empty():
        assert not found["level_1"].any()


def test_every_choice_that_changes_a_level_is_named() -> None:
    for function in (attendance, attendance_by_day):
        named = [
            parameter
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        ]
        assert all(parameter.default is inspect.Parameter.empty for parameter in named)
