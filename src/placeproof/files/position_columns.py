"""Typed columns of Parquet straight to positions, for readers that need no quarantine by row.

The rules are those of `position_parquet`, which also gets every row that is in doubt. A row without
a position is only counted: whatever else it says, it is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.files import position_parquet, positions, tracks
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.packed import Batch, Source
from placeproof.files.position_pieces import Piece, bounds_of, last_us
from placeproof.files.position_text import compiled

ROWS_AT_A_TIME = 1 << 18
DOUBTFUL_AT_A_TIME = 200_000
_NO_MOMENT = np.iinfo(np.int64).min
_MEASURES = ("accuracy_m", "speed_m_s")


def footer(spec: FeedSpec, path: Path) -> Any:
    """
    The footer of a file whose columns can be taken as they are.

    Parameters
    ----------
    spec : FeedSpec
        How its columns map.
    path : Path
        Parquet.

    Returns
    -------
    pyarrow.parquet.FileMetaData or None
        None: the file needs `position_parquet`, be it to say what is wrong with it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if spec.values or positions.position_system(spec) != "EPSG:4326":
        return None
    try:
        metadata = pq.read_metadata(path)
        empty = metadata.schema.to_arrow_schema().empty_table().select(_heads(spec))
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return None
    if (head := spec.columns.get("device_id")) in empty.column_names:
        kind = empty.schema.field(head).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not any(check(kind) for check in (_is_text, pa.types.is_integer)):
            return None
    elif head is not None and head != tracks.FILE_NAME:
        return None
    rows = pl.from_arrow(empty)
    assert isinstance(rows, pl.DataFrame)
    needed = {spec.columns[name] for name in (*positions.position_pair(spec), "at", *_MEASURES)
              if name in spec.columns}  # fmt: skip
    if not needed <= set(rows.columns):
        return None
    known = rows.with_columns(pl.lit("").alias(tracks.FILE_NAME))
    return metadata if position_parquet.typed(spec, known) is not None else None


