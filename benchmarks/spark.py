"""Our job on a Spark cluster beside Spark's own scan of the same files, and the grouped way.

Run from the project's root: python benchmarks/spark.py
Starts a master and two workers of one core each on this computer, writes spark.json beside this
file, and fails where a promise is not kept. Everything is measured in turns in one run: compare
the ratios, not the seconds.
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from placeproof.engines.local import run_local
from placeproof.engines.pieces import collected, pieces_of
from placeproof.engines.spark import FindStays, run_spark
from placeproof.engines.spark_cluster import joined
from placeproof.engines.spark_jobs import results
from placeproof.files import packed
from placeproof.patrols.outline_index import OutlineIndex
from placeproof.patrols.stays import stays_of

HERE = Path(__file__).resolve().parent
ROWS, FILES, DEVICES, HOTSPOTS, GAP_S, SEED = 8_000_000, 16, 400, 40, 90.0, 20210719
ROUNDS, REPEATS = 2, 3
WORKER_MB = 1024
TIMES_LARGER = 4
"""For scaling, each file is listed so often; stays that are found again change nothing."""
IMPORTED = """
import pandas, pyarrow.dataset, pyarrow.pandas_compat, pyspark.daemon, pyspark.worker
import placeproof.engines.spark, placeproof.files.packed, placeproof.patrols.stays_kernel
"""
MOST_OF_SCAN, LEAST_OF_GROUPED = 1.25, 10.0


def beside(name: str, path: Path) -> ModuleType:
    """A module of this project that is not part of the package."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def written(folder: Path) -> tuple[list[packed.Source], OutlineIndex]:
    """The generator's positions in our layout, in files of the same size."""
    import polars as pl

    generator = beside("positions_generator", HERE / "positions_generator.py")
    places = generator.hotspots(HOTSPOTS, seed=SEED)
    (folder / "positions").mkdir()
    devices = folder / packed.DEVICES
    names = [f"device-{number:04d}" for number in range(DEVICES)]
    pl.DataFrame({"device": range(DEVICES), "device_id": names}).write_parquet(devices)
    sources: list[packed.Source] = []
    pieces = generator.positions(ROWS, places, devices=DEVICES, seed=SEED)
    for piece in pieces:
        step = -(-len(piece.at) // (FILES * 2_000_000 // ROWS))
        for start in range(0, len(piece.at), step):
            cut = slice(start, start + step)
            part = generator.Positions(
                piece.device[cut], piece.at[cut], piece.longitude_e7[cut], piece.latitude_e7[cut]
            )
            path = folder / "positions" / f"part-{len(sources):03}.parquet"
            rows = generator.write_packed([part], path, by_device=True)
            size = path.stat().st_size
            sources.append(packed.Source(str(path), rows, size, 1, -1, str(devices)))
    return sources, OutlineIndex.of(places)


def ours(cluster: Any, sources: list[packed.Source], index: OutlineIndex, files: int = 0) -> object:
    """The job on a cluster that is joined already, as `run_spark` does it."""
    pieces = pieces_of(sources, cores=cluster.cores())
    if files:
        pieces = [tuple(sources[k : k + files]) for k in range(0, len(sources), files)]
    work = FindStays(cluster.context.broadcast((packed.read, index, GAP_S)))
    ready = ((pieces[number], found) for number, found in results(cluster, work, pieces))
    return collected(ready, [], None, longest_gap_s=GAP_S)


def session(master: str) -> Any:
    """Spark as it comes, on the same cluster."""
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master(master)
        .appName("scan")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", f"{WORKER_MB}m")
        .getOrCreate()
    )


def scan(spark: Any, folder: Path) -> object:
    """Spark reads the four columns and gives one row; nothing is shuffled but that."""
    from pyspark.sql import functions as f

    frame = spark.read.parquet(str(folder / "positions"))
    columns = ("device", "at", "longitude_e7", "latitude_e7")
    return frame.agg(*(f.sum(f.col(name).cast("long")) for name in columns)).collect()


def grouped(spark: Any, folder: Path, index: OutlineIndex) -> object:
    """The usual way: positions are shuffled by device, then the same kernel runs on each group."""
    question = spark.sparkContext.broadcast(index)

    def stays(table: pa.Table) -> pa.Table:
        arrays = {
            name: table[name].to_numpy() for name in ("device", "at", "longitude_e7", "latitude_e7")
        }
        found = stays_of(question.value, **arrays, ticks_per_second=1, longest_gap_s=GAP_S)
        columns = [found.device, found.hotspot, found.first, found.last]
        return pa.Table.from_arrays(
            [pa.array(column) for column in columns], ["device", "hotspot", "first", "last"]
        )

    frame = spark.read.parquet(str(folder / "positions")).groupBy("device")
    schema = "device int, hotspot int, first long, last long"
    return frame.applyInArrow(stays, schema).collect()


