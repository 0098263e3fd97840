"""Archives of data.police.uk: months, repeats, identifiers, categories, damaged files."""

import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import shapely

from placeproof import geometry
from placeproof.definitions.categories import police_uk_slugs
from placeproof.errors import InputError
from placeproof.files import FeedResult, FeedSpec, Surroundings, police_uk_meanings, read

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)
ANYWHERE = Surroundings(None, date(2020, 1, 1), date(2022, 12, 31))


def line(
    crime_id: str = "", kind: str = "Robbery", month: str = "2020-01", at: str = "-1.13,52.63"
) -> str:
    return f"{crime_id},{month},A Police,A Police,{at},On or near X,E01,Y 1,{kind},,"


def folder(root: Path, months: dict[str, list[str]], kind: str = "street") -> Path:
    for month, lines in months.items():
        at = root / month
        at.mkdir(parents=True, exist_ok=True)
        text = "\r\n".join([HEADER, *lines]) + "\r\n"
        (at / f"{month}-a-{kind}.csv").write_text(text, encoding="utf-8", newline="")
    return root


def spec(*paths: Path, **more: object) -> FeedSpec:
    return FeedSpec("police", "police-uk", "police-uk", paths, **more)  # type: ignore[arg-type]


ASB = line(kind="Anti-social behaviour")


def test_repeats_of_disorder_and_identifiers_in_two_months_are_kept(tmp_path: Path) -> None:
    months = {
        "2020-01": [ASB, ASB, ASB, line("a"), line("b")],
        "2020-02": [line("a", month="2020-02")],
    }
    result = read(spec(folder(tmp_path, months)), ANYWHERE)
    assert result.tables["incident"].height == 3
    assert result.tables["crime"]["crime_id"].to_list() == ["a", "b", "a"]
    assert result.tables["crime"]["source_row"].to_list() == [5, 6, 2]
    twice = result.notices.filter(pl.col("code") == "duplicate-id").row(0, named=True)
    assert twice["rows"] == 1


def test_a_missing_month_is_not_supplied(tmp_path: Path) -> None:
    months = {"2020-01": [ASB], "2020-04": [line(month="2020-04", kind="Anti-social behaviour")]}
    result = read(spec(folder(tmp_path, months)), ANYWHERE)
    said = result.notices.filter(pl.col("code") == "months-not-supplied")["message"][0]
    assert "2020-02, 2020-03" in said
    assert "not 0" in said


def test_categories_say_what_they_can_and_no_more(tmp_path: Path) -> None:
    kinds = [name for name in police_uk_slugs() if name != "Anti-social behaviour"]
    result = read(spec(folder(tmp_path, {"2020-01": [line(k, kind=k) for k in kinds]})), ANYWHERE)
    crime = {row["category"]: row for row in result.tables["crime"].to_dicts()}
    assert set(crime) == set(police_uk_slugs().values()) - {"anti-social-behaviour"}
    mixed = crime["violent-crime"]
    assert mixed["violence"] is mixed["injury"] is mixed["sexual"] is None
    assert [slug for slug, row in crime.items() if row["robbery"]] == ["robbery"]
    assert {slug for slug, row in crime.items() if row["police_generated"]} == {
        "drugs",
        "possession-of-weapons",
    }
    assert [slug for slug, row in crime.items() if row["weapon"]] == ["possession-of-weapons"]
    for column in ("injury", "knife", "domestic", "public_place", "occurred_from", "occurred_to"):
        assert result.tables["crime"][column].null_count() == len(kinds)


def test_slugs_are_those_of_the_definitions() -> None:
    assert {
        name: row[0] for name, row in police_uk_meanings.CATEGORIES.items()
    } == police_uk_slugs()


def test_zip_and_folder_give_the_same_rows(tmp_path: Path) -> None:
    source = folder(tmp_path / "tree", {"2020-01": [ASB, line("a")]})
    packed = tmp_path / "all.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(source.rglob("*.csv")):
            archive.write(file, file.relative_to(source).as_posix())
        archive.writestr("README.txt", "hello")
        archive.writestr("../../evil/2020-02-a-street.csv", HEADER)
        archive.writestr("more.zip", b"PK")
    one, two = read(spec(source), ANYWHERE), read(spec(packed), ANYWHERE)
    assert one.tables["crime"].equals(two.tables["crime"])
    assert two.receipts["archive_sha256"].null_count() == 0
    assert one.receipts["sha256"].equals(two.receipts["sha256"])
    strange = two.notices.filter(pl.col("code") == "unknown-files")["message"][0]
    assert strange.startswith("3 files")
    assert not (tmp_path.parent / "evil").exists()


