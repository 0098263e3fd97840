"""What is stated, alone and beside pings, by hand."""

from datetime import date, timedelta

import polars as pl
import pytest

from placeproof.calendar import NTE_PRESETS
from placeproof.patrols.dose import Reckoning
from placeproof.patrols.hours import clocks
from placeproof.patrols.minutes import panel_dose, stated_minutes
from placeproof.patrols.reconcile import dose_of_delivered, reconciled_dose, reconciliation
from placeproof.tables import Dose

from .conftest import START, at, delivered, hotspot, hotspots, task, tasking
from .test_dose import cell, dose, seen, stay

FRIDAY = START.date()
SATURDAY, SUNDAY = FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=2)
CLOCKS = clocks(
    FRIDAY - timedelta(days=1), SUNDAY, presets=tuple(NTE_PRESETS), bands=True, events=None
)


def visit(first: float, last: float, **further: object) -> dict:
    return {
        "kind": "visit",
        "started_at": at(first),
        "ended_at": at(last),
        "minutes": last - first,
        **further,
    }


def stated(*rows: dict, **further: object) -> pl.DataFrame:
    given: dict = {"hotspots": hotspots(), "clocks": CLOCKS, "tasking": None, "tasked_by": "place"}
    return dose_of_delivered(delivered(*rows), **(given | further))


def both(
    visits: pl.DataFrame, *rows: dict, days: tuple[date, ...], gpsless: tuple = ()
) -> pl.DataFrame:
    by = Reckoning(
        hotspots=hotspots(),
        observed_days=pl.Series(days, dtype=pl.Date),
        clocks=CLOCKS,
        tasking=None,
        tasked_by="place",
        officers=None,
        vehicle_devices=(),
    )
    return reconciled_dose(visits, delivered(*rows), by=by, without_gps=gpsless)


def test_stated_visits_are_joined_and_split_by_hours() -> None:
    found = stated(visit(50, 70, officers=2), visit(60, 80, officers=1))
    row = cell(found)
    assert (row["patrol_minutes"], row["person_minutes"], row["visits"]) == (30.0, 60.0, 1)
    assert (row["source"], row["delivered_by"], row["persons_from"]) == (
        "delivered",
        "force",
        "stated",
    )
    assert cell(found, "band:18-22")["patrol_minutes"] == 10.0
    assert cell(found, "band:22-02")["patrol_minutes"] == 20.0
    assert row["patrol_minutes_sd"] is None
    assert row["visible_minutes"] is None


def test_hours_without_times_say_nothing_of_the_hours_of_the_day() -> None:
    found = stated({"minutes": 90.0, "officers": 2})
    assert found["hours"].to_list() == ["all"]
    row = cell(found)
    assert (row["patrol_minutes"], row["person_minutes"]) == (90.0, 180.0)
    assert row["minutes_per_1000_m2"] == pytest.approx(90 / 40)
    for unknown in ("visits", "longest_gap_minutes", "additional_minutes", "mean_visit_minutes"):
        assert row[unknown] is None


def test_officers_that_nobody_states_are_not_one() -> None:
    assert cell(stated({"minutes": 90.0}))["person_minutes"] is None
    assert cell(stated({"minutes": 90.0}))["persons_from"] is None
    assert cell(stated(visit(0, 10)))["person_minutes"] is None
    assert (
        cell(stated(visit(0, 10, officers=2), {"minutes": 5.0, "kind": "visit"}))["person_minutes"]
        is None
    )


def test_two_kinds_of_one_deliverer_speak_of_the_same_presence() -> None:
    rows = (visit(0, 20), {"minutes": 15.0, "kind": "hours"})
    found = stated(*rows)
    assert cell(found)["patrol_minutes"] == 20.0
    assert found.height == 15
    assert stated(visit(0, 20), {"minutes": 20.0, "kind": "hours"}).height == 15
    more = stated(visit(0, 20), {"minutes": 50.0, "kind": "hours"})
    assert cell(more)["patrol_minutes"] == 50.0
    assert more.height == 1
    assert stated_minutes(delivered(*rows))["minutes"].to_list() == [20.0]


def test_deliverers_are_not_added() -> None:
    found = stated({"minutes": 30.0}, {"minutes": 40.0, "delivered_by": "wardens"})
    assert found.select("delivered_by", "patrol_minutes").rows() == [
        ("force", 30.0),
        ("wardens", 40.0),
    ]


def test_days_that_nobody_wrote_down_have_no_row() -> None:
    found = stated(visit(530, 550))
    # 05:50 to 06:10 on Saturday morning reaches into a second day.
    assert found["operating_day"].unique().sort().to_list() == [FRIDAY, SATURDAY]
    assert cell(found, day=SATURDAY)["patrol_minutes"] == 10.0


def test_stated_visits_can_be_additional() -> None:
    asked = tasking(task(1, 5, 60, 15))
    row = cell(stated(visit(0, 20), tasking=asked))
    assert (row["additional_minutes"], row["background_minutes"]) == (15.0, 5.0)


