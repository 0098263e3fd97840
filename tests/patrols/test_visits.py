"""Pings to visits: small stories, and a slow obvious version that must agree."""

import doctest
import importlib
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from placeproof import geometry
from placeproof.calendar import operating_day
from placeproof.patrols.visits import ready_made_visits, visits

from .conftest import START, at, delivered, hotspot, hotspots, pings

# The package offers the function of the same name, so the module is asked for by its path.
room = importlib.import_module("placeproof.patrols.visits")

RULES = {"longest_gap_s": 90.0, "shortest_dwell_s": 0.0}


def story(frame: pl.DataFrame) -> list[tuple]:
    """Place, minutes from the start to arrival, minutes inside, pings."""
    return [
        (
            row["hotspot_id"],
            (row["arrived_at"] - START) / timedelta(minutes=1),
            row["seen_s"] / 60,
            row["pings"],
        )
        for row in frame.iter_rows(named=True)
    ]


def test_a_silence_longer_than_the_gap_ends_a_visit() -> None:
    seen = pings(*[("car", m, 100, 100) for m in (0, 1, 2, 5, 6)])
    assert story(visits(seen, hotspots(), **RULES)) == [("H01", 0, 2, 3), ("H01", 5, 1, 2)]


def test_a_silence_as_long_as_the_gap_does_not() -> None:
    seen = pings(*[("car", m, 100, 100) for m in (0, 1.5)])
    assert story(visits(seen, hotspots(), **RULES)) == [("H01", 0, 1.5, 2)]


def test_a_short_step_outside_does_not_cut_a_visit() -> None:
    seen = pings(("car", 0, 100, 100), ("car", 0.7, 300, 100), ("car", 1.4, 100, 100))
    assert story(visits(seen, hotspots(), **RULES)) == [("H01", 0, 1.4, 2)]


def test_two_cars_in_one_spot_make_two_visits() -> None:
    seen = pings(*[(who, m, 100, 100) for who in ("a", "b") for m in (0, 1)])
    assert len(visits(seen, hotspots(), **RULES)) == 2


def test_overlapping_hot_spots_each_get_their_visit() -> None:
    seen = pings(*[("car", m, 150, 150) for m in (0, 1)])
    found = visits(seen, hotspots(hotspot("H01", 0, 0), hotspot("H02", 100, 100)), **RULES)
    assert story(found) == [("H01", 0, 1, 2), ("H02", 0, 1, 2)]


def test_midnight_and_the_october_repeat_hour_lie_inside_a_visit() -> None:
    # 23:30 UTC on 26 October 2024 is 00:30 BST; clocks go back at 01:00 UTC.
    first = (START.replace(month=10, day=26, hour=23, minute=30) - START).total_seconds() / 60
    seen = pings(*[("car", first + m, 100, 100) for m in range(121)])
    assert story(visits(seen, hotspots(), **RULES)) == [("H01", first, 120, 121)]


def test_an_outline_counts_on_the_days_on_which_it_held() -> None:
    day = START.date()
    old = hotspot("H01", 0, 0, valid_to=day - timedelta(days=1))
    new = hotspot("H01", 500, 0, version=2, valid_from=day)
    seen = pings(("car", 0, 100, 100), ("car", 10, 600, 100), ("car", -1440, 600, 100))
    assert story(visits(seen, hotspots(old, new), **RULES)) == [("H01", 10, 0, 1)]


def test_a_change_of_outline_does_not_cut_a_visit() -> None:
    six = START.replace(day=4, hour=5)  # 06:00 local, where the operating day changes
    first = (six - START).total_seconds() / 60 - 1
    old = hotspot("H01", 0, 0, valid_to=date(2024, 5, 3))
    new = hotspot("H01", 10, 0, version=2, valid_from=date(2024, 5, 4))
    seen = pings(*[("car", first + m, 100, 100) for m in range(3)])
    assert story(visits(seen, hotspots(old, new), **RULES)) == [("H01", first, 2, 3)]


def test_the_shortest_dwell_drops_shorter_ones() -> None:
    seen = pings(*[("car", m, 100, 100) for m in (0, 1, 10, 11, 12)])
    found = visits(seen, hotspots(), longest_gap_s=90, shortest_dwell_s=121)
    assert story(found) == [("H01", 10, 2, 3)]
    assert found["dwell_s"].to_list() == [180]
    assert len(visits(seen, hotspots(), longest_gap_s=90, shortest_dwell_s=120)) == 2


@pytest.mark.parametrize(
    ("seen", "places"),
    [
        (pings(), hotspots()),
        (pings(("car", 0, 5000, 5000)), hotspots()),
        (pings(("car", 0, 100, 100)), hotspots().clear()),
        (
            pings(("car", 0, 100, 100)).with_columns(
                longitude_deg=pl.lit(0.0), latitude_deg=pl.lit(0.0)
            ),
            hotspots(),
        ),
    ],
    ids=["no pings", "far away", "no hot spots", "null island"],
)
def test_nothing_inside_gives_no_visit(seen: pl.DataFrame, places: pl.DataFrame) -> None:
    assert visits(seen, places, **RULES).is_empty()


