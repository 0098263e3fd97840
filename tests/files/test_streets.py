"""Street networks: lines in, lines in metres out."""

import json
from pathlib import Path

import pytest
import shapely

from placeproof.errors import StudyError
from placeproof.files.streets import streets


def written(folder: Path, *geometries: dict | None) -> Path:
    path = folder / "streets.geojson"
    features = [{"type": "Feature", "properties": {}, "geometry": shape} for shape in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


STREET = {"type": "LineString", "coordinates": [[-1.14, 52.63], [-1.13, 52.63]]}
SQUARE = {"type": "Point", "coordinates": [-1.14, 52.63]}


def test_lines_come_back_in_metres_and_the_rest_is_passed_over(tmp_path: Path) -> None:
    found = streets(written(tmp_path, STREET, SQUARE))
    line = shapely.from_wkb(found["line"].item())
    assert 670 < line.length < 685  # a hundredth of a degree of longitude at 52.63 degrees north
    assert 458_000 < line.bounds[0] < 459_000


def test_a_file_without_a_line_is_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(StudyError):
        streets(written(tmp_path, SQUARE))
    with pytest.raises(StudyError):
        streets(written(tmp_path))
    with pytest.raises(StudyError):
        streets(tmp_path / "absent.gpkg")
