"""Exports read for visits give the positions that the reader of pings gives, and count the rest."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from placeproof import files
from placeproof.errors import InputError
from placeproof.files import position_columns, position_sources, tracks
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.packed import Batch, Source

CUT_OFF = Surroundings(area_wkb=None, start=date(2007, 1, 1), cut_off=date(2021, 10, 31))
COLUMNS = {
    **{"device_id": "radio", "at": "time", "longitude_deg": "lon", "latitude_deg": "lat"},
    **{"accuracy_m": "error", "speed_m_s": "speed"},
}


def dirty(rows: int = 6_000) -> pl.DataFrame:
    """
    Every fault that a typed row can have.

    The clocks go back and the cut-off falls in it; rows on its day and later are in doubt.
    """
    rng = np.random.default_rng(5)

    def faulty(values: Any, faults: Sequence[Any], kind: Any) -> pl.Series:
        spoilt = [
            faults[int(rng.integers(len(faults)))] if rng.random() < 0.04 else value
            for value in values.tolist()
        ]
        return pl.Series(spoilt, dtype=kind, strict=False)

    start = np.datetime64("2021-10-30T00:00:00", "us")
    names = np.array([f"R{n}" for n in rng.integers(0, 40, rows)])
    odd = [None, float("nan"), float("inf"), float("-inf"), 0.0, 500.0, -180.0]
    measures = [None, float("nan"), float("inf"), float("-inf"), -1.0, -0.0, 1e9]
    times = pl.Series(start + rng.integers(0, 200_000, rows).astype("timedelta64[s]"))
    return pl.DataFrame(
        {
            "radio": faulty(names, [None, "", " ", " R1", "R2\t", "Ré"], pl.String),
            "time": times.set(pl.Series(rng.random(rows) < 0.02), None),
            "lon": faulty(-1.13 + rng.normal(0, 0.05, rows), odd, pl.Float64),
            "lat": faulty(52.63 + rng.normal(0, 0.05, rows), odd, pl.Float64),
            "error": faulty(rng.uniform(1, 50, rows), measures, pl.Float64),
            "speed": faulty(rng.uniform(1, 50, rows), measures, pl.Float64),
        }
    ).with_columns(  # nowhere: in the sea off Africa
        pl.when(pl.int_range(pl.len()) % 97 > 0).then(name).otherwise(0.0).alias(name)
        for name in ("lon", "lat")
    )


def spec_of(path: Path, **changes: Any) -> FeedSpec:
    facts: dict[str, Any] = {"columns": COLUMNS, "root": path.parent, **changes}
    return FeedSpec("pings", "ping", "auto", (path,), **facts)


def expected(spec: FeedSpec) -> tuple[pl.DataFrame, int]:
    """Positions and rows that are none, by the reader of pings."""
    found = files.read(spec, CUT_OFF)
    ping = found.tables["ping"]
    rows = ping.select(
        "device_id",
        at=pl.col("at").dt.epoch("us"),
        x=pl.Series(np.rint(ping["longitude_deg"].to_numpy() * 1e7).astype(np.int32)),
        y=pl.Series(np.rint(ping["latitude_deg"].to_numpy() * 1e7).astype(np.int32)),
    )
    return rows.sort(pl.all()), int(found.receipts["rows_quarantined"].sum())


def as_read(batches: Sequence[Batch]) -> pl.DataFrame:
    parts = [
        pl.DataFrame(
            {
                "device_id": pl.Series(
                    [batch.device_ids[code] for code in batch.device], dtype=str
                ),
                "at": batch.at,
                "x": batch.longitude_e7,
                "y": batch.latitude_e7,
            }
        )
        for batch in batches
    ]
    return pl.concat(parts).sort(pl.all())


UTC = pl.col("time").dt.replace_time_zone("UTC")
FORMS = [
    ({"time": UTC}, {}),
    ({"time": UTC.dt.cast_time_unit("ns")}, {}),
    ({"time": UTC.dt.cast_time_unit("ms").dt.convert_time_zone("Asia/Kolkata")}, {}),
    ({}, {"time_zone": "UTC"}),
    ({}, {"time_zone": "Europe/London"}),
    ({"time": pl.col("time").dt.epoch("s")}, {"time_format": "epoch_s"}),
    ({"time": UTC, "radio": pl.col("radio").cast(pl.Categorical)}, {}),
    ({"time": UTC, "radio": pl.col("radio").str.extract(r"^R(\d+)$").cast(pl.Int32)}, {}),
    ({"time": UTC, "lon": pl.col("lon").fill_nan(0).clip(-9, 9).cast(pl.Int8)}, {}),
    ({"time": UTC}, {"columns": {**COLUMNS, "device_id": tracks.FILE_NAME}}),
    (
        {"time": UTC},
        {
            "columns": {name: head for name, head in COLUMNS.items() if name != "device_id"},
            "constants": {"device_id": "R7"},
        },
    ),
]


@pytest.mark.parametrize(("change", "settings"), FORMS)
@pytest.mark.parametrize("doubtful", [100, 200_000])
def test_typed_columns_are_read_as_the_rules_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, settings: Any, doubtful: int
) -> None:
    monkeypatch.setattr(position_columns, "DOUBTFUL_AT_A_TIME", doubtful)
    monkeypatch.setattr(position_sources, "_ROWS_A_PART", 1_500)
    path = tmp_path / "pings.parquet"
    dirty().with_columns(**change).write_parquet(path, row_group_size=700)
    spec = spec_of(path, **settings)
    assert position_columns.footer(spec, path) is not None
    reader = position_sources.ExportReader(spec, CUT_OFF)
    sources = position_sources.parts_of(position_sources.export_source(path), spec)
    assert [source.groups for source in sources] == [(0, 3), (3, 6), (6, 9)]
    found = as_read([batch for source in sources for batch in reader(source)])
    positions, left_out = expected(spec)
    assert positions.height > 1_000
    assert left_out > 100
    assert found.equals(positions)
    assert (reader.rows_in, reader.rows_left_out) == (6_000, left_out)


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({"time": UTC.dt.strftime("%Y-%m-%dT%H:%M:%SZ")}, {}),
        ({"time": UTC, "lon": pl.col("lon").cast(pl.Float32)}, {}),
        ({"time": UTC, "error": pl.col("error").cast(pl.String)}, {}),
        ({"time": UTC, "radio": pl.col("lat")}, {}),
    ],
)
def test_other_columns_go_the_slow_way_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, settings: Any
) -> None:
    monkeypatch.setattr(position_sources, "_ROWS_A_PART", 1_500)
    path = tmp_path / "pings.parquet"
    dirty().with_columns(**change).write_parquet(path, row_group_size=700)
    spec = spec_of(path, **settings)
    assert position_columns.footer(spec, path) is None
    reader = position_sources.ExportReader(spec, CUT_OFF)
    sources = position_sources.parts_of(position_sources.export_source(path), spec)
    assert len(sources) == 3
    found = as_read([batch for source in sources for batch in reader(source)])
    positions, left_out = expected(spec)
    assert found.equals(positions)
    assert (reader.rows_in, reader.rows_left_out) == (6_000, left_out)


def test_a_file_that_changes_or_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pings.parquet"
    rows = dirty().with_columns(time=UTC)
    rows.write_parquet(path, row_group_size=700)
    spec = spec_of(path)
    reader = position_sources.ExportReader(spec, CUT_OFF)
    (source,) = position_sources.parts_of(position_sources.export_source(path), spec)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 400] = bytes(400)
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"pings\.parquet, row group \d is no Parquet"):
        list(reader(source))
    rows.head(3_000).write_parquet(path, row_group_size=700)
    with pytest.raises(InputError, match="changed while it was being read"):
        list(reader(source))
    text = Source(str(tmp_path / "none.csv"), 1, 1, 1_000_000, -1, "")
    assert position_sources.parts_of(text, spec) == [text]
