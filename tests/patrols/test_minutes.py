"""Minutes of patrols: measured, planned, stated."""

from datetime import date, timedelta

import polars as pl

from placeproof.patrols import observed_days, planned_minutes, stated_minutes, visits
from placeproof.patrols.minutes import delivered_minutes
from placeproof.patrols.stretches import moments, stretches, union

from .conftest import START, at, delivered, hotspot, hotspots, pings, task, tasking

RULES = {"longest_gap_s": 90.0, "shortest_dwell_s": 0.0}
DAY = START.date()


def patrol(device: str, first: int, last: int, place: float = 100) -> list[tuple]:
    return [(device, m, place, 100) for m in range(first, last + 1)]


def test_two_officers_together_ten_minutes_are_ten_patrol_minutes() -> None:
    seen = pings(*patrol("a", 0, 10), *patrol("b", 0, 10))
    found = visits(seen, hotspots(), **RULES)
    minutes = delivered_minutes(
        found, hotspots=hotspots(), observed_days=observed_days(seen), add_interval=False
    )
    assert minutes.rows() == [("H01", DAY, 10.0)]


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


def test_a_short_presence_inside_a_long_one_does_not_end_it() -> None:
    rows = {"place_id": ["H"] * 3, "starts_at": [at(0), at(5), at(10)]}
    presence = union(pl.DataFrame(rows | {"ends_at": [at(30), at(6), at(20)]}))
    assert presence.rows() == [("H", at(0), at(30))]
