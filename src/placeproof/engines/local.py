"""Positions to stays on all cores of this machine, in bounded memory; a stopped run goes on."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from placeproof.engines.checkpoint import taken_up
from placeproof.engines.found import Batch, Found, Reader, Source, found_in
from placeproof.engines.pieces import Progress, collected, pieces_of
from placeproof.patrols.outline_index import OutlineIndex

_LOOK_S = 0.2
_PIECES_MORE = 4
"""A piece for a thread costs next to nothing, so there are more of them than on a cluster."""


def run_local(
    sources: Sequence[Source],
    read: Reader,
    index: OutlineIndex,
    *,
    longest_gap_s: float,
    threads: int,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Found:
    """
    Find all stays in some files of positions, several files at a time.

    Parameters
    ----------
    sources : sequence of Source
        Files, in any order.
    read : callable
        From a source to its batches; called from several threads.
    index : OutlineIndex
        Hot spots.
    longest_gap_s : float
        Seconds of silence that end a stay.
    threads : int
        Files that are read at once; does not change the result.
    checkpoint : Path, optional
        Folder in which finished pieces are kept; a run that was stopped goes on from it.
    progress : callable, optional
        Called with positions done and positions in all, now and then and at the end.

    Returns
    -------
    Found
        Stays and their devices: the same for any threads, order of files and interruption.

    Raises
    ------
    InputError
        If a file is damaged.
    OutputError
        If the checkpoint cannot be written.
    """
    kept, parts, left = taken_up(checkpoint, sources, read, index, longest_gap_s=longest_gap_s)
    total = sum(source.rows for source in sources)
    count = _Count(total - sum(source.rows for source in left))
    pieces = pieces_of(left, cores=_PIECES_MORE * threads)
    # The largest first, so that no thread is left alone with one at the end.
    pieces.sort(key=lambda piece: -sum(source.bytes for source in piece))
    ready = _results(pieces, read, index, longest_gap_s, threads, count, progress, total)
    result = collected(
        ((pieces[number], found) for number, found in ready),
        parts,
        kept,
        longest_gap_s=longest_gap_s,
    )
    if progress is not None:
        progress(total, total)
    return result


class _Count:
    """Positions that have been read, and whether to stop."""

    def __init__(self, done: int) -> None:
        self.done = done
        self.stop = False
        self._lock = threading.Lock()

    def watched(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            if self.stop:
                return
            yield batch
            with self._lock:
                self.done += len(batch.device)


def _results(
    pieces: Sequence[Sequence[Source]],
    read: Reader,
    index: OutlineIndex,
    longest_gap_s: float,
    threads: int,
    count: _Count,
    progress: Progress | None,
    total: int,
) -> Iterator[tuple[int, Found]]:
    """Pieces as they are finished, with their number; the first failure ends all."""
    if not pieces:
        return
    from placeproof.patrols import stays_kernel  # noqa: F401 -- compiled once, before threads are

    def work(piece: Sequence[Source]) -> Found:
        batches = (batch for source in piece for batch in read(source))
        return found_in(count.watched(batches), index, longest_gap_s=longest_gap_s)

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        waiting: dict[Future[Found], int] = {}
        following = iter(enumerate(pieces))
        try:
            while True:
                while len(waiting) < threads + 1:
                    number, piece = next(following, (-1, ()))
                    if number < 0:
                        break
                    waiting[pool.submit(work, piece)] = number
                if not waiting:
                    return
                finished, _ = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                if progress is not None:
                    progress(min(count.done, total), total)
                for future in finished:
                    yield waiting.pop(future), future.result()
        finally:
            count.stop = True
            for future in waiting:
                future.cancel()
