"""Packed positions inside a study: what they give is what table positions give."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely
from polars.testing import assert_frame_equal

from placeproof import files, geometry, patrols
from placeproof.files import geo, packing
from placeproof.files.feed import FeedSpec, combined
from placeproof.patrols.logs import PHANTOM, held_logs
from placeproof.patrols.outline_index import OutlineIndex
from placeproof.patrols.reported import Slots, reporting, united
from placeproof.rehearsal import write_force
from placeproof.rehearsal.choices import FEEDS
from placeproof.study import patrolling, placing, position_files, ringing, visiting
from placeproof.study.exports import ANY_TIME
from placeproof.study.lock import Lock
from placeproof.study.plan import read_plan
from placeproof.study.reading import Inputs
from placeproof.study.settings import Study, read_study
from placeproof.study.work import Work

from .conftest import quiet

POSITION = ("device_id", "at", "longitude_deg", "latitude_deg", "accuracy_m", "speed_m_s")
Pack = Callable[[pl.DataFrame], Path]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Packs table ping into a new folder."""

    def packed(pings: pl.DataFrame) -> Path:
        export = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        pings.select(POSITION).write_parquet(export)
        spec = FeedSpec(
            "pings", "ping", "auto", (export,), columns={name: name for name in POSITION}
        )
        folder = export.with_suffix("")
        packing.pack(spec, folder, surroundings=ANY_TIME, progress=quiet, run_rows=4_000)
        return folder

    return packed


