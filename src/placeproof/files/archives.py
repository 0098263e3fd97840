"""Files in folders and zips, found without unpacking anything to disk."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from placeproof.errors import InputError
from placeproof.files import decoding

_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Member:
    """
    One file in a folder or zip.

    Parameters
    ----------
    name : str
        Its name without folders.
    shown : str
        Its name for receipts: a zip's files as archive.zip/2020-01/file.csv.
    content : callable
        Reads its bytes.
    archive_sha256 : str or None
        Hash of the zip that it lies in.
    archive : str
        Name of the file or zip that was given, without folders.
    path : Path or None
        Where it lies on disk by itself; None: in a zip.
    empty : bool
        Whether it has no byte at all.
    """

    name: str
    shown: str
    content: Callable[[], bytes]
    archive_sha256: str | None
    archive: str
    path: Path | None = None
    empty: bool = False


def members(path: Path, *, shown: str) -> tuple[list[Member], list[str]]:
    """
    List the files that a path stands for: itself, those of a folder tree, or those of a zip.

    Parameters
    ----------
    path : Path
        A file, a folder or a zip.
    shown : str
        Its name for messages.

    Returns
    -------
    members : list of Member
        Sorted by name.
    unsafe : list of str
        Names in a zip that lead out of it, or lie in a zip in the zip: not read.

    Raises
    ------
    InputError
        If it does not exist, or the zip is damaged, encrypted or grows like a zip bomb.
    """
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.is_file() and not _litter(file.name)
        )
        return [
            _from_disk(file, f"{shown}/{file.relative_to(path).as_posix()}") for file in files
        ], []
    if path.suffix.lower() != ".zip":
        return [_from_disk(path, shown)], []
    raw = decoding.file_bytes(path, shown=shown)
    return _of_zip(path, raw, shown)


def _from_disk(path: Path, shown: str) -> Member:
    return Member(
        name=path.name,
        shown=shown,
        content=lambda: decoding.file_bytes(path, shown=shown),
        archive_sha256=None,
        archive=path.name,
        path=path,
        empty=path.is_file() and path.stat().st_size == 0,
    )


def _of_zip(path: Path, raw: bytes, shown: str) -> tuple[list[Member], list[str]]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(
            f"{shown} is no zip that can be read: {error}.", mend="Download or copy it again."
        ) from None
    inside = [
        info for info in archive.infolist() if not info.is_dir() and not _litter(info.filename)
    ]
    _refuse_bombs(inside, len(raw), shown)
    hashed = decoding.sha256(raw)
    unsafe = sorted(info.filename for info in inside if _unsafe(info.filename))
    safe = sorted(
        (info for info in inside if not _unsafe(info.filename)), key=lambda info: info.filename
    )
    names = [info.filename for info in safe]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{shown} holds {twice[0]} twice.", mend="Make the zip again.")
    return [
        Member(
            name=PurePosixPath(info.filename).name,
            shown=f"{shown}/{info.filename}",
            content=_reader(archive, info, f"{shown}/{info.filename}"),
            archive_sha256=hashed,
            archive=path.name,
            empty=info.file_size == 0,
        )
        for info in safe
    ], unsafe


def _reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str) -> Callable[[], bytes]:
    def content() -> bytes:
        try:
            return archive.read(info)
        except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError) as error:
            raise InputError(
                f"{shown} is damaged: {error}.", mend="Download or copy the zip again."
            ) from None
        except RuntimeError:
            raise InputError(
                f"{shown} is encrypted.", mend="Unpack the zip with its password into a folder."
            ) from None

    return content


def refuse_bombs(raw: bytes, *, shown: str) -> None:
    """
    Refuse the bytes of a zip (or workbook) that would unpack beyond all bounds.

    Parameters
    ----------
    raw : bytes
        The zip.
    shown : str
        Its name for messages.

    Raises
    ------
    InputError
        If it would grow beyond `decoding.HIGHEST_RATIO` or `decoding.LARGEST_BYTES`, or is damaged.
    """
    try:
        inside = zipfile.ZipFile(io.BytesIO(raw)).infolist()
    except zipfile.BadZipFile as error:
        raise InputError(
            f"{shown} is damaged: {error}.", mend="Download or copy it again."
        ) from None
    _refuse_bombs(inside, len(raw), shown)


def _refuse_bombs(inside: list[zipfile.ZipInfo], size: int, shown: str) -> None:
    total = sum(info.file_size for info in inside)
    bound = min(
        decoding.LARGEST_BYTES,
        max(decoding.SMALLEST_SUSPECT_BYTES, size * decoding.HIGHEST_RATIO),
    )
    if total > bound:
        raise InputError(
            f"{shown} would unpack to {total:,} bytes, more than {decoding.HIGHEST_RATIO} times "
            f"its size or {decoding.LARGEST_BYTES // 1024**3} GiB, as a zip bomb does.",
            mend="Unpack it yourself, look at it, and name the folder.",
        )


def _unsafe(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/"))
    return parts.is_absolute() or ".." in parts.parts or ":" in name or parts.suffix == ".zip"


def _litter(name: str) -> bool:
    return any(part in name for part in _LITTER) or PurePosixPath(name).name.startswith("._")
