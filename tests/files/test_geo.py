"""Outlines from every format come out in the same metres, or are refused with the reason."""

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import polars as pl
import pytest
import shapely

from placeproof import files
from placeproof.errors import GeometryError, InputError, SettingsError
from placeproof.files import geo
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.shapes import open_shapes

FORCE = shapely.box(420_000, 270_000, 500_000, 340_000)
SURROUNDINGS = Surroundings(
    area_wkb=shapely.to_wkb(FORCE), start=date(2020, 1, 1), cut_off=date(2024, 12, 31)
)
SQUARE = shapely.box(458_000, 304_000, 458_200, 304_200)
WITH_HOLE = shapely.Polygon(
    shapely.box(459_000, 304_000, 459_300, 304_300).exterior.coords,
    [shapely.box(459_100, 304_100, 459_200, 304_200).exterior.coords],
)
TWO_PARTS = shapely.MultiPolygon(
    [
        shapely.box(460_000, 304_000, 460_100, 304_100),
        shapely.box(460_200, 304_000, 460_300, 304_050),
    ]
)
FORMATS = {
    "spots.geojson": "GeoJSON",
    "spots.gpkg": "GPKG",
    "spots.shp": "ESRI Shapefile",
    "spots.tab": "MapInfo File",
}


def frame(shapes: list[Any], crs: str = "EPSG:27700", **columns: list[Any]) -> Any:
    number = len(shapes)
    base: dict[str, list[Any]] = {
        "Ref": [f"H{n:02d}" for n in range(1, number + 1)],
        "Ver": [1] * number,
        "Name": [f"Spot {n}" for n in range(1, number + 1)],
        "Type": ["NTE"] * number,
        "From": ["2021-07-26"] * number,
        "To": [None] * number,
    }
    return geopandas.GeoDataFrame({**base, **columns}, geometry=shapes, crs="EPSG:27700").to_crs(
        crs
    )


def written(path: Path, data: Any) -> Path:
    data.to_file(path, driver=FORMATS.get("spots" + path.suffix, "GeoJSON"))
    return path


def geojson(path: Path, geometries: list[Any], crs: str | None = None) -> Path:
    features = [
        {"type": "Feature", "properties": {"Ref": f"H{n}"}, "geometry": geometry}
        for n, geometry in enumerate(geometries, start=1)
    ]
    content: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if crs:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def polygon(*corners: tuple[float, ...]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("crs", ["EPSG:27700", "EPSG:4326"])
def test_the_same_place_has_the_same_area_in_either_system_and_every_format(
    tmp_path: Path, name: str, crs: str
) -> None:
    path = written(tmp_path / name, frame([SQUARE, WITH_HOLE, TWO_PARTS], crs))
    read = shapely.from_wkb(geo.outline(path))
    expected = SQUARE.area + WITH_HOLE.area + TWO_PARTS.area
    assert read.area == pytest.approx(expected, rel=1e-3)
    # Datum shifts without the national grid file are good to a few metres, not to millimetres.
    union = shapely.union_all([SQUARE, WITH_HOLE, TWO_PARTS])
    assert shapely.hausdorff_distance(read, union) < 10
    assert sum(len(part.interiors) for part in read.geoms) == 1, "the hole was lost"


@pytest.mark.parametrize("name", FORMATS)
def test_attributes_come_as_text_with_their_headers(tmp_path: Path, name: str) -> None:
    data = frame([SQUARE, TWO_PARTS], Ver=[1, 2], Name=["Café", "Plain"])
    shapes = open_shapes(written(tmp_path / name, data), layer=None, encoding=None)
    assert shapes.attributes["Ver"].to_list() == ["1", "2"]
    assert shapes.attributes["Name"].to_list() == ["Café", "Plain"]
    assert set(shapes.attributes.dtypes) == {pl.String}


def test_days_stored_as_midnight_are_days_and_gaps_do_not_turn_integers_into_decimals(
    tmp_path: Path,
) -> None:
    days = np.array(["2021-07-26", "NaT"], dtype="datetime64[ms]")
    data = frame([SQUARE, TWO_PARTS], From=list(days), Ver=[3.0, None])
    shapes = open_shapes(written(tmp_path / "spots.gpkg", data), layer=None, encoding=None)
    assert shapes.attributes["From"].to_list() == ["2021-07-26", None]
    assert shapes.attributes["Ver"].to_list() == ["3", None]


def test_a_zipped_shapefile_reads_like_the_files_themselves(tmp_path: Path) -> None:
    loose = written(tmp_path / "spots.shp", frame([SQUARE]))
    packed = tmp_path / "spots.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in tmp_path.glob("spots.*"):
            if part != packed:
                archive.write(part, f"export/{part.name}")
    assert geo.outline(packed) == geo.outline(loose)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: None, "no such file"),
        (lambda f: f.write_bytes(b""), "empty"),
        (lambda f: f.write_text("Ref,Name\nH1,Spot\n"), "is not a .gpkg file"),
        (lambda f: f.write_bytes(b"SQLite format 3\x00" + b"\x00" * 200), "cannot be read"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, make: Any, words: str
) -> None:
    path = tmp_path / "spots.gpkg"
    make(path)
    with pytest.raises(InputError, match=words):
        geo.outline(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "FeatureCollection", "features": [', "not whole JSON"),
        ('{"type": "Topology", "objects": {}}', "Topology"),
        ('{"type": "FeatureCollection"}', "no list of features"),
        ('{"type": "FeatureCollection", "features": []}', "no features"),
        ('{"a":' * 100_000, "not whole JSON"),
        ("[1, 2]", "is not a .geojson file"),
        ("<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>", "is not a .geojson file"),
    ],
)
def test_geojson_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "spots.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        geo.outline(path)


