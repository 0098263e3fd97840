"""Positions to visits: ours beside a bare scan, DuckDB spatial and geopandas, on 2 cores.

`python benchmarks/positions.py` makes 20 million dirty positions, packs them, and keeps ratios in
`positions.json`; `--rows 200000000` does the same with more. Each side runs in its own process, in
turns, so that a busy machine slows all; the best of three counts, and processor time stands beside
wall time. It ends with 1 if a promise is not kept. SedonaDB is no dependency and not compared here.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
KEPT = Path(__file__).with_suffix(".json")
COLUMNS = ["device", "at", "longitude_e7", "latitude_e7"]
GAP_S = 90
SEED = 7
TURNS = 3
SAMPLE = 5_000_000
"""Positions that the slow sides get."""
PROMISES = {
    "ours_to_bare_scan": ("at most", 1.5),
    "duckdb_to_ours": ("at least", 30),
    "duckdb_to_ours_plain_export": ("at least", 8),
    "geopandas_to_ours": ("at least", 60),
    "peak_gb": ("at most", 1.0),
    "speed_kept_with_5000_hotspots": ("at least", 0.5),
    "index_of_5000_s": ("at most", 1.0),
}


Side = tuple[Callable[[], int], dict]
"""What is timed, and what else there is to say."""


def module(name: str, path: Path) -> ModuleType:
    """A file of the project that is no package."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def places(count: int) -> Any:
    """The hot spots of the generator."""
    return module("positions_generator", HERE / "positions_generator.py").hotspots(count, seed=SEED)


def packed_files(folder: Path) -> list[str]:
    """Files of the packed folder."""
    return sorted(str(path) for path in (folder / "packed").glob("bucket=*/*.parquet"))


def buckets(folder: Path, rows: int) -> list[str]:
    """As many packed files as hold so many positions."""
    import polars as pl

    some: list[str] = []
    for path in packed_files(folder):
        some.append(path)
        if pl.scan_parquet(some).select(pl.len()).collect().item() >= rows:
            break
    return some


def ours(folder: Path, *, hotspots: int = 40, plain: bool = False) -> Side:
    """From files to stays on two threads, as `placeproof visits` does it."""
    from placeproof.engines.local import run_local
    from placeproof.patrols import stays_kernel
    from placeproof.patrols.outline_index import OutlineIndex
    from placeproof.study.position_files import positions_in, reader_of

    assert stays_kernel.CODE == 0  # compiled, or read from the cache, before the clock starts
    OutlineIndex.of(places(1))
    table = places(hotspots)
    start = time.perf_counter()
    index = OutlineIndex.of(table)
    index_s = time.perf_counter() - start
    path = folder / ("plain.parquet" if plain else "packed")
    positions = positions_in([path], feed(path) if plain else None)

    def work() -> int:
        reader, _ = reader_of(positions)
        found = run_local(positions.sources, reader, index, longest_gap_s=GAP_S, threads=2)
        return len(found.stays)

    return work, {"index_s": round(index_s, 3)}


def scan(folder: Path) -> Side:
    """A bare polars scan of the same columns of the same files."""
    import polars as pl

    def work() -> int:
        lazy = pl.scan_parquet(packed_files(folder)).select(COLUMNS)
        return int(lazy.select(pl.all().max()).collect(engine="streaming").height)

    return work, {}


