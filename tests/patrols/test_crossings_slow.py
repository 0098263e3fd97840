"""The second path agrees with its slow, obvious version: generated tracks and real ones."""

import gzip
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof.patrols.cleaning import tracks
from placeproof.patrols.crossings import CrossingRules, crossings_of
from placeproof.patrols.membership import Neighbourhood, presence
from placeproof.patrols.near_pings import near_pings
from placeproof.patrols.outline_index import OutlineIndex, members
from tests.patrols import slow_crossings as slow
from tests.patrols.conftest import CROSSING_RULES

EDGE_E7 = 1500, 900
"""About ten metres east and north, in Leicester."""
WEST, SOUTH = -1.131, 52.634

USUAL = replace(CROSSING_RULES, exit_after_s=60, error_lasts_s=15, still_after_s=1800)


def changed(**rules: float | None) -> CrossingRules:
    return replace(USUAL, **rules)


def degrees(*xy: tuple[float, float]) -> list[tuple[float, float]]:
    """Tens of metres from the corner, as degrees."""
    return [(WEST + x * EDGE_E7[0] / 1e7, SOUTH + y * EDGE_E7[1] / 1e7) for x, y in xy]


def ring(*xy: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon(degrees(*xy))


def outlines() -> dict[str, shapely.Geometry]:
    """A square with a hole, an L that overlaps it, and one in two parts."""
    square = ring((0, 0), (17, 0), (17, 17), (0, 17))
    hole = ring((6, 6), (9, 6), (9, 9), (6, 9))
    return {
        "hole": square.difference(hole),
        "L": ring((10, 10), (30, 10), (30, 15), (15, 15), (15, 30), (10, 30)),
        "parts": shapely.union_all(
            [ring((-9, 0), (-4, 0), (-6, 8)), ring((-9, 12), (-3, 12), (-5, 19))]
        ),
    }


def dirty(rng: np.random.Generator, devices: int, each: int) -> pl.DataFrame:
    """Walks that cross the outlines, with everything that positions are blamed for."""
    rows = []
    for number in range(devices):
        at = 1_714_766_400.0 + rng.uniform(0, 600)
        x, y = rng.uniform(-8, 25, 2)
        pace = rng.choice([0.6, 1.2, 8.0])
        for _ in range(each):
            step = rng.choice([1, 5, 10, 10, 10, 20, 60, 170, 190, 900])
            at += float(step) + rng.uniform(0, 0.4)
            if rng.random() < 0.9:
                x, y = np.clip(
                    np.array([x, y]) + rng.normal(0, pace * min(step, 30) / 10, 2), -15, 35
                )
            jump = rng.choice([0.0, 500.0], p=[0.97, 0.03])
            accuracy = rng.choice(
                [np.nan, 0.0, 4.0, 10.0, 30.0, 5000.0], p=[0.2, 0.1, 0.2, 0.3, 0.15, 0.05]
            )
            speed = rng.choice([np.nan, 1.0, 7.0])
            row = (
                f"d{number}",
                at,
                x + jump + rng.normal(0, 0.4),
                y + rng.normal(0, 0.4),
                accuracy,
                speed,
            )
            rows += [row] * int(rng.choice([1, 2], p=[0.9, 0.1]))
            if rng.random() < 0.05:
                rows.append((f"d{number}", at + 0.1, x, y, 8.0, np.nan))
    return frame(rows)


def frame(rows: list[tuple[str, float, float, float, float, float]]) -> pl.DataFrame:
    xy = degrees(*[(row[2], row[3]) for row in rows])
    return pl.DataFrame(
        {
            "device_id": [row[0] for row in rows],
            "at": pl.Series([round(row[1] * 1e6) for row in rows]).cast(pl.Datetime("us", "UTC")),
            "longitude_deg": [x for x, _ in xy],
            "latitude_deg": [y for _, y in xy],
            "accuracy_m": pl.Series([row[4] for row in rows], dtype=pl.Float64).fill_nan(None),
            "speed_m_s": pl.Series([row[5] for row in rows], dtype=pl.Float64).fill_nan(None),
        }
    )


def as_slow(pings: pl.DataFrame, default_accuracy_m: float | None) -> list[slow.Ping]:
    made = []
    for name, at, x, y, accuracy, speed in pings.with_columns(
        pl.col("at").dt.epoch("us")
    ).iter_rows():
        if x is None or y is None:
            continue
        whole = (int(np.rint(x * 1e7)), int(np.rint(y * 1e7)))
        made.append(
            slow.Ping(name, at, *whole, default_accuracy_m if accuracy is None else accuracy, speed)
        )
    return made


def agree(
    pings: pl.DataFrame,
    places: dict[str, shapely.Geometry],
    rules: CrossingRules,
    premises: shapely.Geometry | None = None,
) -> int:
    """Compare both versions; the number of visits."""
    none = [None] * len(places)
    index = OutlineIndex.of_degrees(list(places), list(places.values()), none, none)
    home = None if premises is None else OutlineIndex.of_degrees(["p"], [premises], [None], [None])
    fast = crossings_of(pings, index, premises=home, rules=rules).visits
    versions = [slow.version(name, outline) for name, outline in places.items()]
    homes = [] if premises is None else [slow.version("p", premises)]
    obvious = slow.visits(as_slow(pings, rules.default_accuracy_m), versions, rules, homes)
    assert fast.select("device_id", "hotspot_id", "pings").rows() == [
        (v["device_id"], v["hotspot_id"], v["pings"]) for v in obvious
    ]
    for name, tolerance in (
        *(("arrived_at", 2e4), ("left_at", 2e4)),  # microseconds; outlines scaled by two formulas
        *(("seen_s", 1e-6), ("dwell_s", 2e-3), ("dwell_sd_s", 2e-3), ("visible_s", 2e-3)),
        ("interval_s", 1e-6),
    ):
        column = fast[name].dt.epoch("us") if name.endswith("_at") else fast[name]
        ours = column.cast(pl.Float64).fill_null(-1).to_numpy()
        theirs = np.array([-1 if v[name] is None else v[name] for v in obvious], dtype=float)
        np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-6, err_msg=name)
    return fast.height


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "rules",
    [
        USUAL,
        changed(usual_stay_s=None, exit_after_s=0, default_accuracy_m=8.0),
        changed(smallest_presence=0.8, longest_gap_s=60, shortest_dwell_s=30, still_after_s=120),
    ],
    ids=["usual", "each ping by itself", "strict"],
)
def test_agrees_on_dirty_tracks(seed: int, rules: CrossingRules) -> None:
    pings = dirty(np.random.default_rng(seed), devices=2, each=90)
    premises = ring((2, 2), (5, 2), (5, 5), (2, 5))
    assert agree(pings, outlines(), rules, premises) >= 0


