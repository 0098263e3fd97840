"""Rows about dose, visits and agreement of sources: by hand, and adding up."""

import json
from datetime import timedelta

import polars as pl
import pytest

from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.calendar import NTE_PRESETS
from placeproof.patrols.dose_rows import dose_rows, other_dose_rows, ring_rows
from placeproof.patrols.hours import BANDS, clocks, shares_of_hours
from placeproof.patrols.minutes import device_days, place_days
from placeproof.patrols.reconcile import reconciliation
from placeproof.patrols.reconcile_rows import reconciliation_rows
from placeproof.patrols.rows import Row, finished
from placeproof.patrols.visit_rows import (
    asked_for,
    device_coverage,
    intermittency,
    lengths_of_visits,
    ping_interval_s,
)
from placeproof.tables import estimate

from .conftest import START, hotspot, hotspots, pings, task, tasking
from .test_dose import dose, seen, stay
from .test_reconcile import both, stated, visit

FRIDAY = START.date()
SATURDAY = FRIDAY + timedelta(days=1)
DAYS = (FRIDAY, SATURDAY)
CLOCKS = clocks(FRIDAY, SATURDAY, presets=tuple(NTE_PRESETS), bands=True, events=None)
TOLD = {"nte_id": "nte-core", "ping_interval_s": 60.0, "made_by": "order_free"}
RULES = {"longest_gap_s": 90.0, "shortest_dwell_s": 0.0, "made_by": "order_free"}


def table(rows: list[Row]) -> pl.DataFrame:
    found = estimate.rows(finished(rows))
    assert found.select(DESCRIPTIVE_KEYS).is_unique().all()
    return found


