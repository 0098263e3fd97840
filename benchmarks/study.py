"""Time and peak memory of the whole Leicestershire study on public data, from zip to report.

`python benchmarks/study.py` prints both and keeps them in `benchmarks/study.json`; it ends with 1
above 90 s or 3 GB. Beside it stands a bare polars scan and count of the same files in the same run.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import polars as pl

LONGEST_S = 90.0
LARGEST_GB = 3.0
ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "leicestershire"
FILES = ("leicestershire_pfa20.geojson", "leics_force_lsoa11.geojson")
KEPT = Path(__file__).with_suffix(".json")
RUN = "import sys; sys.argv = ['placeproof', 'run', {!r}]; from placeproof.cli import main; main()"


def main() -> int:
    """Copy the example study and its data, run it, measure it."""
    archives = sorted(DATA.glob("police-uk-*.zip"))
    if not archives:
        print("skipped: needs the real data folder ../shared/data, which is not here")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study"
        shutil.copytree(ROOT / "examples" / "leicestershire-public", study)
        (study / "data").mkdir()
        for path in (*archives, *(DATA / name for name in FILES)):
            shutil.copy(path, study / "data" / path.name)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", RUN.format(str(study))], check=True)
        whole_s = time.perf_counter() - start
        peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        with zipfile.ZipFile(archives[0]) as archive:
            archive.extractall(Path(folder) / "bare")
        start = time.perf_counter()
        pl.scan_csv(f"{folder}/bare/*/*.csv").group_by("Month", "Crime type").len().collect()
        bare_s = time.perf_counter() - start
    result = {
        "whole_study_s": round(whole_s, 1),
        "peak_gb": round(peak_gb, 2),
        "bare_scan_s": round(bare_s, 3),
        "ratio_to_bare_scan": round(whole_s / bare_s),
    }
    print(json.dumps(result, indent=1))
    KEPT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return int(whole_s > LONGEST_S or peak_gb > LARGEST_GB)


if __name__ == "__main__":
    sys.exit(main())