def batches(
    spec: FeedSpec, source: Source, surroundings: Surroundings, metadata: Any
) -> Iterator[Batch]:
    """
    The positions of a file whose columns can be taken as they are.

    Parameters
    ----------
    spec : FeedSpec
        How its columns map.
    source : Source
        The file, or some of its row groups.
    surroundings : Surroundings
        Positions after the cut-off are left out.
    metadata : pyarrow.parquet.FileMetaData
        What `footer` gave.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    devices = _Devices()
    waiting = _Waiting()
    doubtful = _Doubtful(spec, Path(source.path), surroundings)
    for above, batch in _arrow(spec, source, metadata):
        made, left, nowhere = _sound(spec, batch, devices, surroundings, doubtful.stem)
        waiting.add(made, batch.num_rows - len(left), nowhere)
        if len(left):
            doubtful.add(batch, left, above)
        if doubtful.rows >= DOUBTFUL_AT_A_TIME:
            waiting.add_piece(doubtful.judged(), devices)
        if waiting.rows >= ROWS_AT_A_TIME // 2:
            yield waiting.taken(devices.names)
    if doubtful.rows:
        waiting.add_piece(doubtful.judged(), devices)
    if waiting.rows_in:
        yield waiting.taken(devices.names)


def _heads(spec: FeedSpec) -> list[str]:
    heads = [head for head in spec.columns.values() if head != tracks.FILE_NAME]
    return list(dict.fromkeys(heads))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _arrow(spec: FeedSpec, source: Source, metadata: Any) -> Iterator[tuple[int, Any]]:
    """Arrow batches with the number of rows of the file above them; texts by their dictionary."""
    import pyarrow.parquet as pq

    ends = np.cumsum([metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)])
    first, past = source.groups or (0, metadata.num_row_groups)
    above = int(ends[first - 1]) if first else 0
    head = spec.columns.get("device_id")
    schema = metadata.schema.to_arrow_schema()
    texts = [head] if head in schema.names and _is_text(schema.field(head).type) else None
    try:
        with pq.ParquetFile(
            source.path,
            metadata=metadata,
            read_dictionary=texts,
            page_checksum_verification=True,
            pre_buffer=False,
        ) as file:
            for batch in file.iter_batches(
                ROWS_AT_A_TIME,
                row_groups=range(first, past),
                columns=_heads(spec),
                use_threads=False,
            ):
                if batch.num_rows:
                    yield above, batch
                    above += batch.num_rows
    except (OSError, ValueError) as error:
        group = int(np.searchsorted(ends, above, side="right"))
        shown = spec.shown(Path(source.path))
        raise position_parquet.unreadable(shown, group, error) from None


@dataclass
class _Devices:
    """Names of devices in the order in which they came."""

    names: list[str]
    codes: dict[str, int]

    def __init__(self) -> None:
        self.names, self.codes = [], {}

    def code(self, name: str) -> int:
        found = self.codes.setdefault(name, len(self.names))
        if found == len(self.names):
            self.names.append(name)
        return found

    def of(self, column: Any) -> NDArray[np.int32]:
        """Codes of a column; -1 where the name is not plain."""
        import pyarrow as pa

        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        known = pl.Series(column.dictionary.to_pylist(), strict=False).cast(pl.String)
        plain = ((known != "") & (known.str.strip_chars() == known)).fill_null(False)
        lookup = [
            self.code(name) if sound else -1 for name, sound in zip(known, plain, strict=True)
        ]
        place = column.indices
        place = place.fill_null(len(lookup)) if place.null_count else place
        return np.array([*lookup, -1], np.int32)[place.to_numpy(zero_copy_only=False)]


class _Waiting:
    """Positions until there are enough for a batch."""

    def __init__(self) -> None:
        self.parts: list[tuple[NDArray[Any], ...]] = []
        self.rows = self.rows_in = self.left_out = 0

    def add(self, part: tuple[NDArray[Any], ...], rows_in: int, left_out: int) -> None:
        self.parts.append(part)
        self.rows += len(part[0])
        self.rows_in += rows_in
        self.left_out += left_out

    def add_piece(self, piece: Piece, devices: _Devices) -> None:
        lookup = np.array([devices.code(name) for name in piece.device_ids], np.int32)
        part = (lookup[piece.device], piece.at_us, piece.longitude_e7, piece.latitude_e7)
        self.add(part, piece.rows_in, piece.rows_quarantined)

    def taken(self, names: list[str]) -> Batch:
        columns = zip(*self.parts, strict=True)
        who, when, x, y = [one[0] if len(one) == 1 else np.concatenate(one) for one in columns]
        made = Batch(who, when, x, y, 1_000_000, names, self.rows_in, self.left_out)
        self.parts, self.rows, self.rows_in, self.left_out = [], 0, 0, 0
        return made


class _Doubtful:
    """Rows that need the slow way, until there are enough of them to be worth it."""

    def __init__(self, spec: FeedSpec, path: Path, surroundings: Surroundings) -> None:
        self.spec, self.path, self.surroundings = spec, path, surroundings
        self.stem = path.name.split(".")[0]
        self.rows = 0
        self._frames: list[pl.DataFrame] = []
        self._places: list[NDArray[np.int64]] = []

    def add(self, batch: Any, left: NDArray[np.int64], above: int) -> None:
        import pyarrow as pa

        some = pa.Table.from_batches([batch]).take(pa.array(left))
        for place, field in enumerate(some.schema):
            if pa.types.is_dictionary(field.type):
                texts = some.column(place).cast(field.type.value_type)
                some = some.set_column(place, field.name, texts)
        made = pl.from_arrow(some)
        assert isinstance(made, pl.DataFrame)
        self._frames.append(made.with_columns(pl.lit(self.stem).alias(tracks.FILE_NAME)))
        self._places.append(left + above)
        self.rows += len(left)

    def judged(self) -> Piece:
        rows, places = pl.concat(self._frames), np.concatenate(self._places)
        self._frames, self._places, self.rows = [], [], 0
        shown = self.spec.shown(self.path)
        return position_parquet.slow(self.spec, shown, rows, places, 1, self.surroundings)


def _sound(
    spec: FeedSpec, batch: Any, devices: _Devices, surroundings: Surroundings, stem: str
) -> tuple[tuple[NDArray[Any], ...], NDArray[np.int64], int]:
    """Rows that are positions, places of those in doubt, and how many have no position."""
    import pyarrow as pa

    head = spec.columns.get("device_id", tracks.FILE_NAME)
    table = pa.Table.from_batches([batch])
    names = [name for name in table.column_names if name != head or head in _but_device(spec)]
    rows = pl.from_arrow(table.select(names))
    assert isinstance(rows, pl.DataFrame)
    if "device_id" in spec.constants or head == tracks.FILE_NAME:
        name = str(spec.constants.get("device_id", stem))
        code = devices.code(name) if name and name == name.strip() else -1
        device = np.full(batch.num_rows, code, np.int32)
    else:
        device = devices.of(batch.column(head))
    at = position_parquet.instants(spec, rows)
    x, y = (
        position_parquet.number(rows[spec.columns[name]]) for name in positions.position_pair(spec)
    )
    assert at is not None
    assert x is not None
    assert y is not None
    for name in _MEASURES:
        if name in spec.columns:
            value = position_parquet.number(rows[spec.columns[name]])
            assert value is not None
            beyond = (value == np.inf).fill_null(False)
            device = np.where(beyond.to_numpy(), np.int32(-1), device) if beyond.any() else device
    given = (
        device,
        at.fill_null(_NO_MOMENT).to_numpy(),
        *(values.fill_null(np.nan).to_numpy() for values in (x, y)),
    )
    columns = [np.ascontiguousarray(values).view() for values in given]
    for values in columns:
        values.flags.writeable = False  # one type for the compiler, whoever owns the memory
    *made, left, nowhere = _parted(
        *columns, bounds_of("EPSG:4326"), last_us(surroundings), _NO_MOMENT
    )
    return tuple(made), left, nowhere


def _but_device(spec: FeedSpec) -> set[str]:
    return {head for name, head in spec.columns.items() if name != "device_id"}


@compiled
def _parted(
    device: Any, at: Any, x: Any, y: Any, bounds: Any, limit: Any, no_moment: Any
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Positions in small integers; places of doubtful rows; rows that have no position."""
    size = device.shape[0]
    who = np.empty(size, np.int32)
    when = np.empty(size, np.int64)
    east = np.empty(size, np.int32)
    north = np.empty(size, np.int32)
    left = np.empty(size, np.int64)
    kept = doubtful = nowhere = 0
    for row in range(size):
        a, b = x[row], y[row]
        if np.isnan(a) or np.isnan(b) or (a == 0.0 and b == 0.0):
            nowhere += 1
        elif (
            device[row] >= 0
            and no_moment < at[row] < limit
            and bounds[0] <= a <= bounds[1]
            and bounds[2] <= b <= bounds[3]
        ):
            who[kept], when[kept] = device[row], at[row]
            east[kept] = np.int32(np.rint(a * 1e7))
            north[kept] = np.int32(np.rint(b * 1e7))
            kept += 1
        else:
            left[doubtful] = row
            doubtful += 1
    return who[:kept], when[:kept], east[:kept], north[:kept], left[:doubtful].copy(), nowhere