def test_a_place_that_is_no_hot_spot_has_no_intensity() -> None:
    row = cell(stated({"minutes": 30.0, "hotspot_id": "H77"}))
    assert row["minutes_per_1000_m2"] is None
    assert cell(stated({"minutes": 30.0}, hotspots=None))["minutes_per_1000_m2"] is None


def test_pings_come_first_and_statements_stand_in_where_none_reported() -> None:
    found = both(
        seen(stay("a", 0, 10)),
        {"minutes": 60.0},
        {"minutes": 45.0, "operating_day": SUNDAY},
        days=(FRIDAY, SATURDAY),
    )
    friday, sunday = cell(found, day=FRIDAY), cell(found, day=SUNDAY)
    assert (friday["patrol_minutes"], friday["delivered_by"]) == (10.0, None)
    assert (sunday["patrol_minutes"], sunday["delivered_by"]) == (45.0, "force")
    assert cell(found, day=SATURDAY)["patrol_minutes"] == 0.0
    assert set(found["source"]) == {"reconciled"}


def test_those_without_gps_come_on_top_once() -> None:
    found = both(
        seen(stay("a", 0, 10)),
        visit(5, 20, delivered_by="wardens", officers=2),
        days=(FRIDAY,),
        gpsless=("wardens",),
    )
    row = cell(found)
    assert (row["patrol_minutes"], row["person_minutes"]) == (20.0, 40.0)
    assert (row["delivered_by"], row["persons_from"]) == (
        "pings; wardens",
        "devices and statements",
    )
    assert cell(found, "band:18-22")["patrol_minutes"] == 20.0


def test_minutes_of_partners_without_times_are_added_to_the_day_alone() -> None:
    found = both(
        seen(stay("a", 0, 10)),
        {"minutes": 60.0, "delivered_by": "wardens", "officers": 2},
        {"minutes": 30.0, "delivered_by": "wardens", "operating_day": SUNDAY, "officers": 1},
        days=(FRIDAY, SATURDAY),
        gpsless=("wardens",),
    )
    assert cell(found)["patrol_minutes"] == 70.0
    assert cell(found)["person_minutes"] == 130.0
    assert found.filter(pl.col("operating_day") == FRIDAY).height == 1
    assert found.filter(pl.col("operating_day") == SATURDAY).height == 15
    assert (cell(found, day=SUNDAY)["patrol_minutes"], cell(found, day=SUNDAY)["persons_from"]) == (
        30.0,
        "stated",
    )


def test_a_stated_visit_ends_where_a_day_with_pings_begins() -> None:
    # 05:50 to 06:10 on Saturday morning; pings speak of Saturday and saw nobody.
    found = both(seen(), visit(530, 550), days=(SATURDAY,))
    assert cell(found, day=FRIDAY)["patrol_minutes"] == 10.0
    assert cell(found, day=SATURDAY)["patrol_minutes"] == 0.0


def test_reconciliation_says_what_each_source_found() -> None:
    places = hotspots(hotspot("H01", 0, 0), hotspot("H02", 900, 0))
    days = (FRIDAY, SATURDAY)
    measured = dose(
        stay("a", 0, 10), stay("a", 1440, 1460), hotspots=places, days=days, clocks=CLOCKS
    )
    told = stated(
        {"minutes": 30.0},
        {"minutes": 12.0, "hotspot_id": "H02"},
        {"minutes": 99.0, "delivered_by": "wardens", "hotspot_id": "H02"},
        {"minutes": 5.0, "operating_day": SUNDAY},
    )
    found = reconciliation(measured, told, without_gps=("wardens",))
    assert found.rows() == [
        ("H01", FRIDAY, 10.0, 30.0, "both"),
        ("H01", SATURDAY, 20.0, None, "pings"),
        ("H02", FRIDAY, 0.0, 12.0, "delivered"),
    ]
    assert reconciliation(measured, told.clear(), without_gps=()).is_empty()


def test_nothing_stated_is_no_row() -> None:
    assert stated().is_empty()
    Dose.validate(stated())
    found = both(seen(stay("a", 0, 10)), days=(FRIDAY,))
    assert found.drop("source").equals(dose(stay("a", 0, 10), days=(FRIDAY,)).drop("source"))


def test_the_panel_takes_one_row_per_place_and_day() -> None:
    found = pl.concat([dose(stay("a", 0, 10)), stated({"minutes": 30.0})])
    taken = panel_dose(found, source="pings", hours="nte:nte-core")
    assert taken.select("place_id", "operating_day", "patrol_minutes").rows() == [
        ("H01", FRIDAY, 10.0),
        ("H01", SATURDAY, 0.0),
    ]
    assert {"patrol_minutes_sd", "person_minutes", "visits"} <= set(taken.columns)
    two = stated(
        {"minutes": 30.0},
        {"minutes": 40.0, "delivered_by": "wardens"},
        {"minutes": 5.0, "operating_day": SATURDAY},
    )
    with pytest.raises(ValueError, match="several rows"):
        panel_dose(two, source="delivered", hours="all")
