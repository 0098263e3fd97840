"""Text of positions, block by block: encodings, separators, headers, and the two lanes."""

import codecs
import gzip
import hashlib
import os
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.errors import InputError
from placeproof.files import decoding, moments, position_forms, positions, sheets, tracks
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.position_pieces import (
    PENDING,
    Facts,
    Piece,
    bounds_of,
    joined,
    last_us,
    of_judged,
    of_numbers,
)
from placeproof.files.sheet import STRUCTURE_SCHEMA, Sheet

PROBE_BYTES = 1 << 20
"""The first block is small and goes the slow way: it settles how times are written."""
BLOCK_BYTES = 8 << 20
_LONGEST_RECORD = 8 << 20
_ROLES = {
    "device_id": 1, "at": 2, "longitude_deg": 3, "latitude_deg": 4, "easting_m": 3,
    "northing_m": 4, "accuracy_m": 5, "speed_m_s": 6,
}  # fmt: skip


class _Bytes:
    """The bytes of a file, unpacked where it is gz, hashed on the way."""

    def __init__(self, path: Path, shown: str) -> None:
        self._file = path.open("rb")
        self._hash = hashlib.sha256()
        self.done = 0
        self._shown = shown
        packed = self._file.peek(2)[:2] == b"\x1f\x8b"
        self._inner: IO[bytes] | None = gzip.GzipFile(fileobj=self) if packed else None  # type: ignore[call-overload]
        self._out = 0
        self._hasher = ThreadPoolExecutor(1)
        self._hashing: Future[None] | None = None

    def read(self, size: int = -1) -> bytes:
        """Bytes as they lie on disk; a large block is hashed while the next one is read."""
        raw = self._file.read(size)
        self._hashed()
        if len(raw) < PROBE_BYTES:
            self._hash.update(raw)
        else:
            self._hashing = self._hasher.submit(self._hash.update, raw)
        self.done += len(raw)
        return raw

    def _hashed(self) -> None:
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None

    def content(self, size: int) -> bytes:
        """Unpacked bytes; fewer than asked for only at the end."""
        if self._inner is None:
            return self.read(size)
        try:
            raw = self._inner.read(size)
        except (OSError, EOFError) as error:
            raise InputError(
                f"{self._shown} is a damaged gz file: {error}.", mend="Export or copy it again."
            ) from None
        self._out += len(raw)
        bound = max(decoding.SMALLEST_SUSPECT_BYTES, self.done * decoding.HIGHEST_RATIO)
        if self._out > bound:
            raise InputError(
                f"{self._shown} unpacks to more than {decoding.HIGHEST_RATIO} times its size, "
                "as a zip bomb does.",
                mend="Unpack it yourself, look at it, and name the unpacked file.",
            )
        return raw

    def finish(self) -> str:
        while self.read(1 << 20):
            pass
        self._hashed()
        return self._hash.hexdigest()

    def close(self) -> None:
        self._hasher.shutdown()
        self._file.close()


