"""A run as a process of its own, for tests that kill it: MASTER POSITIONS CHECKPOINT CORES."""

import sys
import time
from pathlib import Path

from placeproof.engines import pieces, spark
from tests.engines import invented


def hold(done: int, total: int) -> None:
    """Say that a piece is done, and wait to be killed."""
    print(done, total, flush=True)
    time.sleep(600)


def main(master: str, positions: str, checkpoint: str, cores: str) -> None:
    """Run until the first piece is done."""
    pieces.SMALLEST_PIECE_BYTES = 1
    spark.run_spark(
        invented.sources_in(Path(positions)),
        invented.read_at_length,
        invented.index(),
        longest_gap_s=invented.GAP_S,
        master=master,
        checkpoint=Path(checkpoint),
        settings={"spark.cores.max": cores},
        progress=hold,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