def test_agrees_at_the_fence() -> None:
    """Slow walks to and fro across one fence: every chain of presence has ends in doubt."""
    rng = np.random.default_rng(9)
    rows = []
    for number in range(3):
        x = np.cumsum(rng.normal(0, 0.5, 150))
        x = 3 * np.sin(x / 3) + rng.normal(0, 0.3, 150)
        accuracy = rng.choice([3.0, 8.0], 150)
        rows += [
            (f"d{number}", 1_714_766_400.0 + 10 * k, x[k], 8.0, accuracy[k], np.nan)
            for k in range(150)
        ]
    square = ring((0, 0), (17, 0), (17, 17), (0, 17))
    assert agree(frame(rows), {"a": square}, changed(still_after_s=1e6)) > 3


def test_agrees_on_the_boundary() -> None:
    """Pings exactly on it are inside, and a line that ends there crosses there."""
    rng = np.random.default_rng(13)
    grid = rng.choice([-5.0, 0.0, 0.0, 4.0, 17.0, 17.0, 22.0], (400, 2))
    rows = [
        (f"d{k // 200}", 1_714_766_400.0 + 20 * k, *grid[k], np.nan, np.nan) for k in range(400)
    ]
    square = ring((0, 0), (17, 0), (17, 17), (0, 17))
    for exit_after_s in (0, 15, 30):
        rules = changed(exit_after_s=exit_after_s, fastest_m_s=1e4)
        assert agree(frame(rows), {"a": square}, rules) > 20


