"""Parquet of positions, some rows at a time: typed columns need no text, where they are sound."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof import calendar
from placeproof.errors import InputError
from placeproof.files import decoding, positions, sheets, tracks
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

ROWS_AT_A_TIME = 1_000_000
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}


def pieces(
    spec: FeedSpec,
    path: Path,
    surroundings: Surroundings,
    facts: Facts,
    groups: tuple[int, int] | None = None,
) -> Iterator[Piece]:
    """
    Read one Parquet file.

    Parameters
    ----------
    spec, path, surroundings, facts, groups
        As for `position_pieces.pieces`.
    """
    shown = spec.shown(path)
    positions.position_pair(spec)
    facts.sha256, facts.bytes = decoding.file_sha256(path, shown=shown)
    wanted = [head for head in spec.columns.values() if head != tracks.FILE_NAME]
    for rows, above, share in _frames(path, shown, wanted, groups):
        piece = _piece(spec, shown, path, rows, above + 1, surroundings)
        yield replace(piece, bytes_done=int(share * facts.bytes))


def _frames(
    path: Path, shown: str, wanted: list[str], groups: tuple[int, int] | None
) -> Iterator[tuple[pl.DataFrame, int, float]]:
    """Rows as they stand, rows of the file above them, and the share of it that is done."""
    import pyarrow.parquet as pq

    group = -1
    try:
        with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
            names = file.schema_arrow.names
            if absent := [head for head in wanted if head not in names]:
                raise InputError(
                    f"{shown} has no column {', '.join(absent)}; it has {', '.join(names)}.",
                    mend="Correct the names of the columns.",
                )
            first, past = groups or (0, file.num_row_groups)
            total = max(file.metadata.num_rows, 1)
            done = sum(file.metadata.row_group(group).num_rows for group in range(first))
            columns = list(dict.fromkeys(wanted))
            for group in range(first, past):
                for batch in file.iter_batches(
                    ROWS_AT_A_TIME, row_groups=[group], columns=columns, use_threads=True
                ):
                    done += batch.num_rows
                    if batch.num_rows:
                        yield _frame(batch), done - batch.num_rows, done / total
    except (OSError, ValueError) as error:
        raise unreadable(shown, group, error) from None


def unreadable(shown: str, group: int, error: Exception) -> InputError:
    """
    What is said of a damaged file.

    Parameters
    ----------
    shown : str
        Its name.
    group : int
        The row group, from 0; -1: not known.
    error : Exception
        What went wrong.
    """
    place = f", row group {group + 1}" if group >= 0 else ""
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
    return InputError(
        f"{shown}{place} is no Parquet that can be read: {said}.",
        mend="Write or copy it again.",
    )


def _frame(batch: Any) -> pl.DataFrame:
    import pyarrow as pa

    made = pl.from_arrow(pa.Table.from_batches([batch]))
    assert isinstance(made, pl.DataFrame)
    return made


def _piece(
    spec: FeedSpec,
    shown: str,
    path: Path,
    rows: pl.DataFrame,
    above: int,
    surroundings: Surroundings,
) -> Piece:
    stem = path.name.split(".")[0]
    numbered = rows.with_columns(pl.lit(stem).alias(tracks.FILE_NAME))
    numbers = typed(spec, numbered)
    if numbers is None:
        return slow(spec, shown, numbered, None, above, surroundings)
    sound, unusable = numbers
    good = sound["good"].to_numpy()
    kept = sound.filter("good") if not good.all() else sound
    ids = kept["device_id"].unique(maintain_order=True)
    codes = kept["device_id"].replace_strict(
        ids, pl.int_range(len(ids), dtype=pl.Int32, eager=True), return_dtype=pl.Int32
    )
    late = _not_late(kept["at"].to_numpy(), surroundings)
    if late is not None:
        good[np.flatnonzero(good)[~late]] = False
        kept, codes = kept.filter(late), codes.filter(pl.Series(late))
    made = of_numbers(
        device=codes.to_numpy(),
        at_us=kept["at"].to_numpy(),
        x=kept["x"].to_numpy(),
        y=kept["y"].to_numpy(),
        accuracy_m=kept["accuracy_m"].fill_null(np.nan).to_numpy(),
        speed_m_s=kept["speed_m_s"].fill_null(np.nan).to_numpy(),
        device_ids=ids.to_list(),
        system=positions.position_system(spec),
    )
    parts = [replace(made, remarks={"unusable-number": unusable} if unusable else {})]
    left = np.flatnonzero(~good)
    if len(left):
        parts.append(slow(spec, shown, numbered[left], left, above, surroundings))
    return joined(parts)


def _not_late(at_us: NDArray[np.int64], surroundings: Surroundings) -> NDArray[np.bool_] | None:
    limit = last_us(surroundings)
    fine = at_us < limit
    return None if fine.all() else fine


def typed(spec: FeedSpec, rows: pl.DataFrame) -> tuple[pl.DataFrame, int] | None:
    """
    Rows as numbers.

    Parameters
    ----------
    spec : FeedSpec
        How their columns map.
    rows : DataFrame
        As they stand in the file.

    Returns
    -------
    tuple of DataFrame and int, or None
        Rows with `good`, and unusable measures; None: the types need the slow way.
    """
    at = instants(spec, rows)
    x_name, y_name = positions.position_pair(spec)
    x, y = (number(rows[spec.columns[name]]) for name in (x_name, y_name))
    if at is None or x is None or y is None:
        return None
    measures, negative = [], 0
    for name in ("accuracy_m", "speed_m_s"):
        if name not in spec.columns:
            measures.append(pl.lit(None, dtype=pl.Float64).alias(name))
            continue
        value = number(rows[spec.columns[name]])
        if value is None:
            return None
        below = (value < 0).fill_null(False)
        negative += int(below.sum())
        measures.append(
            pl.lit(value.set(below | value.is_nan().fill_null(False), None)).alias(name)
        )
    if "device_id" in spec.constants:
        device = pl.lit(str(spec.constants["device_id"]))
    else:
        device = pl.lit(rows[spec.columns["device_id"]].cast(pl.String, strict=False))
    low_x, high_x, low_y, high_y, least = bounds_of(positions.position_system(spec))
    there = pl.col("x").is_between(low_x, high_x) & pl.col("y").is_between(low_y, high_y)
    if least:
        there &= (pl.col("x") > least) | (pl.col("y") > least)
    else:
        there &= (pl.col("x") != 0) | (pl.col("y") != 0)
    made = pl.DataFrame({"x": x, "y": y, "at": at}).with_columns(
        device.alias("device_id"), *measures
    )
    who = pl.col("device_id")
    plain = (who != "") & (who.str.strip_chars() == who)
    finite = pl.all_horizontal(
        pl.col(one).is_null() | pl.col(one).is_finite() for one in ("accuracy_m", "speed_m_s")
    )
    good = (there & plain & finite & pl.col("at").is_not_null()).fill_null(False)
    return made.with_columns(good=good), negative


def number(values: pl.Series) -> pl.Series | None:
    """
    Doubles and whole numbers as they are; None: single precision means its shortest text.

    Parameters
    ----------
    values : Series
        A column of the file.
    """
    if values.dtype == pl.Float64:
        return values
    return values.cast(pl.Float64) if values.dtype.is_integer() else None


def instants(spec: FeedSpec, rows: pl.DataFrame) -> pl.Series | None:
    """
    Microseconds since 1970; null where a row has to be looked at.

    Parameters
    ----------
    spec : FeedSpec
        How times are written.
    rows : DataFrame
        As they stand in the file.
    """
    if "at" not in spec.columns:
        return None
    values = rows[spec.columns["at"]]
    if spec.time_format in _EPOCHS and values.dtype.is_integer():
        step = _EPOCHS[spec.time_format]
        whole = values.cast(pl.Int64)
        return whole.set((whole.abs() >= 2**53 // step).fill_null(True), None) * step
    if not isinstance(values.dtype, pl.Datetime) or spec.time_format is not None:
        return None
    if values.dtype.time_zone is not None:
        return values.dt.epoch("us")
    if spec.time_zone is None:
        return None
    if spec.time_zone == "UTC":
        return values.dt.epoch("us")
    local = values.alias("at").to_frame()
    early, late = (
        local.select(calendar.to_utc(pl.col("at"), time_zone=spec.time_zone, ambiguous=which))[
            "at"
        ].dt.epoch("us")
        for which in ("earliest", "latest")
    )
    return early.set((early != late).fill_null(True), None)


def slow(
    spec: FeedSpec,
    shown: str,
    rows: pl.DataFrame,
    places: NDArray[np.int64] | None,
    above: int,
    surroundings: Surroundings,
) -> Piece:
    """
    Rows by the rules for text.

    Parameters
    ----------
    spec : FeedSpec
        How their columns map.
    shown : str
        Name of the file.
    rows : DataFrame
        As they stand in the file.
    places : array of int64 or None
        Where they stand after the rows `above`; None: one after the other.
    above : int
        Rows of the file above, with its header.
    surroundings : Surroundings
        As for `position_pieces.pieces`.
    """
    numbers = np.arange(rows.height) if places is None else places
    texts = rows.select(
        sheets.as_text(pl.col(name), dtype) for name, dtype in rows.schema.items()
    ).with_columns(source_row=pl.Series(numbers + above + 1, dtype=pl.Int64))
    sheet = Sheet(
        path=shown,
        sha256=PENDING,
        bytes=0,
        rows=texts,
        broken=pl.DataFrame(schema=STRUCTURE_SCHEMA),
        rows_in=rows.height,
        headers=tuple(rows.columns),
    )
    found = positions.judged(spec, [sheet], surroundings, where=shown)
    return of_judged(spec, sheet, found)
