"""Tiny registers that the tests of this room share."""

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
import shapely

from placeproof.hotspots.register import hotspot_rows, place_rows

HASH = "a" * 64


@pytest.fixture(scope="session")
def hotspot() -> Callable[..., pl.DataFrame]:
    """Make one version of a hot spot from an outline."""

    def make(
        hotspot_id: str,
        outline: shapely.Geometry,
        *,
        version: int = 1,
        valid_from: date = date(2021, 7, 26),
        valid_to: date | None = None,
        first_treated: date | None = date(2021, 7, 26),
        treated_until: date | None = None,
        source_row: int = 2,
    ) -> pl.DataFrame:
        return hotspot_rows(
            [
                {
                    "hotspot_id": hotspot_id,
                    "version": version,
                    "name": f"Place {hotspot_id}",
                    "kind": "nte",
                    "valid_from": valid_from,
                    "valid_to": valid_to,
                    "first_treated": first_treated,
                    "treated_until": treated_until,
                    "geometry": outline,
                    "source_sha256": HASH,
                    "source_row": source_row,
                }
            ]
        )

    return make


@pytest.fixture(scope="session")
def comparison_place() -> Callable[..., pl.DataFrame]:
    """Make one comparison place from an outline."""

    def make(place_id: str, outline: shapely.Geometry) -> pl.DataFrame:
        return place_rows(
            [
                {
                    "place_id": place_id,
                    "kind": "comparison",
                    "group": "comparison",
                    "version": 1,
                    "name": place_id,
                    "geometry": outline,
                }
            ]
        )

    return make


def box(west: float, south: float, side: float = 200.0) -> shapely.Geometry:
    """A square near Leicester, metres from a round corner."""
    return shapely.box(
        458_000 + west, 304_000 + south, 458_000 + west + side, 304_000 + south + side
    )


def points(*pairs: tuple[float, float], month: date = date(2022, 1, 1)) -> pl.DataFrame:
    """Events at points given from the same corner."""
    return pl.DataFrame(
        {
            "easting_m": [458_000.0 + e for e, _ in pairs],
            "northing_m": [304_000.0 + n for _, n in pairs],
            "month": [month] * len(pairs),
        },
        schema={"easting_m": pl.Float64, "northing_m": pl.Float64, "month": pl.Date},
    )