def duckdb(folder: Path, *, plain: bool = False) -> Side:
    """The same rules as SQL, on two threads: a part of the buckets, or the plain export."""
    slow = module("slow", HERE.parent / "tests" / "patrols" / "slow.py")
    connection = slow.duckdb_connection()
    connection.execute("set threads = 2; set preserve_insertion_order = false")
    slow.duckdb_outlines(connection, slow.outlines_of(places(40)))
    if plain:
        connection.execute(
            'create view pings as select device, epoch_us("at") as tick, '
            "round(longitude_deg * 1e7)::int as x, round(latitude_deg * 1e7)::int as y "
            f"from (from '{folder / 'plain.parquet'}' limit {SAMPLE}) "
            "where longitude_deg is not null"
        )
    else:
        some = buckets(folder, SAMPLE)
        connection.execute(
            'create view pings as select device, "at" as tick, longitude_e7 as x, '
            f"latitude_e7 as y from read_parquet({some}, hive_partitioning = false)"
        )
        connection.execute(
            "update outlines set from_tick = from_tick // 1000000, "
            "until_tick = until_tick // 1000000"
        )
    gap = GAP_S * (1_000_000 if plain else 1)
    rows = connection.execute("select count(*) from pings").fetchone()[0]
    return lambda: len(slow.duckdb_visits(connection, longest_gap_us=gap)), {"rows": rows}


def geopandas(folder: Path) -> Side:
    """A spatial join and a grouped difference, on a sample."""
    import geopandas as gpd
    import polars as pl

    slow = module("slow", HERE.parent / "tests" / "patrols" / "slow.py")
    outlines = slow.outlines_of(places(40))
    polygons = gpd.GeoDataFrame(
        {"hotspot": [one.hotspot_id for one in outlines]}, geometry=[one.shape for one in outlines]
    )
    sample = pl.scan_parquet(packed_files(folder)).select(COLUMNS).head(1_000_000).collect()
    pandas = sample.to_pandas()

    def work() -> int:
        points = gpd.GeoDataFrame(
            pandas[["device", "at"]],
            geometry=gpd.points_from_xy(pandas["longitude_e7"], pandas["latitude_e7"]),
        )
        inside = points.sjoin(polygons, predicate="intersects")
        inside = inside.drop_duplicates(["device", "hotspot", "at"])
        inside = inside.sort_values(["device", "hotspot", "at"])
        silence = inside.groupby(["device", "hotspot"])["at"].diff()
        visit = (silence.isna() | (silence > GAP_S)).cumsum()
        return len(inside.groupby(visit)["at"].agg(["min", "max"]))

    return work, {"rows": sample.height}


SIDES: dict[str, Callable[[Path], Side]] = {
    "ours": ours,
    "scan": scan,
    "ours_5000": lambda folder: ours(folder, hotspots=5000),
    "ours_plain": lambda folder: ours(folder, plain=True),
    "duckdb": duckdb,
    "duckdb_plain": lambda folder: duckdb(folder, plain=True),
    "geopandas": geopandas,
}


OURS = ("ours", "ours_5000", "ours_plain")


def feed(path: Path) -> Any:
    """How the plain export maps to positions."""
    from placeproof.files import FeedSpec

    columns = {name: name for name in ("at", "longitude_deg", "latitude_deg")}
    return FeedSpec("pings", "ping", "table", (path,), columns=columns | {"device_id": "device"})


