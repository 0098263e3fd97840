"""How long `placeproof --help` takes beside a bare interpreter, and how large an install is.

`python benchmarks/startup.py` prints both and keeps them in `benchmarks/startup.json`. The help is
to answer in under half a second; the script ends with 1 if its median does not.
"""

import json
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

REPETITIONS = 15
LONGEST_S = 0.5
KEPT = Path(__file__).with_suffix(".json")
HELP = "import sys; sys.argv = ['placeproof', '--help']; from placeproof.cli import main; main()"


def seconds(code: str) -> float:
    """Wall time of one fresh interpreter that runs some code."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - start


def size_mb(folder: Path) -> float:
    """Size of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> int:
    """Measure in turns, print, keep."""
    pairs = [(seconds("pass"), seconds(HELP)) for _ in range(REPETITIONS)]
    bare = statistics.median(pair[0] for pair in pairs)
    ours = statistics.median(pair[1] for pair in pairs)
    site = Path(sysconfig.get_path("purelib"))
    largest = sorted(
        ((round(size_mb(path)), path.name) for path in site.iterdir() if path.is_dir()),
        reverse=True,
    )[:8]
    result = {
        "help_s": round(ours, 3),
        "bare_interpreter_s": round(bare, 3),
        "ratio": round(ours / bare, 1),
        "installed_mb": round(size_mb(site)),
        "largest_packages_mb": {name: size for size, name in largest},
        "note": "the test environment: the base and what tests need",
    }
    print(json.dumps(result, indent=1))
    KEPT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return int(ours > LONGEST_S)


if __name__ == "__main__":
    sys.exit(main())
