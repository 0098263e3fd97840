"""Packed positions are what the reader of pings makes of the same exports: whole, or not there."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from placeproof import files
from placeproof.errors import GeometryError, InputError, OutputError, StudyError
from placeproof.files import packed, packing, position_lines
from placeproof.files.feed import FeedSpec, Surroundings

ANYWHERE = Surroundings(area_wkb=None, start=date(2007, 1, 1), cut_off=date.max)
COLUMNS = {"device_id": "radio", "at": "time", "longitude_deg": "lon", "latitude_deg": "lat"}
HEAD = "radio,time,lon,lat\n"


def spec_of(*paths: Path, **changes: Any) -> FeedSpec:
    facts: dict[str, Any] = {
        "name": "pings",
        "contract": "ping",
        "format": "auto",
        "paths": paths,
        "columns": COLUMNS,
        "root": paths[0].parent if paths else None,
    }
    return FeedSpec(**{**facts, **changes})


def pack(
    folder: Path,
    *paths: Path,
    surroundings: Surroundings = ANYWHERE,
    run_rows: int = packing.RUN_ROWS,
    **changes: Any,
) -> dict[str, Any]:
    return packing.pack(
        spec_of(*paths, **changes),
        folder,
        surroundings=surroundings,
        progress=lambda _doing, _done, _of: None,
        run_rows=run_rows,
    )


def opened(folder: Path) -> pl.DataFrame:
    """Every packed position, as a plain frame."""
    parts = [
        pl.DataFrame(
            {
                "device_id": [batch.device_ids[code] for code in batch.device],
                "at": batch.at * (1_000_000 // batch.ticks_per_second),
                "x": batch.longitude_e7,
                "y": batch.latitude_e7,
            }
        )
        for source in packed.open_packed(folder).sources
        for batch in packed.read(source)
    ]
    return pl.concat(parts).sort(pl.all())


def by_reader(*paths: Path, surroundings: Surroundings = ANYWHERE, **changes: Any) -> pl.DataFrame:
    """The same rows by the reader of pings."""
    ping = files.read(spec_of(*paths, **changes), surroundings).tables["ping"]
    return ping.select(
        "device_id",
        at=pl.col("at").dt.epoch("us"),
        x=pl.Series(np.rint(ping["longitude_deg"].to_numpy() * 1e7).astype(np.int32)),
        y=pl.Series(np.rint(ping["latitude_deg"].to_numpy() * 1e7).astype(np.int32)),
    ).sort(pl.all())


def faults_by_reader(
    *paths: Path, surroundings: Surroundings = ANYWHERE, **changes: Any
) -> pl.DataFrame:
    return files.read(spec_of(*paths, **changes), surroundings).quarantine


def text(folder: Path, body: str, name: str = "pings.csv") -> Path:
    path = folder / name
    path.write_text(body, encoding="utf-8", newline="")
    return path


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that a short file goes both ways, and is cut in many places."""
    monkeypatch.setattr(position_lines, "PROBE_BYTES", 600)
    monkeypatch.setattr(position_lines, "BLOCK_BYTES", 900)