class _Text:
    """Blocks of whole lines as UTF-8, whatever the encoding of the file."""

    def __init__(self, spec: FeedSpec, source: _Bytes, shown: str) -> None:
        self._spec, self._source, self._shown = spec, source, shown
        self._rest = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self.encoding: str | None = spec.encoding
        self._old_mac = False
        self._first = True
        self.ended_whole = True

    def blocks(self) -> Iterator[bytes]:
        """Each ends with a line end, but perhaps the last."""
        size = PROBE_BYTES
        while True:
            raw = self._source.content(size)
            last = len(raw) < size
            text = self._rest + self._decoded(raw, last=last)
            size = BLOCK_BYTES
            if last:
                if text:
                    self.ended_whole = text.endswith(b"\n")
                    yield text
                return
            cut = _cut(text)
            if not cut and len(text) > _LONGEST_RECORD + BLOCK_BYTES:
                raise InputError(
                    f"{self._shown} has a line of more than {_LONGEST_RECORD:,} bytes.",
                    mend="Export it with one record on each line.",
                )
            self._rest = text[cut:]
            if cut:
                yield text[:cut]

    def _decoded(self, raw: bytes, *, last: bool) -> bytes:
        if self._first:
            self._begin(raw)
            raw = raw[3:] if raw.startswith(codecs.BOM_UTF8) else raw
            self._first = False
        if self._decoder is not None:
            raw = self._decoder.decode(raw, last).encode("utf-8", errors="replace")
        elif self.encoding is None and not raw.isascii():
            # The first text beyond ASCII decides: cp1252 where not one of its lines is UTF-8.
            whole = raw[: raw.rfind(b"\n") + 1] or raw
            name = decoding.decoded(whole, encoding=None, shown=self._shown).encoding
            self.encoding = name
            if name == "cp1252":
                self._decoder = codecs.getincrementaldecoder("cp1252")("replace")
                raw = self._decoder.decode(raw, last).encode("utf-8", errors="replace")
        return raw.replace(b"\r", b"\n") if self._old_mac else raw

    def _begin(self, raw: bytes) -> None:
        if raw[:4] == b"PK\x03\x04":
            raise InputError(
                f"{self._shown} is a zip or a workbook, not text.",
                mend="Unpack it, or give it its own ending (.xlsx).",
            )
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")) and self.encoding is None:
            self.encoding = "utf-16"
        elif raw.startswith(codecs.BOM_UTF8):
            self.encoding = "utf-8-sig"
        elif self.encoding is None:
            decoding.decoded(raw[:400], encoding=None, shown=self._shown)  # UTF-16 without a mark
        name = (self.encoding or "utf-8").lower().replace("_", "-")
        if name not in ("utf-8", "utf8", "utf-8-sig"):
            try:
                self._decoder = codecs.getincrementaldecoder(name)("replace")
            except LookupError:
                raise InputError(
                    f'There is no encoding "{self.encoding}" ({self._shown}).',
                    mend="Use utf-8, cp1252 or utf-16, as Python names them.",
                ) from None
        head = raw[:65536]
        self._old_mac = self._decoder is None and b"\r" in head and b"\n" not in head


def _cut(text: bytes) -> int:
    """Where the last whole record ends: a line end that does not stand inside quotation marks."""
    cut = text.rfind(b"\n") + 1
    if not cut or b'"' not in text:
        return cut
    quotes = text.count(b'"', 0, cut)
    tried = cut
    for _ in range(200):
        if quotes % 2 == 0:
            return tried
        before = text.rfind(b"\n", 0, tried - 1) + 1
        if not before:
            break
        quotes -= text.count(b'"', before, tried)
        tried = before
    return cut  # a mark that is never closed: its record will be named


class _NotByLine(Exception):
    """Records of a block are not its lines."""


@dataclass(frozen=True)
class _Layout:
    """What the first block settled."""

    spec: FeedSpec
    shown: str
    stem: str
    mark: str
    headers: tuple[str, ...]
    bare: bool
    roles: NDArray[np.int8]
    system: str


def pieces(spec: FeedSpec, path: Path, surroundings: Surroundings, facts: Facts) -> Iterator[Piece]:
    """
    Read one file of text.

    Parameters
    ----------
    spec, path, surroundings, facts
        As for `position_pieces.pieces`.
    """
    shown = spec.shown(path)
    source = _Bytes(path, shown)
    try:
        text = _Text(spec, source, shown)
        lanes = _Lanes(surroundings)
        yield from _in_order(_blocks(spec, path, shown, text), lanes, source, text)
        facts.sha256, facts.bytes = source.finish(), source.done
        facts.encoding = text.encoding or "utf-8"
        facts.separator = "blanks" if spec.separator == "blanks" else lanes.mark
    finally:
        source.close()


def _blocks(
    spec: FeedSpec, path: Path, shown: str, text: _Text
) -> Iterator[tuple[_Layout, int, bytes]]:
    """The layout, the number of records above, and a block of records without the header."""
    layout: _Layout | None = None
    above = 0
    for block in text.blocks():
        if spec.separator == "blanks":
            block = re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", block))
        if layout is None:
            layout, begins, above = _layout(spec, path, shown, block)
            block = block[begins:]
        if block:
            yield layout, above, block
    if layout is None:
        raise InputError(f"{shown} holds only blank lines.", mend="Export it again.")


