"""A proposal names what it found, what it is not sure of, and shows nothing personal."""

import tomllib
import zipfile
from pathlib import Path

import geopandas
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from placeproof.errors import InputError
from placeproof.files import time_forms
from placeproof.files.mapping import propose_mapping

CRIMES = """Crime Number,Committed From,Committed To,Offence Description,Easting,Northing,DV Flag,Crime Status,Victim Age,Vic Gender,Beat
22*0001,01/02/2021 10:00,01/02/2021 12:00,Assault,458100,304100,Y,Live,97,Zzsex,CB1
22*0002,05/02/2021 10:00,{day}/02/2021 12:00,Assault,458200,304200,N,Cancelled,23,M,CB1
"""  # noqa: E501


def file(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_crime_export_is_recognised(tmp_path: Path) -> None:
    proposal = propose_mapping(file(tmp_path, "export.csv", CRIMES.format(day=25)))
    assert proposal.contract == "crime"
    assert proposal.columns == {
        "crime_id": "Crime Number",
        "occurred_from": "Committed From",
        "occurred_to": "Committed To",
        "easting_m": "Easting",
        "northing_m": "Northing",
        "category": "Offence Description",
        "domestic": "DV Flag",
        "victim_age": "Victim Age",
        "victim_sex": "Vic Gender",
        "status": "Crime Status",
    }
    assert (proposal.time_format, proposal.time_zone) == ("%d/%m/%Y %H:%M", "Europe/London")
    assert (proposal.crs, proposal.separator) == ("EPSG:27700", ",")
    assert proposal.values["domestic"] == {"N": "false", "Y": "true"}
    assert proposal.values["status"] == {"Cancelled": "cancelled", "Live": ""}


def test_the_proposal_is_toml_that_marks_every_doubt(tmp_path: Path) -> None:
    proposal = propose_mapping(file(tmp_path, "export.csv", CRIMES.format(day=25)))
    section = tomllib.loads(proposal.toml)["data"]["export"]
    assert section["contract"] == "crime"
    assert section["columns"] == proposal.columns
    assert section["values"] == proposal.values
    assert '"Live" = ""  # UNSURE: one of recorded, cancelled, transferred' in proposal.toml
    assert all(f"# UNSURE: {doubt}" in proposal.toml for doubt in proposal.unsure)
    assert '# Not used: "Beat"' in proposal.toml


def test_personal_values_are_never_shown(tmp_path: Path) -> None:
    proposal = propose_mapping(file(tmp_path, "export.csv", CRIMES.format(day=25)))
    said = repr(proposal).replace(str(tmp_path), "")  # a folder's own number is nobody's age
    for value in ("22*0001", "97", "Zzsex", "458100"):
        assert value not in said


def test_headers_that_are_only_alike_are_proposed_with_a_doubt(tmp_path: Path) -> None:
    text = CRIMES.format(day=25).replace("Committed From", "Comitted  From")
    proposal = propose_mapping(file(tmp_path, "export.csv", text))
    assert proposal.columns["occurred_from"] == "Comitted  From"
    assert '"Comitted  From" is only like "occurred_from": check it.' in proposal.unsure


def test_a_day_that_could_be_a_month_is_left_open_with_both_forms(tmp_path: Path) -> None:
    proposal = propose_mapping(file(tmp_path, "export.csv", CRIMES.format(day=11)))
    doubts = [line for line in proposal.unsure if "either way round" in line]
    assert len(doubts) == 2
    assert all("%d/%m/%Y %H:%M or %m/%d/%Y %H:%M" in doubt for doubt in doubts)


@pytest.mark.parametrize(
    ("values", "candidates"),
    [
        (["01/02/2021 10:00", "25/04/2021 11:00"], ("%d/%m/%Y %H:%M",)),
        (["01/02/2021 10:00", "04/25/2021 11:00"], ("%m/%d/%Y %H:%M",)),
        (["01/02/2021 10:00"], ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")),
        (["01/02/21", None], ("%d/%m/%y", "%m/%d/%y")),
        (["2021-05-01T10:00:00Z"], ("%Y-%m-%dT%H:%M:%SZ",)),
        (["2021-05-01T10:00:00.250Z", "2021-05-01T10:00:01Z"], ("%Y-%m-%dT%H:%M:%S%.fZ",)),
        (["2021-05-01 10:00:00+01:00"], ("%Y-%m-%d %H:%M:%S%#z",)),
        (["2021-05-01"], ("%Y-%m-%d",)),
        (["2021-05"], ("%Y-%m",)),
        (["1211033530"], ("epoch_s",)),
        (["1211033530000"], ("epoch_ms",)),
        (["Assault"], ()),
        ([None], ()),
    ],
)
def test_forms_of_times(values: list[str | None], candidates: tuple[str, ...]) -> None:
    found = time_forms.forms(pl.Series(values, dtype=pl.String))
    assert found.candidates == candidates


def test_evidence_names_the_row_that_settles_the_order_of_day_and_month() -> None:
    found = time_forms.forms(pl.Series(["01/02/2021", "02/02/2021", "25/02/2021"]))
    assert "row 4" in found.evidence


@settings(max_examples=60, deadline=None)
@given(st.lists(st.datetimes(), min_size=1, max_size=8), st.sampled_from(time_forms.MOMENT_FORMS))
def test_what_was_written_in_a_form_is_among_its_candidates(moments: list, form: str) -> None:
    kept = [moment for moment in moments if 1951 <= moment.year <= 2049]
    if not kept:
        return
    zone = "UTC" if "z" in form else None
    text = (
        pl.Series(kept, dtype=pl.Datetime("us"))
        .dt.replace_time_zone(zone)
        .dt.strftime(form.replace("%#z", "%z"))
    )
    read = time_forms.forms(text)
    by_form = text.str.to_datetime(form, time_zone=zone)
    by_candidates = [
        text.str.to_datetime(one, strict=False, time_zone="UTC" if "z" in one else None)
        for one in read.candidates
        if one in time_forms.MOMENT_FORMS and ("z" in one) == ("z" in form)
    ]
    assert "Z" in form or any(other.equals(by_form) for other in by_candidates)


def test_an_hour_that_london_skips_speaks_for_utc(tmp_path: Path) -> None:
    text = "device,time,lat,lon\nR1,2021-03-28 01:30:00,52.63,-1.13\n"
    proposal = propose_mapping(file(tmp_path, "pings.csv", text))
    assert (proposal.contract, proposal.time_zone, proposal.crs) == ("ping", "UTC", "EPSG:4326")
    assert any("row 2" in doubt for doubt in proposal.unsure)


def test_swapped_columns_are_named(tmp_path: Path) -> None:
    text = "device,time,lat,lon\nR1,2021-03-27T01:30:00Z,-1.13,52.63\n"
    proposal = propose_mapping(file(tmp_path, "pings.csv", text))
    assert any("swap the two columns" in doubt for doubt in proposal.unsure)


def test_x_and_y_are_named_by_what_they_hold(tmp_path: Path) -> None:
    degrees = propose_mapping(
        file(tmp_path, "a.csv", "radio,time,x,y\nR,2021-03-27 01:30,-1.1,52.6\n")
    )
    metres = propose_mapping(
        file(tmp_path, "b.csv", "radio,time,x,y\nR,2021-03-27 01:30,458000,304000\n")
    )
    assert {"longitude_deg", "latitude_deg"} <= set(degrees.columns)
    assert {"easting_m", "northing_m"} <= set(metres.columns)


def test_windows_letters_and_a_byte_order_mark_in_the_headers(tmp_path: Path) -> None:
    cp1252 = file(tmp_path, "a.csv", "Crime Number;Offence;Café\n1;A;B\n", "cp1252")
    assert propose_mapping(cp1252, contract="crime").encoding == "cp1252"
    marked = file(tmp_path, "b.csv", "Crime Number;Offence\n1;A\n", "utf-8-sig")
    proposal = propose_mapping(marked, contract="crime")
    assert proposal.columns["crime_id"] == "Crime Number"
    assert proposal.separator == ";"


def test_a_first_row_of_data_is_not_shown(tmp_path: Path) -> None:
    proposal = propose_mapping(file(tmp_path, "new.txt", "37.75153 -122.39447 0 1211033530\n" * 3))
    assert "37.75153" not in repr(proposal)
    assert any("no headers" in doubt or "looks like data" in doubt for doubt in proposal.unsure)


def test_nothing_of_ours(tmp_path: Path) -> None:
    proposal = propose_mapping(file(tmp_path, "a.csv", "alpha,beta\n1,2\n"))
    assert proposal.contract == ""
    assert tomllib.loads(proposal.toml)["data"]["a"]["contract"] == "?"


def test_a_workbook_a_parquet_file_and_outlines(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Hotspot": ["H1"], "Start": ["2021-07-26 20:00"], "Duration": [15]})
    frame.write_parquet(tmp_path / "delivered.parquet")
    proposal = propose_mapping(tmp_path / "delivered.parquet", contract="delivered")
    assert proposal.columns["minutes"] == "Duration"
    spots = geopandas.GeoDataFrame(
        {"Hotspot Ref": ["H1"], "Hotspot Name": ["Spot"], "Type": ["NTE"]},
        geometry=[shapely.box(458_000, 304_000, 458_200, 304_200)],
        crs="EPSG:27700",
    )
    spots.to_file(tmp_path / "spots.gpkg")
    outlines = propose_mapping(tmp_path / "spots.gpkg")
    assert (outlines.contract, outlines.format) == ("hotspot", "geo")
    assert outlines.columns["hotspot_id"] == "Hotspot Ref"
    assert outlines.values["kind"] == {"NTE": "nte"}


def test_of_several_sheets_the_best_is_proposed_and_the_others_are_named(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "talks.xlsx") as book:
        sheets = {
            "Notes": [["alpha", "beta"], ["1", "2"]],
            "Sessions": [["Session ID", "Kind", "Hours"], ["S1", "group", "nte"]],
        }
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for place, row in enumerate(rows):
                page.write_row(place, 0, row)
    proposal = propose_mapping(tmp_path / "talks.xlsx")
    assert (proposal.contract, proposal.sheet) == ("session", "Sessions")
    assert "Notes" in proposal.unsure[0]
    assert tomllib.loads(proposal.toml)["data"]["talks"]["sheet"] == "Sessions"
    assert propose_mapping(tmp_path / "talks.xlsx", sheet="Notes").contract == ""


def test_a_bare_ref_is_the_identifier_of_its_table(tmp_path: Path) -> None:
    proposal = propose_mapping(file(tmp_path, "event list.csv", "Ref,Event,Starts,Ends\nE1,A,,\n"))
    assert (proposal.contract, proposal.columns["event_id"]) == ("event", "Ref")


def test_an_archive_of_police_uk(tmp_path: Path) -> None:
    path = tmp_path / "latest.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("2021-01/2021-01-leicestershire-street.csv", "Crime ID\n")
    assert propose_mapping(path).format == "police-uk"
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(InputError, match="not a whole zip"):
        propose_mapping(tmp_path / "bad.zip")


def test_a_contract_that_files_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "alpha,beta\n1,2\n")
    with pytest.raises(InputError, match="not a table"):
        propose_mapping(path, contract="finding")
    with pytest.raises(InputError, match="no such file"):
        propose_mapping(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("content", "said"), [(b"a,b\n\x00\x01\x02,3\n", "is no text"), (b"x," * 600_000, "one record")]
)
def test_what_is_no_table_is_refused_at_once(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        propose_mapping(path)
    assert said in str(caught.value)
