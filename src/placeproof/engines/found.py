"""What was found in some sources: stays with the names of their devices, in any grouping.

Both engines hand sources to workers, unite what comes back, and keep finished pieces in a
checkpoint. How sources are grouped into pieces, and in which order pieces come back, changes
nothing in the end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from placeproof.patrols.open_stays import OpenStays
from placeproof.patrols.outline_index import OutlineIndex
from placeproof.patrols.stays import Gathering, Stays


class Source(Protocol):
    """A file of positions, as `files` describes it."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def rows(self) -> int:
        """Positions in it."""

    @property
    def bytes(self) -> int:
        """Its size."""


class Batch(Protocol):
    """Some positions of a source, in any order."""

    @property
    def device(self) -> NDArray[np.int32]:
        """Places in `device_ids`."""

    @property
    def at(self) -> NDArray[np.int64]:
        """Ticks since 1970 (UTC)."""

    @property
    def longitude_e7(self) -> NDArray[np.int32]:
        """Degrees × 1e7."""

    @property
    def latitude_e7(self) -> NDArray[np.int32]:
        """Degrees × 1e7."""

    @property
    def ticks_per_second(self) -> int:
        """Unit of `at`."""

    @property
    def device_ids(self) -> Sequence[str]:
        """Names of devices."""

    @property
    def rows_in(self) -> int:
        """Rows of an export that were read for these positions; 0: packed."""

    @property
    def rows_left_out(self) -> int:
        """Those of them that are no position."""


Reader = Callable[[Source], Iterator[Batch]]
_STAY = ("device", "hotspot", "first", "last")
_SAMPLE = ("sample_device", "sample_key", "sample_seconds")


@dataclass(frozen=True)
class Found:
    """
    Stays and the names of their devices.

    Attributes
    ----------
    stays : Stays
        Merged; `device` is a place in `device_ids`.
    device_ids : tuple of str
        Sorted; only devices that have stays.
    rows_in, rows_left_out : int
        Rows of exports that were read, and those of them that are no position.
    """

    stays: Stays
    device_ids: tuple[str, ...]
    rows_in: int = 0
    rows_left_out: int = 0


def found_in(batches: Iterable[Batch], index: OutlineIndex, *, longest_gap_s: float) -> Found:
    """
    Find the stays in some positions.

    Parameters
    ----------
    batches : iterable of Batch
        Of any sources; they may number their devices differently.
    index : OutlineIndex
        Hot spots.
    longest_gap_s : float
        Seconds of silence that end a stay.

    Returns
    -------
    Found
    """
    gatherings: dict[tuple[int, int], tuple[Sequence[str], Gathering, OpenStays]] = {}
    rows_in = rows_left_out = 0
    for batch in batches:
        rows_in += batch.rows_in
        rows_left_out += batch.rows_left_out
        names, ticks = batch.device_ids, batch.ticks_per_second
        if (id(names), ticks) not in gatherings:
            gatherings[id(names), ticks] = (
                names,
                Gathering(longest_gap_s, ticks),
                OpenStays(index, ticks_per_second=ticks, longest_gap_s=longest_gap_s),
            )
        _, gathering, taking = gatherings[id(names), ticks]
        taking.take(
            device=batch.device,
            at=batch.at,
            longitude_e7=batch.longitude_e7,
            latitude_e7=batch.latitude_e7,
        )
        if taking.full:
            gathering.add(taking.taken())
    for _, gathering, taking in gatherings.values():
        gathering.add(taking.taken())
    parts = [_named(gathering.stays(), names) for names, gathering, _ in gatherings.values()]
    found = united(parts, longest_gap_s=longest_gap_s)
    return replace(found, rows_in=rows_in, rows_left_out=rows_left_out)


def united(parts: Sequence[Found], *, longest_gap_s: float) -> Found:
    """
    Unite what was found in several pieces; the order does not matter.

    Parameters
    ----------
    parts : sequence of Found
        None at all is nothing found.
    longest_gap_s : float
        As for `found_in`, which made them.

    Returns
    -------
    Found
        In the finest of their ticks.
    """
    ticks = max((part.stays.ticks_per_second for part in parts), default=1)
    names = tuple(sorted({name for part in parts for name in part.device_ids}))
    place = {name: code for code, name in enumerate(names)}
    stays = [Stays.none(ticks_per_second=ticks)]
    for part in parts:
        code = np.array([place[name] for name in part.device_ids], np.int32)
        stays.append(_rescaled(_renumbered(part.stays, code), ticks))
    apart = len(names) == sum(len(part.device_ids) for part in parts)
    return Found(
        _side_by_side(stays) if apart else Stays.merge(stays, longest_gap_s=longest_gap_s),
        names,
        sum(part.rows_in for part in parts),
        sum(part.rows_left_out for part in parts),
    )


def _side_by_side(parts: Sequence[Stays]) -> Stays:
    """What merging gives where no two parts share a device, and each is merged in itself.

    A device's rows stand together, so they are taken over as they are: nothing is sorted, and
    nothing is held but the parts and the result.
    """
    columns = {}
    for whose in ("device", "sample_device"):
        runs = sorted(run for part in range(len(parts)) for run in _runs(parts, part, whose))
        names = _SAMPLE if whose in _SAMPLE else _STAY
        for name in names:
            columns[name] = np.concatenate(
                [getattr(parts[0], name)[:0]]
                + [getattr(parts[part], name)[begin:end] for _, part, begin, end in runs]
            )
    return Stays(ticks_per_second=parts[0].ticks_per_second, **columns)


def _runs(parts: Sequence[Stays], part: int, whose: str) -> list[tuple[int, int, int, int]]:
    """Each device of a part, with the part and the rows that it has there."""
    codes = getattr(parts[part], whose)
    if not len(codes):
        return []
    begins = np.concatenate([[0], np.flatnonzero(codes[1:] != codes[:-1]) + 1])
    ends = [*begins[1:].tolist(), len(codes)]
    return [
        (code, part, begin, end)
        for code, begin, end in zip(codes[begins].tolist(), begins.tolist(), ends, strict=True)
    ]


def _named(stays: Stays, device_ids: Sequence[str]) -> Found:
    """Only the devices that have stays, sorted by name; one that is named twice becomes one."""
    used = np.unique(stays.device)
    names = [device_ids[code] for code in used]
    sorted_names = tuple(sorted(set(names)))
    place = {name: code for code, name in enumerate(sorted_names)}
    code = np.full(int(used[-1]) + 1 if len(used) else 0, -1, np.int32)
    code[used] = [place[name] for name in names]
    return Found(_renumbered(stays, code), sorted_names)


def _renumbered(stays: Stays, code: NDArray[np.int32]) -> Stays:
    return replace(stays, device=code[stays.device], sample_device=code[stays.sample_device])


def _rescaled(stays: Stays, ticks_per_second: int) -> Stays:
    times, rest = divmod(ticks_per_second, stays.ticks_per_second)
    if rest:
        raise ValueError(f"{stays.ticks_per_second} and {ticks_per_second} ticks do not fit")
    if times == 1:
        return stays
    return replace(
        stays,
        first=stays.first * times,
        last=stays.last * times,
        ticks_per_second=ticks_per_second,
    )