def measured(side: str, folder: Path) -> dict[str, Any]:
    """One side in a process of its own: best wall and processor time, peak memory."""
    command = [sys.executable, str(Path(__file__)), "--side", side, "--folder", str(folder)]
    threads = {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | threads
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def one_side(side: str, folder: Path) -> int:
    """Set up, warm up, time; print as JSON."""
    work, facts = SIDES[side](folder)
    walls, busy = [], []
    for _ in range(1 if side.startswith(("duckdb", "geopandas")) else TURNS):
        start, worked = time.perf_counter(), time.process_time()
        visits = work()
        walls.append(time.perf_counter() - start)
        busy.append(time.process_time() - worked)
    facts |= {"wall_s": min(walls), "cpu_s": min(busy), "visits": visits, "peak_gb": peak_gb()}
    print(json.dumps(facts))
    return 0


def peak_gb() -> float:
    """Most memory that this process has held; its own pages, not those of a parent."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1e6, 2)
    return float("nan")


def prepare(folder: Path, rows: int) -> dict[str, Any]:
    """Make positions: a plain export of a quarter of them, and the packed folder of all."""
    from datetime import date

    from placeproof.files import Surroundings
    from placeproof.files.packing import pack

    generator = module("positions_generator", HERE / "positions_generator.py")
    table = generator.hotspots(40, seed=SEED)
    devices = 400

    def pieces(count: int) -> Any:
        return generator.positions(count, table, devices=devices, seed=SEED)

    generator.write_plain(pieces(rows), folder / "all.parquet")
    generator.write_plain(pieces(rows // 4), folder / "plain.parquet")
    spec = feed(folder / "all.parquet")
    start = time.perf_counter()
    pack(
        *(spec, folder / "packed"),
        surroundings=Surroundings(None, date(2000, 1, 1), date(2100, 1, 1)),
        progress=lambda *_: None,
    )
    pack_s = time.perf_counter() - start
    exported = (folder / "all.parquet").stat().st_size
    (folder / "all.parquet").unlink()
    packed = sum(Path(path).stat().st_size for path in packed_files(folder))
    import polars as pl

    count = pl.scan_parquet(packed_files(folder)).select(pl.len()).collect().item()
    plain = pl.scan_parquet(folder / "plain.parquet").select(pl.len()).collect().item()
    return {
        "positions": count,
        "positions_plain": plain,
        "pack_s": round(pack_s, 1),
        "pack_mb_of_export_per_s": round(exported / 1e6 / pack_s),
        "packed_bytes_a_position": round(packed / count, 2),
    }


def compared(facts: dict[str, Any], sides: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Ratios of time for each position."""
    rows = {
        "ours_plain": facts["positions_plain"],
        **{side: sides[side]["rows"] for side in ("duckdb", "duckdb_plain", "geopandas")},
    }
    each = {
        (side, kind): found[f"{kind}_s"] / rows.get(side, facts["positions"])
        for side, found in sides.items()
        for kind in ("wall", "cpu")
    }
    ratios: dict[str, Any] = {}
    for kind, ending in (("wall", ""), ("cpu", "_of_processor_time")):
        for name, above, below in (
            ("ours_to_bare_scan", "ours", "scan"),
            ("duckdb_to_ours", "duckdb", "ours"),
            ("duckdb_to_ours_plain_export", "duckdb_plain", "ours_plain"),
            ("geopandas_to_ours", "geopandas", "ours"),
            ("speed_kept_with_5000_hotspots", "ours", "ours_5000"),
        ):
            ratios[name + ending] = round(each[above, kind] / each[below, kind], 2)
    speeds = {side: round(1e-6 / each[side, "wall"], 2) for side in sides}
    return {
        **facts,
        **ratios,
        "million_positions_a_second": speeds,
        "peak_gb": max(sides[side]["peak_gb"] for side in OURS),
        "index_of_40_s": sides["ours"]["index_s"],
        "index_of_5000_s": sides["ours_5000"]["index_s"],
        "visits": sides["ours"]["visits"],
    }


def broken(result: dict[str, Any]) -> list[str]:
    """Promises that the figures do not keep."""
    return [
        f"{name} is {result[name]}, promised {which} {limit}"
        for name, (which, limit) in PROMISES.items()
        if (result[name] > limit if which == "at most" else result[name] < limit)
    ]


def main() -> int:
    """Make, measure in turns, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--side")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.side:
        return one_side(given.side, given.folder)
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        facts = prepare(folder, given.rows)
        sides = {}
        for side in SIDES:
            sides[side] = measured(side, folder)
            print(side, sides[side], flush=True)
        again = {side: measured(side, folder) for side in ("scan", "ours", "ours_5000")}
        for side, found in again.items():
            for kind in ("wall_s", "cpu_s"):
                sides[side][kind] = min(sides[side][kind], found[kind])
    result = compared(facts, sides)
    missed = broken(result)
    result["promises_missed"] = missed
    result["load_at_the_end"] = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    print(json.dumps(result, indent=1))
    key = f"{given.rows:,} positions"
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    kept[key] = result
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
