"""How much a read with hashes, contracts and projection costs beside a bare scan of the same CSVs.

Both sides count rows by month, area and crime type. They run in turns in one process, so that a
busy machine slows both. `python benchmarks/reading.py` prints the median of each and the ratio; it
ends with 1 if that is above 4. The ratio of processor time is told too: other programs move it
less.
"""

import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import shapely

from placeproof import geometry
from placeproof.files import FeedSpec, Surroundings, read

HIGHEST_RATIO = 4.0
REPETITIONS = 15
ROWS = 301_838
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "leicestershire"
ARCHIVE = DATA / "police-uk-leicestershire-2019-12-to-2022-10.zip"


def surroundings() -> Surroundings:
    """The study area and period of the public data."""
    text = (DATA / "leicestershire_pfa20.geojson").read_text(encoding="utf-8")
    outline = shapely.union_all(shapely.get_parts(shapely.from_geojson(text)))
    area = geometry.to_british_grid([outline], crs="EPSG:4326")[0]
    return Surroundings(shapely.to_wkb(area), date(2019, 12, 1), date(2022, 10, 31))


def bare(files: list[Path]) -> pl.DataFrame:
    """Scan and count, no more."""
    return pl.scan_csv(files).group_by("Month", "LSOA code", "Crime type").len().collect()


def ours(path: Path, around: Surroundings) -> pl.DataFrame:
    """Hash, read, project, check against contracts, and count the same."""
    result = read(FeedSpec("police", "police-uk", "police-uk", (path,)), around)
    tables = [
        table.lazy().select("month", "lsoa_code", "category") for table in result.tables.values()
    ]
    return pl.concat(tables).group_by("month", "lsoa_code", "category").len().collect()


def timed(run: Callable[[], pl.DataFrame]) -> tuple[float, float]:
    """Wall and processor time of one run, which must count every row."""
    start, busy = time.perf_counter(), time.process_time()
    counted = run()
    took = time.perf_counter() - start, time.process_time() - busy
    assert counted["len"].sum() == ROWS
    return took


def main() -> int:
    """Run both in turns and print medians and ratio."""
    if not ARCHIVE.exists():
        print("reading: skipped, ../shared/data is not here")
        return 0
    around = surroundings()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall(folder)
        files = sorted(Path(folder).rglob("*.csv"))
        runs = {
            "bare scan and group-by": lambda: bare(files),
            "read and group-by, CSV": lambda: ours(Path(folder), around),
            "read and group-by, zip": lambda: ours(ARCHIVE, around),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for turn in range(REPETITIONS + 1):
            for name, run in runs.items():
                took = timed(run)
                if turn:  # the first turn fills caches
                    times[name].append(took)
    wall = [statistics.median(took for took, _ in all_times) for all_times in times.values()]
    busy = [statistics.median(cpu for _, cpu in all_times) for all_times in times.values()]
    for name, median, cpu in zip(times, wall, busy, strict=True):
        print(f"{name}: median {median * 1000:.0f} ms, processor {cpu * 1000:.0f} ms")
    ratio = wall[1] / wall[0]
    print(
        f"ratio, same CSVs: {ratio:.2f} (at most {HIGHEST_RATIO}; of processor time "
        f"{busy[1] / busy[0]:.2f}); from the zip: {wall[2] / wall[0]:.2f}"
    )
    return int(ratio > HIGHEST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
