"""Compliance and logs from every source at once: what is there is told, what is not is named."""

from datetime import timedelta

import polars as pl
import pytest

from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.patrols.as_planned import PlannedRules, as_planned
from placeproof.patrols.minutes import observed_days
from placeproof.patrols.reported import reporting
from placeproof.patrols.rows import finished
from placeproof.patrols.visits import visits
from placeproof.tables import Attendance, estimate

from .conftest import START, at, delivered, hotspots, logs, pings, task, tasking
from .test_level_rows import NIGHT

RULES = PlannedRules(
    target_minutes=None,
    visible_share=0.5,
    log_tolerance_s=300.0,
    logged_at_least_s=300.0,
    activities={},
)
NOTHING = dict.fromkeys(
    (
        "tasking",
        "visit",
        "reported",
        "delivered",
        "patrol_log",
        "stop_search",
        "hotspots",
        "dose",
    )
)


def given(**tables: object) -> dict[str, object]:
    days = pl.Series([], dtype=pl.Date)
    return NOTHING | {"observed_days": days, "night": NIGHT, "rules": RULES} | tables


def everything() -> dict[str, object]:
    seen = pings(*(("a", minute, 100, 100) for minute in range(20)), ("b", 3, 5000, 0))
    return given(
        tasking=tasking(
            task(1, 0, 60, 15, randomised=True), task(2, 60, 90, 15, missed_reason="Custody")
        ),
        visit=visits(seen, hotspots(), longest_gap_s=90, shortest_dwell_s=0),
        observed_days=observed_days(seen),
        reported=reporting(seen, slot_s=900),
        delivered=delivered(
            {"kind": "visit", "started_at": at(0), "ended_at": at(10), "minutes": 10.0},
            {"kind": "hours", "minutes": 40.0},
        ),
        patrol_log=logs(("H01", 0, 18), ("H01", 70, 80)).with_columns(
            activity=pl.lit("Tea"), observations=pl.lit("A secret."), arrests=pl.lit(1)
        ),
        hotspots=hotspots(),
    )


def rows_of(found: object) -> pl.DataFrame:
    return estimate.rows(finished(found.rows))


def test_every_source_stands_on_its_own() -> None:
    found = as_planned(**everything())
    Attendance.validate(found.attendance)
    assert found.attendance["source"].to_list() == ["pings"] * 2 + ["visits"] * 2 + ["hours"] * 2
    by_source = found.attendance.filter(task_id="t1").select("source", "level_2", "level_3")
    assert by_source.rows() == [
        ("pings", True, True),
        ("visits", False, False),
        ("hours", True, None),
    ]
    assert found.logs["status"].to_list() == ["matched", "not_observed"]
    assert found.unmapped.rows() == [("patrol_log", "Tea", 2)]
    assert found.observations["words"].to_list() == ["A secret."] * 2
    rows = rows_of(found)
    assert rows.select(DESCRIPTIVE_KEYS).is_unique().all()
    assert "secret" not in rows.write_json()
    assert "Tea" not in rows.write_json()


def test_a_day_with_hours_alone_says_nothing_of_windows() -> None:
    tables = everything()
    later = (START + timedelta(days=1)).date()
    more = delivered({"kind": "hours", "minutes": 40.0, "operating_day": later})
    day_after = tasking(task(3, 1440, 1500, 15))
    found = as_planned(
        **(
            tables
            | {
                "tasking": pl.concat([tables["tasking"], day_after]),
                "delivered": pl.concat([tables["delivered"], more]),
            }
        )
    )
    third = found.attendance.filter(task_id="t3").select("source", "observed", "level_2")
    assert third.rows() == [("pings", False, None), ("visits", False, None), ("hours", True, True)]


def test_a_place_is_observed_while_devices_that_go_there_report() -> None:
    whole_day = pl.DataFrame(
        {"device_id": ["b"], "from_at": [START], "to_at": [START + timedelta(hours=6)]},
        schema_overrides={name: pl.Datetime("us", "UTC") for name in ("from_at", "to_at")},
    )
    other = as_planned(**(everything() | {"reported": whole_day}))
    assert other.logs["status"].to_list() == ["matched", "not_observed"]
    own = as_planned(**(everything() | {"reported": whole_day.with_columns(device_id=pl.lit("a"))}))
    assert own.logs["status"].to_list() == ["matched", "no_presence"]


def test_nothing_supplied_says_what_is_missing() -> None:
    rows = rows_of(as_planned(**given()))
    assert set(rows["status"]) == {"not_supplied"}
    assert set(rows["outcome"]) == {"window_attended", "log_matched", "activity"}


@pytest.mark.parametrize(
    "without", ["tasking", "visit", "reported", "delivered", "patrol_log", "hotspots", "night"]
)
def test_each_table_can_be_absent(without: str) -> None:
    tables = everything() | {without: None}
    rows = rows_of(as_planned(**tables))
    blank = rows.filter(pl.col("estimate").is_null())
    assert blank["reason"].null_count() == 0


def test_one_target_for_all_moves_the_levels_of_length() -> None:
    tables = everything()
    short = RULES.__class__(**(RULES.__dict__ | {"target_minutes": 25.0}))
    found = as_planned(**(tables | {"rules": short}))
    assert found.attendance.filter(source="pings")["level_1"].to_list() == [True, False]
    assert not found.attendance.filter(source="pings")["level_3"].any()
    assert found.attendance.filter(source="hours")["level_2"].all()


def test_days_on_which_nobody_reported_are_not_failures() -> None:
    tables = everything()
    later = START + timedelta(days=9)
    unseen = tasking(task(3, 0, 0, 15) | {"window_from": later, "window_to": later})
    found = as_planned(**(tables | {"tasking": pl.concat([tables["tasking"], unseen])}))
    rows = rows_of(found).filter(horizon="all", subgroup="all", hours="all")
    share = rows.filter(outcome="window_unobserved", feeds="tasking ping hotspot")
    assert share["estimate"].item() == pytest.approx(1 / 3)
    attended = rows.filter(outcome="window_attended", method="ping_with_interval")
    assert (attended["n"].item(), attended["estimate"].item()) == (2, 0.5)
