"""The fast kernel against the slow version and SQL, on generated and on real tracks; and what
must change nothing: order, repeats, splits, threads, names of devices."""

import gzip
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from placeproof.patrols.open_stays import OpenStays
from placeproof.patrols.outline_index import UNKNOWN_E7, OutlineIndex, degrees_e7, members
from placeproof.patrols.stays import (
    Gathering,
    Stays,
    in_order,
    stays_of,
    to_frame,
    usual_intervals,
)
from placeproof.patrols.visits import threshold_note, visits, visits_from_stays

from .conftest import hotspot, hotspots, pings
from .slow import (
    Found,
    Outline,
    duckdb_connection,
    duckdb_outlines,
    duckdb_visits,
    outlines_of,
    slow_visits,
)

GAP_S = 90.0
DAY = date(2024, 5, 3)
EVENING = int(datetime(2024, 5, 3, 20, tzinfo=UTC).timestamp()) * 1_000_000
MANY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def index_of(outlines: list[Outline]) -> OutlineIndex:
    return OutlineIndex.of_degrees(
        [o.hotspot_id for o in outlines],
        [shapely.transform(o.shape, lambda xy: xy / 1e7) for o in outlines],
        [o.valid_from for o in outlines],
        [o.valid_to for o in outlines],
    )


def arrays(rows: list[tuple]) -> dict[str, np.ndarray]:
    device, at, x, y = zip(*rows, strict=True) if rows else ((), (), (), ())
    known = [UNKNOWN_E7 if value is None else value for value in (*x, *y)]
    return {
        "device": np.array(device, np.int32),
        "at": np.array(at, np.int64),
        "longitude_e7": np.array(known[: len(x)], np.int32),
        "latitude_e7": np.array(known[len(x) :], np.int32),
    }


def stays(index: OutlineIndex, rows: list[tuple], gap_s: float = GAP_S) -> Stays:
    return stays_of(index, **arrays(rows), ticks_per_second=1_000_000, longest_gap_s=gap_s)


def merged(*parts: Stays, gap_s: float = GAP_S) -> Stays:
    return Stays.merge(parts, longest_gap_s=gap_s)


def found(index: OutlineIndex, result: Stays) -> list[Found]:
    names = [index.hotspot_ids[place] for place in result.hotspot]
    columns = (result.device, names, result.first, result.last)
    return sorted(zip(*(list(c) for c in columns), strict=True))


def same(one: Stays, two: Stays) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(two, name))
        for name in (
            *("device", "hotspot", "first", "last"),
            *("sample_device", "sample_key", "sample_seconds"),
        )
    )


@cache
def sql() -> Any:
    return duckdb_connection()


def by_sql(outlines: list[Outline], rows: list[tuple], gap_s: float = GAP_S) -> list[Found]:
    sql().execute("create or replace table pings (device int, tick bigint, x int, y int)")
    if rows:
        sql().executemany("insert into pings values (?, ?, ?, ?)", [list(row) for row in rows])
    duckdb_outlines(sql(), outlines)
    return duckdb_visits(sql(), longest_gap_us=round(gap_s * 1e6))


# Shapes on a lattice of a few points, so that positions hit vertices and edges all the time.
lattice = st.integers(-6, 6)


