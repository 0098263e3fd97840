"""A hot spot's week: windows, delivery and what stands out, by tiny tables."""

from datetime import UTC, date, datetime, timedelta

import polars as pl

from placeproof.patrols.coverage import PIECES, REACHED, Coverage
from placeproof.patrols.next_weeks import next_changes
from placeproof.patrols.weeks import (
    main_attendance,
    main_dose,
    weekly_delivery,
    windows,
)
from placeproof.tables import Attendance, Dose

MONDAY = date(2024, 4, 29)
FRIDAY = date(2024, 5, 3)


def frame(table, rows: list[dict]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in table.columns().items()}
    made = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(made, schema=schema)


def task(
    day: date, minutes: float | None, *, hour: int = 20, place: str = "H01", **more: object
) -> dict:
    start = datetime(day.year, day.month, day.day, hour - 1, tzinfo=UTC)  # British Summer Time
    return {
        "task_id": f"{place}-{day}-{hour}",
        "hotspot_id": place,
        "operating_day": day,
        "window_from": start,
        "window_to": start + timedelta(hours=2),
        "target_minutes": 15.0,
        "cancelled": False,
        "source": "pings",
        "observed": minutes is not None,
        "minutes_in_window": minutes,
        "level_1": None if minutes is None else minutes > 0,
        "level_3": None if minutes is None else minutes >= 15,
        **more,
    }


def asked(*rows: dict) -> pl.DataFrame:
    return frame(Attendance, list(rows))


def fridays(*minutes: float | None, **more: object) -> pl.DataFrame:
    """One window each Friday, the last one in the week of `FRIDAY`."""
    last = len(minutes) - 1
    return asked(
        *(task(FRIDAY - timedelta(weeks=last - n), m, **more) for n, m in enumerate(minutes))
    )


def changes(window: pl.DataFrame | None, attendance: pl.DataFrame | None = None, covered=None):
    made = next_changes(
        window, attendance, covered, weeks=[MONDAY], hotspot_ids=["H01"], weeks_back=4
    )
    return made.row(0, named=True)


def test_a_window_is_kept_short_missed_cancelled_or_not_known() -> None:
    found = windows(
        asked(
            task(MONDAY, 16),
            task(MONDAY + timedelta(days=1), 9),
            task(MONDAY + timedelta(days=2), 0),
            task(MONDAY + timedelta(days=3), 0, cancelled=True, reason="No officers"),
            task(FRIDAY, None),
            task(FRIDAY + timedelta(days=1), 20, cancelled=True),
        )
    )
    states = ["kept", "short", "missed", "cancelled", "not_known", "kept"]
    assert found["state"].to_list() == states
    assert found["starts"].to_list()[0] == "20:00"
    assert found["ends"].to_list()[0] == "22:00"
    assert found["week"].unique().to_list() == [MONDAY]
    assert found["weekday"].to_list() == [1, 2, 3, 4, 5, 6]


def test_missed_in_a_row_passes_over_cancelled_and_unknown_and_ends_with_a_visit() -> None:
    one = windows(fridays(0, 3, 0, None, 0, 0))
    assert one["in_a_row"].to_list() == [1, 0, 1, 0, 2, 3]


def test_two_tasks_in_one_window_count_once_by_the_better() -> None:
    found = windows(asked(task(FRIDAY, 0), {**task(FRIDAY, 16), "task_id": "second"}))
    assert found["state"].to_list() == ["kept"]


def test_a_window_after_midnight_belongs_to_its_operating_day() -> None:
    late = datetime(2024, 5, 4, 0, 30, tzinfo=UTC)
    found = windows(
        asked({**task(FRIDAY, 0), "window_from": late, "window_to": late + timedelta(hours=1)})
    )
    assert found.row(0, named=True)["weekday"] == 5
    assert found["starts"].item() == "01:30"


def test_what_was_missed_most_stands_out_by_its_hours() -> None:
    found = changes(windows(fridays(0, 0, 16, 0)))
    assert (found["kind"], found["weekday"], found["starts"], found["ends"]) == (
        "missed", 5, "20:00", "22:00",
    )  # fmt: skip
    assert (found["times"], found["of"]) == (3, 4)


def test_missed_goes_before_cancelled_before_short() -> None:
    missed = [task(FRIDAY - timedelta(weeks=n), 0) for n in range(2)]
    cancelled = [task(FRIDAY - timedelta(weeks=n), 0, hour=14, cancelled=True) for n in range(3)]
    short = [task(FRIDAY - timedelta(weeks=n), 5, hour=10) for n in range(4)]
    assert changes(windows(asked(*missed, *cancelled, *short)))["kind"] == "missed"
    assert changes(windows(asked(*cancelled, *short)))["kind"] == "cancelled"
    assert changes(windows(asked(*short)))["kind"] == "short"


def test_once_is_nothing_five_weeks_ago_is_forgotten_and_no_data_is_not_known() -> None:
    assert changes(windows(fridays(16, 16, 16, 0)))["kind"] == "nothing"
    assert changes(windows(fridays(0, 0, 16, 16, 16, 16)))["kind"] == "nothing"
    assert changes(None)["kind"] == "not_known"
    old = windows(fridays(0, 0, 0)).with_columns(pl.col("week").dt.offset_by("-20w"))
    assert changes(old)["kind"] == "not_known"


def test_logs_missing_after_visible_patrols_stand_out_last() -> None:
    at = fridays(16, 16, 16, level_4=True, level_5=False)
    found = changes(windows(at), at)
    assert (found["kind"], found["times"], found["of"]) == ("unlogged", 3, 3)


