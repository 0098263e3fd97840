"""Finished pieces of a run, kept so that a run that was stopped goes on where it was.

A piece is taken for done only if it was written whole, for the same hot spots and rule, and if
each of its files still is what it was.
"""

import contextlib
import hashlib
import json
import os
import pickle
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from placeproof.engines.found import Found, Reader, Source
from placeproof.errors import OutputError
from placeproof.patrols.outline_index import OutlineIndex
from placeproof.patrols.stays import Stays

EDITION = 2
"""Of the pieces' form and of the kernel's rules: pieces of another edition are not taken."""

_COUNTS = ("rows_in", "rows_left_out")


@dataclass(frozen=True)
class Checkpoint:
    """
    A folder of finished pieces of one question.

    Attributes
    ----------
    folder : Path
        Named by the question, so that another question never meets these pieces.
    """

    folder: Path

    @classmethod
    def of(
        cls, folder: Path, read: Reader, index: OutlineIndex, *, longest_gap_s: float
    ) -> "Checkpoint":
        """
        The pieces that answer this question.

        Parameters
        ----------
        folder : Path
            Made if it is not there; may hold pieces of other questions.
        read : callable
            With what it knows of the files: how columns map, and the cut-off.
        index : OutlineIndex
        longest_gap_s : float
        """
        digest = hashlib.sha256(f"{EDITION} {longest_gap_s!r}".encode())
        digest.update(_known_to(read))
        for part in fields(index):
            value = getattr(index, part.name)
            digest.update(part.name.encode())
            digest.update(
                value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            )
        own = folder / digest.hexdigest()[:16]
        try:
            own.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(own, error) from error
        return cls(own)

    def done(self, sources: Sequence[Source]) -> tuple[list[Found], list[Source]]:
        """
        What earlier runs found, and the sources that are left.

        Parameters
        ----------
        sources : sequence of Source
            All of this run.

        Returns
        -------
        tuple of list of Found and list of Source
        """
        wanted = {fingerprint(source): source for source in sources}
        found = []
        for path in sorted(self.folder.glob("piece-*.npz")):
            piece = _read(path)
            if piece is not None and set(piece[0]) <= wanted.keys():
                found.append(piece[1])
                for key in piece[0]:
                    del wanted[key]
        left = set(wanted)
        return found, [source for source in sources if fingerprint(source) in left]

    def keep(self, sources: Sequence[Source], found: Found) -> None:
        """
        Keep a finished piece; it appears whole or not at all.

        Parameters
        ----------
        sources : sequence of Source
            Of the piece.
        found : Found
            What was found in them.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        keys = sorted(fingerprint(source) for source in sources)
        name = hashlib.sha256(" ".join(keys).encode()).hexdigest()[:16]
        counts = {name: getattr(found, name) for name in _COUNTS}
        text = json.dumps({"sources": keys, "device_ids": found.device_ids, **counts})
        arrays = {part.name: getattr(found.stays, part.name) for part in fields(Stays)}
        whole, half = self.folder / f"piece-{name}.npz", self.folder / f".{uuid.uuid4().hex}.half"
        try:
            with half.open("wb") as file:
                np.savez(
                    file,
                    said=np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8),
                    **arrays,
                )
                file.flush()
                os.fsync(file.fileno())
            half.replace(whole)
        except OSError as error:
            with contextlib.suppress(OSError):
                half.unlink()
            raise _refused(whole, error) from error


def taken_up(
    folder: Path | None,
    sources: Sequence[Source],
    read: Reader,
    index: OutlineIndex,
    *,
    longest_gap_s: float,
) -> tuple[Checkpoint | None, list[Found], list[Source]]:
    """
    Begin a run, or go on with one that was stopped.

    Parameters
    ----------
    folder : Path or None
        Where finished pieces are kept; None: they are not.
    sources : sequence of Source
        All files of the run.
    read : callable
    index : OutlineIndex
    longest_gap_s : float

    Returns
    -------
    Checkpoint or None, list of Found, list of Source
        Where to keep pieces, what was found already, and the files that are left.

    Raises
    ------
    OutputError
        If the folder cannot be used.
    """
    if folder is None:
        return None, [], list(sources)
    kept = Checkpoint.of(folder, read, index, longest_gap_s=longest_gap_s)
    return kept, *kept.done(sources)


def fingerprint(source: Source) -> str:
    """
    What a source is, as far as can be seen without reading it: changes when the file does.

    Parameters
    ----------
    source : Source
        Its file may be out of this computer's sight; then its description has to do.
    """
    try:
        seen = Path(source.path).stat()
        state = f"{seen.st_size} {seen.st_mtime_ns}"
    except OSError:
        state = "out of sight"
    part = getattr(source, "groups", None)
    said = f"{Path(source.path).resolve()} {part} {source.rows} {source.bytes} {state}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _known_to(read: Reader) -> bytes:
    try:
        return pickle.dumps(read, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        name = f"{read.__module__}.{getattr(read, '__qualname__', type(read).__qualname__)}"
        return name.encode()


def _read(path: Path) -> tuple[list[str], Found] | None:
    """None where it is not whole: then its sources are read again."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as piece:
            said = json.loads(piece["said"].tobytes().decode("utf-8", "surrogatepass"))
            arrays = {part.name: piece[part.name] for part in fields(Stays)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError):
        return None
    arrays["ticks_per_second"] = int(arrays["ticks_per_second"])
    counts = {name: int(said[name]) for name in _COUNTS}
    return said["sources"], Found(Stays(**arrays), tuple(said["device_ids"]), **counts)


def _refused(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}.",
        mend="free the disk or choose another folder for the checkpoint, then run again",
    )
