"""What is known of the invented ground: residents, deprivation, and where drink is sold."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.city import KINDS, ORIGIN_M, TOWNS, City, area_codes
from placeproof.rehearsal.sheets import write_csv

FEATURE_SECTION = """
# What comparison places should share with hot spots beside their history.
[data.residents]
contract = "place_feature"
files = ["ground/area_statistics.csv"]
[data.residents.columns]
area_code = "AREA_CD"
value = "RESIDENTS"
[data.residents.constants]
feature = "residents"
measure = "amount"
edition = "Northmere 2019 (invented)"
[data.deprivation]
contract = "place_feature"
files = ["ground/area_statistics.csv"]
[data.deprivation.columns]
area_code = "AREA_CD"
value = "DEPRIVATION"
[data.deprivation.constants]
feature = "deprivation"
measure = "level"
edition = "Northmere 2019 (invented)"
[data.venues]
contract = "place_feature"
files = ["ground/licensed_venues.csv"]
crs = "EPSG:27700"
[data.venues.columns]
easting_m = "X"
northing_m = "Y"
[data.venues.constants]
feature = "venues"
measure = "point"
edition = "Northmere licensing, 2019 (invented)"
"""
_VENUES = {"nte": 5.0, "retail": 2.0, "residential": 0.3, "transport": 1.0, "other": 0.8}
"""Venues expected in a busy place of each kind."""

_PEOPLE_PER_ADDRESS = 2.2
_VENUES_ELSEWHERE = 120


def write_features(folder: Path, city: City, rng: np.random.Generator) -> dict[str, Any]:
    """
    Write the statistics of areas and the list of licensed venues.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    city : City
        The ground.
    rng : Generator
        Source of randomness.

    Returns
    -------
    dict
        How much was written. Areas without an address have no row: nothing is known of them.
    """
    codes, area, addresses = np.unique(
        area_codes(city.easting_m, city.northing_m), return_inverse=True, return_counts=True
    )
    residents = rng.poisson(addresses * _PEOPLE_PER_ADDRESS)
    central = _central(city)
    average = np.bincount(area.ravel(), central) / addresses
    deprivation = np.clip(12 + 30 * average + rng.normal(0, 6, len(codes)), 2, 80).round(1)
    known = codes != ""
    statistics = pl.DataFrame(
        {"AREA_CD": codes, "RESIDENTS": residents, "DEPRIVATION": deprivation}
    ).filter(pl.Series(known))
    write_csv(folder / "ground" / "area_statistics.csv", statistics)
    venues = _venues(city, rng)
    write_csv(folder / "ground" / "licensed_venues.csv", venues)
    return {"areas": len(statistics), "venues": len(venues)}


def _central(city: City) -> np.ndarray:
    """1 in the middle of a town, 0 at its edge and between the towns."""
    middle = np.array([[east, north] for _, _, east, north, _, _ in TOWNS])
    reach = np.array([reach for *_, reach, _ in TOWNS])
    at = np.column_stack([city.easting_m, city.northing_m])
    town = np.maximum(city.point_town, 0)
    away = np.hypot(*(at - np.array(ORIGIN_M) - middle[town]).T) / reach[town]
    return np.where(city.point_town >= 0, np.clip(1 - away, 0, 1), 0.0)


def _venues(city: City, rng: np.random.Generator) -> pl.DataFrame:
    """Venues stand at addresses, most of them in the busy places of the night."""
    zone = city.point_zone
    inside = (zone < 3 * len(city.outlines)) & (zone % 3 == 0)
    chosen = []
    for place, kind in enumerate(city.place_kind):
        here = np.flatnonzero(inside & (zone // 3 == place))
        wanted = min(int(rng.poisson(_VENUES[KINDS[int(kind)]])), len(here))
        chosen.append(rng.choice(here, wanted, replace=False))
    others = np.flatnonzero(~inside & (city.point_town >= 0))
    chosen.append(rng.choice(others, min(_VENUES_ELSEWHERE, len(others)), replace=False))
    at = np.sort(np.concatenate(chosen))
    return pl.DataFrame(
        {
            "Licence": [f"LV{number:04d}" for number in range(1, len(at) + 1)],
            "X": city.easting_m[at].astype(np.int64),
            "Y": city.northing_m[at].astype(np.int64),
        }
    )
