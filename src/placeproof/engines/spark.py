"""Positions to stays on a Spark cluster: lists of files go out, intervals come back.

Positions never pass through Spark. Each executor is sent a list of files, reads them itself and
runs the kernel; what it sends back is smaller by orders of magnitude, and unites in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placeproof.engines.checkpoint import taken_up
from placeproof.engines.found import Found, Reader, Source, found_in, united
from placeproof.engines.pieces import Piece, Progress, collected, pieces_of
from placeproof.engines.spark_cluster import joined
from placeproof.engines.spark_jobs import results
from placeproof.errors import InputError
from placeproof.patrols.outline_index import OutlineIndex

EXECUTOR_MEMORY_MB = 512
"""Of Java alone, which only carries intervals; Python's memory is beside it."""


def run_spark(
    sources: Sequence[Source],
    read: Reader,
    index: OutlineIndex,
    *,
    longest_gap_s: float,
    master: str,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    executor_memory_mb: int = EXECUTOR_MEMORY_MB,
    settings: dict[str, str] | None = None,
) -> Found:
    """
    Find all stays on a standalone Spark cluster; the result is that of one machine, to the byte.

    Parameters
    ----------
    sources : sequence of Source
        Files that each worker finds under the same path.
    read : callable
        From a source to its batches; a function of an installed module, which workers import.
    index : OutlineIndex
        Hot spots; sent to each worker once.
    longest_gap_s : float
        Seconds of silence that end a stay.
    master : str
        `spark://host:port`.
    checkpoint : Path, optional
        Folder in which finished pieces are kept; a run that was stopped goes on from it.
    progress : callable, optional
        Called with positions done and positions in all, as pieces are finished.
    executor_memory_mb : int
        Java memory of an executor; does not change the result.
    settings : dict of str to str, optional
        Spark's own settings, such as `spark.cores.max`; they do not change the result.

    Returns
    -------
    Found
        Stays and their devices.

    Raises
    ------
    SettingsError
        If `master` is not an address, or a worker lacks Placeproof, PySpark or its Python.
    StudyError
        If Java is missing, the cluster does not answer, or goes away.
    InputError
        If a file is damaged, or a worker does not find it.
    OutputError
        If the checkpoint cannot be written.
    """
    kept, parts, left = taken_up(checkpoint, sources, read, index, longest_gap_s=longest_gap_s)
    total = sum(source.rows for source in sources)
    done = total - sum(source.rows for source in left)

    def finished(piece: Piece) -> None:
        nonlocal done
        done += sum(source.rows for source in piece)
        if progress is not None:
            progress(done, total)

    if not left:
        return united(parts, longest_gap_s=longest_gap_s)
    with joined(master, executor_memory_mb=executor_memory_mb, settings=settings) as cluster:
        pieces = pieces_of(left, cores=cluster.cores())
        work = FindStays(cluster.context.broadcast((read, index, longest_gap_s)))
        ready = ((pieces[number], found) for number, found in results(cluster, work, pieces))
        return collected(ready, parts, kept, longest_gap_s=longest_gap_s, finished=finished)


@dataclass(frozen=True)
class FindStays:
    """The work of an executor on one piece; carries the reader and the hot spots by broadcast."""

    question: Any

    def __call__(self, piece: Piece) -> Found:
        """Read each file and find the stays in it."""
        read, index, longest_gap_s = self.question.value
        batches = (batch for source in piece for batch in _batches(read, source))
        return found_in(batches, index, longest_gap_s=longest_gap_s)


def _batches(read: Reader, source: Source) -> Any:
    import socket

    if not Path(source.path).is_file():
        raise InputError(
            f"{source.path} is not there on the worker {socket.gethostname()}.",
            mend="put the positions where every worker finds them under the same path, such as a"
            " shared folder",
        )
    return read(source)
