"""Minutes, compliance, logs and the strand whole."""

import json
from datetime import date, timedelta

import polars as pl
import pytest

from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.calendar import NTE_PRESETS, nte_intervals
from placeproof.patrols import (
    delivered_minutes,
    estimates,
    observed_days,
    planned_minutes,
    ready_made_visits,
    stated_minutes,
    visits,
)
from placeproof.patrols.compliance import attended, matched
from placeproof.patrols.minutes import by_hours, occupied
from placeproof.patrols.stretches import moments, stretches, union
from placeproof.tables import Estimate

from .conftest import START, at, delivered, hotspot, hotspots, logs, pings, task, tasking

RULES = {"longest_gap_s": 90.0, "shortest_dwell_s": 0.0}
DAY = START.date()
NTE = nte_intervals(
    NTE_PRESETS["nte-core"], first=date(2024, 4, 1), last=date(2024, 6, 30), events=None
)


def patrol(device: str, first: int, last: int, place: float = 100) -> list[tuple]:
    return [(device, m, place, 100) for m in range(first, last + 1)]


def run(**tables: object) -> pl.DataFrame:
    given: dict[str, object] = {
        "pings": None,
        "hotspots": hotspots(),
        "tasking": None,
        "delivered": None,
        "patrol_log": None,
        "nte": NTE,
        "nte_id": "nte-core",
        "log_tolerance_s": 300.0,
    }
    return estimates(**(given | RULES | tables))


