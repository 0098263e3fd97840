"""From the bytes of a file to UTF-8 text: hashes, compression, encodings, separators."""

import gzip
import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from placeproof.errors import InputError

LARGEST_BYTES = 8 * 1024**3
"""No file is read, or unpacked, beyond this."""

HIGHEST_RATIO = 200
"""A compressed file that grows more than this many times is refused (text grows 3 to 30 times)."""

SEPARATORS = (",", ";", "\t", "|")

SMALLEST_SUSPECT_BYTES = 10 * 1024**2
"""Below this, a high ratio is harmless: a short file of blanks."""

_NOT_ASCII_LINE = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")


def file_bytes(path: Path, *, shown: str) -> bytes:
    """
    The bytes of a file as they lie on disk.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        Its name for messages.

    Raises
    ------
    InputError
        If it is missing, a folder, unreadable, empty or larger than `LARGEST_BYTES`.
    """
    with refusals_explained(shown, missing="Check files in study.toml."):
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(
                f"{shown} has more than {LARGEST_BYTES // 1024**3} GiB.",
                mend="Split it by month, and name the parts with a * in files.",
            )
        raw = path.read_bytes()
    refuse_empty(len(raw), shown)
    return raw


@contextmanager
def refusals_explained(shown: str, *, missing: str) -> Iterator[None]:
    """
    Say in plain words why the system will not have a file read.

    Parameters
    ----------
    shown : str
        Its name for messages.
    missing : str
        What to do if it is not there.

    Raises
    ------
    InputError
        If it is missing, a folder or unreadable.
    """
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{shown} does not exist.", mend=missing) from None
    except IsADirectoryError:
        raise InputError(f"{shown} is a folder.", mend="Name the files in it.") from None
    except OSError as error:
        raise InputError(
            f"{shown} cannot be read: {error.strerror or error}.",
            mend="Close it in other programs and check that you may read it.",
        ) from None


def refuse_empty(size: int, shown: str) -> None:
    """
    Refuse a file in which nothing is.

    Parameters
    ----------
    size : int
        Its bytes.
    shown : str
        Its name for messages.

    Raises
    ------
    InputError
        If it has none.
    """
    if size == 0:
        raise InputError(f"{shown} is empty: 0 bytes.", mend="Export it again, or leave it out.")


def file_sha256(path: Path, *, shown: str) -> tuple[str, int]:
    """
    SHA-256 and size of a file, without holding it in memory.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        Its name for messages.

    Raises
    ------
    InputError
        As `file_bytes`.
    """
    try:
        with path.open("rb") as file:
            hashed = hashlib.file_digest(file, "sha256").hexdigest()
            if size := file.tell():
                return hashed, size
            raise ValueError(shown)
    except (OSError, ValueError):  # told in words by the plain way of reading
        whole = file_bytes(path, shown=shown)
        return sha256(whole), len(whole)


def sha256(raw: bytes) -> str:
    """
    SHA-256 of bytes, in hexadecimal.

    Parameters
    ----------
    raw : bytes
        As they lie on disk.
    """
    return hashlib.sha256(raw).hexdigest()


def unpacked(raw: bytes, *, shown: str) -> bytes:
    """
    The content of a gz file; other bytes are returned as they are.

    Parameters
    ----------
    raw : bytes
        As they lie on disk.
    shown : str
        Name of the file for messages.

    Raises
    ------
    InputError
        If the file is damaged, or grows beyond `HIGHEST_RATIO` or `LARGEST_BYTES`.
    """
    if raw[:2] != b"\x1f\x8b":
        return raw
    bound = min(LARGEST_BYTES, max(SMALLEST_SUSPECT_BYTES, len(raw) * HIGHEST_RATIO))
    try:
        with gzip.open(io.BytesIO(raw)) as packed:
            content = packed.read(bound + 1)
    except (OSError, EOFError) as error:
        raise InputError(
            f"{shown} is a damaged gz file: {error}.", mend="Export or copy it again."
        ) from None
    if len(content) > bound:
        raise InputError(
            f"{shown} unpacks to more than {HIGHEST_RATIO} times its size, as a zip bomb does.",
            mend="Unpack it yourself, look at it, and name the unpacked file.",
        )
    return content


