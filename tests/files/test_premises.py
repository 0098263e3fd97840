"""Premises: discs in metres, or a plain refusal."""

from pathlib import Path

import pytest

from placeproof import geometry
from placeproof.errors import GeometryError, InputError
from placeproof.files.premises import premises

HEAD = "name,easting_m,northing_m,radius_m\n"


def test_premises_are_discs_of_their_radius(tmp_path: Path) -> None:
    path = tmp_path / "premises.csv"
    path.write_text(HEAD + "Station,458000,304000,40\n", encoding="utf-8")
    found = premises(path)
    disc = geometry.outlines(found["geometry"])[0]
    assert disc.area == pytest.approx(3.14159 * 40**2, rel=0.02)
    assert disc.centroid.x == pytest.approx(458_000)


@pytest.mark.parametrize(
    ("row", "error", "said"),
    [
        ("Station,458000,304000,0\n", InputError, "premises.csv, row 3"),
        ("Station,458000,,40\n", InputError, "premises.csv, row 3"),
        ("Station,458000,304000,nan\n", InputError, "premises.csv, row 3"),
        ("Station,-1.13,52.63,40\n", GeometryError, "premises.csv: .*metres on the British"),
    ],
)
def test_premises_that_are_nowhere_or_nothing_are_refused(
    tmp_path: Path, row: str, error: type[Exception], said: str
) -> None:
    path = tmp_path / "premises.csv"
    sound = "Post,458000,304000,40\n" if error is InputError else ""
    path.write_text(HEAD + sound + row, encoding="utf-8")
    with pytest.raises(error, match=said):
        premises(path)
