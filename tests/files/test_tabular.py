"""Force exports in any layout: forms of times, encodings, workbooks, extracts, corrections."""

import gzip
import random
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import shapely
import xlsxwriter

from placeproof import geometry
from placeproof.errors import GeometryError, InputError, SettingsError
from placeproof.files import FeedResult, FeedSpec, Surroundings, read
from placeproof.files.sheet import EXCEL_ROWS
from placeproof.files.sheets import text_sheet
from placeproof.files.withdrawals import without

AROUND = Surroundings(
    shapely.to_wkb(shapely.box(430_000, 280_000, 490_000, 350_000)),
    date(2020, 1, 1),
    date(2022, 12, 31),
)
HEADER = "crime_id,occurred_from,occurred_to,easting_m,northing_m,category,status\n"


def spec(*paths: Path, **more: object) -> FeedSpec:
    settings = {"time_zone": "Europe/London", **more}
    return FeedSpec("crimes", str(settings.pop("contract", "crime")), "table", paths, **settings)  # type: ignore[arg-type]


def crimes(root: Path, text: str | bytes, name: str = "crimes.csv", **more: object) -> FeedResult:
    path = root / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(spec(path, root=root, **more), AROUND)


def codes(result: FeedResult) -> list[str]:
    return result.notices["code"].to_list()


def test_day_and_month_are_never_guessed(tmp_path: Path) -> None:
    open_order = HEADER + "a,01/02/2021 10:00,,450000,300000,x,recorded\n"
    with pytest.raises(InputError, match="day first and with the month first") as refused:
        crimes(tmp_path, open_order)
    assert "time_format" in refused.value.mend
    asked = crimes(tmp_path, open_order, time_format="%d/%m/%Y %H:%M")
    assert asked.tables["crime"]["month"].to_list() == [date(2021, 2, 1)]
    clear = crimes(tmp_path, open_order + "b,13/02/2021 10:00,,450000,300000,x,recorded\n")
    assert clear.tables["crime"]["month"].to_list() == [date(2021, 2, 1)] * 2
    assert "date-form-detected" in codes(clear)
    both = open_order.replace("01/02", "13/02") + "b,02/13/2021 10:00,,450000,300000,x,recorded\n"
    with pytest.raises(InputError, match="some values put the day first"):
        crimes(tmp_path, both)


def test_a_time_needs_its_zone(tmp_path: Path) -> None:
    text = HEADER + "a,2021-07-01T10:00,,450000,300000,x,recorded\n"
    with pytest.raises(InputError, match="no time zone"):
        crimes(tmp_path, text, time_zone=None)
    summer = crimes(tmp_path, text).tables["crime"]
    assert summer["occurred_from"].to_list() == [datetime(2021, 7, 1, 9, tzinfo=UTC)]
    assert summer["occurred_to"].to_list() == [datetime(2021, 7, 1, 9, tzinfo=UTC)]
    offset = crimes(tmp_path, text.replace("10:00,", "10:00+02:00,"), time_zone=None)
    assert offset.tables["crime"]["occurred_from"].to_list() == [
        datetime(2021, 7, 1, 8, tzinfo=UTC)
    ]


def test_clock_changes(tmp_path: Path) -> None:
    text = HEADER + (
        "a,2021-03-28 01:30,,450000,300000,x,recorded\n"
        "b,2021-10-31 01:30,,450001,300000,x,recorded\n"
    )
    result = crimes(tmp_path, text)
    assert result.quarantine.select("source_row", "rule").row(0) == (2, "no-such-hour")
    assert result.tables["crime"]["occurred_from"].to_list() == [
        datetime(2021, 10, 31, 0, 30, tzinfo=UTC)
    ]
    assert result.notices.filter(pl.col("code") == "repeated-hour")["rows"].to_list() == [1, 0][:1]


def test_a_day_without_a_time_spans_the_day(tmp_path: Path) -> None:
    result = crimes(tmp_path, HEADER + "a,2021-01-05,2021-01-06,450000,300000,x,recorded\n")
    row = result.tables["crime"].row(0, named=True)
    assert row["occurred_from"] == datetime(2021, 1, 5, tzinfo=UTC)
    assert row["occurred_to"] == datetime(2021, 1, 6, 23, 59, 59, tzinfo=UTC)
    assert "day-without-time" in codes(result)