def left(spark: Any) -> None:
    """Stop a session and its Java process, so that the next one starts as cold."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
    SparkContext._gateway = None
    SparkContext._jvm = None


def measure(master: str, folder: Path) -> dict[str, object]:
    """In turns: Spark's scan and our job, each from a cold start and warm; then the others."""
    sources, index = written(folder)
    # The kernel is compiled once and kept, so that nobody's first call pays for it.
    run_local(sources[:1], packed.read, index, longest_gap_s=GAP_S, threads=1)
    rows = sum(source.rows for source in sources)
    bytes_of = sum(source.bytes for source in sources)
    took: dict[str, list[float]] = {
        name: []
        for name in (
            *("scan_cold", "scan", "ours_cold", "ours"),
            *("grouped_cold", "join", "spark_start"),
        )
    }
    grouped_warm = 0.0
    for number in range(ROUNDS):
        start = time.perf_counter()
        spark = session(master)
        took["spark_start"].append(time.perf_counter() - start)
        took["scan_cold"].append(seconds(scan, spark, folder))
        took["scan"] += [seconds(scan, spark, folder) for _ in range(REPEATS)]
        if number == 0:
            grouped_warm = min(seconds(grouped, spark, folder, index) for _ in range(2))
        left(spark)
        spark = session(master)  # as cold as ours: the first job of its session
        took["grouped_cold"].append(seconds(grouped, spark, folder, index))
        left(spark)
        start = time.perf_counter()
        with joined(master, executor_memory_mb=512) as cluster:
            took["join"].append(time.perf_counter() - start)
            took["ours_cold"].append(seconds(ours, cluster, sources, index))
            took["ours"] += [seconds(ours, cluster, sources, index) for _ in range(REPEATS)]
    middle = {name: statistics.median(times) for name, times in took.items()}
    return {
        "positions": rows,
        "files": len(sources),
        "bytes_a_position": round(bytes_of / rows, 2),
        "hot_spots": HOTSPOTS,
        "cores": os.cpu_count(),
        "workers": 2,
        "load_when_started": round(os.getloadavg()[0], 1),
        "seconds": {name: round(value, 2) for name, value in middle.items()},
        "grouped_s": round(grouped_warm, 1),
        "times_spark_scan": round(middle["ours"] / middle["scan"], 2),
        "times_spark_scan_cold": round(middle["ours_cold"] / middle["scan_cold"], 2),
        "times_faster_than_grouped": round(grouped_warm / middle["ours"], 1),
        "times_faster_than_grouped_cold": round(middle["grouped_cold"] / middle["ours_cold"], 1),
        "scaling": scaling(master, sources, index),
        "identical_to_one_machine": identical(master, sources, index),
    }


def scaling(
    master: str, sources: list[packed.Source], index: OutlineIndex
) -> dict[str, dict[str, float]]:
    """Positions a second with one worker and two, and with few or many files in a task."""
    larger = sources * TIMES_LARGER
    rows = sum(source.rows for source in larger)
    result: dict[str, dict[str, float]] = {"million_positions_a_second": {}}
    rates = result["million_positions_a_second"]
    for cores in (1, 2):
        cap = {"spark.cores.max": str(cores)}
        with joined(master, executor_memory_mb=512, settings=cap) as cluster:
            while cluster.workers() < cores:
                time.sleep(0.1)
            ours(cluster, sources, index)
            for files in (1, 4, 16) if cores == 2 else (16,):
                best = min(seconds(ours, cluster, larger, index, files) for _ in range(2))
                name = f"{cores} workers, {files} files a task"
                rates[name] = round(rows / best / 1e6, 1)
    return result


def identical(master: str, sources: list[packed.Source], index: OutlineIndex) -> bool:
    """Whether the cluster found what one machine finds."""
    here = run_local(sources, packed.read, index, longest_gap_s=GAP_S, threads=2)
    there = run_spark(sources, packed.read, index, longest_gap_s=GAP_S, master=master)
    names = ("device", "hotspot", "first", "last", "sample_device", "sample_key", "sample_seconds")
    return here.device_ids == there.device_ids and all(
        getattr(here.stays, name).tobytes() == getattr(there.stays, name).tobytes()
        for name in names
    )


def main() -> int:
    """Measure, write, and fail where a promise is not kept."""
    warnings.simplefilter("ignore")
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cluster = beside("cluster", HERE.parent / "tests" / "engines" / "cluster.py")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Workers have bytecode, as an installation has: of all that either way imports.
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        subprocess.run([sys.executable, "-c", IMPORTED], check=True)
        with cluster.Standalone(folder, memory_mb=WORKER_MB) as standalone:
            result = measure(standalone.master, folder)
    text = json.dumps(result, indent=1) + "\n"
    (HERE / "spark.json").write_text(text, encoding="utf-8")
    print(text)
    kept = (
        result["times_spark_scan"] <= MOST_OF_SCAN  # type: ignore[operator]
        and result["times_faster_than_grouped"] >= LEAST_OF_GROUPED  # type: ignore[operator]
        and result["identical_to_one_machine"]
    )
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
