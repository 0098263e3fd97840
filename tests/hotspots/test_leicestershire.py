"""Hot spots and comparison places on three years of real, snapped, monthly crimes."""

import io
import json
import time
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof import geometry
from placeproof.hotspots import (
    assign,
    assign_to_places,
    candidates,
    concentration,
    derive,
    grid_counts,
    match,
    matched_places,
    places,
    require_register,
    ring_places,
    single_point_shares,
)
from placeproof.panel import build

pytestmark = pytest.mark.shared_data

SELECTION = (date(2020, 7, 1), date(2021, 6, 30))
START = date(2021, 7, 26)
HISTORY = [date(2019, 12, 1), *(date(2020, m, 1) for m in range(1, 7))]
EDGES = (0, 100, 250)
STREET = [
    "Violence and sexual offences",
    "Robbery",
    "Public order",
    "Anti-social behaviour",
    "Criminal damage and arson",
]
ABOUT = {
    "outcome": "street",
    "outcome_label": "Street crime and disorder",
    "definition_edition": None,
    "feeds": "crime incident",
}


@pytest.fixture(scope="module")
def events(shared_data: Path) -> pl.DataFrame:
    archive = shared_data / "leicestershire" / "police-uk-leicestershire-2019-12-to-2022-10.zip"
    columns = ["Month", "Longitude", "Latitude", "LSOA code", "Crime type"]
    with zipfile.ZipFile(archive) as source:
        raw = pl.concat(
            pl.read_csv(
                io.BytesIO(source.read(name)),
                columns=columns,
                schema_overrides={"Longitude": pl.Float64, "Latitude": pl.Float64},
            )
            for name in sorted(source.namelist())
            if name.endswith(".csv")
        )
    easting_m, northing_m = geometry.to_metres(raw["Longitude"], raw["Latitude"])
    return raw.select(
        month=(pl.col("Month") + "-01").str.to_date(),
        category="Crime type",
        lsoa_code="LSOA code",
        easting_m=pl.Series(easting_m).fill_nan(None),
        northing_m=pl.Series(northing_m).fill_nan(None),
    )


@pytest.fixture(scope="module")
def area(shared_data: Path) -> bytes:
    return shapely.to_wkb(_outline(shared_data, "leicestershire_pfa20.geojson", {}))


def _outline(shared_data: Path, name: str, wanted: dict[str, str]) -> shapely.Geometry:
    collection = json.loads((shared_data / "leicestershire" / name).read_text("utf-8"))
    shapes = [
        shapely.geometry.shape(f["geometry"])
        for f in collection["features"]
        if wanted.items() <= f["properties"].items()
    ]
    return shapely.union_all(geometry.to_british_grid(shapes, crs=geometry.WGS84))


def _derive(events: pl.DataFrame, area: bytes) -> pl.DataFrame:
    chosen = events.filter(
        pl.col("month").is_between(*SELECTION) & pl.col("category").is_in(STREET)
    )
    return derive(
        chosen,
        area_wkb=area,
        n_places=24,
        side_m=200.0,
        separation_m=100.0,
        false_discovery_rate=0.05,
        largest_part_share=0.8,
        selection=SELECTION,
        valid_from=START,
        first_treated=START,
        treated_until=None,
        source_sha256="c" * 64,
    )


@pytest.fixture(scope="module")
def drawn(events: pl.DataFrame, area: bytes) -> pl.DataFrame:
    return _derive(events, area)