@st.composite
def shapes(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(["box", "star", "hole", "two", "none"]))
    x, y = draw(lattice), draw(lattice)
    wide, high = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    box = shapely.box(x, y, x + wide, y + high)
    if kind == "star":
        points = draw(st.lists(st.tuples(lattice, lattice), min_size=3, max_size=7, unique=True))
        centre = np.mean(points, axis=0)
        around = sorted(points, key=lambda p: np.arctan2(p[1] - centre[1], p[0] - centre[0]))
        star = shapely.Polygon(around)
        assume(star.is_valid and star.area > 0)
        return star
    if kind == "hole" and wide > 2 and high > 2:
        return shapely.box(x, y, x + wide, y + high).difference(
            shapely.box(x + 1, y + 1, x + wide - 1, y + high - 1)
        )
    if kind == "two":
        return shapely.MultiPolygon([box, shapely.box(x + wide + 1, y, x + wide + 3, y + high)])
    return shapely.Polygon() if kind == "none" else box


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Outline], list[tuple]]:
    """Outlines with dates and dirty pings, from a centimetre to the whole Earth across."""
    scale = draw(st.sampled_from([1, 37, 1_000, 25_000, 60_000_000]))
    east, north = draw(st.sampled_from([(0, 0), (-11_400_000, 526_000_000), (800_000_000, 5)]))
    far_x, far_y = (0, 0) if scale == 60_000_000 else (east, north)
    days = st.sampled_from([None, DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)])
    outlines = []
    for number in range(draw(st.integers(0, 4))):
        shape = draw(shapes())
        moved = shapely.transform(shape, lambda xy: xy * scale + [far_x, far_y])
        name = f"H{draw(st.integers(0, 2))}" if number else "H0"
        outlines.append(Outline(name, moved, draw(days), draw(days)))
    step = st.sampled_from(
        [0, 1, 30_000_000, 90_000_000, 90_000_001, 3_600_000_000, 40 * 3600 * 10**6]
    )
    at = EVENING - 30 * 3600 * 10**6
    rows = []
    for _ in range(draw(st.integers(0, 30))):
        at += draw(step)
        nudge = draw(st.sampled_from([0, 0, 0, 1, -1, scale // 2]))
        x, y = draw(lattice) * scale + far_x + nudge, draw(lattice) * scale + far_y
        unknown = draw(st.integers(0, 15)) == 0
        device = draw(st.sampled_from([0, 1, 2**31 - 1]))
        rows.append((device, at, None if unknown else x, None if unknown else y))
    rows += [rows[k] for k in draw(st.lists(st.integers(0, 29), max_size=5)) if k < len(rows)]
    return outlines, list(draw(st.permutations(rows)))


@MANY
@given(worlds())
def test_kernel_slow_version_and_sql_agree(world: tuple[list[Outline], list[tuple]]) -> None:
    outlines, rows = world
    index = index_of(outlines)
    expected = slow_visits(rows, outlines, longest_gap_us=90_000_000)
    assert found(index, merged(stays(index, rows))) == expected
    assert by_sql([o for o in outlines if not o.shape.is_empty], rows) == expected


@MANY
@given(worlds(), st.data())
def test_splits_repeats_and_order_change_nothing(
    world: tuple[list[Outline], list[tuple]], data: st.DataObject
) -> None:
    outlines, rows = world
    index = index_of(outlines)
    whole = merged(stays(index, rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    pieces = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    parts = [stays(index, piece) for piece in data.draw(st.permutations(pieces))]
    assert same(merged(*parts), whole)
    assert same(merged(whole, *parts, whole), whole)
    left = merged(*parts[:2])
    assert same(merged(left, *parts[1:]), whole)
    assert same(merged(stays(index, sorted(rows, key=str) + rows)), whole)


def wander(seed: int, rows: int, *, devices: int = 40, step: float = 1500.0) -> list[tuple]:
    """Pings around H01 of the tests in order of time, from five minutes before 06:00 local."""
    rng = np.random.default_rng(seed)
    each = rows // devices
    device = np.repeat(np.arange(devices), each)
    at = EVENING + (32_100 + np.tile(np.arange(each) * 10, devices)) * 1_000_000
    x = np.cumsum(rng.normal(0, step, (devices, each)), axis=1).ravel() - 11_380_000
    y = np.cumsum(rng.normal(0, step, (devices, each)), axis=1).ravel() + 526_358_000
    order = np.lexsort((device, at))
    columns = (device, at, np.rint(x).astype(int), np.rint(y).astype(int))
    return list(zip(*(c[order].tolist() for c in columns), strict=True))


PLACES = hotspots(
    hotspot("H01", 0, 0),
    hotspot("H02", 120, 60),
    hotspot("H03", -300, -300, side=600, valid_to=date(2024, 5, 3)),
    hotspot("H03", -350, -250, side=600, version=2, valid_from=date(2024, 5, 4)),
)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_slow_version_agrees_on_the_national_grid(seed: int) -> None:
    rows = wander(seed, 4000)
    index = OutlineIndex.of(PLACES)
    expected = slow_visits(rows, outlines_of(PLACES), longest_gap_us=90_000_000)
    assert found(index, merged(stays(index, rows))) == expected
    assert by_sql(outlines_of(PLACES), rows) == expected
    assert len(expected) > 60


def test_more_pairs_than_open_intervals_are_kept() -> None:
    """Pairs that give way before their time come together again in merging."""
    rng = np.random.default_rng(3)
    spots = [hotspot(f"H{n:03d}", 210 * (n % 20), 210 * (n // 20)) for n in range(200)]
    index = OutlineIndex.of(hotspots(*spots))
    longitude, latitude = (
        pings(*[("d", 0, 210 * (n % 20) + 100, 210 * (n // 20) + 100) for n in range(200)])
        .select("longitude_deg", "latitude_deg")
        .get_columns()
    )
    spot = rng.integers(0, 200, 300_000)
    given_arrays = {
        "device": rng.integers(0, 300, 300_000).astype(np.int32),
        "at": EVENING + np.sort(rng.integers(0, 400, 300_000)) * 1_000_000,
        "longitude_e7": degrees_e7(longitude)[spot],
        "latitude_e7": degrees_e7(latitude)[spot],
    }
    result = merged(
        stays_of(index, **given_arrays, ticks_per_second=1_000_000, longest_gap_s=GAP_S)
    )
    frame = pl.DataFrame(given_arrays | {"hotspot": spot}).unique(["device", "hotspot", "at"])
    silence = pl.col("at").diff().over("device", "hotspot")
    begins = frame.sort("device", "hotspot", "at").select(
        (silence.is_null() | (silence > GAP_S * 1e6)).sum()
    )
    assert len(result) == begins.item()
    # 60,000 pairs, 16 pieces of time for each device: whatever the order of the rows.
    order = rng.permutation(300_000)
    shuffled = {name: values[order] for name, values in given_arrays.items()}
    again = stays_of(index, **shuffled, ticks_per_second=1_000_000, longest_gap_s=GAP_S)
    assert same(merged(again), result)
    assert np.bincount(result.sample_device).max() == 16


def test_threads_and_gathering_change_nothing() -> None:
    rows = wander(5, 20_000)
    index = OutlineIndex.of(PLACES)
    whole = merged(stays(index, rows))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda n: stays(index, rows[n::7]), range(7)))
    gathering = Gathering(GAP_S, 1_000_000)
    for part in parts:
        gathering.add(part)
        gathering.stays()
    assert same(gathering.stays(), whole)
    assert same(Gathering(GAP_S, 1_000_000).stays(), Stays.none(ticks_per_second=1_000_000))


def test_batches_of_any_size_change_nothing() -> None:
    """What is open goes on from batch to batch, and may be taken out at any time."""
    rows = wander(5, 20_000)
    index = OutlineIndex.of(PLACES)
    taking = OpenStays(index, ticks_per_second=1_000_000, longest_gap_s=GAP_S)
    parts = []
    for number, begin in enumerate(range(0, 20_000, 700)):
        taking.take(**arrays(rows[begin : begin + 700]))
        if number % 9 == 4:
            parts.append(taking.taken())
    assert not taking.full
    assert len(parts) == 3
    assert same(merged(*parts, taking.taken()), merged(stays(index, rows)))
    assert len(taking.taken()) == 0


def test_rows_in_order_stay_as_they_are() -> None:
    index = OutlineIndex.of(PLACES)
    result = merged(stays(index, wander(5, 2_000)))
    names = [f"d{n:02d}" for n in range(40)]
    frame = to_frame(result, names, index.hotspot_ids)
    assert in_order(frame) is frame
    for rows in (frame.reverse(), frame.sort("arrived_at"), frame.sort("device_id", "arrived_at")):
        assert in_order(rows).equals(frame)
    assert to_frame(result, names[::-1], index.hotspot_ids)["device_id"].is_sorted()
    for few in (0, 1):
        assert in_order(frame[:few]).height == few


def test_index_and_stays_travel_between_processes() -> None:
    index = OutlineIndex.of(PLACES)
    rows = wander(6, 2000)
    there = pickle.loads(pickle.dumps(index))
    assert same(stays(there, rows), pickle.loads(pickle.dumps(stays(index, rows))))


@pytest.mark.parametrize("ticks", [1, 1000, 1_000_000])
def test_the_size_of_a_tick_changes_nothing(ticks: int) -> None:
    rows = wander(7, 4000)
    index = OutlineIndex.of(PLACES)
    coarse = arrays(rows) | {"at": arrays(rows)["at"] // (1_000_000 // ticks)}
    result = merged(stays_of(index, **coarse, ticks_per_second=ticks, longest_gap_s=GAP_S))
    fine = merged(stays(index, rows))
    names = [f"d{n:02d}" for n in range(40)]
    assert to_frame(result, names, index.hotspot_ids).equals(
        to_frame(fine, names, index.hotspot_ids)
    )
    assert usual_intervals(result, names, longest_gap_s=GAP_S).equals(
        usual_intervals(fine, names, longest_gap_s=GAP_S)
    )


@pytest.mark.parametrize(
    ("clocks", "first", "hours"),
    [
        ("back", datetime(2024, 10, 26, 23, 30, tzinfo=UTC), 8),
        ("on", datetime(2024, 3, 30, 23, 30, tzinfo=UTC), 8),
    ],
)
def test_versions_change_at_six_local_on_nights_when_clocks_change(
    clocks: str, first: datetime, hours: int
) -> None:
    day = first.date()
    places = hotspots(
        hotspot("H01", 0, 0, valid_to=day),
        hotspot("H01", 5000, 0, version=2, valid_from=day + timedelta(days=1)),
    )
    start = int(first.timestamp() * 1e6)
    x, y = (
        degrees_e7(c)[0] for c in pings(("d", 0, 100, 100)).select("longitude_deg", "latitude_deg")
    )
    rows = [(0, start + m * 60_000_000, int(x), int(y)) for m in range(hours * 60)]
    index = OutlineIndex.of(places)
    result = found(index, merged(stays(index, rows)))
    assert result == slow_visits(rows, outlines_of(places), longest_gap_us=90_000_000)
    # 05:59 local is the last minute of the operating day: 05:59 UTC in winter, 04:59 in summer.
    last = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
        days=1, hours=6 if clocks == "back" else 5, minutes=-1
    )
    assert [row[3] for row in result] == [int(last.timestamp() * 1e6)]


@pytest.mark.parametrize(
    "shape",
    [
        None,
        shapely.Point(0, 0),
        shapely.LineString([(0, 0), (1, 1)]),
        shapely.GeometryCollection([shapely.Point(5, 5), shapely.box(0, 0, 1, 1)]),
        shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
    ],
    ids=["none", "point", "line", "collection", "bow tie"],
)
def test_what_is_no_polygon_covers_nothing_and_bow_ties_are_mended(shape: Any) -> None:
    index = OutlineIndex.of_degrees(["H"], [shape], [None], [None])
    row, _ = members(
        index,
        at=np.zeros(3, np.int64),
        longitude_e7=np.array([5_000_000, 100_000, 50_000_000], np.int32),
        latitude_e7=np.array([1_000_000, 5_000_000, 50_000_000], np.int32),
        ticks_per_second=1,
    )
    # Below the crossing and to its left: inside the box or the mended bow tie, by its halves.
    expected = {"GeometryCollection": [0, 1], "Polygon": [1]}
    kind = shape.geom_type if shape is not None else ""
    assert row.tolist() == expected.get(kind, [])


def test_times_at_the_ends_of_what_can_be_written_do_not_overflow() -> None:
    index = OutlineIndex.of_degrees(["H"], [shapely.box(0, 0, 1, 1)], [None], [None])
    times = [-(2**63), -(2**61) - 1, -(10**17), 0, 10**17, 2**61, 2**63 - 1]
    result = merged(stays(index, [(0, at, 5, 5) for at in times], gap_s=1e300), gap_s=1e300)
    assert found(index, result) == [(0, "H", -(10**17), 10**17)]


def test_degrees_that_are_none() -> None:
    given_degrees = pl.Series(
        [0.0, None, float("nan"), 180.0, -180.0, 181.0, float("inf"), 1.00000005]
    )
    assert degrees_e7(given_degrees).tolist() == [
        0,
        UNKNOWN_E7,
        UNKNOWN_E7,
        1_800_000_000,
        -1_800_000_000,
        UNKNOWN_E7,
        UNKNOWN_E7,
        10_000_000,
    ]


def cities(folder: Path) -> dict[str, pl.DataFrame]:
    """Real tracks: device, at (microseconds), longitude and latitude in degrees."""
    packed = (folder / "seattle_police_alpr_positions_2021-10.csv.gz").read_bytes()
    vehicles = pl.read_csv(gzip.decompress(packed), infer_schema_length=None)
    at = pl.col("time_local").str.to_datetime().dt.replace_time_zone("America/Los_Angeles")
    people = pl.read_csv(folder / "demodata_geolife.csv", separator=";")
    taxis = [
        pl.read_csv(
            path, separator=" ", has_header=False, new_columns=["lat", "lon", "hired", "s"]
        ).with_columns(device=pl.lit(path.stem))
        for path in sorted(folder.glob("new_*.txt"))
    ]
    return {
        "Seattle": vehicles.select("device", at.dt.epoch("us").alias("at"), "lon", "lat"),
        "San Francisco": pl.concat(taxis).select(
            "device", at=pl.col("s") * 1_000_000, lon="lon", lat="lat"
        ),
        "Beijing": people.select(
            pl.col("tracker").cast(pl.String).alias("device"),
            pl.col("t").str.to_datetime("%Y-%m-%d %H:%M:%S%#z").dt.epoch("us").alias("at"),
            lon="X",
            lat="Y",
        ),
    }


def busiest(track: pl.DataFrame) -> list[Outline]:
    """Uneven outlines around the places with most positions: whole, with a hole, in two parts."""
    cell = [(pl.col(name) / 0.002).round().alias(name) for name in ("lon", "lat")]
    counted = track.drop_nulls().group_by(cell).len().sort("len", "lon", "lat", descending=True)
    made = []
    for number, (x, y, _) in enumerate(counted.head(12).iter_rows()):
        centre = np.array([x, y]) * 20_000
        angle = np.linspace(0, 2 * np.pi, 5 + number, endpoint=False)
        radius = 9_000 + 4_000 * np.sin(angle * 3 + number)
        ring = np.rint(centre + np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None])
        shape = shapely.Polygon(ring)
        if number % 3 == 1:
            shape = shape.difference(shapely.box(*(centre - 1500), *(centre + 1500)))
        if number % 3 == 2:
            shape = shapely.MultiPolygon(
                [shape, shapely.box(*(centre + 15_000), *(centre + 19_000))]
            )
        made.append(Outline(f"P{number:02d}", shape, None, None))
    return made


@pytest.mark.shared_data
@pytest.mark.parametrize("city", ["Seattle", "San Francisco", "Beijing"])
@pytest.mark.parametrize("gap_s", [90.0, 600.0])
def test_real_tracks_equal_the_slow_version(shared_data: Path, city: str, gap_s: float) -> None:
    track = cities(shared_data / "pings")[city]
    outlines = busiest(track)
    names = track["device"].unique().sort()
    code = track["device"].cast(pl.Enum(names)).to_physical()
    x, y = degrees_e7(track["lon"]), degrees_e7(track["lat"])
    rows = [
        (device, at, None if lon == UNKNOWN_E7 else lon, None if lat == UNKNOWN_E7 else lat)
        for device, at, lon, lat in zip(
            code.to_list(), track["at"].to_list(), x.tolist(), y.tolist(), strict=True
        )
    ]
    index = index_of(outlines)
    result = found(index, merged(stays(index, rows, gap_s=gap_s), gap_s=gap_s))
    assert result == slow_visits(rows, outlines, longest_gap_us=round(gap_s * 1e6))
    assert len(result) > 20


def test_usual_interval_survives_lost_pings_and_is_that_of_the_device() -> None:
    rng = np.random.default_rng(8)
    index = OutlineIndex.of(hotspots())
    x, y = arrays([(0, 0, *centre_of_h01())])["longitude_e7"][0], centre_of_h01()[1]
    rows = [(0, EVENING + m * 10_000_000, x, y) for m in range(2000) if rng.random() > 0.1]
    rows += [(1, EVENING + m * 60_000_000, x, y) for m in range(500)]
    rows += [(2, EVENING, x, y)]
    intervals = usual_intervals(merged(stays(index, rows)), ["a", "b", "c"], longest_gap_s=GAP_S)
    assert intervals["interval_s"].to_list() == [10, 60, 35]
    ten, sixty, alone = intervals["unseen_s"].to_list()
    assert ten == pytest.approx(12.2, abs=0.8)  # pings lost at random: E[gap²] / E[gap]
    assert sixty == 60
    assert alone == pytest.approx((ten + sixty) / 2)
    assert intervals["unseen_sd_s"][1] == pytest.approx(60 / 6**0.5)


def centre_of_h01() -> tuple[int, int]:
    place = pings(("d", 0, 100, 100))
    return int(degrees_e7(place["longitude_deg"])[0]), int(degrees_e7(place["latitude_deg"])[0])


def test_thresholds_that_pings_cannot_tell_are_named() -> None:
    seen = visits(
        pings(*[("car", m, 100, 100) for m in range(5)]),
        hotspots(),
        longest_gap_s=90,
        shortest_dwell_s=0,
    )
    assert "usual time between pings (60 s)" in str(threshold_note(seen, threshold_s=60))
    assert threshold_note(seen, threshold_s=61) is None
    assert threshold_note(seen, threshold_s=0) is None
    assert threshold_note(seen.clear(), threshold_s=60) is None


def test_visits_from_stays_have_an_error_and_need_no_count() -> None:
    rows = wander(9, 2000)
    index = OutlineIndex.of(PLACES)
    result = merged(stays(index, rows))
    names = [f"d{n:02d}" for n in range(40)]
    intervals = usual_intervals(result, names, longest_gap_s=GAP_S)
    made = visits_from_stays(
        to_frame(result, names, index.hotspot_ids), intervals, shortest_dwell_s=0
    ).join(intervals.select("device_id", "unseen_s"), on="device_id")
    assert made["pings"].null_count() == len(made) == len(result)
    assert (made["dwell_s"] - made["seen_s"]).to_list() == pytest.approx(made["unseen_s"].to_list())
    regular = made.filter(pl.col("interval_s") == 10, pl.col("unseen_s") == 10)
    assert regular["dwell_sd_s"].to_list() == pytest.approx([10 / 6**0.5] * len(regular))
    assert len(regular) > 5


def test_parts_that_cannot_go_together_are_refused() -> None:
    index = OutlineIndex.of(hotspots())
    with pytest.raises(ValueError, match="differ in length"):
        stays_of(
            index,
            **(arrays(wander(1, 100)) | {"at": np.zeros(1, np.int64)}),
            ticks_per_second=1,
            longest_gap_s=90,
        )
    with pytest.raises(ValueError, match="ticks_per_second"):
        merged(Stays.none(ticks_per_second=1), Stays.none(ticks_per_second=1000))


def test_machine_code_is_not_loaded_before_it_is_used() -> None:
    kernel = "placeproof.patrols.stays_kernel"
    code = f"import sys, placeproof.patrols.visits; sys.exit('{kernel}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