@dataclass(frozen=True)
class Decoded:
    """Text as UTF-8, the encoding that it came in, and how its lines agree with that."""

    text: bytes
    encoding: str
    detected: bool
    lines_undecoded: int
    line_ends_changed: bool


def decoded(raw: bytes, *, encoding: str | None, shown: str) -> Decoded:
    """
    Bytes as UTF-8 text, by the encoding asked for or the only one that fits.

    Bytes that do not decode become U+FFFD, so that their rows can be found and named.

    Parameters
    ----------
    raw : bytes
        Content of the file.
    encoding : str or None
        As Python names it. None: a byte-order mark, else UTF-8, else cp1252 where not one line
        beyond ASCII is UTF-8; a mixture is read as UTF-8 and its other lines fail.
    shown : str
        Name of the file for messages.

    Raises
    ------
    InputError
        If the encoding has no such name, or looks like UTF-16 without a mark.
    """
    name = encoding or _marked(raw)
    if name is None and b"\0" in raw[:400] and raw[:400].count(b"\0") > len(raw[:400]) // 4:
        raise InputError(
            f"{shown} looks like UTF-16 without a byte-order mark.",
            mend='Set encoding = "utf-16-le" (or "utf-16-be") for this feed in study.toml.',
        )
    known, name = name is not None, name or _fitting(raw)
    text, undecoded = _as_utf8(raw, name, shown)
    changed = b"\n" not in text and b"\r" in text
    return Decoded(
        text=text.replace(b"\r", b"\n") if changed else text,
        encoding=name,
        detected=not known,
        lines_undecoded=undecoded,
        line_ends_changed=changed,
    )


def _marked(raw: bytes) -> str | None:
    if raw.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return None


def _fitting(raw: bytes) -> str:
    if raw.isascii() or _decodes(raw, "utf-8"):
        return "utf-8"
    lines = _NOT_ASCII_LINE.findall(raw)
    return "utf-8" if any(_decodes(line, "utf-8") for line in lines) else "cp1252"


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(raw: bytes, encoding: str, shown: str) -> tuple[bytes, int]:
    body = raw[3:] if raw.startswith(b"\xef\xbb\xbf") else raw
    plain = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
    if body.isascii() and plain:
        return body, 0
    try:
        text = body.decode("utf-8" if plain else encoding)
        return (body if plain else text.encode("utf-8")), 0
    except LookupError:
        raise InputError(
            f'There is no encoding "{encoding}" ({shown}).',
            mend="Use utf-8, cp1252 or utf-16, as Python names them.",
        ) from None
    except UnicodeDecodeError:
        text = body.decode("utf-8" if plain else encoding, errors="replace")
    damaged = text.encode("utf-8", errors="replace")
    return damaged, sum("�" in line for line in text.split("\n"))


def separator_of(text: bytes, *, separator: str | None, shown: str) -> str:
    """
    What stands between fields: as asked, or the only candidate that the first lines agree on.

    Parameters
    ----------
    text : bytes
        UTF-8 text of the file.
    separator : str or None
        As set for the feed; "tab" may stand for a tab.
    shown : str
        Name of the file for messages.

    Raises
    ------
    InputError
        If several candidates fit, or the separator is longer than one character.
    """
    if separator is not None:
        mark = {"tab": "\t", "\\t": "\t"}.get(separator, separator)
        if len(mark.encode()) != 1:
            raise InputError(
                f'separator = "{separator}" is not one character ({shown}).',
                mend='Use one of "," ";" "|" "tab".',
            )
        return mark
    lines = [_outside_quotes(line) for line in text[:20000].splitlines()[:20]]
    whole = [line for line in (lines[:-1] if len(lines) > 2 else lines) if line.strip()]
    present = [mark for mark in SEPARATORS if whole and mark in whole[0]]
    agreed = [mark for mark in present if len({line.count(mark) for line in whole}) == 1]
    fitting = present if len(present) < 2 else agreed
    if len(fitting) > 1 or (present and not fitting):
        shown_marks = " ".join("tab" if mark == "\t" else mark for mark in present)
        raise InputError(
            f"{shown}: fields may be separated by any of {shown_marks}.",
            mend="Set separator for this feed in study.toml.",
        )
    return fitting[0] if fitting else ","


def _outside_quotes(line: bytes) -> str:
    return re.sub(r'"[^"]*"', "", line.decode("utf-8", errors="replace"))
