"""The second path by small examples: what goes in, what comes out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof import geometry
from placeproof.patrols.advice import choose_path
from placeproof.patrols.cleaning import LONGEST_JUMP
from placeproof.patrols.crossings import CrossingRules, visits_by_crossings
from placeproof.tables import Ping
from tests.patrols.conftest import CROSSING_RULES as PLAIN
from tests.patrols.conftest import EAST, NORTH, hotspot, hotspots, pings

FENCE = replace(PLAIN, default_accuracy_m=10.0)


def found(rows: pl.DataFrame, rules: CrossingRules = PLAIN, *places: dict) -> pl.DataFrame:
    return visits_by_crossings(rows, hotspots(*places), premises=None, rules=rules).visits


def reasons(rows: pl.DataFrame, rules: CrossingRules = PLAIN) -> dict[str, int]:
    cleaned = visits_by_crossings(rows, hotspots(), premises=None, rules=rules).cleaned
    counted = cleaned.filter(pl.col("treated") != "noted")
    assert counted["pings"].sum() == rows.height, "every ping is accounted for"
    return dict(cleaned.select("reason", "pings").rows())


def through(start: float = 0.0, device: str = "car", every_s: float = 10.0) -> list[tuple]:
    """Drives along the middle of H01 at 10 m/s, from 400 m west to 400 m east of it."""
    seconds = np.arange(0, 100, every_s)
    return [(device, start + s / 60, -400 + 10 * s, 100.0) for s in seconds]


def stay(start: float, minutes: float, device: str = "car", every_s: float = 10.0) -> list[tuple]:
    """Walks round the middle of H01, in from the west and out again."""
    before = [(device, start - 0.5 + k / 6, -60.0 + 20 * k, 100.0) for k in range(3)]
    count = int(minutes * 60 / every_s) + 1
    rows = [
        (device, start + k * every_s / 60, 100 + 40 * np.cos(k / 3), 100 + 40 * np.sin(k / 3))
        for k in range(count)
    ]
    end = start + minutes
    after = [(device, end + (k + 1) / 6, -20.0 - 20 * k, 100.0) for k in range(3)]
    return before + rows + after


def test_crossings_are_interpolated_between_pings() -> None:
    visit = found(pings(*through())).row(0, named=True)
    start = datetime(2024, 5, 3, 20, tzinfo=UTC)
    assert abs(visit["arrived_at"] - start - timedelta(seconds=40)) < timedelta(milliseconds=20)
    assert abs(visit["left_at"] - start - timedelta(seconds=60)) < timedelta(milliseconds=20)
    assert visit["method"] == "crossings"
    assert visit["interval_s"] == 10


def test_of_several_crossings_the_first_and_the_last_count() -> None:
    """Into a ring and out again, each time straight across its hole."""
    hole = shapely.box(EAST, NORTH, EAST + 200, NORTH + 200).difference(
        shapely.box(EAST + 50, NORTH + 50, EAST + 150, NORTH + 150)
    )
    rows = pings(*[("d", k, x, 100.0) for k, x in enumerate((-300.0, 175.0, 175.0, -300.0))])
    visit = found(rows, PLAIN, hotspot("A", 0, 0, geometry=shapely.to_wkb(hole))).row(0, named=True)
    start = datetime(2024, 5, 3, 20, tzinfo=UTC)
    for moment, expected_s in (("arrived_at", 60 * 300 / 475), ("left_at", 120 + 60 * 175 / 475)):
        assert (visit[moment] - start).total_seconds() == pytest.approx(expected_s, abs=0.1)


def test_where_the_line_does_not_cross_the_visit_begins_half_way() -> None:
    """The first ping that is as good as inside lies a metre outside."""
    rows = pings(*[("d", k / 6, x, 100.0) for k, x in enumerate((-60, -1, 30, 60, 90))])
    visit = found(rows, replace(FENCE, smallest_presence=0.4)).row(0, named=True)
    assert visit["pings"] == 4
    start = datetime(2024, 5, 3, 20, tzinfo=UTC)
    assert (visit["arrived_at"] - start).total_seconds() == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize("every_s", [5, 10, 30, 60])
def test_minutes_do_not_depend_on_the_phase_of_the_clock_on_average(every_s: float) -> None:
    """Twelve minutes inside, seen at every phase: the halves around the ends add up."""
    minutes = []
    for phase in np.arange(0, every_s, every_s / 10):
        at = np.arange(phase, 2400, every_s)
        inside = (at >= 800) & (at < 1520)
        rows = [
            ("d", s / 60, 100.0 if i else -2000.0, 100.0) for s, i in zip(at, inside, strict=True)
        ]
        fast = replace(PLAIN, fastest_m_s=1e4)
        minutes.append(found(pings(*rows), fast)["dwell_s"].sum() / 60)
    assert np.mean(minutes) == pytest.approx(12.0, abs=1e-3)


def test_a_step_outside_joins_and_is_not_counted() -> None:
    rows = stay(0, 5) + stay(6.4, 5)
    joined = found(pings(*rows), replace(PLAIN, exit_after_s=120))
    apart = found(pings(*rows), replace(PLAIN, exit_after_s=30))
    assert (joined.height, apart.height) == (1, 2)
    assert joined["dwell_s"].sum() == pytest.approx(apart["dwell_s"].sum())
    span_s = (joined["left_at"] - joined["arrived_at"]).dt.total_seconds()[0]
    assert span_s > joined["dwell_s"][0] + 60


def test_a_silence_ends_a_visit_and_counts_half_an_interval_on_either_side() -> None:
    rows = stay(0, 5)[:-3] + stay(15, 5)[3:]
    two = found(pings(*rows))
    assert two.height == 2
    first = two.row(0, named=True)
    assert (first["left_at"] - datetime(2024, 5, 3, 20, 5, tzinfo=UTC)).total_seconds() == 5.0
    assert two["dwell_s"].sum() == pytest.approx(2 * 300 + 2 * 5 + 2 * 5, abs=1)


def test_shuffled_and_repeated_rows_change_nothing() -> None:
    rows = pings(*stay(0, 8), *stay(3, 9, device="b"))
    once = found(rows)
    again = found(pl.concat([rows, rows]).sample(fraction=1.0, shuffle=True, seed=1))
    assert once.equals(again)
    assert reasons(pl.concat([rows, rows]))["repeat of a device-second"] == rows.height


def test_a_second_holds_one_ping_the_most_accurate() -> None:
    rows = pings(("d", 0, 100.0, 100.0), ("d", 0, 900.0, 100.0), ("d", 1, 100.0, 100.0))
    rows = rows.with_columns(accuracy_m=pl.Series([5.0, 30.0, 5.0]))
    assert found(rows)["pings"].to_list() == [2]
    assert found(rows.reverse())["pings"].to_list() == [2]


@pytest.mark.parametrize("run", range(1, LONGEST_JUMP + 3))
def test_teleports_from_which_the_device_returns_are_dropped(run: int) -> None:
    """Long runs are not: the device may really be there. They are noted."""
    rows = stay(0, 10)
    for k in range(20, 20 + run):
        rows[k] = (*rows[k][:2], rows[k][2] + 50_000, rows[k][3])
    counted = reasons(pings(*rows))
    assert counted["impossible speed"] == (run if run <= LONGEST_JUMP else 0)
    assert counted["impossible speed, never returned"] == (0 if run <= LONGEST_JUMP else 2)
    visits = found(pings(*rows))
    if run <= LONGEST_JUMP:
        assert visits.height == 1
        assert visits["dwell_s"][0] == pytest.approx(found(pings(*stay(0, 10)))["dwell_s"][0])


def test_first_and_last_pings_can_be_teleports() -> None:
    rows = stay(0, 5)
    rows[0] = (*rows[0][:2], 90_000.0, 0.0)
    rows[-1] = (*rows[-1][:2], 90_000.0, 0.0)
    assert reasons(pings(*rows))["impossible speed"] == 2


def test_accuracy_excuses_a_step() -> None:
    rows = pings(("d", 0, 0.0, 0.0), ("d", 1 / 60, 90.0, 0.0), ("d", 2 / 60, 0.0, 0.0))
    assert reasons(rows)["impossible speed"] == 1
    assert reasons(rows, replace(PLAIN, default_accuracy_m=40.0))["impossible speed"] == 0


def test_a_device_switched_off_was_not_left_on() -> None:
    twice = [(d, m + later, x, y) for later in (0, 600) for d, m, x, y in stay(0, 10)]
    result = visits_by_crossings(pings(*twice), hotspots(), premises=None, rules=PLAIN)
    assert result.visits.height == 2
    assert result.cleaned.filter(reason="left on elsewhere")["pings"].item() == 0


def test_a_device_left_on_is_no_patrol() -> None:
    left = [("d", k / 2, 60 + 3 * np.sin(k), 60 + 3 * np.cos(k)) for k in range(400)]
    walks = [(d, m + 210, x, y) for d, m, x, y in stay(0, 10, device="d")]
    rows = pings(*left, *walks)
    visits = found(rows)
    assert visits.height == 1
    assert visits["dwell_s"][0] < 900
    station = pl.DataFrame(
        {"geometry": [shapely.to_wkb(shapely.box(EAST + 40, NORTH + 40, EAST + 80, NORTH + 80))]}
    )
    result = visits_by_crossings(rows, hotspots(), premises=station, rules=PLAIN)
    at_home = result.cleaned.filter(reason="left on at named premises").row(0, named=True)
    assert at_home["pings"] == 400
    assert at_home["stretches"] == 1
    assert at_home["hours"] == pytest.approx(199.5 / 60)
    elsewhere = visits_by_crossings(rows, hotspots(), premises=None, rules=PLAIN).cleaned
    assert elsewhere.filter(reason="left on elsewhere")["pings"].item() == 400
    longer = replace(PLAIN, still_after_s=5 * 3600)
    assert found(rows, longer)["dwell_s"].sum() > 11_000


def test_visible_is_on_foot_and_outside_premises() -> None:
    rows = pings(*stay(0, 10)).with_columns(speed_m_s=pl.lit(1.2))
    visit = found(rows).row(0, named=True)
    assert visit["visible_s"] == visit["dwell_s"]
    driven = found(rows.with_columns(speed_m_s=pl.lit(9.0))).row(0, named=True)
    assert driven["visible_s"] == 0
    half = pl.DataFrame(
        {"geometry": [shapely.to_wkb(shapely.box(EAST, NORTH, EAST + 200, NORTH + 100))]}
    )
    indoors = visits_by_crossings(rows, hotspots(), premises=half, rules=PLAIN).visits
    assert indoors["visible_s"][0] == pytest.approx(visit["dwell_s"] / 2, rel=0.15)
    unknown = found(rows.with_columns(speed_m_s=pl.lit(None, dtype=pl.Float64)))
    assert unknown["visible_s"][0] > 0.8 * unknown["dwell_s"][0], "from displacement"
    alone = found(pings(("d", 0, 100.0, 100.0)))
    assert alone["visible_s"].to_list() == [None]


def test_loitering_at_the_fence_is_neither_swallowed_nor_cut_up() -> None:
    """Jitter of 7 m for half an hour, 5 m on either side of the fence."""
    rng = np.random.default_rng(1)
    for aside, low, high in ((-5.0, 24, 31), (5.0, 0, 5)):
        minutes, visits = [], []
        for _ in range(20):
            rows = [
                ("d", k / 6, x, 100 + y)
                for k, (x, y) in enumerate(rng.normal(0, 6.6, (180, 2)) - [aside, 0])
            ]
            one = found(pings(*rows), replace(FENCE, still_after_s=7200))
            minutes.append(one["dwell_s"].sum() / 60)
            visits.append(one.height)
        assert low <= np.mean(minutes) <= high
        assert np.mean(visits) < 2


def test_the_clock_change_makes_no_hour() -> None:
    """27 October 2024: 01:00 UTC is 02:00 summer time and 01:00 winter time at once."""
    start = datetime(2024, 10, 27, 0, 10, tzinfo=UTC) - datetime(2024, 5, 3, 20, tzinfo=UTC)
    rows = stay(start.total_seconds() / 60, 100)
    visit = found(pings(*rows), replace(PLAIN, still_after_s=36_000)).row(0, named=True)
    assert visit["seen_s"] == 6000
    assert visit["dwell_s"] == pytest.approx(6010, abs=11)
    assert visit["arrived_at"] < datetime(2024, 10, 27, 1, tzinfo=UTC) < visit["left_at"]


def test_versions_count_on_their_days_and_a_change_does_not_cut_a_visit() -> None:
    """The boundary of operating days is 06:00 local, 05:00 UTC in May."""
    change = datetime(2024, 5, 4, 5, tzinfo=UTC)
    minute = (change - datetime(2024, 5, 3, 20, tzinfo=UTC)).total_seconds() / 60
    old = hotspot("H01", 0, 0, valid_to=date(2024, 5, 3))
    new = hotspot("H01", 0, 0, version=2, valid_from=date(2024, 5, 4))
    gone = hotspot("H02", 0, 0, valid_to=date(2024, 5, 3))
    rows = pings(*stay(minute - 10, 20))
    visits = found(rows, PLAIN, old, new, gone)
    assert visits["hotspot_id"].to_list() == ["H01", "H02"]
    assert visits["dwell_s"][0] == pytest.approx(found(rows)["dwell_s"][0])
    assert visits["dwell_s"][1] == pytest.approx(visits["dwell_s"][0] / 2, rel=0.05)


def test_overlaps_holes_and_parts() -> None:
    hole = shapely.box(EAST, NORTH, EAST + 200, NORTH + 200).difference(
        shapely.box(EAST + 50, NORTH + 50, EAST + 150, NORTH + 150)
    )
    parts = shapely.MultiPolygon(
        [
            shapely.box(EAST + 60, NORTH + 60, EAST + 140, NORTH + 140),
            shapely.box(EAST + 900, NORTH, EAST + 950, NORTH + 50),
        ]
    )
    places = [
        hotspot("A", 0, 0),
        hotspot("B", 0, 0, geometry=shapely.to_wkb(hole)),
        hotspot("C", 0, 0, geometry=shapely.to_wkb(parts)),
    ]
    rows = pings(*stay(0, 10))
    visits = found(rows, replace(PLAIN, exit_after_s=0), *places)
    time = dict(visits.group_by("hotspot_id").agg(pl.col("dwell_s").sum()).rows())
    assert time["C"] > 500
    assert time["A"] > time["C"]
    assert time.get("B", 0) < 60


def test_nothing_comes_of_nothing() -> None:
    empty = pings()
    result = visits_by_crossings(empty, hotspots(), premises=None, rules=PLAIN)
    assert result.visits.is_empty()
    assert result.cleaned["pings"].sum() == 0
    none = hotspots().clear()
    assert visits_by_crossings(
        pings(*stay(0, 5)), none, premises=None, rules=PLAIN
    ).visits.is_empty()
    assert choose_path(empty, hotspots()).path == "order_free"


def test_one_ping_and_many_alike() -> None:
    one = found(pings(("d", 0, 100.0, 100.0))).row(0, named=True)
    assert (one["seen_s"], one["dwell_s"], one["interval_s"]) == (0, 0, None)
    same = found(pings(*[("d", k / 6, 100.0, 100.0) for k in range(61)]))
    assert same["seen_s"].to_list() == [600]
    assert same["dwell_s"][0] == pytest.approx(610)
    assert found(pings(*[("d", 0, 100.0, 100.0)] * 50))["pings"].to_list() == [1]


@pytest.mark.parametrize("accuracy", [0.0, 3.0, 49.0, 51.0, 5000.0])
def test_accuracies_of_every_size(accuracy: float) -> None:
    rows = pings(*stay(0, 10)).with_columns(accuracy_m=pl.lit(accuracy))
    visits = found(rows)
    if accuracy > 50:
        assert visits.is_empty()
        assert reasons(rows)["poor accuracy"] == rows.height
    else:
        assert visits["dwell_s"].sum() == pytest.approx(605, abs=25)
        assert (visits["dwell_sd_s"] > 0).all()


def test_positions_that_are_none_or_far_away_stop_nothing() -> None:
    good = pings(*stay(0, 10))
    strays = pl.concat([good.head(6)] * 2).with_columns(
        at=pl.col("at") + timedelta(days=1),
        longitude_deg=pl.Series([0.0, 151.2, -73.9, 179.99, 12.5, -179.99] * 2),
        latitude_deg=pl.Series([0.0, -33.8, 40.7, -89.0, 41.9, 89.9] * 2),
    )
    nans = good.head(2).with_columns(
        longitude_deg=pl.Series([float("nan"), None]), at=pl.col("at") + timedelta(days=2)
    )
    dirty = pl.concat([good, strays, nans])
    assert found(dirty).equals(found(good))
    assert reasons(dirty)["no position"] == 4  # null, NaN, and twice longitude and latitude 0


def test_huge_gaps_and_mixed_accuracies() -> None:
    rows = stay(0, 10) + [(d, m + 5_000_000, x, y) for d, m, x, y in stay(0, 10)]
    frame = pings(*rows)
    mixed = [None, 0.0, 8.0, 30.0]
    frame = frame.with_columns(
        accuracy_m=pl.Series([mixed[k % 4] for k in range(frame.height)], dtype=pl.Float64)
    )
    visits = found(frame)
    assert visits.height == 2
    assert visits["dwell_s"].to_list() == pytest.approx([605, 605], abs=20)


def test_a_million_devices_of_one_ping() -> None:
    count = 1_000_000
    longitude, latitude = geometry.to_degrees([EAST + 100], [NORTH + 100])
    start = datetime(2024, 5, 3, 20, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "device_id": pl.Series(np.arange(count)).cast(pl.String),
            "at": pl.Series([start], dtype=pl.Datetime("us", "UTC")).new_from_index(0, count),
            "longitude_deg": np.full(count, longitude[0]),
            "latitude_deg": np.full(count, latitude[0]),
            "accuracy_m": np.full(count, 10.0),
            "speed_m_s": np.full(count, np.nan),
        }
    )
    visits = found(frame)
    assert visits.height == count
    assert visits["dwell_s"].sum() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("longest_gap_s", 0),
        ("longest_gap_s", float("nan")),
        ("shortest_dwell_s", -1),
        ("smallest_presence", 0),
        ("smallest_presence", 1.1),
        ("usual_stay_s", 0),
        ("default_accuracy_m", -1),
        ("default_accuracy_m", 51),
        ("worst_accuracy_m", float("inf")),
        ("fastest_m_s", 0),
    ],
)
def test_rules_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        replace(PLAIN, **{name: value})


def test_rules_may_be_switched_off() -> None:
    off = {"longest_gap_s", "exit_after_s", "fastest_m_s", "foot_fastest_m_s", "still_after_s"}
    endless = replace(PLAIN, **dict.fromkeys([*off, "usual_stay_s"], float("inf")))
    visits = found(pings(*stay(0, 10), *stay(600, 10)), endless)
    assert visits.height == 1
    assert visits["visible_s"][0] == visits["dwell_s"][0]


def test_no_rule_has_a_default() -> None:
    with pytest.raises(TypeError, match="missing 12 required keyword-only arguments"):
        CrossingRules()  # type: ignore[call-arg]


def test_advice_says_what_the_pings_are_like() -> None:
    rows = pings(*stay(0, 10), *stay(0, 10, device="b"))
    accurate = rows.with_columns(accuracy_m=pl.lit(8.0))
    advice = choose_path(pl.concat([accurate, accurate.head(13)]), hotspots())
    assert advice.path == "crossings"
    assert advice.median_interval_s == 10
    assert advice.accuracy_share == 1
    assert advice.speed_share == 0
    assert advice.repeat_share == pytest.approx(13 / (rows.height + 13))
    assert 0 < advice.out_of_order_share < 0.1
    assert "which suits them" in advice.about("crossings")
    assert "crossings suits them" in advice.about("order_free")
    assert "default_accuracy_m" in choose_path(rows, hotspots()).about("crossings")
    rare = choose_path(pings(*stay(0, 60, every_s=120.0)).slice(3), hotspots())
    assert rare.path == "order_free"
    assert "thresholds" in rare.about("order_free")


def test_the_tables_meet_their_contracts() -> None:
    rows = pings(*stay(0, 10))
    assert Ping.validate(rows) is not None
    visits = found(rows, FENCE)
    assert visits["dwell_sd_s"][0] > 0
    assert visits["source"].to_list() == ["pings"]
