"""Positions in every usual form become the same table; what cannot be used is counted."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof import files, geometry
from placeproof.errors import GeometryError, InputError, SettingsError
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings

ANYWHERE = Surroundings(area_wkb=None, start=date(2007, 1, 1), cut_off=date(2022, 12, 31))
FORCE = Surroundings(
    area_wkb=shapely.to_wkb(shapely.box(420_000, 270_000, 500_000, 340_000)),
    start=date(2007, 1, 1),
    cut_off=date(2022, 12, 31),
)
COLUMNS = {"device_id": "radio", "at": "time", "longitude_deg": "lon", "latitude_deg": "lat"}
HEAD = "radio,time,lon,lat\n"


def read(path: Path, surroundings: Surroundings = ANYWHERE, **changes: Any) -> FeedResult:
    facts: dict[str, Any] = {
        "name": "pings",
        "contract": "ping",
        "format": "auto",
        "paths": (path,),
        "columns": COLUMNS,
        "root": path.parent,
    }
    return files.read(FeedSpec(**{**facts, **changes}), surroundings)


def text(folder: Path, body: str, name: str = "pings.csv") -> Path:
    path = folder / name
    path.write_text(body, encoding="utf-8", newline="")
    return path


def times(result: FeedResult) -> list[datetime]:
    return result.tables["ping"]["at"].to_list()


def faulty(result: FeedResult) -> list[tuple[int, str]]:
    return list(result.quarantine.select("source_row", "rule").iter_rows())


NOON = datetime(2021, 7, 26, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "settings"),
    [
        ("2021-07-26T12:00:00Z", {}),
        ("2021-07-26T13:00:00+01:00", {}),
        ("2021-07-26 13:00:00", {"time_zone": "Europe/London"}),
        ("2021-07-26 12:00:00+00", {"time_format": "%Y-%m-%d %H:%M:%S%#z"}),
        ("26/07/2021 13:00", {"time_zone": "Europe/London"}),
        ("26/07/2021 13:00", {"time_zone": "Europe/London", "time_format": "%d/%m/%Y %H:%M"}),
        ("1627300800", {"time_format": "epoch_s"}),
        ("1627300800000", {"time_format": "epoch_ms"}),
    ],
)
def test_one_moment_in_every_form(tmp_path: Path, stamp: str, settings: Any) -> None:
    result = read(text(tmp_path, f"{HEAD}R1,{stamp},-1.13,52.63\n"), **settings)
    assert times(result) == [NOON]


@pytest.mark.parametrize(
    ("stamp", "words"),
    [
        ("2021-07-26 13:00:00", "no time zone"),
        ("05/07/2021 13:00", "every value can be read"),
        ("1627300800", "epoch_s"),
    ],
)
def test_a_form_or_zone_that_is_open_is_asked_for(tmp_path: Path, stamp: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(text(tmp_path, f"{HEAD}R1,{stamp},-1.13,52.63\n"))


def test_gz_blanks_and_files_without_headers(tmp_path: Path) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(f"{HEAD}R1,2021-07-26T12:00:00Z,-1.13,52.63\n".encode()))
    assert times(read(packed)) == [NOON]
    bare = text(tmp_path, "  52.63   -1.13\t0 1627300800\n52.64 -1.13 0 1627300860\n", "R7.txt")
    columns = {
        "device_id": "file name",
        "at": "column 4",
        "longitude_deg": "column 2",
        "latitude_deg": "column 1",
    }
    result = read(bare, columns=columns, separator="blanks", time_format="epoch_s")
    assert result.tables["ping"].select("device_id", "source_row").rows() == [("R7", 1), ("R7", 2)]
    assert times(result)[0] == NOON


def test_parquet_with_typed_columns(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "radio": ["R1", "R1", "R2"],
            "time": [NOON.replace(tzinfo=None)] * 3,
            "lon": [-1.13, None, -1.14],
            "lat": [52.63, None, 52.64],
            "junk": [[1], [2], [3]],
        }
    )
    frame.write_parquet(tmp_path / "naive.parquet")
    result = read(tmp_path / "naive.parquet", time_zone="UTC")
    assert times(result) == [NOON, NOON]
    assert faulty(result) == [(3, "no-point")]
    zoned = frame.with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    zoned.write_parquet(tmp_path / "zoned.parquet")
    assert times(read(tmp_path / "zoned.parquet")) == [NOON, NOON]
    seconds = frame.with_columns(pl.lit(1_627_300_800).alias("time"))
    seconds.write_parquet(tmp_path / "seconds.parquet")
    assert times(read(tmp_path / "seconds.parquet", time_format="epoch_s")) == [NOON, NOON]


def test_metres_become_degrees_and_back(tmp_path: Path) -> None:
    body = "radio,time,x,y\nR1,2021-07-26T12:00:00Z,458100,304100\n"
    columns = {**{k: v for k, v in COLUMNS.items() if "deg" not in k}}
    columns |= {"easting_m": "x", "northing_m": "y"}
    ping = read(text(tmp_path, body), FORCE, columns=columns).tables["ping"]
    easting, northing = geometry.to_metres(ping["longitude_deg"], ping["latitude_deg"])
    assert (easting[0], northing[0]) == pytest.approx((458_100, 304_100), abs=1e-3)


GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"
     xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
 <trk><name>R9</name><trkseg>
  <trkpt lat="52.63" lon="-1.13"><ele>60</ele><time>2021-07-26T12:00:00Z</time>
   <extensions><x:TrackPointExtension><x:speed>1.5</x:speed></x:TrackPointExtension></extensions>
  </trkpt>
  <trkpt lat="52.64" lon="-1.13"/>
 </trkseg></trk></gpx>
"""