def test_outlines_of_one_hot_spot_at_once_count_a_ping_once() -> None:
    pings = dirty(np.random.default_rng(12), devices=2, each=150)
    ids, shapes = ["a", "a", "b"], list(outlines().values())
    index = OutlineIndex.of_degrees(ids, shapes, [None] * 3, [None] * 3)
    fast = crossings_of(pings, index, premises=None, rules=USUAL).visits
    versions = [slow.version(name, shape) for name, shape in zip(ids, shapes, strict=True)]
    obvious = slow.visits(as_slow(pings, None), versions, USUAL)
    assert fast.select("hotspot_id", "pings").rows() == [
        (v["hotspot_id"], v["pings"]) for v in obvious
    ]
    np.testing.assert_allclose(fast["dwell_s"], [v["dwell_s"] for v in obvious], atol=2e-3)


def test_the_order_of_rows_changes_nothing() -> None:
    pings = dirty(np.random.default_rng(7), devices=4, each=300)
    places = outlines()
    none = [None] * len(places)
    index = OutlineIndex.of_degrees(list(places), list(places.values()), none, none)
    once = crossings_of(pings, index, premises=None, rules=USUAL)
    for seed in range(3):
        shuffled = pings.sample(fraction=1.0, shuffle=True, seed=seed)
        again = crossings_of(shuffled, index, premises=None, rules=USUAL)
        assert again.visits.equals(once.visits)
        assert again.cleaned.equals(once.cleaned)


def test_cleaning_agrees_device_by_device() -> None:
    pings = dirty(np.random.default_rng(3), devices=5, each=400)
    track = tracks(
        pings,
        default_accuracy_m=None,
        worst_accuracy_m=50,
        fastest_m_s=60,
        still_after_s=300,
        still_within_m=30,
    )
    left = 0
    for code, name in enumerate(track.device_ids):
        own = as_slow(pings.filter(device_id=name), None)
        kept, _ = slow.clean(own, USUAL)
        mine = track.device == code
        assert track.at[mine].tolist() == [p.at for p in kept]
        assert track.longitude_e7[mine].tolist() == [p.x for p in kept]
        still = slow.left_on(kept, SimpleNamespace(still_after_s=300, still_within_m=30))
        assert (track.still[mine] > 0).tolist() == still
        left += sum(still)
    dropped = dict(track.cleaned.select("reason", "pings").rows())
    assert min(dropped["poor accuracy"], dropped["impossible speed"]) > 0
    assert dropped["repeat of a device-second"] > 0
    assert left > 0


@pytest.mark.parametrize("sd_m", [0.0, 2.0, 6.6, 25.0, 400.0])
def test_presence_is_the_integral_of_the_error_over_the_outline(sd_m: float) -> None:
    rng = np.random.default_rng(5)
    for outline in outlines().values():
        near = Neighbourhood.of(
            OutlineIndex.of_degrees(["a"], [outline], [None], [None]), margin_m=100
        )
        version = slow.version("a", outline)
        for _ in range(12):
            x, y = (int(v) for v in rng.integers(-20_000, 20_000, 2))
            local = (x * version.scale[0], y * version.scale[1])
            by_hand = slow.presence(version.outline, *local, sd_m)
            fast = presence(x, y, sd_m, *near.metres[0], near.edges, 0, len(near.edges))
            assert fast == pytest.approx(by_hand, abs=2e-6)