def test_the_side_that_no_route_came_near_stands_out() -> None:
    cells = [
        (east, north) for north in (0.0, 10.0) for east in (0.0, 10.0)
    ]  # south-west, south-east, north-west, north-east
    pieces = pl.DataFrame(
        {
            "hotspot_id": ["H01"] * 4, "version": [1] * 4, "piece": range(4), "of": ["cells"] * 4,
            "size": [1.0] * 4, "from_easting_m": [c[0] for c in cells],
            "from_northing_m": [c[1] for c in cells], "to_easting_m": [c[0] + 10 for c in cells],
            "to_northing_m": [c[1] + 10 for c in cells],
        },
        schema=PIECES,
    )  # fmt: skip
    shares = pl.DataFrame(
        {"hotspot_id": ["H01"], "version": [1], "period_start": [MONDAY]},
        schema_overrides={"version": pl.Int64},
    )
    near = [
        {"hotspot_id": "H01", "version": 1, "period_start": MONDAY, "piece": n} for n in (0, 1, 3)
    ]
    covered = Coverage(pieces, pl.DataFrame(near, schema=REACHED), shares)
    found = changes(None, None, covered)
    assert (found["kind"], found["side"], found["times"]) == ("unreached", "north-west", 100)


def dose_row(day: date, minutes: float, **more: object) -> dict:
    return {
        "hotspot_id": "H01", "operating_day": day, "hours": "all", "source": "pings",
        "minutes_in_hours": 1440.0, "patrol_minutes": minutes, "visits": 1, **more,
    }  # fmt: skip


def test_sources_are_never_added_up() -> None:
    dose = frame(
        Dose,
        [
            dose_row(FRIDAY, 30),
            dose_row(FRIDAY, 500, source="delivered", delivered_by="Wardens"),
            dose_row(FRIDAY, 70, source="delivered", delivered_by="Rangers", hotspot_id="H02"),
            dose_row(MONDAY, 70, source="delivered", delivered_by="Rangers", hotspot_id="H02"),
            dose_row(FRIDAY, 90, source="delivered", delivered_by="Wardens", hotspot_id="H02"),
        ],
    )
    kept = main_dose(dose)
    assert kept.filter(hotspot_id="H01")["patrol_minutes"].to_list() == [30]
    assert kept.filter(hotspot_id="H02")["delivered_by"].unique().to_list() == ["Rangers"]


def test_a_week_without_data_is_null_and_an_observed_week_without_a_visit_is_nought() -> None:
    dose = frame(Dose, [dose_row(FRIDAY, 0.0, visits=0)])
    visits = pl.DataFrame(
        {
            "hotspot_id": ["H02"],
            "arrived_at": [datetime(2024, 5, 3, 12, tzinfo=UTC)],
            "dwell_s": [60.0],
        }
    ).with_columns(pl.col("arrived_at").cast(pl.Datetime("us", "UTC")))
    at = fridays(16, place="H02")
    made = weekly_delivery(
        windows(at),
        at,
        dose,
        visits,
        weeks=[MONDAY - timedelta(weeks=1), MONDAY],
        hotspot_ids=["H01", "H02"],
    )
    before, week = made.filter(hotspot_id="H01").iter_rows(named=True)
    assert before["patrol_minutes"] is None
    assert before["visits"] is None
    assert before["asked"] is None
    assert week["patrol_minutes"] == 0
    assert week["visits"] == 0
    assert week["asked"] == 0  # another place was tasked in this week, this one was not
    other = made.filter(hotspot_id="H02").row(1, named=True)
    assert (other["asked"], other["kept"], other["level_1"]) == (1, 1, 1)
    assert other["patrol_minutes"] is None
    assert other["visits"] == 1
    assert other["level_4"] is None


def test_weekly_sums_equal_the_tables() -> None:
    days = [MONDAY + timedelta(days=n) for n in range(14)]
    dose = frame(Dose, [dose_row(day, 10.5 + n) for n, day in enumerate(days)])
    weeks = [MONDAY, MONDAY + timedelta(weeks=1)]
    made = weekly_delivery(None, None, dose, None, weeks=weeks, hotspot_ids=["H01"])
    assert made["patrol_minutes"].sum() == dose["patrol_minutes"].sum()
    assert made["asked"].null_count() == 2
    assert made["days"].to_list() == [7, 7]


def test_reconciled_rows_are_one_source_whoever_stood_behind_them() -> None:
    behind = [None, "Wardens", "pings; Wardens"]
    days = [FRIDAY + timedelta(days=n) for n in range(3)]
    dose = frame(
        Dose,
        [dose_row(FRIDAY, 30)]
        + [
            dose_row(day, 10, source="reconciled", delivered_by=by)
            for day, by in zip(days, behind, strict=True)
        ],
    )
    kept = main_dose(dose)
    assert kept["source"].to_list() == ["reconciled"] * 3
    assert kept["patrol_minutes"].sum() == 30
    assert kept.columns == dose.columns


def test_a_task_counts_once_by_the_first_source_that_observed_its_week() -> None:
    stated = {"source": "hours", "observed": True, "level_1": None, "level_3": None}
    week_before = FRIDAY - timedelta(weeks=1)
    both = asked(
        task(FRIDAY, 16),
        task(FRIDAY, None, **stated),
        task(week_before, None),
        task(week_before, None, **stated),
    )
    kept = main_attendance(both)
    assert kept.sort("operating_day")["source"].to_list() == ["hours", "pings"]
    assert windows(kept).height == kept.height == 2
    assert kept.columns == both.columns
    alone = asked(task(FRIDAY, None), task(FRIDAY, None, **(stated | {"observed": False})))
    assert main_attendance(alone)["source"].to_list() == ["pings"]
