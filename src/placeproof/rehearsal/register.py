"""The hot-spot register, the force outline and the areas, as mapping programs export them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from placeproof.rehearsal.choices import SELECTION
from placeproof.rehearsal.city import City, areas, force_outline
from placeproof.rehearsal.selection import RULE, Hotspot
from placeproof.rehearsal.sheets import write_geojson, write_geopackage

_COLUMNS = """
[data.{name}.columns]
hotspot_id = "HS_REF"
version = "VERSION"
name = "HS_NAME"
town = "TOWN"
kind = "TYPE"
valid_from = "VALID_FROM"
valid_to = "VALID_TO"
first_treated = "PATROLS_FROM"
selection_rule = "CHOSEN_BY"
selection_from = "CHOSEN_ON_FROM"
selection_to = "CHOSEN_ON_TO"
[data.{name}.values.kind]
"Night-time economy" = "nte"
"Shopping" = "retail"
"Housing" = "residential"
"Transport" = "transport"
"Mixed" = "other"
"""
_KIND = {
    "nte": "Night-time economy",
    "retail": "Shopping",
    "residential": "Housing",
    "transport": "Transport",
    "other": "Mixed",
}

SECTIONS = (
    """
# Hot spots of the city, drawn in metres; those of the towns came later, in degrees.
[data.hotspots_city]
contract = "hotspot"
format = "geo"
files = ["hotspots/city_hotspots.gpkg"]
date_format = "%Y-%m-%d"
crs = "EPSG:27700\""""
    + _COLUMNS.format(name="hotspots_city")
    + """
[data.hotspots_towns]
contract = "hotspot"
format = "geo"
files = ["hotspots/town_hotspots.geojson"]
date_format = "%Y-%m-%d"
crs = "EPSG:4326\""""
    + _COLUMNS.format(name="hotspots_towns")
)


def write_ground(folder: Path) -> None:
    """
    Write the outline of the force and its areas into `folder`.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    """
    outline = force_outline()
    write_geojson(
        folder / "ground" / "northmere_force.geojson",
        [outline],
        {"name": ["Northmere Police (invented)"]},
        degrees=True,
    )
    codes, squares = areas(outline)
    write_geojson(
        folder / "ground" / "northmere_areas.geojson",
        list(squares),
        {"AREA_CD": codes.tolist(), "AREA_NM": [f"Area {code}" for code in codes]},
        degrees=False,
    )


def write_hotspots(folder: Path, hotspots: Sequence[Hotspot]) -> None:
    """
    Write the register into `folder`: the city in metres, the towns in degrees.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        With all their versions.
    """
    city = [spot for spot in hotspots if spot.town == "Northmere"]
    towns = [spot for spot in hotspots if spot.town != "Northmere"]
    shapes, columns = _rows(city)
    write_geopackage(folder / "hotspots" / "city_hotspots.gpkg", shapes, columns)
    shapes, columns = _rows(towns)
    write_geojson(folder / "hotspots" / "town_hotspots.geojson", shapes, columns, degrees=True)


def write_candidates(folder: Path, city: City, hotspots: Sequence[Hotspot]) -> None:
    """
    Write the busy places that were never patrolled; no section of `study.toml` reads them.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    city : City
        The ground.
    hotspots : sequence of Hotspot
        The patrolled places.
    """
    patrolled = {spot.place for spot in hotspots}
    others = [place for place in range(len(city.outlines)) if place not in patrolled]
    write_geojson(
        folder / "ground" / "busy_places_never_patrolled.geojson",
        [city.outlines[place] for place in others],
        {
            "PLACE": [f"B{place:02d}" for place in others],
            "NAME": [city.place_names[place] for place in others],
        },
        degrees=False,
    )


def _rows(spots: Sequence[Hotspot]) -> tuple[list[shapely.Polygon], dict[str, list[Any]]]:
    versions = [
        (spot, number, *version)
        for spot in spots
        for number, version in enumerate(spot.versions, start=1)
    ]
    columns: dict[str, list[Any]] = {
        "HS_REF": [v[0].hotspot_id for v in versions],
        "VERSION": [str(v[1]) for v in versions],
        "HS_NAME": [v[0].name for v in versions],
        "TOWN": [v[0].town for v in versions],
        "TYPE": [_KIND[v[0].kind] for v in versions],
        "VALID_FROM": [_day(v[2]) for v in versions],
        "VALID_TO": [_day(v[3]) for v in versions],
        "PATROLS_FROM": [_day(v[0].first_treated) for v in versions],
        "CHOSEN_BY": [RULE for _ in versions],
        "CHOSEN_ON_FROM": [_day(SELECTION[0]) for _ in versions],
        "CHOSEN_ON_TO": [_day(SELECTION[1]) for _ in versions],
    }
    return [v[4] for v in versions], columns


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def sizes_m(hotspots: Sequence[Hotspot]) -> np.ndarray:
    """
    Longest extent of each first outline, in metres.

    Parameters
    ----------
    hotspots : sequence of Hotspot
        The patrolled places.
    """
    bounds = np.array([spot.versions[0][2].bounds for spot in hotspots])
    return np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