def tables_of(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables of patrols as a rehearsal's exports give them."""
    study = read_study(folder)
    area = geo.outline(study.area, crs=study.area_crs)
    around = files.Surroundings(area, study.start, study.cut_off)
    wanted = ("hotspot", "tasking", "ping", "patrol_log")
    found = [files.read(spec, around) for spec in study.feeds if spec.contract in wanted]
    return combined(found).tables


def with_packed(study: Study, *folders: Path) -> Study:
    """The study with nothing but packed positions."""
    return replace(study, feeds=(FeedSpec("radios", "ping", "packed", folders),))


def measured(
    folder: Path, tables: dict[str, pl.DataFrame], path: str, *packed: Path
) -> tuple[Work, pl.DataFrame]:
    """A run's patrols, and the rows about them."""
    plan = read_plan(folder)
    plan = replace(plan, patrols=replace(plan.patrols, path=path))
    none = combined([])
    inputs = Inputs(tables, none, None)
    work = Work(
        with_packed(read_study(folder), *packed) if packed else read_study(folder),
        *(plan, Lock("exploratory", "", "", ""), inputs, quiet),
    )
    placing.find_places(work)
    patrolling.measure_patrols(work)
    return work, pl.concat(work.estimates)


@pytest.mark.parametrize("seed", [1, 12, 23])
def test_planted_phantom_logs_are_found_in_packed_positions(
    request: pytest.FixtureRequest, tmp_path: Path, pack: Pack, seed: int
) -> None:
    if seed == 1:
        folder = request.getfixturevalue("northmere")
    else:
        rest = frozenset(FEEDS) - {"hotspots", "tasking", "pings", "logs"}
        folder = write_force(
            tmp_path / "force", seed=seed, size="small", effect="default", without=rest
        )
    tables = tables_of(folder)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["feeds"]
    study = with_packed(read_study(folder), pack(tables["ping"]))
    positions = position_files.positions_of_study(study, None)
    assert positions is not None
    index = OutlineIndex.of(tables["hotspot"])
    rule = {"longest_gap_s": 90, "shortest_dwell_s": 0}
    found = visiting.visits_of_sources(positions, index, **rule)
    reported = position_files.reported_of(positions, slot_s=900)
    assert reported is not None
    assert_frame_equal(reported, reporting(tables["ping"], slot_s=900))

    def judged(visit: pl.DataFrame, when: pl.DataFrame) -> pl.DataFrame:
        days = found.observed_days
        assert days is not None
        return held_logs(
            tables["patrol_log"], visit, tolerance_s=900, observed_days=days, reported=when,
            unit_of_device=None,
        )  # fmt: skip

    held = judged(found.visits, reported)
    by_table = patrols.visits(tables["ping"], tables["hotspot"], **rule)
    assert held.equals(judged(by_table, reporting(tables["ping"], slot_s=900)))
    first = date.fromisoformat(truth["pings"]["tracked_from"])
    held = held.filter(pl.col("operating_day") >= first)
    planted = set(truth["logs"]["phantom"]) & set(held["log_id"])
    named = set(held.filter(pl.col("status").is_in(PHANTOM))["log_id"])
    assert len(planted) > 100
    assert len(named & planted) / len(named) >= 0.9
    assert len(named & planted) / len(planted) >= 0.9


@pytest.fixture(scope="module")
def few_weeks(northmere: Path) -> dict[str, pl.DataFrame]:
    """Three weeks of the rehearsal's patrols."""
    tables = tables_of(northmere)
    first = tables["ping"]["at"].min()
    assert isinstance(first, datetime)
    times = {"ping": "at", "tasking": "window_from", "patrol_log": "started_at"}
    return tables | {
        name: tables[name].filter(
            pl.col(at).is_between(first, first + timedelta(days=21), closed="left")
        )
        for name, at in times.items()
    }


def test_packed_positions_give_a_study_what_table_positions_give(
    northmere: Path, few_weeks: dict[str, pl.DataFrame], pack: Pack
) -> None:
    plain, rows = measured(northmere, few_weeks, "order_free")
    without = {name: table for name, table in few_weeks.items() if name != "ping"}
    # Half of the positions packed, a part of them twice, and half in a table.
    odd = few_weeks["ping"].with_row_index().filter(pl.col("index") % 2 == 1).drop("index")
    even = few_weeks["ping"].with_row_index().filter(pl.col("index") % 2 == 0).drop("index")
    for tables, folders in (
        (without, (pack(few_weeks["ping"]),)),
        (without | {"ping": even}, (pack(odd), pack(few_weeks["ping"].head(500)))),
    ):
        found, more = measured(northmere, tables, "order_free", *folders)
        assert plain.tables["route"].height > 100
        for name in ("route", "attendance", "dose", "delivered_minutes"):
            assert_frame_equal(found.tables[name], plain.tables[name], rel_tol=1e-9)
        assert_frame_equal(
            found.tables["visit"].drop("pings"), plain.tables["visit"].drop("pings"), rel_tol=1e-9
        )
        counts = ("log_matched", "log_phantom", "ring_minutes", "delivered_minutes", "streets")
        for outcome in counts:
            one = pl.col("outcome") == outcome
            assert_frame_equal(more.filter(one), rows.filter(one), rel_tol=1e-9)
        assert {"log_phantom", "ring_minutes"} <= set(more["outcome"])
        assert found.patrol_facts["path"] == plain.patrol_facts["path"] == "order_free"
        assert "crossings suits them" in str(found.patrol_facts["why"])


def test_packed_and_plain_positions_go_together_by_crossings(
    northmere: Path, few_weeks: dict[str, pl.DataFrame], pack: Pack
) -> None:
    pings = few_weeks["ping"].head(6_000)
    tables = few_weeks | {"ping": pings}
    plain, _ = measured(northmere, tables, "crossings")
    devices = pings["device_id"].unique().sort()
    mine = pl.col("device_id").is_in(devices.gather_every(2).implode())
    folder = pack(pings.filter(mine | (pl.col("at").dt.minute() < 30)))
    rest = pings.filter(~mine & (pl.col("at").dt.minute() >= 30))
    found, _ = measured(northmere, tables | {"ping": rest}, "crossings", folder)
    assert plain.tables["route"].height > 20
    for name in ("visit", "route", "dose", "attendance", "positions_cleaned"):
        assert_frame_equal(found.tables[name], plain.tables[name], rel_tol=1e-9)
    why = str(found.patrol_facts["why"])
    assert "crossings, which suits them" in why
    assert "packed positions were looked at" in why


def slots_in(pings: pl.DataFrame, order: np.ndarray, parts: int, slot_s: int) -> pl.DataFrame:
    """Stretches by way of codes, some rows at a time, from two readers that share devices."""
    names = pings["device_id"].unique().sort().to_list()
    codes = np.array([names.index(name) for name in pings["device_id"]], dtype=np.int32)
    at = pings["at"].dt.epoch("us").to_numpy()
    readers = [Slots(slot_s), Slots(slot_s)]
    for number, rows in enumerate(np.array_split(order, parts)):
        readers[number % 2].add(codes[rows], at[rows], ticks_per_second=1_000_000)
    return united([reader.stretches(names) for reader in readers])


@pytest.mark.parametrize("slot_s", [1, 60, 900, 86_400])
def test_when_devices_reported_is_the_same_however_it_is_read(slot_s: int) -> None:
    rng = np.random.default_rng(4)
    seconds = rng.integers(-90_000, 200_000, 3_000)
    pings = pl.DataFrame(
        {
            "device_id": [f"R{n}" for n in rng.integers(0, 7, 3_000)],
            "at": pl.Series(seconds * 1_000_000).cast(pl.Datetime("us", "UTC")),
        }
    )
    expected = reporting(pings, slot_s=slot_s)
    order = rng.permutation(np.append(np.arange(3_000), rng.integers(0, 3_000, 500)))
    for parts in (1, 2, 7):
        assert slots_in(pings, order, parts, slot_s).equals(expected)
    # Nothing but the slots with a position is in the stretches, and each once.
    slots = {(device, at // slot_s) for device, at in zip(pings["device_id"], seconds, strict=True)}
    length = (expected["to_at"] - expected["from_at"]).dt.total_seconds().sum()
    assert length == slot_s * len(slots)
    assert Slots(slot_s).stretches([]).is_empty()


def test_minutes_in_rings_are_those_that_were_walked(
    northmere: Path, few_weeks: dict[str, pl.DataFrame]
) -> None:
    spots = few_weeks["hotspot"].filter(pl.col("valid_to").is_null())
    shapes = geometry.outlines(spots["geometry"])
    apart = [shapely.distance(one, np.delete(shapes, n)).min() for n, one in enumerate(shapes)]
    alone = int(np.argmax(apart))
    assert apart[alone] > 600
    ring = shapely.get_coordinates(shapes[alone])
    east, north = ring[ring[:, 0].argmax()]
    x = np.repeat([shapes[alone].centroid.x, east + 50, east + 180, east + 400], [121, 61, 31, 13])
    y = np.repeat([shapes[alone].centroid.y, north, north, north], [121, 61, 31, 13])
    longitude, latitude = geometry.to_degrees(x, y)
    first = few_weeks["ping"]["at"].min()
    assert isinstance(first, datetime)
    at = pl.datetime_range(first, first + timedelta(seconds=10 * (len(x) - 1)), "10s", eager=True)
    template = few_weeks["ping"].head(1)
    pings = pl.DataFrame({"at": at, "longitude_deg": longitude, "latitude_deg": latitude}).join(
        template.drop("at", "longitude_deg", "latitude_deg"), how="cross"
    )
    tables = {"hotspot": few_weeks["hotspot"], "ping": pings.select(template.columns)}
    _, rows = measured(northmere, tables, "order_free")
    whole = rows.filter(
        pl.col("hours") == "all", pl.col("horizon") == "all", pl.col("subgroup") == "all"
    )
    rings = whole.filter(pl.col("outcome") == "ring_minutes").sort("population")
    # 60 and 30 steps of 10 s between positions, and one usual interval.
    assert rings["population"].to_list() == ["ring 0-100 m", "ring 100-250 m"]
    assert rings["estimate"].to_list() == pytest.approx([610 / 60, 310 / 60])
    own = pl.col("method") == "pings_occupied_with_interval"
    inside = whole.filter(pl.col("outcome") == "delivered_minutes", own)["estimate"]
    assert inside.to_list() == pytest.approx([1210 / 60])


def test_rings_hold_as_long_as_their_hot_spots_do(few_weeks: dict[str, pl.DataFrame]) -> None:
    square = shapely.box(450_000, 300_000, 450_200, 300_200)
    wider = shapely.box(450_000, 300_000, 450_300, 300_200)
    far = shapely.box(455_000, 300_000, 455_200, 300_200)
    row = few_weeks["hotspot"].head(1)

    def version(name: str, number: int, shape: shapely.Polygon, *days: date | None) -> pl.DataFrame:
        return row.with_columns(
            hotspot_id=pl.lit(name),
            version=pl.lit(number, dtype=pl.Int64),
            valid_from=pl.lit(days[0], dtype=pl.Date),
            valid_to=pl.lit(days[1], dtype=pl.Date),
            geometry=pl.lit(shapely.to_wkb(shape)),
        )

    one, redrawn, end = date(2022, 1, 1), date(2022, 6, 1), date(2022, 12, 31)
    register = pl.concat(
        [
            version("A", 1, square, one, redrawn - timedelta(days=1)),
            version("A", 2, wider, redrawn, end),
            version("B", 1, far, date(2022, 3, 1), None),
        ]
    )
    rings = ringing.ring_register(register, None, edges_m=(0, 100, 250))
    inner = rings.filter(pl.col("hotspot_id").str.starts_with("ring 0-100 m"))
    days = inner.select("valid_from", "valid_to").rows()
    assert days == [(one, date(2022, 5, 31)), (redrawn, end), (date(2022, 3, 1), None)]
    area = shapely.area(geometry.outlines(inner["geometry"]))
    circle = np.pi * 100**2
    assert area == pytest.approx([80_000 + circle, 100_000 + circle, 80_000 + circle], rel=1e-3)