def dirty(seed: int, rows: int = 400, *, stamp: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """An export with every fault that a row can have, some of them in each block."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2021-10-30T22:00:00")
    lines = []
    for row in range(rows):
        at = (start + np.timedelta64(int(rng.integers(0, 20_000)), "s")).item()
        fields = [
            f"R{rng.integers(0, 9)}",
            at.strftime(stamp),
            repr(float(-1.13 + rng.normal(0, 0.05))),
            f"{52.63 + rng.normal(0, 0.05):.6f}",
        ]
        match int(rng.integers(0, 16)) if row > 20 else -1:
            case 0:
                fields[2] = fields[3] = ""
            case 1:
                fields[2], fields[3] = "0", "0.0"
            case 2:
                fields[0] = " "
            case 3:
                fields[1] = "yesterday"
            case 4:
                fields[3] = "152.63"
            case 5:
                fields[2] = "1e-3"
            case 6:
                fields[0] = f'"{fields[0]}"'
            case 7:
                fields.append("more")
            case 8:
                fields.pop()
            case 9:
                fields = [" " + field for field in fields]
            case 10:
                fields = list(HEAD.strip().split(","))
            case 11:
                fields[0] = "Zoë"
            case 12:
                fields = []
        lines.append(",".join(fields))
    return HEAD + "\n".join(lines) + "\n"


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("%Y-%m-%dT%H:%M:%SZ", {}),
    ("%Y-%m-%dT%H:%M:%SZ", {"time_format": "%Y-%m-%dT%H:%M:%SZ"}),
    ("%Y-%m-%d %H:%M:%S", {"time_zone": "Europe/London"}),
    ("%Y-%m-%d %H:%M:%S.%f", {"time_zone": "UTC"}),
    ("%Y-%m-%dT%H:%M:%S+01:00", {}),
    ("%d/%m/%Y %H:%M:%S", {"time_zone": "Europe/London"}),
    ("%d/%m/%Y %H:%M", {"time_zone": "Europe/London", "time_format": "%d/%m/%Y %H:%M"}),
    ("%m/%d/%Y %H:%M:%S", {"time_zone": "America/Los_Angeles"}),
    ("%d-%b-%Y %H:%M:%S", {"time_zone": "UTC", "time_format": "%d-%b-%Y %H:%M:%S"}),
    ("%s", {"time_format": "epoch_s"}),
]


@pytest.mark.parametrize("form", range(len(FORMS)))
@pytest.mark.usefixtures("small_blocks")
def test_both_lanes_read_what_the_reader_reads(tmp_path: Path, form: int) -> None:
    stamp, settings = FORMS[form]
    path = text(tmp_path, dirty(form, stamp=stamp))
    facts = pack(tmp_path / "packed", path, run_rows=100, **settings)
    assert opened(tmp_path / "packed").equals(by_reader(path, **settings))
    found = pl.read_parquet(tmp_path / "packed" / packed.QUARANTINE)
    expected = faults_by_reader(path, **settings)
    order = ["path", "source_row", "rule", "column"]
    assert found.sort(order).equals(expected.sort(order))
    assert facts["rows_in"] == facts["rows_packed"] + facts["rows_quarantined"]
    assert facts["rows_quarantined"] == expected["source_row"].n_unique() > 30


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_encodings_separators_and_line_ends(
    tmp_path: Path, encoding: str, ending: str, mark: str
) -> None:
    if ending == "\r" and encoding == "utf-16":
        pytest.skip("no program writes that")
    body = dirty(3).replace(",", mark).replace("\n", ending)
    path = tmp_path / "pings.csv"
    path.write_bytes(body.encode(encoding))
    pack(tmp_path / "packed", path)
    assert opened(tmp_path / "packed").equals(by_reader(path))
    zipped = tmp_path / "pings.csv.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    pack(tmp_path / "again", zipped)
    assert opened(tmp_path / "again").equals(opened(tmp_path / "packed"))


@pytest.mark.usefixtures("small_blocks")
def test_metres_accuracy_speed_and_quoted_line_breaks(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [
        f'R{n % 3},"a ""note""\nof two lines",2021-07-26T12:{n % 60:02d}:00Z,'
        f"{450_000 + n},{304_000 + int(rng.integers(0, 900))}.25,{n % 7 - 1},{n / 7:.2f}"
        for n in range(300)
    ]
    path = text(tmp_path, "radio,note,time,x,y,acc,speed\n" + "\n".join(rows) + "\n")
    columns = {
        "device_id": "radio", "at": "time", "easting_m": "x", "northing_m": "y",
        "accuracy_m": "acc", "speed_m_s": "speed",
    }  # fmt: skip
    facts = pack(tmp_path / "packed", path, columns=columns)
    assert opened(tmp_path / "packed").equals(by_reader(path, columns=columns))
    assert (facts["accuracy"], facts["speed"]) == (True, True)
    assert facts["remarks"]["unusable-number"] == sum(n % 7 == 0 for n in range(300))
    part = pl.concat(
        pl.read_parquet(source.path) for source in packed.open_packed(tmp_path / "packed").sources
    )
    known = files.read(spec_of(path, columns=columns), ANYWHERE).tables["ping"]
    assert part["accuracy_dm"].null_count() == known["accuracy_m"].null_count() > 0
    assert part["accuracy_dm"].sum() == known["accuracy_m"].sum() * 10
    assert part["speed_cm_s"].sum() == round(known["speed_m_s"].sum() * 100)


def frame(rows: int = 5_000, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    start = np.datetime64("2021-10-30T22:00:00", "us")
    return pl.DataFrame(
        {
            "radio": [f"R{n}" for n in rng.integers(0, 40, rows)],
            "time": start + rng.integers(0, 30_000, rows).astype("timedelta64[s]"),
            "lon": -1.13 + rng.normal(0, 0.05, rows),
            "lat": 52.63 + rng.normal(0, 0.05, rows),
        }
    ).with_columns(
        lon=pl.when(pl.int_range(pl.len()) % 11 > 0).then("lon"),
        lat=pl.when(pl.int_range(pl.len()) % 13 > 0).then("lat").otherwise(pl.lit(99.0)),
    )


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({}, {"time_zone": "Europe/London"}),
        ({}, {"time_zone": "UTC"}),
        ({"time": pl.col("time").dt.replace_time_zone("UTC")}, {}),
        ({"time": pl.col("time").dt.replace_time_zone("UTC").dt.cast_time_unit("ns")}, {}),
        ({"time": pl.col("time").dt.epoch("s")}, {"time_format": "epoch_s"}),
        ({"time": pl.col("time").dt.epoch("ms")}, {"time_format": "epoch_ms"}),
        ({"time": pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ")}, {}),
        ({"lon": pl.col("lon").cast(pl.Float32)}, {"time_zone": "UTC"}),
        ({"lat": pl.col("lat").cast(pl.String)}, {"time_zone": "UTC"}),
        ({"radio": pl.col("radio").cast(pl.Categorical)}, {"time_zone": "UTC"}),
        ({"radio": pl.col("radio").str.slice(1).cast(pl.Int64)}, {"time_zone": "UTC"}),
    ],
)
def test_parquet_of_every_type(tmp_path: Path, change: Any, settings: Any) -> None:
    path = tmp_path / "pings.parquet"
    frame().with_columns(**change).write_parquet(path, row_group_size=700)
    facts = pack(tmp_path / "packed", path, **settings)
    assert opened(tmp_path / "packed").equals(by_reader(path, **settings))
    assert facts["rows_in"] == 5_000
    found = pl.read_parquet(tmp_path / "packed" / packed.QUARANTINE)
    order = ["path", "source_row", "rule", "column"]
    assert found.sort(order).equals(faults_by_reader(path, **settings).sort(order))


def test_layout(tmp_path: Path) -> None:
    path = text(tmp_path, dirty(1, 2_000))
    facts = pack(tmp_path / "packed", path, run_rows=500)
    whole = packed.open_packed(tmp_path / "packed")
    assert sum(source.rows for source in whole.sources) == facts["rows_packed"]
    names = pl.read_parquet(tmp_path / "packed" / packed.DEVICES)
    for source in whole.sources:
        assert source.ticks_per_second == 1
        mine = {batch.device_ids[code] for batch in packed.read(source) for code in batch.device}
        assert {packed.bucket_of(name) for name in mine} == {source.bucket}
        assert f"bucket={source.bucket:03d}" in source.path
    assert names["bucket"].to_list() == [packed.bucket_of(n) for n in names["device_id"]]
    seen = opened(tmp_path / "packed")
    coverage = pl.read_parquet(tmp_path / "packed" / packed.COVERAGE)
    assert coverage["pings"].sum() == seen.height
    assert set(coverage["operating_day"]) == {date(2021, 10, 30)}
    gaps = seen.unique(["device_id", "at"]).sort("device_id", "at").select(
        pl.col("at").diff().over("device_id") / 1e6
    )  # fmt: skip
    one_run = pack(tmp_path / "one run", path)
    assert one_run["median_interval_s"] == pytest.approx(gaps.median().item(), abs=1)
    assert one_run["rows_packed"] == facts["rows_packed"]


def test_parts_of_a_second_are_kept(tmp_path: Path) -> None:
    rows = [f"R{n % 50},2021-07-26T12:00:00Z,-1.13,52.63" for n in range(300)]
    rows += [f"R{n % 50},2021-07-26T12:00:00.{n:03d}Z,-1.13,52.63" for n in range(300)]
    rows += [f"R{n % 50},2021-07-26T12:00:00.000{n:03d}Z,-1.13,52.63" for n in range(300)]
    path = text(tmp_path, HEAD + "\n".join(rows) + "\n")
    pack(tmp_path / "packed", path, run_rows=100)
    assert opened(tmp_path / "packed").equals(by_reader(path))


@pytest.mark.usefixtures("small_blocks")
def test_the_cut_off_of_a_study_holds(tmp_path: Path) -> None:
    path = text(tmp_path, dirty(4))
    before = Surroundings(None, date(2007, 1, 1), date(2021, 10, 30))
    pack(tmp_path / "packed", path, surroundings=before)
    assert opened(tmp_path / "packed").equals(by_reader(path, surroundings=before))
    assert opened(tmp_path / "packed").height < by_reader(path).height


def test_what_is_mistaken_as_a_whole_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"R1,2021-07-26T12:{n % 60:02d}:00Z,52.63,-1.13\n" for n in range(99))
    with pytest.raises(GeometryError, match="wrong way round"):
        pack(tmp_path / "packed", text(tmp_path, HEAD + rows))
    metres = "".join(f"R1,2021-07-26T12:{n % 60:02d}:00Z,458100,304100\n" for n in range(99))
    with pytest.raises(GeometryError, match="metres where degrees"):
        pack(tmp_path / "packed", text(tmp_path, HEAD + metres))
    with pytest.raises(InputError, match="no time zone"):
        pack(tmp_path / "packed", text(tmp_path, HEAD + "R1,2021-07-26 12:00:00,-1.13,52.63\n"))
    with pytest.raises(InputError, match="every value can be read"):
        pack(
            tmp_path / "packed",
            text(tmp_path, HEAD + "R1,05/07/2021 12:00,-1.13,52.63\n"),
            time_zone="UTC",
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pings.csv"]


@pytest.mark.usefixtures("small_blocks")
def test_days_that_turn_round_in_mid_file_are_refused(tmp_path: Path) -> None:
    rows = [f"R1,{day:02d}/07/2021 12:00:00,-1.13,52.63" for day in range(1, 29)] * 3
    turned = [f"R1,07/{day:02d}/2021 12:00:00,-1.13,52.63" for day in range(13, 29)] * 3
    path = text(tmp_path, HEAD + "\n".join([*rows, *turned]) + "\n")
    with pytest.raises(InputError, match="some values put the day first"):
        pack(tmp_path / "packed", path, time_zone="UTC")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "empty"),
        ("\n\n\n", "blank lines"),
        (HEAD, "not one of 0 positions"),
        (HEAD + "R1,2021-07-26T12:00:00Z,,\n", "not one of 1 positions"),
        ("a,b\n1,2\n", "has no column"),
        ("x" * 3_000, "has no column"),
    ],
)
def test_files_without_positions_are_refused(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        pack(tmp_path / "packed", text(tmp_path, body))
    assert not (tmp_path / "packed").exists()


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    body = HEAD + "R1,2021-07-26T12:00:00Z,-1.13,52.63\n"
    one, two = text(tmp_path, body, "a.csv"), text(tmp_path, body, "b.csv")
    with pytest.raises(InputError, match="the same file under two names"):
        pack(tmp_path / "packed", one, two)


def test_nothing_is_replaced(tmp_path: Path) -> None:
    path = text(tmp_path, dirty(1))
    pack(tmp_path / "packed", path)
    with pytest.raises(OutputError, match="is there already"):
        pack(tmp_path / "packed", path)
    with pytest.raises(OutputError, match="is there already"):
        pack(path, path)
    with pytest.raises(OutputError, match="cannot be written"):
        pack(path / "below a file", path)


def test_a_file_that_grows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = text(tmp_path, dirty(1))
    once = packing.Run.add

    def grow(self: packing.Run, *args: Any) -> None:
        once(self, *args)
        with path.open("a", encoding="utf-8") as file:
            file.write("R1,2021-07-26T12:00:00Z,-1.13,52.63\n")

    monkeypatch.setattr(packing.Run, "add", grow)
    with pytest.raises(InputError, match="changed while it was being read"):
        pack(tmp_path / "packed", path)
    assert not (tmp_path / "packed").exists()


def test_a_disk_that_cannot_be_read_is_no_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(position_lines._Bytes, "content", fail)
    with pytest.raises(InputError, match=r"pings\.csv cannot be read: Input/output error"):
        pack(tmp_path / "packed", text(tmp_path, dirty(1)))
    assert not (tmp_path / "packed").exists()


def test_a_damaged_row_group_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pings.parquet"
    frame().write_parquet(path, row_group_size=1_000, compression="zstd")
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 64] = bytes(64)
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"pings\.parquet, row group \d is no Parquet"):
        pack(tmp_path / "packed", path, time_zone="UTC")
    path.write_bytes(raw[:middle])
    with pytest.raises(InputError, match=r"pings\.parquet is no Parquet"):
        pack(tmp_path / "packed", path, time_zone="UTC")
    assert not (tmp_path / "packed").exists()


def test_a_damaged_packed_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "packed"
    pack(folder, text(tmp_path, dirty(1, 3_000)))
    source = packed.open_packed(folder).sources[0]
    raw = bytearray(Path(source.path).read_bytes())
    longitude = pq.ParquetFile(source.path).metadata.row_group(0).column(2)
    # Numbers that decode as well as any: only a checksum can tell.
    raw[longitude.data_page_offset + longitude.total_compressed_size - 3] ^= 0x01
    Path(source.path).write_bytes(raw)
    with pytest.raises(InputError, match=r"part-00000\.parquet, from row group 1 on, is damaged"):
        list(packed.read(source))
    Path(source.path).write_bytes(raw[:-9])
    with pytest.raises(InputError, match="bytes, not"):
        packed.open_packed(folder)
    Path(source.path).unlink()
    with pytest.raises(InputError, match="is missing"):
        packed.open_packed(folder)
    (folder / packed.FACTS).unlink()
    with pytest.raises(InputError, match="no whole folder"):
        packed.open_packed(folder)


SCRIPT = """
import sys, resource
from datetime import date
from pathlib import Path
from placeproof.errors import StudyError
from placeproof.files import packing
from placeproof.files.feed import FeedSpec, Surroundings
source, target, largest, rows = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:5])
if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
columns = {"device_id": "radio", "at": "time", "longitude_deg": "lon", "latitude_deg": "lat"}
spec = FeedSpec("pings", "ping", "auto", (source,), columns=columns)
try:
    packing.pack(
        spec, target, surroundings=Surroundings(None, date(2007, 1, 1), date.max),
        progress=lambda doing, done, of: print(done, flush=True), run_rows=rows,
    )