@pytest.fixture(scope="module")
def matched(events: pl.DataFrame, area: bytes, drawn: pl.DataFrame) -> pl.DataFrame:
    history = events.filter(pl.col("month").is_in(HISTORY) & pl.col("category").is_in(STREET))
    hot = places(drawn, day=START)
    tiles = candidates(
        history,
        area_wkb=area,
        treated=hot,
        side_m=200.0,
        offset_m=(0.0, 0.0),
        excluded_within_m=250.0,
        least_events=3,
    )

    def counts(where: pl.DataFrame) -> pl.DataFrame:
        return build(
            history.with_columns(assign_to_places(history, where)),
            where,
            outcome_id="street",
            period_kind="month",
            first=HISTORY[0],
            last=date(2020, 6, 30),
            supplied_months=HISTORY,
            nte_intervals=None,
        )

    pairs = match(counts(hot), counts(tiles), per_hotspot=2, shape_weight=0.5, widest_distance=None)
    assert pairs["target_id"].value_counts()["count"].to_list() == [2] * 24
    return matched_places(tiles, pairs)


def test_hot_spots_are_drawn_where_street_crime_is(
    shared_data: Path, events: pl.DataFrame, area: bytes, drawn: pl.DataFrame
) -> None:
    require_register(drawn)
    assert len(drawn) == 24
    assert (drawn["area_m2"] <= 200.0 * 200.0 + 1e-6).all()
    leicester = _outline(shared_data, "leics_force_lsoa11.geojson", {"ltla21_name": "Leicester"})
    centres = shapely.points(drawn["centre_easting_m"], drawn["centre_northing_m"])
    assert shapely.contains(leicester, centres).sum() >= 18
    # Around the Clock Tower (Ordnance Survey SK 588 045), the middle of the city.
    near = shapely.distance(centres, shapely.Point(458_800, 304_500)) < 1000
    assert near.sum() >= 5
    assert _derive(events.sample(fraction=1.0, shuffle=True, seed=5), area).equals(drawn)


def test_hospital_on_one_snap_point_is_flagged(events: pl.DataFrame, drawn: pl.DataFrame) -> None:
    street = events.filter(pl.col("category").is_in(STREET))
    where = assign(street, drawn, comparison=None, edges_m=(), outline_rule="first")
    rows = single_point_shares(
        street.with_columns(where["place_id"]),
        noticed_from=0.6,
        **ABOUT,  # type: ignore[arg-type]
    )
    flagged = rows.filter(pl.col("reason").is_not_null())
    assert 1 <= len(flagged) <= 6
    # The city's infirmary, SK 586 036, is among them: a person has to look.
    points = [json.loads(d) for d in flagged["diagnostics"]]
    assert any(np.hypot(p["easting_m"] - 458_650, p["northing_m"] - 303_550) < 200 for p in points)


def test_every_event_stands_in_one_place_at_most(
    events: pl.DataFrame, drawn: pl.DataFrame, matched: pl.DataFrame
) -> None:
    started = time.perf_counter()
    where = assign(events, drawn, comparison=matched, edges_m=EDGES, outline_rule="first")
    assert time.perf_counter() - started < 5
    zones = dict(where["zone"].value_counts().rows())
    assert sum(zones.values()) == 301_838
    assert zones["unlocated"] == 7_463
    rings = ring_places(pl.concat([places(drawn, day=START), matched]), edges_m=EDGES)
    named = where.filter(pl.col("zone") == "ring")["place_id"].unique()
    assert set(named) <= set(rings["place_id"])
    assert len(rings) == 2 * (24 + 48)


def test_street_crime_is_concentrated(events: pl.DataFrame, area: bytes) -> None:
    cells = grid_counts(
        events.filter(pl.col("category").is_in(STREET)), cell_m=200, area_wkb=area, weight=None
    )
    rows = concentration(
        cells,
        top=[24],
        population="200 m cells",
        window=SELECTION,
        **ABOUT,  # type: ignore[arg-type]
    )
    got = dict(rows.select("estimand", "estimate").rows())
    assert 0.04 < got["top_share"] < 0.10
    assert got["gini_corrected"] > 0.9


def test_three_hundred_thousand_events_are_drawn_in_time(events: pl.DataFrame, area: bytes) -> None:
    started = time.perf_counter()
    everything = events.with_columns(month=pl.lit(SELECTION[0]), category=pl.lit(STREET[0]))
    assert len(_derive(everything, area)) == 24
    assert time.perf_counter() - started < 15