def busiest(pings: pl.DataFrame, count: int, side: float) -> dict[str, shapely.Geometry]:
    """Boxes around the places where pings are densest."""
    cell = 0.002
    best = (
        pings.drop_nulls(["longitude_deg"])
        .group_by((pl.col("longitude_deg", "latitude_deg") / cell).round().cast(pl.Int64))
        .len()
        .sort("len", "longitude_deg", "latitude_deg", descending=[True, False, False])
        .head(count)
    )
    return {
        f"H{k}": shapely.box(x * cell - side, y * cell - side, x * cell + side, y * cell + side)
        for k, (x, y, _) in enumerate(best.iter_rows())
    }


def seattle(folder: Path) -> pl.DataFrame:
    with gzip.open(folder / "seattle_police_alpr_positions_2021-10.csv.gz") as file:
        rows = pl.read_csv(file.read(), infer_schema=False)
    local = pl.col("time_local").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")
    return rows.select(
        device_id="device",
        at=local.dt.replace_time_zone("America/Los_Angeles").dt.convert_time_zone("UTC"),
        longitude_deg=pl.col("lon").cast(pl.Float64),
        latitude_deg=pl.col("lat").cast(pl.Float64),
    )


def taxis(folder: Path) -> pl.DataFrame:
    parts = [
        pl.read_csv(
            path, separator=" ", has_header=False, new_columns=["lat", "lon", "busy", "epoch"]
        )
        .head(1500)
        .select(
            device_id=pl.lit(path.stem),
            at=(pl.col("epoch") * 1_000_000).cast(pl.Datetime("us", "UTC")),
            longitude_deg="lon",
            latitude_deg="lat",
        )
        for path in sorted(folder.glob("new_*.txt"))
    ]
    return pl.concat(parts)


def walkers(folder: Path) -> pl.DataFrame:
    rows = pl.read_csv(folder / "demodata_geolife.csv", separator=";")
    return rows.select(
        device_id=pl.col("tracker").cast(pl.String),
        at=pl.col("t")
        .str.to_datetime("%Y-%m-%d %H:%M:%S%#z", time_unit="us")
        .cast(pl.Datetime("us", "UTC")),
        longitude_deg=pl.col("X").cast(pl.Float64),
        latitude_deg=pl.col("Y").cast(pl.Float64),
    )


@pytest.mark.shared_data
@pytest.mark.parametrize("accuracy_m", [None, 8.0])
@pytest.mark.parametrize("read", [seattle, taxis, walkers])
def test_agrees_on_real_tracks(shared_data: Path, read, accuracy_m: float | None) -> None:  # type: ignore[no-untyped-def]
    pings = read(shared_data / "pings").with_columns(
        accuracy_m=pl.lit(None, dtype=pl.Float64), speed_m_s=pl.lit(None, dtype=pl.Float64)
    )
    pings = pings.drop_nulls("longitude_deg").head(20_000 if accuracy_m is None else 3_000)
    rules = changed(default_accuracy_m=accuracy_m, longest_gap_s=300)
    assert agree(pings, busiest(pings, 3, 0.001), rules) > 2


def test_positions_taken_at_their_word_are_where_the_other_path_sees_them() -> None:
    rng = np.random.default_rng(21)
    count = 20_000
    x = np.rint((WEST + rng.integers(-12, 35, count) * 1e-4 * 1.5) * 1e7).astype(np.int32)
    y = np.rint((SOUTH + rng.uniform(-10, 35, count) * 9e-5) * 1e7).astype(np.int32)
    at = rng.integers(0, 10**15, count)
    places = outlines()
    index = OutlineIndex.of_degrees(
        list(places), list(places.values()), [date(1990, 1, 1)] * 3, [date(1995, 1, 1), None, None]
    )
    near = Neighbourhood.of(index, margin_m=0.0)
    none = np.zeros(count, np.int32)
    hotspot, ping, _, chance = near_pings(at, x, y, none * 0.0, none, near.arrays())
    row, place = members(index, at=at, longitude_e7=x, latitude_e7=y, ticks_per_second=1_000_000)
    assert sorted(zip(ping, hotspot, strict=True)) == sorted(zip(row, place, strict=True))
    assert (chance == 1).all()
    assert len(ping) > 1000