@pytest.mark.parametrize(
    ("name", "lost"), [("spots.shp", ".shx"), ("spots.shp", ".dbf"), ("spots.tab", ".map")]
)
def test_a_lost_sibling_is_named(tmp_path: Path, name: str, lost: str) -> None:
    path = written(tmp_path / name, frame([SQUARE]))
    path.with_suffix(lost).unlink()
    with pytest.raises(InputError, match=f"spots{lost} is missing"):
        geo.outline(path)


def test_the_hash_covers_the_siblings(tmp_path: Path) -> None:
    path = written(tmp_path / "spots.shp", frame([SQUARE]))
    before = open_shapes(path, layer=None, encoding=None).sha256
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes().replace(b"Spot 1", b"Spot 9"))
    assert open_shapes(path, layer=None, encoding=None).sha256 != before


def test_no_coordinate_system_is_asked_for_never_guessed(tmp_path: Path) -> None:
    path = written(tmp_path / "spots.shp", frame([SQUARE]))
    path.with_suffix(".prj").unlink()
    with pytest.raises(InputError, match="does not say in which coordinate system"):
        geo.outline(path)
    assert shapely.from_wkb(geo.outline(path, crs="EPSG:27700")).area == SQUARE.area


def test_a_coordinate_system_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "spots.gpkg", frame([SQUARE]))
    with pytest.raises(InputError, match=r"study\.toml says EPSG:4326"):
        geo.outline(path, crs="EPSG:4326")
    with pytest.raises(SettingsError, match="not a coordinate system"):
        geo.outline(path, crs="EPSG:nonsense")


def test_latitude_before_longitude_is_refused(tmp_path: Path) -> None:
    corners = polygon((52.63, -1.13), (52.64, -1.13), (52.64, -1.12), (52.63, -1.13))
    with pytest.raises(GeometryError, match="the wrong way round"):
        geo.outline(geojson(tmp_path / "a.geojson", [corners]))