def test_gpx(tmp_path: Path) -> None:
    path = text(tmp_path, GPX, "R1.gpx")
    ping = read(path, columns={}).tables["ping"]
    assert ping.select("device_id", "speed_m_s", "source_row").rows() == [("R1", 1.5, 2)]
    by_track = {"device_id": "track", "at": "time", "longitude_deg": "lon", "latitude_deg": "lat"}
    result = read(path, columns=by_track)
    assert result.tables["ping"]["device_id"].to_list() == ["R9"]
    assert faulty(result) == [(3, "blank value")]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<gpx><trk><name>&c;</name></trk></gpx>
"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BOMB, "document type"),
        (BOMB.replace('<?xml version="1.0"?>\n', "\ufeff"), "document type"),
        ('<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>', "document type"),
        ("<gpx><trk>", "not whole XML"),
        ("<kml/>", "not GPX"),
        ("<gpx/>", "no points"),
        ("", "empty"),
        ('<?xml version="1.0" encoding="nonsense"?><gpx/>', "not whole XML"),
    ],
)
def test_gpx_that_is_none_is_refused(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(text(tmp_path, body, "bad.gpx"), columns={})


def test_a_utf16_bomb_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "bad.gpx"
    path.write_bytes(
        BOMB.replace('version="1.0"', 'version="1.0" encoding="utf-16"').encode("utf-16")
    )
    with pytest.raises(InputError, match="document type"):
        read(path, columns={})


def test_every_bad_row_is_named_and_none_is_lost(tmp_path: Path) -> None:
    rows = [
        "R1,2021-07-26T12:00:00Z,-1.13,52.63",
        "R1,2021-07-26T12:00:00Z,,",
        ",2021-07-26T12:00:00Z,-1.13,52.63",
        "R1,,-1.13,52.63",
        "R1,2021-13-26T12:00:00Z,-1.13,52.63",
        "R1,2031-07-26T12:00:00Z,-1.13,52.63",
        "R1,2021-07-26T12:00:00Z,0,0",
        "R1,2021-07-26T12:00:00Z,abc,52.63",
        "R1,2021-07-26T12:00:00Z,-1.13,152.63",
        "R1,2021-07-26T12:00:00Z,NaN,52.63",
        "R1,2021-07-26T12:00:00Z,-1.13,52.63",
    ]
    result = read(text(tmp_path, HEAD + "\n".join(rows) + "\n"))
    assert faulty(result) == [
        (3, "no-point"),
        (4, "blank value"),
        (5, "blank value"),
        (6, "wrong-date"),
        (7, "future-date"),
        (8, "no-point"),
        (9, "text-in-number"),
        (10, "impossible-point"),
        (11, "text-in-number"),
    ]
    receipt = result.receipts.row(0, named=True)
    assert (receipt["rows_in"], receipt["rows_kept"], receipt["rows_quarantined"]) == (11, 2, 9)
    repeated = result.notices.filter(pl.col("code") == "repeated-positions")
    assert repeated["rows"].to_list() == [1]


def test_positions_and_devices_are_personal(tmp_path: Path) -> None:
    body = HEAD + "Zz9,2021-07-26T12:00:00Z,-1.987,152.63\nZz9,2021-07-26T12:00:00Z,-1.13,52.6\n"
    result = read(text(tmp_path, body))
    printed = repr(result.quarantine.rows()) + repr(result.notices.rows())
    for value in ("Zz9", "1.987", "152.63"):
        assert value not in printed


def test_swapped_and_mistaken_systems_are_refused(tmp_path: Path) -> None:
    swapped = text(tmp_path, HEAD + "R1,2021-07-26T12:00:00Z,52.63,-1.13\n")
    with pytest.raises(GeometryError, match="wrong way round"):
        read(swapped)
    abroad = text(tmp_path, HEAD + "R1,2021-07-26T12:00:00Z,37.7,-122.4\n", "b.csv")
    with pytest.raises(GeometryError, match="wrong way round"):
        read(abroad)
    metres = text(tmp_path, HEAD + "R1,2021-07-26T12:00:00Z,458100,304100\n", "c.csv")
    with pytest.raises(GeometryError, match="metres where degrees"):
        read(metres)
    with pytest.raises(GeometryError, match="degrees where metres"):
        read(text(tmp_path, HEAD + "R1,2021-07-26T12:00:00Z,-1.13,52.63\n"), crs="EPSG:27700")
    with pytest.raises(SettingsError, match="not supported"):
        read(metres, crs="EPSG:3857")


def test_the_hour_that_october_repeats_and_the_one_that_march_skips(tmp_path: Path) -> None:
    body = HEAD + "R1,2021-10-31 01:30:00,-1.13,52.63\nR1,2021-03-28 01:30:00,-1.13,52.63\n"
    result = read(text(tmp_path, body), time_zone="Europe/London")
    assert times(result) == [datetime(2021, 10, 31, 0, 30, tzinfo=UTC)]
    assert faulty(result) == [(3, "wrong-date")]
    assert "repeated-hour" in result.notices["code"].to_list()


def test_the_same_file_under_two_names_is_refused(tmp_path: Path) -> None:
    body = HEAD + "R1,2021-07-26T12:00:00Z,-1.13,52.63\n"
    one, two = text(tmp_path, body, "a.csv"), text(tmp_path, body, "b.csv")
    with pytest.raises(InputError, match="the same file under two names"):
        read(one, paths=(one, two))


def test_unknown_accuracy_does_not_cost_the_row(tmp_path: Path) -> None:
    body = "radio,time,lon,lat,acc\nR1,2021-07-26T12:00:00Z,-1.13,52.63,-1\n"
    result = read(text(tmp_path, body), columns={**COLUMNS, "accuracy_m": "acc"})
    assert result.tables["ping"]["accuracy_m"].to_list() == [None]
    assert result.flagged["rule"].to_list() == ["unusable-number"]


def test_a_file_of_another_force_is_noticed(tmp_path: Path) -> None:
    result = read(text(tmp_path, HEAD + "R1,2021-07-26T12:00:00Z,-0.1,51.5\n"), FORCE)
    assert result.notices["code"].to_list() == ["far-from-force"]
    assert result.tables["ping"].height == 1


def test_what_is_not_mapped_is_asked_for(tmp_path: Path) -> None:
    path = text(tmp_path, HEAD + "R1,2021-07-26T12:00:00Z,-1.13,52.63\n")
    with pytest.raises(InputError, match="which column is at"):
        read(path, columns={"device_id": "radio"})
    with pytest.raises(InputError, match="hold the position"):
        read(path, columns={"device_id": "radio", "at": "time", "longitude_deg": "lon"})
    with pytest.raises(InputError, match="has no column Lon"):
        read(path, columns={**COLUMNS, "longitude_deg": "Lon"})
    with pytest.raises(InputError, match="empty"):
        read(text(tmp_path, "", "empty.csv"))
    header_only = read(text(tmp_path, HEAD, "header.csv"))
    assert header_only.notices["code"].to_list() == ["nothing-kept"]


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rows = [f"R{n % 3},2021-07-26T12:{n:02d}:00Z,-1.1{n},52.6{n}" for n in range(50)]
    shuffled = np.random.default_rng(7).permutation(rows).tolist()
    lineage = ["source_sha256", "source_row"]
    tables = [
        read(text(tmp_path, HEAD + "\n".join(some) + "\n", f"{name}.csv"))
        .tables["ping"]
        .drop(lineage)
        for name, some in (("a", rows), ("b", shuffled))
    ]
    assert tables[0].equals(tables[1])


@pytest.mark.shared_data
def test_real_police_vehicles_of_seattle(shared_data: Path) -> None:
    path = shared_data / "pings" / "seattle_police_alpr_positions_2021-10.csv.gz"
    columns = {
        "device_id": "device",
        "at": "time_local",
        "longitude_deg": "lon",
        "latitude_deg": "lat",
    }
    result = read(path, columns=columns, time_zone="America/Los_Angeles", crs="EPSG:4326")
    receipt = result.receipts.row(0, named=True)
    assert receipt["rows_in"] == 93_490
    assert receipt["rows_kept"] + receipt["rows_quarantined"] == 93_490
    assert receipt["rows_quarantined"] / 93_490 == pytest.approx(0.26, abs=0.005)
    # Counted from outside on the raw text: 24,705 rows have a blank longitude.
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        blank = sum(line.split(",")[3] == "" for line in lines)
    assert result.quarantine["rule"].value_counts().rows() == [("no-point", blank)]
    assert result.quarantine.height == blank
    # Two of the nine vehicles never report a position.
    assert result.tables["ping"]["device_id"].n_unique() == 7
    silent = result.notices.filter(pl.col("code") == "silent-devices")
    assert silent["rows"].to_list() == [2]
    assert result.notices.filter(pl.col("code") == "no-point").height == 1


@pytest.mark.shared_data
def test_real_taxis_of_san_francisco(shared_data: Path) -> None:
    paths = tuple(sorted((shared_data / "pings").glob("new_*.txt")))
    columns = {
        "device_id": "file name",
        "at": "column 4",
        "longitude_deg": "column 2",
        "latitude_deg": "column 1",
    }
    result = read(paths[0], paths=paths, columns=columns, separator="blanks", time_format="epoch_s")
    lines = [len(path.read_text().splitlines()) for path in paths]
    assert result.receipts["rows_in"].to_list() == lines
    assert result.receipts["rows_kept"].to_list() == lines
    assert result.tables["ping"]["longitude_deg"].is_between(-123, -121).all()


@pytest.mark.shared_data
def test_real_walkers_of_beijing(shared_data: Path) -> None:
    path = shared_data / "pings" / "demodata_geolife.csv"
    columns = {"device_id": "tracker", "at": "t", "longitude_deg": "X", "latitude_deg": "Y"}
    result = read(path, columns=columns, time_format="%Y-%m-%d %H:%M:%S%#z")
    assert result.tables["ping"].height == 5_908
    assert result.tables["ping"]["device_id"].n_unique() == 3
    assert min(times(result)) == datetime(2008, 12, 11, 4, 42, 14, tzinfo=UTC)