def test_damaged_files_are_read_slowly_and_named(tmp_path: Path) -> None:
    lines = [
        line("a"),
        line("b", at="west,52.63"),
        line("c", at="52.63,-1.13"),
        line("d", at=","),
        line("e", at="-1.13,"),
        line("f", month="2020-13"),
        line("g", month="2031-01"),
        line("h") + ",one,too,many",
        line("i", kind="Piracy"),
        line("j", kind=""),
        "k,2020-01,A Pol",
    ]
    at = folder(tmp_path, {"2020-01": lines})
    path = at / "2020-01" / "2020-01-a-street.csv"
    path.write_bytes(path.read_bytes().rstrip(b"\r\n"))
    result = read(spec(at), ANYWHERE)
    rules = {(row["source_row"], row["rule"]) for row in result.quarantine.to_dicts()}
    assert rules == {
        (3, "text-in-number"),
        (4, "swapped-coordinates"),
        (6, "half-a-point"),
        (7, "wrong-date"),
        (8, "future-date"),
        (9, "too-many-fields"),
        (11, "blank value"),
        (12, "truncated-line"),
    }
    assert result.tables["crime"]["crime_id"].to_list() == ["a", "d", "i"]
    assert result.tables["crime"]["location_quality"].to_list() == ["snapped", "missing", "snapped"]
    assert result.receipts.select("rows_in", "rows_kept", "rows_quarantined").row(0) == (11, 3, 8)
    assert "Piracy" in result.notices.filter(pl.col("code") == "unknown-code")["message"][0]


def test_outcomes_and_searches_side_by_side(tmp_path: Path) -> None:
    at = folder(tmp_path, {"2020-01": [line("a")]})
    folder(tmp_path, {"2020-01": ["x"]}, kind="outcomes")
    header = (
        "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,"
        "Age range,Self-defined ethnicity,Officer-defined ethnicity,Legislation,Object of search,"
        "Outcome,Outcome linked to object of search,Removal of more than just outer clothing"
    )
    stop = "Person search,2020-01-05T23:10:00+00:00,,,52.63,-1.13,Male,18-24,,,,Drugs,Arrest,,"
    (at / "2020-01" / "2020-01-a-stop-and-search.csv").write_text(
        f"{header}\n{stop}\n{stop.replace('52.63,-1.13', ',')}\n", encoding="utf-8"
    )
    result = read(spec(at), ANYWHERE)
    stops = result.tables["stop_search"]
    assert stops["location_quality"].to_list() == ["snapped", "missing"]
    assert f"{stops['at'][0]:%Y-%m-%d %H:%M}" == "2020-01-05 23:10"
    assert stops["month"].to_list() == [date(2020, 1, 1)] * 2
    assert "outcomes-not-read" in result.notices["code"].to_list()
    assert result.receipts.height == 3


def test_two_archives_with_one_month_need_their_dates(tmp_path: Path) -> None:
    old = folder(tmp_path / "archive-2020-06", {"2020-01": [line("a"), line("b")]})
    new = folder(tmp_path / "archive-2020-09", {"2020-01": [line("a")]})
    with pytest.raises(InputError, match="hold the same month"):
        read(spec(old, new), ANYWHERE)


def test_later_archive_replaces_the_month(tmp_path: Path) -> None:
    for name, lines in (("2020-06", [line("a"), line("b")]), ("2020-09", [line("a")])):
        source = folder(tmp_path / name, {"2020-01": lines})
        with zipfile.ZipFile(tmp_path / f"police-{name}.zip", "w") as archive:
            archive.write(source / "2020-01" / "2020-01-a-street.csv", "2020-01-a-street.csv")
    both = [tmp_path / f"police-{name}.zip" for name in ("2020-06", "2020-09")]
    result = read(spec(*both, extract_date=r"police-(\d{4}-\d{2})"), ANYWHERE)
    assert result.tables["crime"].height == 1
    assert result.receipts["rows_superseded"].to_list() == [2, 0]