def only(frame: pl.DataFrame, **where: str) -> dict[str, object]:
    where = {"subgroup": "all", "hours": "all", "horizon": "all"} | where
    found = frame.filter(*(pl.col(name) == value for name, value in where.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def test_two_officers_together_ten_minutes_are_ten_patrol_minutes() -> None:
    seen = pings(*patrol("a", 0, 10), *patrol("b", 0, 10))
    found = visits(seen, hotspots(), **RULES)
    minutes = delivered_minutes(
        found, hotspots=hotspots(), observed_days=observed_days(seen), add_interval=False
    )
    assert minutes.rows() == [("H01", DAY, 10.0)]
    assert only(run(pings=seen), outcome="device_minutes")["estimate"] == 22.0


def test_a_place_that_nobody_visited_has_zero_and_an_unseen_day_has_no_row() -> None:
    places = hotspots(hotspot("H01", 0, 0), hotspot("H02", 900, 0, valid_from=date(2024, 5, 5)))
    seen = pings(*patrol("a", 0, 10), ("a", 3 * 1440, 5000, 0))
    minutes = delivered_minutes(
        visits(seen, places, **RULES),
        hotspots=places,
        observed_days=observed_days(seen),
        add_interval=True,
    )
    later = DAY + timedelta(days=3)
    assert minutes.rows() == [("H01", DAY, 11.0), ("H01", later, 0.0), ("H02", later, 0.0)]


def test_minutes_are_split_at_the_edge_of_the_night() -> None:
    # nte-core ends on Sunday 05:00 local = 04:00 UTC: 32 hours after the start, Friday 20:00 UTC.
    edge = 8 * 60
    seen = pings(*patrol("a", edge - 20, edge + 10))
    split = by_hours(occupied(visits(seen, hotspots(), **RULES), add_interval=False), NTE)
    assert split.select("minutes", "nte_minutes").rows() == [(30.0, 20.0)]


def test_planned_minutes_keep_cancelled_windows_when_told_to() -> None:
    tasks = tasking(task(1, 0, 60, 15), task(2, 60, 120, 10, cancelled=True))
    assert planned_minutes(tasks, include_cancelled=True).rows() == [("H01", DAY, 25.0)]
    assert planned_minutes(tasks, include_cancelled=False).rows() == [("H01", DAY, 15.0)]


def test_statements_of_the_same_presence_are_not_added() -> None:
    given = delivered(
        {"kind": "hours", "minutes": 60.0},
        {"kind": "visit", "minutes": 20.0},
        {"kind": "visit", "minutes": 30.0},
        {"kind": "hours", "minutes": 5.0, "delivered_by": "wardens"},
    )
    assert stated_minutes(given).rows() == [("H01", DAY, 65.0)]


# Twelve tasks by hand. Presence: minutes 0-12, 30-46, 100-130 (raw), H01.
TWELVE = [
    # first, last, target, cancelled -> attended, minutes, long enough
    (0, 20, 10, False, True, 12, True),
    (0, 20, 15, False, True, 12, False),
    (0, 12, 12, False, True, 12, True),
    (12, 30, 5, False, True, 0, False),
    (13, 29, 5, False, False, 0, False),
    (25, 50, 15, False, True, 16, True),
    (40, 110, 16, False, True, 16, True),
    (40, 110, 17, False, True, 16, False),
    (130, 150, 5, False, True, 0, False),
    (131, 150, 5, False, False, 0, False),
    (100, 130, 30, True, True, 30, True),
    (200, 260, 15, True, False, 0, False),
]


def held_by_hand() -> tuple[pl.DataFrame, pl.DataFrame]:
    seen = pings(*patrol("a", 0, 12), *patrol("b", 30, 46), *patrol("a", 100, 130))
    tasks = tasking(
        *(task(n, row[0], row[1], row[2], cancelled=row[3]) for n, row in enumerate(TWELVE))
    )
    return seen, tasks


def test_twelve_tasks_by_hand() -> None:
    seen, tasks = held_by_hand()
    found = attended(
        tasks,
        occupied(visits(seen, hotspots(), **RULES), add_interval=False),
        observed_days=observed_days(seen),
    ).sort(pl.col("task_id").str.slice(1).cast(pl.Int64))
    shown = found.select("in_window", "minutes_in_window", "long_enough").rows()
    assert shown == [(row[4], row[5], row[6]) for row in TWELVE]


def test_shares_of_the_twelve_count_cancelled_windows() -> None:
    seen, tasks = held_by_hand()
    found = run(pings=seen, tasking=tasks)
    raw = {"method": "ping_raw"}
    assert only(found, outcome="window_attended", **raw)["estimate"] == pytest.approx(9 / 12)
    assert only(found, outcome="window_long_enough", **raw)["estimate"] == pytest.approx(5 / 12)
    assert only(found, outcome="window_attended", **raw)["n"] == 12
    assert only(found, outcome="window_cancelled")["estimate"] == pytest.approx(2 / 12)
    dose = sum(min(row[5], row[2]) for row in TWELVE) / sum(row[2] for row in TWELVE)
    assert only(found, outcome="planned_dose", **raw)["estimate"] == pytest.approx(dose)
    # With the ping interval the stay of 16 minutes counts as 17.
    mended = only(found, outcome="window_long_enough", method="ping_with_interval")
    assert mended["estimate"] == pytest.approx(6 / 12)


def test_windows_on_days_without_pings_are_in_no_share() -> None:
    seen, tasks = held_by_hand()
    unseen = pl.concat([tasks, tasking(task(99, 10 * 1440, 10 * 1440 + 60, 15))])
    found = run(pings=seen, tasking=unseen)
    assert only(found, outcome="window_attended", method="ping_raw")["n"] == 12
    assert only(found, outcome="window_unobserved")["estimate"] == pytest.approx(1 / 13)


def test_logs_without_a_visit_are_found() -> None:
    seen = pings(*patrol("a", 0, 12))
    book = logs(
        ("H01", 2, 10),
        ("H01", 14, 20),
        ("H01", 60, 70),
        ("H02", 2, 10),
        ("H01", 5, None),
        ("H01", -5, -1),
        ("H01", 5 * 1440, 5 * 1440 + 9),
    )
    found = matched(
        book,
        visits(seen, hotspots(), **RULES),
        tolerance_s=180,
        observed_days=observed_days(seen),
    )
    assert dict(found.select("log_id", "matched").rows()) == {
        "l0": True,
        "l1": True,
        "l2": False,
        "l3": False,
        "l4": True,
        "l5": True,
        "l6": None,
    }
    assert only(run(pings=seen, patrol_log=book), outcome="log_matched")["n"] == 6


def test_planted_phantoms_are_found() -> None:
    seen = pings(*(p for n in range(50) for p in patrol("a", n * 100, n * 100 + 15)))
    real = [("H01", n * 100 + 1.0, n * 100 + 14.0) for n in range(44)]
    phantom = [("H01", n * 100 + 40.0, n * 100 + 55.0) for n in range(6)]
    found = only(run(pings=seen, patrol_log=logs(*real, *phantom)), outcome="log_matched")
    assert found["estimate"] == pytest.approx(0.88)
    assert found["n"] == 50


def test_delivered_by_month_place_and_hours_adds_up() -> None:
    places = hotspots(hotspot("H01", 0, 0), hotspot("H02", 900, 0))
    month = 40 * 1440
    seen = pings(*patrol("a", 0, 10), *patrol("a", 500, 530, 1000), *patrol("a", month, month + 5))
    found = run(pings=seen, hotspots=places).filter(
        pl.col("outcome") == "delivered_minutes",
        pl.col("method") == "pings_occupied_with_interval",
    )
    total = only(found)["estimate"]
    assert total == pytest.approx(11 + 31 + 6)
    everyone = found.filter(pl.col("subgroup") == "all", pl.col("hours") == "all")
    assert everyone.filter(pl.col("horizon") != "all")["estimate"].sum() == pytest.approx(total)
    by_place = found.filter(
        pl.col("subgroup") != "all", pl.col("hours") == "all", pl.col("horizon") == "all"
    )
    assert dict(by_place.select("subgroup", "estimate").rows()) == {
        "hotspot=H01": pytest.approx(17.0),
        "hotspot=H02": pytest.approx(31.0),
    }
    whole = found.filter(pl.col("subgroup") == "all", pl.col("horizon") == "all")
    split = whole.filter(pl.col("hours") != "all")
    assert split["estimate"].sum() == pytest.approx(total)
    assert only(found)["n"] == 2 * observed_days(seen).len()


def test_sources_are_labelled_and_reconciled() -> None:
    seen = pings(*patrol("a", 0, 29))
    found = run(
        pings=seen, delivered=delivered({"minutes": 60.0}, {"operating_day": date(2023, 1, 1)})
    )
    stated = only(found, outcome="delivered_minutes", method="stated_hours")
    assert stated["population"] == "hot spots, stated by force"
    assert only(found, outcome="stated_over_measured")["estimate"] == pytest.approx(2.0)


def test_ready_made_visits_alone_carry_compliance() -> None:
    given = delivered({"kind": "visit", "started_at": at(5), "ended_at": at(25), "minutes": 20.0})
    found = run(
        delivered=given, tasking=tasking(task(1, 0, 60, 15)), patrol_log=logs(("H01", 5, 9))
    )
    assert only(found, outcome="window_long_enough")["estimate"] == 1.0
    assert only(found, outcome="window_long_enough")["feeds"] == "tasking delivered hotspot"
    assert only(found, outcome="log_matched")["estimate"] == 1.0
    assert ready_made_visits(given).height == 1


def test_hours_without_times_cannot_carry_compliance() -> None:
    found = run(delivered=delivered({}), tasking=tasking(task(1, 0, 60, 15)))
    assert only(found, outcome="window_attended")["status"] == "not_supplied"


def test_no_row_describes_a_unit_a_device_or_an_officer() -> None:
    seen, _ = held_by_hand()
    seen = seen.with_columns(pl.lit("device-secret").alias("device_id"))
    found = run(
        pings=seen,
        tasking=tasking(task(1, 0, 60, 15, unit_id="unit-secret")),
        patrol_log=logs(("H01", 2, 10)),
        delivered=delivered({"unit_id": "unit-secret"}),
    )
    assert "secret" not in found.write_json()
    assert not found["subgroup"].str.contains("unit|device|officer").any()


def test_nothing_supplied_says_what_is_missing() -> None:
    found = run(hotspots=None)
    assert set(found["status"]) == {"not_supplied"}
    assert found["reason"].null_count() == 0
    assert set(found["outcome"]) == {
        "delivered_minutes",
        "stated_minutes",
        "planned_minutes",
        "window_attended",
        "log_matched",
    }


@pytest.mark.parametrize(
    "tables",
    [
        {"pings": pings(("car", 0, 5000, 5000))},
        {"pings": pings(("car", 0, 100, 100))},
        {"tasking": tasking(task(1, 60, 0, 15), task(2, 0, 0, 0))},
        {"pings": pings(("car", 0, 100, 100)), "tasking": tasking(task(1, 60, 0, 0))},
        {"pings": pings(("car", 0, 100, 100)), "patrol_log": logs(("H09", 50, 0))},
        {"pings": pings(("car", 0, 100, 100)), "nte": None},
        {
            "pings": pings(("car", 0, 100, 100)),
            "nte": NTE.clear(),
            "tasking": tasking(task(1, 0, 0, 5)),
        },
    ],
)
def test_bad_input_never_crashes(tables: dict[str, object]) -> None:
    found = run(**tables)
    Estimate.validate(found)
    blank = found.filter(pl.col("estimate").is_null())
    assert set(blank["status"]) <= {"not_supplied", "not_identified"}
    assert blank["reason"].null_count() == 0


def test_shuffled_tables_give_the_same_bytes() -> None:
    seen, tasks = held_by_hand()
    book = logs(("H01", 2, 10), ("H01", 14, 20))
    mixed = [t.sample(fraction=1, shuffle=True, seed=3) for t in (seen, tasks, book)]
    one = run(pings=seen, tasking=tasks, patrol_log=book)
    two = run(pings=mixed[0], tasking=mixed[1], patrol_log=mixed[2])
    assert one.write_json() == two.write_json()


def test_bias_and_rules_are_reported() -> None:
    found = run(pings=pings(*patrol("a", 0, 10)), shortest_dwell_s=60.0, longest_gap_s=80.0)
    row = only(found, outcome="visits")
    assert json.loads(row["diagnostics"])["ping_interval_s"] == 60.0
    assert "shortest dwell" in row["reason"]
    assert "1.5 ping intervals" in row["reason"]


def test_overlap_by_hand() -> None:
    presence = union(
        pl.DataFrame(
            {
                "place_id": ["H"] * 3,
                "starts_at": [at(0), at(5), at(20)],
                "ends_at": [at(10), at(12), at(20)],
            }
        )
    )
    assert presence.height == 2
    one = stretches(presence["starts_at"], presence["ends_at"])
    first = moments(pl.Series([at(-5), at(3), at(12), at(13), at(20), at(21)]))
    last = moments(pl.Series([at(-1), at(11), at(30), at(19), at(20), at(30)]))
    assert (one.seconds_within(first, last) / 60).tolist() == [0, 8, 0, 0, 0, 0]
    assert one.touched(first, last).tolist() == [False, True, True, False, True, False]


def test_no_two_rows_have_the_same_descriptive_keys() -> None:
    found = run(
        pings=held_by_hand()[0],
        tasking=held_by_hand()[1],
        patrol_log=logs(("H01", 2, 10)),
        delivered=delivered({}, {"kind": "visit", "started_at": at(0), "ended_at": at(5)}),
    )
    assert found.select(DESCRIPTIVE_KEYS).is_unique().all()


def test_a_short_presence_inside_a_long_one_does_not_end_it() -> None:
    rows = {"place_id": ["H"] * 3, "starts_at": [at(0), at(5), at(10)]}
    presence = union(pl.DataFrame(rows | {"ends_at": [at(30), at(6), at(20)]}))
    assert presence.rows() == [("H", at(0), at(30))]
