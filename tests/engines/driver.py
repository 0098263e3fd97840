"""A run as a process of its own, for tests that kill it: MASTER POSITIONS CHECKPOINT CORES."""

import sys
from pathlib import Path

from placeproof.engines import spark
from tests.engines import invented


def main(master: str, positions: str, checkpoint: str, cores: str) -> None:
    """Run slowly, and say each time how many positions are done."""
    spark.SMALLEST_PIECE_BYTES = 1
    spark.run_spark(
        invented.sources_in(Path(positions)),
        invented.read_slowly,
        invented.index(),
        longest_gap_s=invented.GAP_S,
        master=master,
        checkpoint=Path(checkpoint),
        settings={"spark.cores.max": cores},
        progress=lambda done, total: print(done, total, flush=True),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
