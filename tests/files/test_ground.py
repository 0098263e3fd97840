"""Premises and streets: what a run is told of the ground besides hot spots."""

import json
from pathlib import Path

import pytest
import shapely

from placeproof import geometry
from placeproof.errors import GeometryError, InputError
from placeproof.files import ground

HEAD = "name,easting_m,northing_m,radius_m\n"


def collection(path: Path, *shapes: dict, crs: str | None = None) -> Path:
    features = [{"type": "Feature", "properties": {}, "geometry": one} for one in shapes]
    whole: dict = {"type": "FeatureCollection", "features": features}
    if crs:
        whole["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def line(*points: tuple[float, float]) -> dict:
    return {"type": "LineString", "coordinates": points}


def test_premises_are_discs_of_their_radius(tmp_path: Path) -> None:
    path = tmp_path / "premises.csv"
    path.write_text(HEAD + "Station,458000,304000,40\n", encoding="utf-8")
    found = ground.premises(path)
    disc = geometry.outlines(found["geometry"])[0]
    assert disc.area == pytest.approx(3.14159 * 40**2, rel=0.02)
    assert disc.centroid.x == pytest.approx(458_000)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("Station,458000,304000,0\n", InputError),
        ("Station,458000,,40\n", InputError),
        ("Station,-1.13,52.63,40\n", GeometryError),
    ],
)
def test_premises_that_are_nowhere_or_nothing_are_refused(
    tmp_path: Path, row: str, error: type[Exception]
) -> None:
    path = tmp_path / "premises.csv"
    path.write_text(HEAD + row, encoding="utf-8")
    with pytest.raises(error):
        ground.premises(path)


def test_streets_come_in_metres_and_other_shapes_are_left_out(tmp_path: Path) -> None:
    east, north = geometry.to_degrees([458_000, 458_100], [304_000, 304_000])
    ends = list(zip(east.tolist(), north.tolist(), strict=True))
    lamp = {"type": "Point", "coordinates": ends[0]}
    found = ground.streets(collection(tmp_path / "s.geojson", line(*ends), lamp), crs=None)
    assert found.height == 1
    assert shapely.from_wkb(found["line"][0]).length == pytest.approx(100, abs=0.01)


def test_streets_that_are_areas_are_refused(tmp_path: Path) -> None:
    ring = [(-1.13, 52.63), (-1.12, 52.63), (-1.12, 52.64), (-1.13, 52.63)]
    area = {"type": "Polygon", "coordinates": [ring]}
    with pytest.raises(InputError, match="no line"):
        ground.streets(collection(tmp_path / "s.geojson", area), crs=None)


def test_streets_the_wrong_way_round_are_refused(tmp_path: Path) -> None:
    path = collection(tmp_path / "s.geojson", line((52.63, -1.13), (52.64, -1.12)))
    with pytest.raises(GeometryError, match="wrong way round"):
        ground.streets(path, crs=None)