except StudyError as error:
    print(type(error).__name__, error, file=sys.stderr)
    sys.exit(error.exit_code)
if sys.platform == "linux":  # the usual figure holds the parent's memory too
    lines = Path("/proc/self/status").read_text().splitlines()
    print("peak", next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""


def in_process(*words: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[2])},
    )


def plain(folder: Path, rows: int) -> Path:
    """A large, clean export, written quickly."""
    rng = np.random.default_rng(2)
    path = folder / "large.csv"
    times = np.datetime64("2021-07-26T00:00:00", "ms") + (np.arange(rows) // 30).astype(
        "timedelta64[s]"
    )
    pl.DataFrame(
        {
            "radio": pl.Series(rng.integers(0, 900, rows)).cast(pl.String),
            "time": pl.Series(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lon": np.round(-1.13 + rng.normal(0, 0.05, rows), 6),
            "lat": np.round(52.63 + rng.normal(0, 0.05, rows), 6),
        }
    ).write_csv(path)
    return path


@pytest.mark.skipif(os.name == "nt", reason="limits of files are a matter of Unix")
def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    path, target = plain(tmp_path, 300_000), tmp_path / "out" / "packed"
    process = in_process(path, target, 30_000, 50_000)
    _, told = process.communicate(timeout=120)
    assert process.returncode == OutputError.exit_code, told
    assert "cannot be written" in told
    assert "Nothing half-written" in told
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are a matter of Unix")
def test_a_killed_pack_is_never_taken_for_whole(tmp_path: Path) -> None:
    path, target = plain(tmp_path, 700_000), tmp_path / "out" / "packed"
    process = in_process(path, target, 0, 50_000)
    assert process.stdout is not None
    for _ in range(2):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert not target.exists()
    left = list((tmp_path / "out").iterdir())
    assert len(left) == 1
    assert not packed.is_packed(target)
    with pytest.raises(InputError, match="no whole folder"):
        packed.open_packed(left[0])
    pack(target, path)
    assert list((tmp_path / "out").iterdir()) == [target]
    assert opened(target).height == 700_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are measured as Linux does")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for rows in (1_000_000, 6_000_000):
        path = plain(tmp_path, rows)
        process = in_process(path, tmp_path / f"packed {rows}", 0, 500_000)
        said, told = process.communicate(timeout=300)
        assert process.returncode == 0, told
        peaks.append(int(said.split("peak ")[1]) / 1024)
    assert peaks[1] < 1.15 * peaks[0] + 60
    assert peaks[1] < 700


def test_gpx_and_text_without_header(tmp_path: Path) -> None:
    gpx = (
        '<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><name>R9</name><trkseg>'
        '<trkpt lat="52.63" lon="-1.13"><time>2021-07-26T12:00:00Z</time></trkpt>'
        '<trkpt lat="52.64" lon="-1.13"/></trkseg></trk></gpx>'
    )
    path = text(tmp_path, gpx, "R1.gpx")
    facts = pack(tmp_path / "gpx", path, columns={}, format="gpx")
    assert (facts["rows_in"], facts["rows_packed"]) == (2, 1)
    assert opened(tmp_path / "gpx").equals(by_reader(path, columns={}, format="gpx"))
    bare = text(tmp_path, "  52.63   -1.13\t0 1627300800\n52.64 -1.13 0 1627300860\n", "R7.txt")
    settings: dict[str, Any] = {
        "columns": {
            "device_id": "file name", "at": "column 4", "longitude_deg": "column 2",
            "latitude_deg": "column 1",
        },
        "separator": "blanks",
        "time_format": "epoch_s",
    }  # fmt: skip
    pack(tmp_path / "bare", bare, **settings)
    assert opened(tmp_path / "bare").equals(by_reader(bare, **settings))


@pytest.mark.shared_data
def test_real_tracks(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "pings" / "seattle_police_alpr_positions_2021-10.csv.gz"
    columns = {
        "device_id": "device", "at": "time_local", "longitude_deg": "lon", "latitude_deg": "lat",
    }  # fmt: skip
    settings = {"columns": columns, "time_zone": "America/Los_Angeles", "crs": "EPSG:4326"}
    facts = pack(tmp_path / "cars", path, **settings)
    assert (facts["rows_in"], facts["devices"]) == (93_490, 7)
    assert opened(tmp_path / "cars").equals(by_reader(path, **settings))
    taxis = sorted((shared_data / "pings").glob("new_*.txt"))
    settings = {
        "columns": {
            "device_id": "file name", "at": "column 4", "longitude_deg": "column 2",
            "latitude_deg": "column 1",
        },
        "separator": "blanks",
        "time_format": "epoch_s",
    }  # fmt: skip
    pack(tmp_path / "taxis", *taxis, **settings)
    assert opened(tmp_path / "taxis").equals(by_reader(*taxis, **settings))


def test_progress_ends_at_its_end(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    paths = [text(tmp_path, dirty(n), f"{n}.csv") for n in range(3)]
    packing.pack(
        spec_of(*paths),
        tmp_path / "packed",
        surroundings=ANYWHERE,
        progress=lambda _doing, done, of: said.append((done, of)),
    )
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    assert said[-1][0] == said[-1][1] == sum(path.stat().st_size for path in paths)
    facts = json.loads((tmp_path / "packed" / packed.FACTS).read_text(encoding="utf-8"))
    assert [one["path"] for one in facts["sources"]] == ["0.csv", "1.csv", "2.csv"]
    assert time.strptime(facts["first_at"][:19], "%Y-%m-%dT%H:%M:%S").tm_year == 2021
    assert issubclass(InputError, StudyError)