def test_degrees_declared_as_metres_and_metres_as_degrees_are_refused(tmp_path: Path) -> None:
    degrees = polygon((-1.13, 52.63), (-1.13, 52.64), (-1.12, 52.64), (-1.13, 52.63))
    with pytest.raises(GeometryError, match="coordinates in degrees"):
        geo.outline(geojson(tmp_path / "a.geojson", [degrees], crs="EPSG:27700"))
    metres = polygon((458_000, 304_000), (458_200, 304_000), (458_200, 304_200), (458_000, 304_000))
    with pytest.raises(GeometryError, match="coordinates in metres"):
        geo.outline(geojson(tmp_path / "b.geojson", [metres]))
    # GeoJSON without a crs member is WGS84 by its standard; study.toml may say otherwise.
    assert geo.outline(tmp_path / "b.geojson", crs="EPSG:27700")


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (polygon((-1.13, 52.63), (-1.12, 52.64), (-1.12, 52.63), (-1.13, 52.64), (-1.13, 52.63)),
         "self-intersection"),
        (None, "no outline"),
        ({"type": "Point", "coordinates": [-1.13, 52.63]}, "a Point"),
        ({"type": "Polygon", "coordinates": []}, "an empty outline"),
        (polygon((-1.13, 52.63), (-1.13, float("nan")), (-1.12, 52.64), (-1.13, 52.63)),
         "not a number"),
        (polygon((179.9, 52.63), (-179.9, 52.64), (179.9, 52.64), (179.9, 52.63)),
         "outside Great Britain"),
        (polygon((-1.13, 52.63), (-1.13, 52.63), (-1.13, 52.63), (-1.13, 52.63)), "feature 1"),
    ],
)  # fmt: skip
def test_an_outline_that_cannot_be_used_is_named(tmp_path: Path, geometry: Any, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        geo.outline(geojson(tmp_path / "a.geojson", [geometry]))


def test_heights_are_dropped(tmp_path: Path) -> None:
    corners = [
        (-1.13, 52.63, 60.0),
        (-1.12, 52.63, 61.0),
        (-1.12, 52.64, 62.0),
        (-1.13, 52.63, 60.0),
    ]
    read = shapely.from_wkb(geo.outline(geojson(tmp_path / "a.geojson", [polygon(*corners)])))
    assert not read.has_z


def test_a_shapefile_in_windows_letters_needs_to_say_so(tmp_path: Path) -> None:
    path = tmp_path / "spots.shp"
    frame([SQUARE], Name=["Café"]).to_file(path, driver="ESRI Shapefile", encoding="cp1252")
    path.with_suffix(".cpg").unlink()
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes()[:29] + b"\x00" + dbf.read_bytes()[30:])
    with pytest.raises(InputError, match=r"no \.cpg file"):
        open_shapes(path, layer=None, encoding=None)
    named = open_shapes(path, layer=None, encoding="cp1252")
    assert named.attributes["Name"].to_list() == ["Café"]
    dbf.write_bytes(dbf.read_bytes()[:29] + b"\x57" + dbf.read_bytes()[30:])
    assert open_shapes(path, layer=None, encoding=None).attributes["Name"].to_list() == ["Café"]


def test_of_several_layers_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "spots.gpkg"
    frame([SQUARE]).to_file(path, driver="GPKG", layer="first")
    frame([TWO_PARTS]).to_file(path, driver="GPKG", layer="second")
    with pytest.raises(InputError, match="2 layers"):
        geo.outline(path)
    assert shapely.from_wkb(geo.outline(path, layer="second")).area == TWO_PARTS.area
    with pytest.raises(InputError, match='no layer "third"'):
        geo.outline(path, layer="third")


@pytest.mark.shared_data
def test_the_real_boundaries_are_read(shared_data: Path) -> None:
    folder = shared_data / "leicestershire"
    places = geo.lsoa_places(
        folder / "leics_force_lsoa11.geojson", code_column="lsoa11_code", name_column="lsoa11_name"
    )
    assert places.height == 611
    stated = open_shapes(folder / "leics_force_lsoa11.geojson", layer=None, encoding=None)
    area_km2 = stated.attributes["area_km2"].cast(pl.Float64).sum()
    assert places["area_m2"].sum() / 1e6 == pytest.approx(area_km2, rel=1e-3)
    force = shapely.from_wkb(geo.outline(folder / "leicestershire_pfa20.geojson"))
    assert force.area == pytest.approx(places["area_m2"].sum(), rel=0.01)
    assert places["place_id"].is_sorted()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"Ref": ["A", "A"]}, "stands more than once"),
        ({"Ref": ["A", None]}, "is blank"),
        ({"Code": ["A", "B"], "Ref": ["A", "B"]}, 'no column "LSOA"'),
    ],
)
def test_small_areas_need_a_code_each(tmp_path: Path, columns: Any, words: str) -> None:
    path = written(tmp_path / "a.gpkg", frame([SQUARE, TWO_PARTS], **columns))
    with pytest.raises(InputError, match=words):
        geo.lsoa_places(
            path, code_column="LSOA" if "Code" in columns else "Ref", name_column="Name"
        )