def _layout(spec: FeedSpec, path: Path, shown: str, text: bytes) -> tuple[_Layout, int, int]:
    mark = "\t" if spec.separator == "blanks" else decoding.separator_of(
        text, separator=spec.separator, shown=shown
    )  # fmt: skip
    bare = tracks.without_header(spec)
    if bare:
        first = next((line for line in text.split(b"\n") if line.strip()), b"")
        headers = tuple(f"column {n}" for n in range(1, first.count(mark.encode()) + 2))
        begins, above = 0, 0
    else:
        headers, begins, blank = sheets.header_of(text, mark, shown)
        above = blank + 1
    absent = [h for h in spec.columns.values() if h not in (*headers, tracks.FILE_NAME)]
    if absent:
        raise InputError(
            f"{shown} has no column {', '.join(absent)}; it has {', '.join(headers)}.",
            mend="Correct the names of the columns.",
        )
    roles = np.zeros(len(headers), dtype=np.int8)
    for name, head in spec.columns.items():
        if head in headers and name in _ROLES:
            roles[headers.index(head)] = _ROLES[name]
    plain = _Layout(
        spec=spec,
        shown=shown,
        stem=path.name.split(".")[0],
        mark=mark,
        headers=headers,
        bare=bare,
        roles=roles,
        system=positions.position_system(spec),
    )
    return plain, begins, above