def only(frame: pl.DataFrame, **where: str) -> dict:
    where = {"subgroup": "all", "hours": "all", "horizon": "all"} | where
    found = frame.filter(*(pl.col(name) == value for name, value in where.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def two_places() -> pl.DataFrame:
    return hotspots(hotspot("H01", 0, 0), hotspot("H02", 900, 0))


def test_every_measure_of_the_dose_by_hand() -> None:
    found = dose(
        stay("a", 0, 10, visible_s=300.0),
        stay("b", 0, 10, visible_s=300.0),
        stay("a", 60, 80, visible_s=0.0),
        stay("a", 0, 10, hotspot_id="H02", visible_s=600.0),
        hotspots=two_places(),
        tasking=tasking(task(1, 5, 30, 15), task(2, 1440, 1450, 5)),
    )
    rows = table(dose_rows(found, **TOLD))
    expected = {
        "delivered_minutes": 40.0,
        "person_minutes": 50.0,
        "additional_presence": 5 / 40,
        "visible_presence": 15 / 40,
        "place_days_patrolled": 2 / 4,
        "presences": 3.0,
        "visits_per_day": 3 / 4,
        "visit_length": 40 / 3,
        "intensity": 40 / 40 / 4,
        # Friday, H01: 15 h until the first; H02 alike; Saturday: the whole day at both.
        "longest_gap": (900 + 900 + 1440 + 1440) / 4,
    }
    for outcome, value in expected.items():
        row = only(rows, outcome=outcome)
        assert row["estimate"] == pytest.approx(value), outcome
        assert (row["n"], row["n_places"]) == (4, 2)
        by_place = rows.filter(pl.col("outcome") == outcome, pl.col("subgroup") != "all")
        assert not by_place.is_empty()
    assert only(rows, outcome="delivered_minutes", subgroup="hotspot=H01")["estimate"] == 30.0
    assert only(rows, outcome="delivered_minutes", horizon="2024-05")["estimate"] == 40.0


def test_rows_of_all_presets_and_bands_add_up() -> None:
    found = dose(stay("a", 30, 100), stay("b", 600, 640), hotspots=two_places())
    rows = table(dose_rows(found, **TOLD)).filter(
        pl.col("outcome") == "delivered_minutes", pl.col("horizon") == "all"
    )
    whole = rows.filter(pl.col("subgroup") == "all")
    total = only(whole)["estimate"]
    assert total == pytest.approx(110.0)
    for preset in NTE_PRESETS:
        parts = whole.filter(pl.col("hours").is_in([f"nte:{preset}", f"other:{preset}"]))
        assert parts["estimate"].sum() == pytest.approx(total)
    bands = whole.filter(pl.col("hours").is_in([f"band:{band}" for band in BANDS]))
    assert bands["estimate"].sum() == pytest.approx(total)
    # By place and month only the pinned preset is split.
    assert set(rows.filter(pl.col("subgroup") != "all")["hours"]) == {
        "all",
        "nte:nte-core",
        "other:nte-core",
    }


def test_measurement_error_is_reported_with_the_dose() -> None:
    rows = table(dose_rows(dose(stay("a", 0, 10, dwell_sd_s=60.0)), **TOLD))
    said = json.loads(only(rows, outcome="delivered_minutes")["diagnostics"])
    assert said["measurement_sd_minutes"] == pytest.approx(1.0)
    assert said["ping_interval_s"] == 60.0


def test_what_nobody_knows_is_said_once() -> None:
    rows = table(dose_rows(dose(stay("a", 0, 10)), **TOLD))
    for outcome in ("additional_presence", "visible_presence"):
        row = only(rows, outcome=outcome)
        assert (row["status"], row["estimate"]) == ("not_identified", None)
        assert rows.filter(pl.col("outcome") == outcome).height == 1


def test_lengths_of_visits_by_hours_and_place() -> None:
    visits = seen(
        stay("a", 0, 3, seen_s=120.0, interval_s=60.0),
        stay("b", 0, 10),
        stay("a", 300, 315, hotspot_id="H02"),
        stay("a", 320, 324, hotspot_id="H02"),
    )
    rows = table(lengths_of_visits(visits, clocks=CLOCKS, nte_id="nte-core", **RULES))
    assert only(rows, outcome="visits")["estimate"] == 4.0
    assert only(rows, outcome="device_minutes")["estimate"] == pytest.approx(32.0)
    full = {"method": "pings_with_interval"}
    assert only(rows, outcome="visits_5_minutes", **full)["estimate"] == pytest.approx(0.5)
    assert only(rows, outcome="visits_15_minutes", **full)["estimate"] == pytest.approx(0.25)
    where = full | {"subgroup": "hotspot=H02"}
    assert only(rows, outcome="visits_10_minutes", **where)["estimate"] == pytest.approx(0.5)
    assert only(rows, outcome="visits", hours="band:18-22")["estimate"] == 2.0
    assert only(rows, outcome="visits", hours="band:02-06")["estimate"] == 2.0
    assert rows.filter(pl.col("method") == "pings_raw", pl.col("hours") != "all").is_empty()
    assert ping_interval_s(visits) == 60.0
    assert ping_interval_s(visits.clear()) is None


def test_a_threshold_at_the_ping_interval_is_flagged() -> None:
    visits = seen(stay("a", 0, 10, seen_s=300.0, interval_s=300.0, pings=2))
    rows = table(lengths_of_visits(visits, clocks=CLOCKS, nte_id="nte-core", **RULES))
    full = {"method": "pings_with_interval"}
    assert (
        "which visits reach them is chance"
        in only(rows, outcome="visits_5_minutes", **full)["reason"]
    )
    assert "chance" not in only(rows, outcome="visits_10_minutes", **full)["reason"]


def test_gaps_and_hours_with_a_recent_visit_by_hand() -> None:
    visits = seen(
        stay("a", 0, 30),
        stay("b", 20, 60),
        stay("a", 120, 130),
        stay("a", 400, 410),
        stay("b", 450, 460),
        stay("b", 1500, 1510),
    )
    known = place_days(hotspots(), pl.Series([FRIDAY]))
    rows = table(intermittency(visits, known=known, clocks=CLOCKS, nte_id="nte-core"))
    # Gaps of 60, 270 and 40 minutes, none into Saturday; visited in the last two hours from 0 to
    # 250 and from 400 to the end of the day, minute 540.
    assert only(rows, outcome="gap_between_visits")["estimate"] == pytest.approx(370 / 3)
    assert only(rows, outcome="gap_at_most_2_hours")["estimate"] == pytest.approx(2 / 3)
    within = only(rows, outcome="visited_within_2_hours")
    assert within["estimate"] == pytest.approx((250 + 140) / 1440)
    night = only(rows, outcome="visited_within_2_hours", hours="nte:nte-core")
    assert night["estimate"] == pytest.approx((250 + 80) / 540)
    none = table(intermittency(visits.clear(), known=known, clocks=CLOCKS, nte_id="nte-core"))
    assert only(none, outcome="visited_within_2_hours")["estimate"] == 0.0
    assert only(none, outcome="gap_between_visits")["status"] == "not_identified"


def test_what_was_asked_for_is_split_as_its_window_is() -> None:
    # 21:30 to 22:30 local, 30 minutes asked for: half of them in each band.
    tasks = tasking(task(1, 30, 90, 30), task(2, 60, 60, 5), task(3, 0, 30, 10, cancelled=True))
    rows = table(asked_for(tasks, clocks=CLOCKS, nte_id="nte-core"))
    assert only(rows, outcome="planned_minutes")["estimate"] == pytest.approx(45.0)
    assert only(rows, outcome="planned_minutes", hours="band:18-22")["estimate"] == pytest.approx(
        25
    )
    assert only(rows, outcome="planned_minutes", hours="band:22-02")["estimate"] == pytest.approx(
        20
    )
    assert only(rows, outcome="window_cancelled")["estimate"] == pytest.approx(1 / 3)
    assert only(rows, outcome="window_cancelled")["n"] == 3
    spread = shares_of_hours(tasks, CLOCKS, starts="window_from", ends="window_to")
    for preset in NTE_PRESETS:
        pair = spread.filter(pl.col("hours").is_in([f"nte:{preset}", f"other:{preset}"]))
        assert pair.group_by("task_id").agg(pl.col("part").sum())["part"].to_list() == (
            pytest.approx([1.0] * 3)
        )


def test_coverage_of_devices_describes_no_device() -> None:
    found = device_days(pings(("a", 0, 0, 0), ("a", 1, 0, 0), ("a", 3000, 0, 0), ("b", 0, 0, 0)))
    rows = table(device_coverage(found))
    # a: 3 days from first to last, two of them seen; b: one of one.
    assert only(rows, outcome="device_days_without_pings")["estimate"] == pytest.approx(1 / 4)
    assert only(rows, outcome="devices_reporting")["estimate"] == pytest.approx(3 / 2)
    assert only(table(device_coverage(found.clear())), outcome="devices_reporting")["n"] == 0


def test_agreement_of_sources_by_hand() -> None:
    measured = dose(stay("a", 0, 10), stay("a", 1440, 1460), hotspots=two_places())
    told = stated(
        {"minutes": 30.0},
        {"minutes": 12.0, "hotspot_id": "H02"},
        {"minutes": 1.0, "hotspot_id": "H02", "operating_day": SATURDAY},
    )
    rows = table(reconciliation_rows(reconciliation(measured, told, without_gps=())))
    assert only(rows, outcome="stated_over_measured")["estimate"] == pytest.approx(43 / 10)
    assert only(rows, outcome="measured_not_stated")["estimate"] == pytest.approx(1 / 4)
    assert only(rows, outcome="stated_not_measured")["estimate"] == pytest.approx(2 / 4)
    half = only(rows, outcome="stated_minus_measured", horizon="percentile=50")
    assert (half["estimate"], half["n"]) == (pytest.approx(12.0), 3)
    none = table(reconciliation_rows(reconciliation(measured, told.clear(), without_gps=())))
    assert only(none, outcome="stated_over_measured")["status"] == "not_identified"


def test_other_sources_stand_under_their_own_names() -> None:
    told = stated({"minutes": 30.0}, visit(0, 10, delivered_by="wardens", officers=2))
    rows = table(other_dose_rows(told, nte_id="nte-core"))
    wardens = {"population": "hot spots, stated by wardens"}
    assert only(rows, outcome="stated_minutes", **wardens)["estimate"] == 10.0
    assert only(rows, outcome="stated_minutes", hours="band:18-22", **wardens)["estimate"] == 10.0
    force = {"population": "hot spots, stated by force"}
    assert only(rows, outcome="stated_minutes", **force)["estimate"] == 30.0
    assert only(rows, outcome="person_minutes", **force)["status"] == "not_identified"
    joined = table(
        other_dose_rows(
            both(seen(stay("a", 0, 10)), {"minutes": 30.0, "delivered_by": "wardens"},
                 days=(FRIDAY,), gpsless=("wardens",)),
            nte_id="nte-core",
        )
    )  # fmt: skip
    assert only(joined, outcome="reconciled_minutes")["estimate"] == 40.0


def test_minutes_in_a_ring_are_of_the_ring() -> None:
    rows = table(
        ring_rows(
            dose(stay("a", 0, 10)),
            nte_id="nte-core",
            population="ring 0-100 m",
            made_by="order_free",
        )
    )
    assert only(rows, outcome="ring_minutes")["population"] == "ring 0-100 m"
    assert only(rows, outcome="ring_minutes")["estimate"] == 10.0


def test_no_row_names_a_device_or_a_unit() -> None:
    secret = (stay("device-secret", 0, 10),)
    rows = [
        *dose_rows(dose(*secret), **TOLD),
        *lengths_of_visits(seen(*secret), clocks=CLOCKS, nte_id="nte-core", **RULES),
        *device_coverage(device_days(pings(("device-secret", 0, 0, 0)))),
        *other_dose_rows(stated(visit(0, 10, unit_id="unit-secret")), nte_id="nte-core"),
    ]
    assert "secret" not in table(rows).write_json()