COLUMNS = {
    "hotspot_id": "Ref",
    "version": "Ver",
    "name": "Name",
    "kind": "Type",
    "valid_from": "From",
    "valid_to": "To",
}


def spec(*paths: Path, **changes: Any) -> FeedSpec:
    facts: dict[str, Any] = {
        "name": "hotspots",
        "contract": "hotspot",
        "format": "auto",
        "paths": paths,
        "columns": COLUMNS,
        "root": paths[0].parent,
    }
    return FeedSpec(**{**facts, **changes})


def faulty(result: Any) -> list[tuple[int, str]]:
    return list(result.quarantine.select("source_row", "rule").iter_rows())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("crs", ["EPSG:27700", "EPSG:4326", "EPSG:3857"])
def test_a_register_is_read_the_same_from_every_format(tmp_path: Path, name: str, crs: str) -> None:
    path = written(tmp_path / name, frame([SQUARE, WITH_HOLE, TWO_PARTS], crs))
    result = files.read(spec(path), SURROUNDINGS)
    spots = result.tables["hotspot"]
    assert spots["hotspot_id"].to_list() == ["H01", "H02", "H03"]
    assert spots["area_m2"].to_list() == pytest.approx(
        [SQUARE.area, WITH_HOLE.area, TWO_PARTS.area], rel=1e-3
    )
    assert spots["kind"].to_list() == ["nte"] * 3
    assert spots["valid_from"].to_list() == [date(2021, 7, 26)] * 3
    assert spots["source_row"].to_list() == [2, 3, 4]
    assert result.receipts.select("path", "rows_in", "rows_kept").row(0) == (name, 3, 3)


def test_bad_outlines_go_to_quarantine_and_the_others_stay(tmp_path: Path) -> None:
    bow_tie = shapely.Polygon(
        [(458_000, 304_000), (458_200, 304_200), (458_200, 304_000), (458_000, 304_200)]
    )
    far = shapely.box(600_000, 304_000, 600_200, 304_200)
    edge = shapely.box(499_900, 304_000, 500_100, 304_200)
    data = frame([SQUARE, bow_tie, None, shapely.Point(458_000, 304_000), far, edge])
    result = files.read(spec(written(tmp_path / "spots.geojson", data)), SURROUNDINGS)
    assert result.tables["hotspot"]["hotspot_id"].to_list() == ["H01", "H06"]
    assert faulty(result) == [
        (3, "geometry-invalid"),
        (4, "geometry-missing"),
        (5, "geometry-not-polygon"),
        (6, "outside-force"),
    ]
    assert result.flagged["rule"].to_list() == ["partly-outside-force"]
    receipt = result.receipts.row(0, named=True)
    assert (receipt["rows_in"], receipt["rows_kept"], receipt["rows_quarantined"]) == (6, 2, 4)


def test_repeats_and_contradictions(tmp_path: Path) -> None:
    data = frame(
        [SQUARE, SQUARE, WITH_HOLE, TWO_PARTS],
        Ref=["A", "A", "B", "B"],
        Name=["A", "A", "B", "B"],
    )
    result = files.read(spec(written(tmp_path / "spots.gpkg", data)), SURROUNDINGS)
    assert result.tables["hotspot"]["hotspot_id"].to_list() == ["A"]
    assert faulty(result) == [(3, "duplicate-id"), (4, "duplicate-id"), (5, "duplicate-id")]