def test_header_alone_and_no_file(tmp_path: Path) -> None:
    empty = read(spec(folder(tmp_path / "a", {"2020-01": []})), ANYWHERE)
    assert empty.tables["crime"].is_empty()
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="no street file"):
        read(spec(tmp_path / "b"), ANYWHERE)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"not,a,crime\n1,2,3\n"])
def test_unreadable_files_are_refused_plainly(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "2020-01-a-street.csv").write_bytes(content)
    with pytest.raises(InputError):
        read(spec(tmp_path), ANYWHERE)


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2020-01-a-street.csv", b"0" * 50_000_000)
    with pytest.raises(InputError, match="zip bomb"):
        read(spec(packed), ANYWHERE)


@pytest.fixture(scope="module")
def leicestershire(shared_data: Path) -> FeedResult:
    at = shared_data / "leicestershire"
    force = shapely.from_geojson((at / "leicestershire_pfa20.geojson").read_text(encoding="utf-8"))
    outline = shapely.union_all(shapely.get_parts(force))
    area = geometry.to_british_grid([outline], crs="EPSG:4326")[0]
    archive = at / "police-uk-leicestershire-2019-12-to-2022-10.zip"
    return read(
        spec(archive), Surroundings(shapely.to_wkb(area), date(2019, 12, 1), date(2022, 10, 31))
    )


@pytest.mark.shared_data
def test_leicestershire_rows_are_all_there(leicestershire: FeedResult) -> None:
    receipts = leicestershire.receipts
    assert receipts.height == 35
    assert receipts["rows_in"].sum() == 301_838
    assert receipts["rows_kept"].sum() + receipts["rows_quarantined"].sum() == 301_838
    assert leicestershire.quarantine.is_empty()
    assert "months-not-supplied" not in leicestershire.notices["code"].to_list()


@pytest.mark.shared_data
def test_leicestershire_facts_that_were_counted(leicestershire: FeedResult) -> None:
    crime, incident = leicestershire.tables["crime"], leicestershire.tables["incident"]
    assert incident.height == 33_364
    assert incident["incident_id"].null_count() == 33_364
    assert (incident["location_quality"] == "missing").sum() == 0
    assert (crime["location_quality"] == "missing").sum() == 7_463
    assert crime.height - crime["crime_id"].n_unique() == 10
    assert crime["category"].n_unique() == 13
    rows = {row["code"]: row["rows"] for row in leicestershire.notices.to_dicts()}
    assert rows["missing-locations"] == 7_463
    assert rows["duplicate-id"] == 10


@pytest.mark.shared_data
def test_share_of_missing_locations_changes_with_time(leicestershire: FeedResult) -> None:
    columns = ["month", pl.col("easting_m").is_null().alias("missing")]
    both = pl.concat(
        [leicestershire.tables[name].select(columns) for name in ("crime", "incident")]
    )
    share = dict(both.group_by("month").agg(pl.col("missing").mean()).iter_rows())
    early = [value for month, value in share.items() if month <= date(2020, 5, 1)]
    middle = [
        value for month, value in share.items() if date(2020, 6, 1) <= month <= date(2022, 2, 1)
    ]
    late = [value for month, value in share.items() if month > date(2022, 2, 1)]
    assert 0.035 <= min(early) <= max(early) <= 0.145
    assert 0.001 <= min(middle) <= max(middle) <= 0.0125
    assert 0.025 <= min(late) <= max(late) <= 0.0465


@pytest.mark.shared_data
def test_points_and_repeats_match_a_plain_reading(
    leicestershire: FeedResult, shared_data: Path
) -> None:
    archive = shared_data / "leicestershire" / "police-uk-leicestershire-2019-12-to-2022-10.zip"
    with zipfile.ZipFile(archive) as packed:
        plain = pl.concat(
            [pl.read_csv(packed.read(name), infer_schema=False) for name in packed.namelist()]
        )
    asb = plain.filter(pl.col("Crime type") == "Anti-social behaviour")
    assert asb.height - asb.n_unique() == 7_936
    assert leicestershire.tables["incident"].height == asb.height
    both = [
        leicestershire.tables[name].select("easting_m", "northing_m")
        for name in ("crime", "incident")
    ]
    points = pl.concat(both).drop_nulls()
    distinct = plain.select("Longitude", "Latitude").drop_nulls().n_unique()
    assert points.n_unique() == distinct