class _Lanes:
    """Which lane a block takes; what was settled on the first one holds for the others."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.form: NDArray[np.int64] | None = None
        self.written: moments.Form | None = None
        self.settled = False
        self.mark: str | None = None

    def fast(self, layout: _Layout, block: bytes) -> Any:
        """The plain records of a block, or None where none can be told."""
        if self.form is None or np.count_nonzero(layout.roles) == 0:
            return None
        if b"\x00" in block or (b'"' in block and block.count(b'"') % 2):
            return None
        if b'"' in block and any(line.count(b'"') % 2 for line in block.split(b"\n")):
            return None
        from placeproof.files import position_text

        spec = layout.spec
        changes, offsets = position_forms.clock_changes(spec.time_zone or "UTC")
        plain = position_text.read(
            block,
            separator=layout.mark,
            roles=layout.roles,
            form=self.form,
            changes=changes,
            offsets=offsets,
            bounds=bounds_of(layout.system),
            before_us=last_us(self.surroundings),
        )
        ids, device = plain.device_ids, plain.device
        if "device_id" in spec.constants or spec.columns.get("device_id") == tracks.FILE_NAME:
            name = str(spec.constants.get("device_id", layout.stem)).strip()
            ids, device = [name], np.zeros(len(device), np.int32)
        made = of_numbers(
            device=device,
            at_us=plain.at_us,
            x=plain.x,
            y=plain.y,
            accuracy_m=plain.accuracy,
            speed_m_s=plain.speed,
            device_ids=ids,
            system=layout.system,
        )
        unusable = int(plain.negative.sum())
        return plain, replace(made, remarks={"unusable-number": unusable} if unusable else {})

    def slow(
        self,
        layout: _Layout,
        body: bytes,
        rows: NDArray[np.int64] | None,
        above: int,
        whole: bool,
        *,
        probe: bool = False,
    ) -> tuple[Piece, int]:
        """Records by the rules themselves, and how many records there were."""
        read = sheets.records(body, layout.mark, len(layout.headers))
        if rows is not None and read.height != len(rows):
            raise _NotByLine
        numbers = (
            pl.col("source_row") + above
            if rows is None
            else pl.lit(pl.Series(rows + above + 1, dtype=pl.Int64))
        )
        read = read.with_columns(numbers.alias("source_row"))
        kept, broken, _ = sheets.sorted_out(read, layout.headers, ends_whole=whole)
        sheet = Sheet(
            path=layout.shown,
            sha256=PENDING,
            bytes=0,
            rows=kept.with_columns(pl.lit(layout.stem).alias(tracks.FILE_NAME)),
            broken=broken if broken.height else pl.DataFrame(schema=STRUCTURE_SCHEMA),
            rows_in=kept.height + broken["source_row"].n_unique(),
            headers=(*layout.headers, tracks.FILE_NAME),
        )
        found = positions.judged(
            layout.spec, [sheet], self.surroundings, where=layout.shown, written=self.written
        )
        if probe:
            self._settle(layout, sheet, found)
        elif self.written is not None and layout.spec.time_format is None:
            _refuse_other_order(layout, sheet, self.written)
        return of_judged(layout.spec, sheet, found), read.height

    def _settle(self, layout: _Layout, sheet: Sheet, found: positions.Judged) -> None:
        self.mark = layout.mark
        head = layout.spec.columns.get("at")
        if head is None:
            return
        text = sheet.rows[head].str.strip_chars()
        good = found.kept.select("source_row").join(
            sheet.rows.select("source_row", at=text), on="source_row", how="left"
        )
        if good.is_empty():
            return
        asked = layout.spec.time_format
        day_first = None
        if asked is None:
            where = f'{layout.shown}, column "{head}"'
            self.written = moments.form(
                text, asked=None, setting="time_format", where=where, serial=False
            )
            day_first = {"day first": True, "month first": False}.get(self.written.pattern)
        self.form = (
            position_forms.of_pattern(asked)
            if asked is not None
            else position_forms.of_sample(good["at"][0], day_first=day_first)
        )
        self.settled = True


def _refuse_other_order(layout: _Layout, sheet: Sheet, written: moments.Form) -> None:
    """What the first rows settled must hold for all: else some would be read the wrong way."""
    if written.pattern not in ("day first", "month first"):
        return
    head = layout.spec.columns["at"]
    parts = sheet.rows[head].str.extract_groups(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{4}")
    month = parts.struct.field("2" if written.pattern == "day first" else "1")
    if (month.cast(pl.Int64) > 12).any():
        raise InputError(
            f'{layout.shown}, column "{head}": some values put the day first and some the month.',
            mend='Set time_format for this feed, as "%d/%m/%Y %H:%M".',
        )


def _in_order(
    blocks: Iterator[tuple[_Layout, int, bytes]], lanes: _Lanes, source: _Bytes, text: _Text
) -> Iterator[Piece]:
    """Blocks are read by several threads and given back in the order of the file."""
    workers = max(os.cpu_count() or 1, 1)
    waiting: deque[tuple[_Layout, bytes, int, Future[Any]]] = deque()
    above = -1
    with ThreadPoolExecutor(workers) as pool:
        for layout, start, block in blocks:
            above = start if above < 0 else above
            if not lanes.settled:
                piece, records = lanes.slow(
                    layout, block, None, above, text.ended_whole, probe=True
                )
                above += records
                yield replace(piece, bytes_done=source.done)
                continue
            waiting.append((layout, block, source.done, pool.submit(lanes.fast, layout, block)))
            if len(waiting) > workers:
                piece, above = _finished(lanes, *waiting.popleft(), above=above, whole=True)
                yield piece
        while waiting:
            whole = text.ended_whole or len(waiting) > 1
            piece, above = _finished(lanes, *waiting.popleft(), above=above, whole=whole)
            yield piece


def _finished(
    lanes: _Lanes,
    layout: _Layout,
    block: bytes,
    done: int,
    future: Future[Any],
    *,
    above: int,
    whole: bool,
) -> tuple[Piece, int]:
    read = future.result()
    if read is None:
        piece, records = lanes.slow(layout, block, None, above, whole)
        return replace(piece, bytes_done=done), above + records
    plain, made = read
    parts = [made]
    if len(plain.left):
        body = b"".join(block[start : end + 1] for _, start, end in plain.left.tolist())
        last_aside = plain.left[-1, 0] == plain.lines - 1
        try:
            part, _ = lanes.slow(layout, body, plain.left[:, 0], above, whole or not last_aside)
        except _NotByLine:
            piece, records = lanes.slow(layout, block, None, above, whole)
            return replace(piece, bytes_done=done), above + records
        parts.append(part)
    return replace(joined(parts), bytes_done=done), above + plain.lines
