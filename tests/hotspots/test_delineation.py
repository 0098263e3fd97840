"""Hot spots drawn from crimes: planted ones are found, and nothing is found in nothing."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof.errors import GeometryError, IdentificationError, SettingsError
from placeproof.hotspots import (
    delineation_estimates,
    derive,
    gi_star,
    grid_counts,
    require_register,
    single_point_shares,
)
from placeproof.hotspots.grid import squares

from .conftest import points

REFERENCE = Path(__file__).parents[1] / "reference" / "hotspots_concentration.csv"
AREA = shapely.to_wkb(shapely.box(458_000, 304_000, 462_000, 308_000))
SELECTION = (date(2020, 7, 1), date(2021, 6, 30))
ABOUT = {"outcome": "violence", "outcome_label": "Violence", "definition_edition": None}


def _derive(events: pl.DataFrame, n_places: int = 3, **changes: object) -> pl.DataFrame:
    settings: dict[str, object] = {
        "area_wkb": AREA,
        "n_places": n_places,
        "side_m": 200.0,
        "separation_m": 100.0,
        "false_discovery_rate": 0.05,
        "largest_part_share": 1.0,
        "selection": SELECTION,
        "valid_from": date(2021, 7, 26),
        "first_treated": date(2021, 7, 26),
        "treated_until": None,
        "source_sha256": "b" * 64,
    }
    return derive(events, **(settings | changes))  # type: ignore[arg-type]


def _city(seed: int) -> tuple[pl.DataFrame, list[tuple[float, float]]]:
    rng = np.random.default_rng(seed)
    centres = [(600.0, 700.0), (2300.0, 900.0), (1700.0, 3100.0)]
    clusters = [rng.normal(c, 40, (150, 2)) for c in centres]
    return points(*map(tuple, np.vstack([rng.uniform(0, 4000, (800, 2)), *clusters]))), centres


def test_gi_star_agrees_with_spdep() -> None:
    reference = pl.read_csv(REFERENCE, comment_prefix="#").filter(pl.col("figure") == "gi_star")
    cells = pl.DataFrame(
        [(e, n) for n in range(6) for e in range(8)],
        schema=["cell_east", "cell_north"],
        orient="row",
    ).with_columns(
        count=(pl.col("cell_east") * 7 + pl.col("cell_north") * 5) % 4
        + pl.when((pl.col("cell_east") >= 5) & (pl.col("cell_north") <= 2)).then(9).otherwise(0)
    )
    marked = gi_star(cells.sample(fraction=1.0, shuffle=True, seed=1), false_discovery_rate=0.05)
    got = marked.select(item=pl.format("{}_{}", "cell_east", "cell_north"), gi_z="gi_z").join(
        reference, on="item"
    )
    assert len(got) == 48
    # Printed to 12 digits by R.
    np.testing.assert_allclose(got["gi_z"].to_numpy(), got["value"].to_numpy(), rtol=1e-10)
    corner = pl.col("cell_east").is_in([6, 7]) & (pl.col("cell_north") <= 1)
    assert marked.filter(corner)["significant"].all()
    assert marked["significant"].sum() < 14
    # One-sided: a cold spot is never significant.
    assert marked.filter(pl.col("gi_z") < 0)["gi_p"].min() > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_planted_hot_spots_are_found(seed: int) -> None:
    events, centres = _city(seed)
    drawn = _derive(events)
    require_register(drawn)
    assert drawn["hotspot_id"].to_list() == ["D01", "D02", "D03"]
    found = drawn.select("centre_easting_m", "centre_northing_m").to_numpy() - [458_000, 304_000]
    for centre in centres:
        assert np.hypot(*(found - centre).T).min() < 75
    assert drawn["area_m2"].to_list() == [40_000.0] * 3
    assert drawn.select("selection_from", "selection_to").row(0) == SELECTION


def test_shuffled_events_draw_the_same_places() -> None:
    events, _ = _city(1)
    assert _derive(events).equals(_derive(events.sample(fraction=1.0, shuffle=True, seed=7)))


def test_places_keep_their_distance_and_are_fewer_where_few_stand_out() -> None:
    events, _ = _city(2)
    drawn = _derive(events, n_places=24, separation_m=500.0)
    shapes = shapely.from_wkb(drawn["geometry"].to_list())
    gaps = [a.distance(b) for i, a in enumerate(shapes) for b in shapes[i + 1 :]]
    assert min(gaps) >= 500
    assert 3 <= len(drawn) < 24
    said = delineation_estimates(drawn, events, n_wanted=24, feeds="crime", **ABOUT)  # type: ignore[arg-type]
    assert (
        "24 places were wanted" in said.filter(pl.col("estimand") == "places_derived")["reason"][0]
    )
    share = said.filter(pl.col("estimand") == "share_in_hotspots")["estimate"][0]
    # Three clusters of 150 whose middle 200 m hold 97 % on each axis... of 1,250 events in all.
    assert 0.30 < share < 0.45


def test_snapped_points_are_centred_and_a_single_point_can_be_passed_over() -> None:
    desk = [(1010.0, 1010.0)] * 300
    street = [(3010.0, 3010.0)] * 60 + [(3090.0, 3010.0)] * 60 + [(3090.0, 3110.0)] * 60
    around = [(x * 400.0, y * 400.0) for x in range(10) for y in range(10)]
    events = points(*desk, *street, *around)
    both = _derive(events, n_places=2)
    assert shapely.from_wkb(both["geometry"][0]).contains(shapely.Point(459_010, 305_010))
    inner = shapely.from_wkb(both["geometry"][0]).buffer(-40)
    assert inner.contains(shapely.Point(459_010, 305_010))  # not on the rim of its square
    spread = _derive(events, n_places=1, largest_part_share=0.8)
    assert shapely.from_wkb(spread["geometry"][0]).contains(shapely.Point(461_090, 307_010))


def test_place_whose_events_stand_on_one_point_is_flagged() -> None:
    located = points((0, 0), (0, 0), (0, 0), (90, 0), (5, 5), (50, 5)).with_columns(
        place_id=pl.Series(["A", "A", "A", "A", "B", "B"])
    )
    rows = single_point_shares(located, noticed_from=0.6, feeds="crime", **ABOUT)  # type: ignore[arg-type]
    assert rows["estimate"].to_list() == [0.75, 0.5]
    assert [r is not None for r in rows["reason"]] == [True, False]
    empty = single_point_shares(located.clear(), noticed_from=0.6, feeds="crime", **ABOUT)  # type: ignore[arg-type]
    assert empty.is_empty()


@pytest.mark.parametrize("seed", range(3))
def test_evenly_spread_crime_draws_next_to_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = points(*map(tuple, rng.uniform(0, 4000, (2000, 2))))
    try:
        drawn = _derive(events, n_places=24)
    except IdentificationError:
        return
    assert len(drawn) <= 2


def test_no_event_one_event_all_outside() -> None:
    with pytest.raises(IdentificationError, match="no event"):
        _derive(points())
    with pytest.raises(IdentificationError, match="no event"):
        _derive(points((-5000, -5000)))
    assert len(_derive(points((1000, 1000)))) == 1
    everything_at_one_point = _derive(points(*[(1000, 1000)] * 50))
    assert len(everything_at_one_point) == 1


def test_area_in_degrees_of_cells_or_empty_is_refused() -> None:
    with pytest.raises(GeometryError, match="empty"):
        _derive(points((1, 1)), area_wkb=shapely.to_wkb(shapely.Polygon()))
    with pytest.raises(GeometryError, match="spans"):
        _derive(points((1, 1)), area_wkb=shapely.to_wkb(shapely.box(0, 0, 700_000, 1_300_000)))
    with pytest.raises(SettingsError, match="side"):
        _derive(points((1, 1)), side_m=0.0)
    with pytest.raises(SettingsError, match="asked for"):
        _derive(points((1, 1)), n_places=0)


def test_grid_counts_every_event_in_the_area_once() -> None:
    events, _ = _city(3)
    located = pl.concat([events, points((-1, -1))])
    cells = grid_counts(located, cell_m=200, area_wkb=AREA, weight=None)
    assert len(cells) == 400
    inside = events.filter(
        pl.col("easting_m").is_between(458_000, 462_000, closed="left")
        & pl.col("northing_m").is_between(304_000, 308_000, closed="left")
    )
    assert cells["count"].sum() == len(inside)
    harm = located.with_columns(harm=pl.lit(2.5))
    weighed = grid_counts(harm, cell_m=200, area_wkb=AREA, weight="harm")
    assert weighed["count"].to_list() == (cells["count"] * 2.5).to_list()
    assert weighed["events"].to_list() == cells["events"].to_list()


def test_squares_agree_with_counting_one_by_one() -> None:
    events, _ = _city(4)
    found = squares(events.head(300), side_m=200)
    for row in found.gather_every(97).to_dicts():
        inside = events.head(300).filter(
            pl.col("easting_m").is_between(row["west_m"], row["west_m"] + 200, closed="left")
            & pl.col("northing_m").is_between(row["south_m"], row["south_m"] + 200, closed="left")
        )
        assert len(inside) == row["events"]
    assert found["events"].is_sorted(descending=True)