BASE = HEADER + "a,2021-01-05 10:00,,450000,300000,Café,recorded\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_separators_and_gz(
    tmp_path: Path, encoding: str, separator: str, packed: bool
) -> None:
    raw = BASE.replace(",", separator).encode(encoding)
    result = crimes(tmp_path, gzip.compress(raw) if packed else raw)
    assert result.tables["crime"]["category"].to_list() == ["Café"]
    receipt = result.receipts.row(0, named=True)
    assert (receipt["encoding"], receipt["separator"]) == (encoding, separator)
    assert ("encoding-detected" in codes(result)) is (encoding == "cp1252")


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    text = BASE + (
        '"b\nc",2021-01-05 10:00,,450000,300000,"a ""quoted"", word",recorded\n'
        "\n"
        "d,nonsense,,450000,300000,x,recorded\n"
    )
    result = crimes(tmp_path, text)
    assert result.tables["crime"]["source_row"].to_list() == [2, 3]
    assert result.quarantine["source_row"].to_list() == [5]
    assert result.receipts["rows_in"].to_list() == [3]


def workbook(path: Path, rows: list[list[object]], sheets: int = 1) -> Path:
    book = xlsxwriter.Workbook(str(path))
    style = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    for _ in range(sheets):
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(at, column, value, style)
                else:
                    sheet.write(at, column, value)
    book.close()
    return path