def test_versions_of_one_hot_spot_may_not_overlap_in_time(tmp_path: Path) -> None:
    data = frame(
        [SQUARE, WITH_HOLE, SQUARE, WITH_HOLE, TWO_PARTS],
        Ref=["A", "A", "B", "B", "C"],
        Ver=[1, 2, 1, 2, 1],
        From=["2021-07-26", "2024-01-01", "2021-07-26", "2024-01-01", "2024-02-01"],
        To=["2023-12-31", None, None, None, "2024-01-01"],
    )
    result = files.read(spec(written(tmp_path / "spots.gpkg", data)), SURROUNDINGS)
    kept = result.tables["hotspot"].select("hotspot_id", "version").rows()
    assert kept == [("A", 1), ("A", 2), ("B", 1)]
    assert faulty(result) == [(5, "versions-overlap"), (6, "end-before-start")]


def test_blank_keys_unknown_kinds_and_wrong_dates_are_named(tmp_path: Path) -> None:
    data = frame(
        [SQUARE, WITH_HOLE, TWO_PARTS],
        Ref=[None, "B", "C"],
        Type=["NTE", "Pub", "NTE"],
        From=["2021-07-26", "2021-07-26", "31/02/2021"],
    )
    path = written(tmp_path / "spots.gpkg", data)
    result = files.read(spec(path, date_format="%d/%m/%Y"), SURROUNDINGS)
    rules = set(faulty(result))
    assert {(2, "blank value"), (3, "unknown-code"), (4, "wrong-date")} <= rules
    assert result.tables["hotspot"].is_empty()
    assert "nothing-kept" in result.notices["code"].to_list()
    mapped = files.read(
        spec(path, date_format="%d/%m/%Y", values={"kind": {"Pub": "nte"}}), SURROUNDINGS
    )
    assert mapped.tables["hotspot"]["hotspot_id"].to_list() == ["B"]


def test_what_is_not_mapped_is_said_or_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "spots.gpkg", frame([SQUARE]))
    few = {"hotspot_id": "Ref", "valid_from": "From"}
    result = files.read(spec(path, columns=few), SURROUNDINGS)
    assert result.tables["hotspot"].select("name", "version", "kind").row(0) == (
        "H01", 1, "unknown",
    )  # fmt: skip
    assert result.notices["code"].to_list() == ["column-not-mapped"] * 2
    with pytest.raises(InputError, match="which column is valid_from"):
        files.read(spec(path, columns={"hotspot_id": "Ref"}), SURROUNDINGS)
    with pytest.raises(InputError, match="has no column Nope; it has Ref"):
        files.read(spec(path, columns={**COLUMNS, "town": "Nope"}), SURROUNDINGS)
    with pytest.raises(InputError, match="which table hotspot has not"):
        files.read(spec(path, columns={**COLUMNS, "colour": "Name"}), SURROUNDINGS)
    with pytest.raises(InputError, match='contract = "hotspot"'):
        files.read(spec(path, contract="crime", format="geo"), SURROUNDINGS)


def test_two_files_make_one_register_and_overlap_is_noticed(tmp_path: Path) -> None:
    one = written(tmp_path / "a.gpkg", frame([SQUARE], Ref=["A"]))
    shifted = shapely.box(458_100, 304_000, 458_300, 304_200)
    neighbour = shapely.box(458_200, 304_200, 458_300, 304_300)
    two = written(tmp_path / "b.gpkg", frame([shifted, neighbour], Ref=["B", "C"]))
    result = files.read(spec(one, two), SURROUNDINGS)
    assert result.tables["hotspot"]["hotspot_id"].to_list() == ["A", "B", "C"]
    (message,) = result.notices.filter(pl.col("code") == "places-overlap")["message"]
    assert "1 pairs" in message
    assert "A and B" in message


def test_letters_that_are_not_utf8_in_a_geopackage_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "spots.gpkg", frame([SQUARE], Name=["Cafe"]))
    path.write_bytes(path.read_bytes().replace(b"Cafe", b"Caf\xe9"))
    with pytest.raises(InputError, match="its letters are not"):
        open_shapes(path, layer=None, encoding=None)


def test_days_that_no_calendar_has_are_in_quarantine(tmp_path: Path) -> None:
    data = frame([SQUARE, WITH_HOLE], From=["0000-07-26", "2021-07-26"])
    result = files.read(spec(written(tmp_path / "spots.gpkg", data)), SURROUNDINGS)
    assert faulty(result) == [(2, "wrong-date")]
    assert result.tables["hotspot"]["hotspot_id"].to_list() == ["H02"]