@pytest.mark.parametrize("rules", [{"longest_gap_s": 0.0}, {"shortest_dwell_s": -1.0}])
def test_impossible_rules_are_refused(rules: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="_s must"):
        visits(pings(), hotspots(), **(RULES | rules))


def wander(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(seed)
    rows = []
    for device in "abc":
        minute, east, north = 0.0, 100.0, 100.0
        for _ in range(200):
            minute += float(rng.choice([0.25, 0.5, 1, 1.5, 1.75, 30]))
            east += float(rng.normal(0, 60))
            north += float(rng.normal(0, 60))
            rows.append((device, minute, east, north))
    places = hotspots(
        hotspot("H01", 0, 0),
        hotspot("H02", 120, 60),
        hotspot("H03", -300, -300, valid_to=date(2024, 5, 3)),
        hotspot("H03", -350, -250, version=2, valid_from=date(2024, 5, 4)),
    )
    return pings(*rows), places


def slowly(seen: pl.DataFrame, places: pl.DataFrame, longest_gap_s: float) -> list[tuple]:
    """One ping, one outline, one comparison at a time."""
    days = seen.select(operating_day(pl.col("at")).alias("day"))["day"]
    x, y = geometry.to_metres(seen["longitude_deg"], seen["latitude_deg"])
    moments: dict[tuple[str, str], set] = {}
    for row, day, east, north in zip(seen.iter_rows(named=True), days, x, y, strict=True):
        for place in places.iter_rows(named=True):
            until = place["valid_to"] or date.max
            spot = geometry.locate(
                [east], [north], geometry.outlines(pl.Series([place["geometry"]]))
            )
            if place["valid_from"] <= day <= until and spot[0] == 0:
                moments.setdefault((row["device_id"], place["hotspot_id"]), set()).add(row["at"])
    found = []
    for (device, place), times in sorted(moments.items()):
        run: list = []
        for time in [*sorted(times), None]:
            if run and (time is None or (time - run[-1]).total_seconds() > longest_gap_s):
                found.append((device, place, run[0], run[-1], len(run)))
                run = []
            run.append(time)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_slow_obvious_version_agrees(seed: int) -> None:
    seen, places = wander(seed)
    fast = visits(seen, places, **RULES)
    expected = slowly(seen, places, 90.0)
    columns = ["device_id", "hotspot_id", "arrived_at", "left_at", "pings"]
    assert fast.select(columns).rows() == expected
    assert len(expected) > 20
    assert fast["pings"].sum() == room.inside(seen, places).height


@pytest.mark.parametrize("seed", [1, 2])
def test_order_and_repeats_change_nothing(seed: int) -> None:
    seen, places = wander(seed)
    plain = visits(seen, places, **RULES)
    messy = pl.concat([seen, seen.head(70)]).sample(fraction=1, shuffle=True, seed=seed)
    assert visits(messy, places, **RULES).equals(plain)


def test_adding_one_interval_mends_the_bias_of_last_minus_first() -> None:
    """Stays of 12 minutes on average, one ping a minute: the raw span is short by about one
    interval for each stay; with it the bias is within the Monte Carlo error (evidence: -0.8 %)."""
    rng = np.random.default_rng(4)
    rows, truth, clock = [], 0.0, 0.0
    for _ in range(1500):
        stay = rng.gamma(4, 3)
        tick = rng.random()
        rows += [("car", clock + m, 100, 100) for m in np.arange(tick, stay, 1.0)]
        truth += stay
        clock += stay + 60
    found = visits(pings(*rows), hotspots(), **RULES)
    raw = found["seen_s"].sum() / 60
    mended = raw + found["interval_s"].sum() / 60
    assert raw / truth < 0.95
    # 1500 stays: the sum of unseen ends has a standard error of about 16 minutes in 18,000.
    assert mended / truth == pytest.approx(1, abs=0.005)


def test_interval_is_that_of_the_device_or_of_all() -> None:
    seen = pings(
        *[("fast", m, 100, 100) for m in (0, 0.5, 1)],
        *[("slow", m, 100, 100) for m in (0, 1)],
        ("once", 0, 100, 100),
    )
    found = visits(seen, hotspots(), **RULES)
    intervals = dict(found.select("device_id", "interval_s").rows())
    assert (intervals["fast"], intervals["slow"]) == (30.0, 60.0)
    # 30, 30 and 60 by their length; a little more, as a piece of time cuts long gaps more often.
    assert intervals["once"] == pytest.approx(45, abs=0.3)


def test_ready_made_visits_need_both_ends() -> None:
    given = delivered(
        {"kind": "visit", "started_at": at(0), "ended_at": at(20), "unit_id": "u"},
        {"kind": "visit", "started_at": at(0)},
        {"kind": "visit", "started_at": at(5), "ended_at": at(0)},
        {},
    )
    found = ready_made_visits(given)
    assert found.height == 1
    assert found["dwell_s"].to_list() == [1200.0]
    assert found["interval_s"].to_list() == [None]


def test_examples_in_the_docstrings() -> None:
    assert doctest.testmod(room).failed == 0
