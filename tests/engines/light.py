"""What a Python process has loaded and compiled once it has done an executor's work.

Imports nothing heavy itself. As a program it reads the question, pickled, from its input, and the
paths of packed files from its arguments, as an executor is sent them.
"""

import json
import pickle
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

HEAVY = ("shapely", "pyproj", "pandas", "geopandas", "dataframely", "scipy.stats", "duckdb")


@dataclass(frozen=True)
class Seen:
    """Stays that were found, heavy packages that were loaded, functions that were compiled."""

    stays: int
    heavy: list[str]
    compiled_anew: int

    @classmethod
    def from_text(cls, text: str) -> "Seen":
        """As the program prints it."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Seeing:
    """Work on an executor, of which it is told what it took."""

    work: Any

    def __call__(self, piece: Sequence[Any]) -> Seen:
        """Work on one piece."""
        return seen(len(self.work(piece).stays))


def seen(stays: int) -> Seen:
    """Look at this process; where machine code cannot be kept, nothing is compiled *anew*."""
    from numba.core.dispatcher import Dispatcher

    from placeproof.patrols import outline_raster, stays_kernel

    kernel = [*vars(stays_kernel).values(), *vars(outline_raster).values()]
    stats = [one.stats for one in kernel if isinstance(one, Dispatcher) and one.signatures]
    assert stats
    misses = sum(sum(one.cache_misses.values()) for one in stats if one.cache_path)
    return Seen(stays, [name for name in HEAVY if name in sys.modules], misses)


def main(paths: Sequence[str]) -> None:
    """Do as an executor does, and print what was seen."""
    import pyarrow.parquet as pq

    from placeproof.engines.spark import FindStays
    from placeproof.files.packed import DEVICES, Source

    question = SimpleNamespace(value=pickle.loads(sys.stdin.buffer.read()))
    piece = [
        Source(
            path, pq.read_metadata(path).num_rows, 0, 1, -1, f"{path.rpartition('/')[0]}/{DEVICES}"
        )
        for path in paths
    ]
    print(json.dumps(asdict(Seeing(FindStays(question))(piece))))


if __name__ == "__main__":
    main(sys.argv[1:])
