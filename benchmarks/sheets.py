"""How long the sergeant's sheets of 24 hot spots over three years take: 3,744 pages, two formats.

`python benchmarks/sheets.py` invents the tables of a run, writes the sheets on this machine's
cores and keeps wall and processor time in `benchmarks/sheets.json`. It ends with 1 if the wall time
is 60 s or more. Inventing the tables is not counted; turning them into pages is.
"""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PLACES, WEEKS = 24, 156
LONGEST_S = 60.0
KEPT = Path(__file__).with_suffix(".json")


def processor_s() -> float:
    """Processor time of this process and of those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> int:
    """Invent, write, measure, keep."""
    from tests.study.invented_patrols import MANIFEST, run_tables

    from placeproof.report import sheets
    from placeproof.study.sheets import assembled

    tables = run_tables(places=PLACES, weeks=WEEKS + 8)
    folder = Path(tempfile.mkdtemp(prefix="sheets-"))
    try:
        wall, used = time.perf_counter(), processor_s()
        contents = assembled(
            tables,
            manifest=MANIFEST,
            week=None,
            weeks=WEEKS,
            hotspot=None,
            cell_m=5.0,
            reach_m=15.0,
            target_minutes=15.0,
        )
        turned = time.perf_counter()
        written = sheets.write(contents, folder, progress=lambda _doing, _done, _of: None)
        done = time.perf_counter()
        size = sum(path.stat().st_size for path in written)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    result = {
        "pages": PLACES * WEEKS,
        "wall_s": round(done - wall, 1),
        "of_which_tables_to_contents_s": round(turned - wall, 1),
        "processor_s": round(processor_s() - used, 1),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "largest_process_mb": round(peak / 1024),
        "written_mb": round(size / 1e6),
    }
    print(json.dumps(result, indent=1))
    KEPT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return int(float(str(result["wall_s"])) >= LONGEST_S)


if __name__ == "__main__":
    sys.exit(main())
