"""Twenty million dirty positions: the kernel and a DuckDB-spatial query of the same rules agree.

`python proofs/patrols/agreement.py [rows]` compares every visit (device, hot spot, first and last
second) of 40 hot spots, some of them overlapping, with holes, or re-drawn, and keeps what it found
in `agreement.json` and `agreement.md`; it ends with 1 if a single visit differs. The rows are also
shuffled, repeated and split at random: the intervals must be the same to the last bit.
"""

import importlib.util
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from placeproof.patrols.outline_index import OutlineIndex
from placeproof.patrols.stays import Gathering, Stays, stays_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROWS = 20_000_000
GAP_S = 90
SEED = 20241
BATCH = 1 << 20


def module(path: Path, name: str) -> ModuleType:
    """A file of the project that is no package."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def gathered(index: OutlineIndex, columns: list[np.ndarray], cuts: np.ndarray) -> Stays:
    """Stays of the pieces between the cuts."""
    gathering = Gathering(GAP_S, 1)
    for begin, end in pairwise(cuts):
        device, at, x, y = (column[begin:end] for column in columns)
        gathering.add(
            stays_of(
                index,
                device=device,
                at=at,
                longitude_e7=x,
                latitude_e7=y,
                ticks_per_second=1,
                longest_gap_s=GAP_S,
            )
        )
    return gathering.stays()


def same(one: Stays, two: Stays) -> bool:
    """Whether every array is equal, the cadence sketch included."""
    names = ("device", "hotspot", "first", "last", "sample_device", "sample_key", "sample_seconds")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


def by_sql(slow: ModuleType, places: Any, file: Path) -> list[tuple]:
    """The same visits by one query over the file."""
    connection = slow.duckdb_connection()
    connection.execute("set threads = 2; set preserve_insertion_order = false")
    outlines = slow.outlines_of(places)
    slow.duckdb_outlines(connection, outlines)
    connection.execute(
        "update outlines set from_tick = from_tick // 1000000, until_tick = until_tick // 1000000"
    )
    connection.execute(
        'create view pings as select device, "at" as tick, longitude_e7 as x, latitude_e7 as y '
        f"from '{file}' where longitude_e7 > -2147483648"
    )
    found: list[tuple] = slow.duckdb_visits(connection, longest_gap_us=GAP_S)
    return found


def main(rows: int = ROWS) -> int:
    """Make the positions, ask both, compare, keep."""
    generator = module(ROOT / "benchmarks" / "positions_generator.py", "positions_generator")
    slow = module(ROOT / "tests" / "patrols" / "slow.py", "slow")
    places = generator.hotspots(40, seed=SEED)
    pieces = list(generator.positions(rows, places, devices=400, seed=SEED))
    columns = [
        np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ("device", "at", "longitude_e7", "latitude_e7")
    ]
    index = OutlineIndex.of(places)
    total = len(columns[0])
    whole = gathered(index, columns, np.append(np.arange(0, total, BATCH), total))
    rng = np.random.default_rng(SEED)
    again = np.concatenate([rng.permutation(total), rng.integers(0, total, total // 50)])
    cuts = np.sort(rng.integers(0, len(again), 30))
    shuffled = gathered(index, [column[again] for column in columns], np.r_[0, cuts, len(again)])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "positions.parquet"
        generator.write_packed(iter(pieces), file, by_device=False)
        start = time.perf_counter()
        expected = by_sql(slow, places, file)
        sql_s = time.perf_counter() - start
    names = [index.hotspot_ids[place] for place in whole.hotspot]
    found = sorted(
        zip(whole.device.tolist(), names, whole.first.tolist(), whole.last.tolist(), strict=True)
    )
    differing = len(set(found) ^ set(expected))
    result = {
        "positions": total,
        "seed": SEED,
        "visits": len(found),
        "visits_by_sql": len(expected),
        "minutes": round(sum(last - first for *_, first, last in found) / 60, 1),
        "differing_visits": differing,
        "shuffled_repeated_and_split_is_the_same": same(whole, shuffled),
    }
    print(json.dumps(result | {"sql_s": round(sql_s, 1)}, indent=1))
    if rows == ROWS:
        keep(result)
    return int(differing > 0 or not same(whole, shuffled) or not found)


def keep(result: dict[str, Any]) -> None:
    """Write the result as JSON and as a page."""
    (HERE / "agreement.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (HERE / "agreement.md").write_text(
        "# Agreement of the kernel with DuckDB-spatial\n\n"
        f"{result['positions']:,} invented dirty positions (seed {result['seed']}), 40 hot spots: "
        f"the kernel finds {result['visits']:,} visits of {result['minutes']:,} minutes between "
        f"first and last ping, a DuckDB-spatial query of the same rules {result['visits_by_sql']:,}"
        f"; {result['differing_visits']} visits differ. The same rows shuffled, with one in fifty "
        "repeated, and split at thirty random places give "
        + ("the same" if result["shuffled_repeated_and_split_is_the_same"] else "OTHER")
        + " intervals and the same cadence sketch.\n\n"
        "Made by `python proofs/patrols/agreement.py`.\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