def test_workbooks_with_dates_of_excel(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        HEADER.strip().split(","),
        ["a", datetime(2021, 5, 1, 13, 45), 44317.6, 450000, 300000, "x", "recorded"],  # noqa: DTZ001
        [],
        ["b", "2021-05-02 10:00", None, 450000.5, 300000, "x", "Recorded"],
    ]
    path = workbook(tmp_path / "crimes.xlsx", rows)
    crime = read(spec(path), AROUND).tables["crime"]
    assert crime["occurred_from"].to_list() == [
        datetime(2021, 5, 1, 12, 45, tzinfo=UTC),
        datetime(2021, 5, 2, 9, 0, tzinfo=UTC),
    ]
    assert crime["occurred_to"][0] == datetime(2021, 5, 1, 13, 24, tzinfo=UTC)
    assert crime["source_row"].to_list() == [2, 4]
    with pytest.raises(InputError, match="several sheets"):
        read(spec(workbook(tmp_path / "two.xlsx", rows, sheets=2)), AROUND)
    (tmp_path / "not.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(InputError):
        read(spec(tmp_path / "not.xlsx"), AROUND)


def test_parquet_keeps_its_moments(tmp_path: Path) -> None:
    moment = datetime(2021, 7, 1, 9, tzinfo=UTC)
    frame = pl.DataFrame(
        {"crime_id": ["a"], "occurred_from": [moment], "easting_m": [450000.25],
         "northing_m": [300000], "category": ["x"], "robbery": [True], "victim_age": [20]}
    )  # fmt: skip
    frame.write_parquet(tmp_path / "c.parquet")
    crime = read(spec(tmp_path / "c.parquet", time_zone=None), AROUND).tables["crime"]
    row = crime.row(0, named=True)
    assert (row["occurred_from"], row["easting_m"], row["robbery"]) == (moment, 450000.25, True)
    assert row["victim_age"] == 20


def test_an_export_cut_by_excel_is_an_error_notice() -> None:
    text = b"a,b\n" + b"1,2\n" * (EXCEL_ROWS - 1)
    sheet = text_sheet(text, shown="big.csv")
    assert sheet.rows_in == EXCEL_ROWS - 1
    assert [(code, severity) for code, severity, *_ in sheet.remarks] == [("export-cut", "error")]
    assert text_sheet(text[:-4], shown="big.csv").remarks == ()


def extracts(root: Path) -> tuple[Path, Path]:
    one, two = root / "crimes_2021-02-01.csv", root / "crimes_2021-03-01.csv"
    one.write_text(
        HEADER
        + "a,2021-01-05 10:00,,450000,300000,Assault,recorded\n"
        + "b,2021-01-06 10:00,,450000,300000,Assault,recorded\n"
        + "c,2021-01-07 10:00,,450000,300000,Assault,recorded\n"
        + "d,2021-01-08 10:00,,450000,300000,Assault,recorded\n"
    )
    two.write_text(
        HEADER
        + "a,2021-01-05 10:00,,450000,300000,Robbery,recorded\n"
        + "b,2021-01-06 10:00,,450900,300000,Assault,recorded\n"
        + "c,2021-01-07 10:00,,450000,300000,Assault,cancelled\n"
        + "e,2021-02-08 10:00,,450000,300000,Assault,recorded\n"
    )
    return one, two


def test_the_latest_version_of_each_crime_is_kept(tmp_path: Path) -> None:
    one, two = extracts(tmp_path)
    result = read(spec(two, one, extract_date=r"crimes_(\d{4}-\d{2}-\d{2})"), AROUND)
    crime = result.tables["crime"].sort("crime_id")
    assert crime["crime_id"].to_list() == ["a", "b", "c", "d", "e"]
    assert crime["category"].to_list() == ["Robbery"] + ["Assault"] * 4
    assert crime["status"].to_list() == ["recorded", "recorded", "cancelled"] + ["recorded"] * 2
    assert crime["extract_date"].to_list() == [date(2021, 3, 1)] * 3 + [
        date(2021, 2, 1),
        date(2021, 3, 1),
    ]
    receipts = result.receipts.select("path", "rows_in", "rows_kept", "rows_superseded").rows()
    assert [row[1:] for row in receipts] == [(4, 1, 3), (4, 4, 0)]
    changed = {(row["rule"], row["source_row"]) for row in result.flagged.to_dicts()}
    assert changed == {("reclassified", 2), ("moved", 3), ("cancelled", 4)}
    assert {"superseded", "reclassified", "moved", "cancelled"} <= set(codes(result))


def test_overlap_without_extract_dates_keeps_the_first(tmp_path: Path) -> None:
    result = read(spec(*extracts(tmp_path)), AROUND)
    assert result.tables["crime"].height == 5
    assert result.quarantine["rule"].to_list() == ["duplicate-id"] * 3
    assert "extract_date" in result.quarantine["mend"][0]


def test_corrections_are_applied_and_listed(tmp_path: Path) -> None:
    fixes = tmp_path / "fixes.csv"
    fixes.write_text(
        "crime_id,column,new_value,reason,by,on,file,row\n"
        "a,occurred_from,2021-01-05 11:00,typing error,AB,2022-01-01,,\n"
        ",crime_id,new,was blank,AB,2022-01-01,crimes.csv,3\n"
        "z,category,x,no such crime,AB,2022-01-01,,\n"
    )
    text = HEADER + (
        "a,2021-01-05 25:00,,450000,300000,x,recorded\n"
        ",2021-01-06 10:00,,450000,300000,x,recorded\n"
    )
    before = crimes(tmp_path, text)
    assert before.tables["crime"].is_empty()
    result = crimes(tmp_path, text, corrections=(fixes,))
    assert result.tables["crime"]["crime_id"].to_list() == ["a", "new"]
    assert result.tables["crime"]["occurred_from"][0] == datetime(2021, 1, 5, 11, tzinfo=UTC)
    listed = result.flagged.filter(pl.col("rule") == "corrected")
    assert listed["mend"].to_list() == [
        "typing error (AB, 2022-01-01)",
        "was blank (AB, 2022-01-01)",
    ]
    assert listed.filter(pl.col("column") == "crime_id")["found"].to_list() == [""]
    assert "correction-without-row" in codes(result)
    assert (tmp_path / "crimes.csv").read_text() == text
    data = result.receipts.filter(pl.col("path") == "crimes.csv").row(0, named=True)
    assert data["rows_corrected"] == 2
    (tmp_path / "more.csv").write_text(
        HEADER + "m,2021-01-07 10:00,,450000,300000,x,recorded\n"
        "n,2021-01-07 10:00,,450000,300000,x,recorded\n"
    )
    both = spec(tmp_path / "crimes.csv", tmp_path / "more.csv", corrections=(fixes,), root=tmp_path)
    assert set(read(both, AROUND).tables["crime"]["crime_id"]) == {"a", "new", "m", "n"}
    fixes.write_text("nonsense,a\n1,2\n")
    with pytest.raises(InputError, match="no table of corrections"):
        crimes(tmp_path, text, corrections=(fixes,))


def test_degrees_and_metres_meet(tmp_path: Path) -> None:
    degrees = "crime_id,occurred_from,lon,lat,category\na,2021-01-05 10:00,-1.13,52.63,x\n"
    columns = {"longitude_deg": "lon", "latitude_deg": "lat"}
    row = crimes(tmp_path, degrees, columns=columns).tables["crime"].row(0, named=True)
    easting_m, northing_m = geometry.to_metres([-1.13], [52.63])
    assert row["easting_m"] == pytest.approx(easting_m[0], abs=0.02)  # points are kept to 1e-7°
    assert row["northing_m"] == pytest.approx(northing_m[0], abs=0.02)
    same = crimes(
        tmp_path, degrees, columns={"easting_m": "lon", "northing_m": "lat"}, crs="EPSG:4326"
    )
    assert same.tables["crime"]["easting_m"][0] == row["easting_m"]
    with pytest.raises(GeometryError, match="wrong-crs"):
        crimes(tmp_path, degrees, columns={"easting_m": "lon", "northing_m": "lat"})
    with pytest.raises(GeometryError, match="swapped"):
        crimes(tmp_path, degrees, columns={"longitude_deg": "lat", "latitude_deg": "lon"})
    with pytest.raises(SettingsError):
        crimes(tmp_path, degrees, columns=columns, crs="EPSG:3857")


def test_missing_and_null_island_points_are_kept(tmp_path: Path) -> None:
    text = HEADER + (
        "a,2021-01-05 10:00,,0,0,x,recorded\nb,2021-01-05 10:00,,450000,,x,recorded\n"
        "c,2021-01-05 10:00,,,,x,recorded\n"
    )
    result = crimes(tmp_path, text)
    assert result.tables["crime"]["location_quality"].to_list() == ["missing"] * 3
    assert result.tables["crime"]["easting_m"].null_count() == 3
    assert result.flagged["rule"].to_list() == ["no-point"] * 2


def test_a_point_with_too_many_crimes_is_noticed(tmp_path: Path) -> None:
    rows = [f"p{n},2021-01-05 10:00,,450500,300500,x,recorded" for n in range(40)]
    rows += [f"q{n},2021-01-05 10:00,,{450000 + n},300000,x,recorded" for n in range(400)]
    result = crimes(tmp_path, HEADER + "\n".join(rows) + "\n")
    said = result.notices.filter(pl.col("code") == "default-geocode").row(0, named=True)
    assert said["rows"] == 40
    assert "450500, 300500" in said["message"]
    assert (result.tables["crime"]["location_quality"] == "exact").all()


def test_what_is_empty_or_absent_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        crimes(tmp_path, b"")
    with pytest.raises(InputError, match="does not exist"):
        read(spec(tmp_path / "no.csv"), AROUND)
    only = crimes(tmp_path, HEADER)
    assert only.tables["crime"].is_empty()
    assert "no-rows" in codes(only)
    with pytest.raises(InputError, match="category"):
        crimes(tmp_path, "crime_id,occurred_from\na,2021-01-01 10:00\n")
    with pytest.raises(InputError, match="no column 'Nummer'"):
        crimes(tmp_path, BASE, columns={"crime_id": "Nummer"})
    with pytest.raises(SettingsError, match="has not"):
        crimes(tmp_path, BASE, columns={"colour": "x"})
    (tmp_path / "copy.csv").write_bytes(BASE.encode())
    (tmp_path / "crimes.csv").write_bytes(BASE.encode())
    with pytest.raises(InputError, match="same file"):
        read(spec(tmp_path / "crimes.csv", tmp_path / "copy.csv"), AROUND)
    nothing = crimes(tmp_path, BASE.replace("recorded", "gone"))
    assert "nothing-kept" in codes(nothing)
    late = crimes(tmp_path, BASE)
    assert "starts-late" in codes(late)


def test_other_tables_come_in_by_the_same_way(tmp_path: Path) -> None:
    text = (
        "Task;Spot;From;To;Mins;Off?\n1;H01;01/07/2021 20:00;01/07/2021 23:00;15;N\n"
        "2;H01;01/07/2021 20:00;01/07/2021 19:00;15;Y\n"
        "1;H02;31/07/2021 20:00;31/07/2021 23:00;x;N\n"
    )
    result = crimes(
        tmp_path,
        text,
        contract="tasking",
        columns={
            "task_id": "Task",
            "hotspot_id": "Spot",
            "window_from": "From",
            "window_to": "To",
            "target_minutes": "Mins",
            "cancelled": "Off?",
        },
    )
    assert result.tables["tasking"]["task_id"].to_list() == ["1"]
    assert result.quarantine["rule"].to_list() == ["end-before-start", "text-in-number"]


def test_withdrawals_take_people_out_everywhere() -> None:
    tables = {
        "response": pl.DataFrame({"response_id": ["r1", "r2"]}),
        "speaker": pl.DataFrame({"speaker_id": ["s1", "s2"], "session_id": ["x", "x"]}),
        "turn": pl.DataFrame(
            {"session_id": ["x"] * 3, "turn": [1, 2, 3], "speaker_id": ["s1", None, "s2"]}
        ),
        "coded_span": pl.DataFrame(
            {"session_id": ["x", "x"], "turn": [1, 3], "code_id": ["c"] * 2}
        ),
        "consent": pl.DataFrame(
            {"subject_id": ["r1", "s1", "r2"], "subject_kind": ["response", "speaker", "response"]}
        ),
        "crime": pl.DataFrame({"crime_id": ["r1", "s1"]}),
    }
    left = pl.DataFrame(
        {"subject_id": ["r1", "s1", "s2"], "subject_kind": ["response", "speaker", "response"]}
    )
    kept, counts = without(tables, left)
    assert kept["response"]["response_id"].to_list() == ["r2"]
    assert kept["speaker"]["speaker_id"].to_list() == ["s2"]
    assert kept["turn"]["turn"].to_list() == [2, 3]
    assert kept["coded_span"]["turn"].to_list() == [3]
    assert kept["consent"]["subject_id"].to_list() == ["r2"]
    assert kept["crime"].height == 2
    assert counts == {"response": 1, "speaker": 1, "turn": 1, "coded_span": 1, "consent": 2}
    assert tables["response"].height == 2


@pytest.mark.parametrize("seed", range(40))
def test_bytes_of_any_kind_are_refused_or_counted(tmp_path: Path, seed: int) -> None:
    noise = random.Random(seed)
    rows = [f"a{n},2021-01-05 10:00,,{450000 + n},300000,x,recorded" for n in range(20)]
    raw = bytearray((HEADER + "\n".join(rows) + "\n").encode())
    for _ in range(noise.randrange(1, 60)):
        at = noise.randrange(len(HEADER) if seed % 4 else 0, len(raw))
        raw[at : at + noise.randrange(3)] = noise.choice(
            [b'"', b"\x00", b"\r", b"\n", b",", b"\xff", b"\xc3\xa9", noise.randbytes(4), b""]
        )
    try:
        result = crimes(tmp_path, bytes(raw))
    except (InputError, GeometryError):
        return
    receipt = result.receipts.row(0, named=True)
    assert receipt["rows_in"] == receipt["rows_kept"] + receipt["rows_quarantined"]
    assert result.tables["crime"].height == receipt["rows_kept"]
    assert result.quarantine["source_row"].n_unique() == receipt["rows_quarantined"]


def test_blanks_around_headers_and_values_do_no_harm(tmp_path: Path) -> None:
    result = crimes(tmp_path, BASE.replace(",", " , "))
    assert result.tables["crime"].height == 1
