"""Files in pieces for workers, and what was found in the pieces united as it comes.

Of both engines: neither how files are grouped nor which piece is ready first changes the result.
"""

from collections.abc import Callable, Iterable, Sequence

from placeproof.engines.checkpoint import Checkpoint
from placeproof.engines.found import Found, Source, united

LARGEST_PIECE_BYTES = 256 * 2**20
SMALLEST_PIECE_BYTES = 16 * 2**20
"""Below this a task costs more than its work, so there are fewer pieces, down to one a core."""
PIECES_PER_CORE = 4
_UNITE_AT = 4_000_000

Piece = tuple[Source, ...]
Progress = Callable[[int, int], None]


def pieces_of(sources: Sequence[Source], *, cores: int) -> list[Piece]:
    """
    Group files into pieces: small enough to keep all cores busy, large enough to be worth a task.

    Parameters
    ----------
    sources : sequence of Source
        Any order.
    cores : int
        Of the cluster.

    Returns
    -------
    list of tuple of Source
        Neighbours by path stand together, as they are likely to share devices. A file is never
        divided.
    """
    ordered = sorted(sources, key=lambda source: source.path)
    total = sum(source.bytes for source in ordered)
    for_a_core = total / max(1, cores)
    rounds = min(PIECES_PER_CORE, max(1, int(for_a_core / SMALLEST_PIECE_BYTES)))
    aim = min(LARGEST_PIECE_BYTES, for_a_core / rounds)
    pieces: list[list[Source]] = []
    size = 0.0
    for source in ordered:
        if not pieces or size + source.bytes / 2 > aim:
            pieces.append([])
            size = 0.0
        pieces[-1].append(source)
        size += source.bytes
    return [tuple(piece) for piece in pieces]


def collected(
    ready: Iterable[tuple[Piece, Found]],
    before: Sequence[Found],
    kept: Checkpoint | None,
    *,
    longest_gap_s: float,
    finished: Callable[[Piece], None] | None = None,
) -> Found:
    """
    Keep and unite what was found in pieces, so that memory holds little more than the result.

    Parameters
    ----------
    ready : iterable of (Piece, Found)
        Pieces as they are finished, in any order.
    before : sequence of Found
        What an earlier run found.
    kept : Checkpoint or None
        Where each piece is kept the moment it is there.
    longest_gap_s : float
        As for `found_in`.
    finished : callable, optional
        Told of each piece once it is kept.

    Returns
    -------
    Found

    Raises
    ------
    OutputError
        If a piece cannot be kept.
    """
    parts = list(before)
    for piece, found in ready:
        if kept is not None:
            kept.keep(piece, found)
        parts.append(found)
        if sum(len(part.stays) for part in parts[1:]) > _UNITE_AT:
            parts = [united(parts, longest_gap_s=longest_gap_s)]
        if finished is not None:
            finished(piece)
    return united(parts, longest_gap_s=longest_gap_s)
