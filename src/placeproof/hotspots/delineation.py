"""Draw hot spots from crimes: the fullest squares that stand in significant concentrations."""

import json
from datetime import date

import numpy as np
import polars as pl

from placeproof import geometry
from placeproof.errors import IdentificationError, SettingsError
from placeproof.hotspots.grid import grid_counts, has_point, square, squares
from placeproof.hotspots.register import hotspot_rows
from placeproof.tables import estimate


def gi_star(counts: pl.DataFrame, *, false_discovery_rate: float) -> pl.DataFrame:
    """
    Mark the cells that stand in concentrations larger than chance would gather.

    Getis-Ord Gi* with the eight cells around and the cell itself, from `esda`, analytical and
    one-sided; Benjamini-Hochberg over all cells. Where chance means: the same counts dealt out
    over the cells of the area at random.

    Parameters
    ----------
    counts : DataFrame
        One row per cell: `cell_east`, `cell_north`, `count`. Not modified.
    false_discovery_rate : float
        Share of marked cells that may be marked by chance.

    Returns
    -------
    DataFrame
        The same rows with `gi_z`, `gi_p` and `significant`. Nothing is significant where all
        counts are equal.
    """
    ordered = counts.sort("cell_north", "cell_east")
    values = ordered["count"].to_numpy().astype(float)
    if len(values) < 3 or np.ptp(values) == 0:
        return ordered.with_columns(gi_z=pl.lit(0.0), gi_p=pl.lit(1.0), significant=pl.lit(False))
    z = _gi_z(ordered, values)
    from scipy import stats

    p = stats.norm.sf(z)
    return ordered.with_columns(
        gi_z=pl.Series(z),
        gi_p=pl.Series(p),
        significant=pl.Series(stats.false_discovery_control(p) <= false_discovery_rate),
    )


def _gi_z(cells: pl.DataFrame, values: np.ndarray) -> np.ndarray:
    from esda.getisord import G_Local
    from libpysal.graph import Graph

    numbered = cells.select("cell_east", "cell_north").with_row_index("focal")
    steps = [(e, n) for n in (-1, 0, 1) for e in (-1, 0, 1) if (e, n) != (0, 0)]
    pairs = pl.concat(
        numbered.with_columns(pl.col("cell_east") + e, pl.col("cell_north") + n).join(
            numbered.rename({"focal": "neighbour"}), on=["cell_east", "cell_north"]
        )
        for e, n in steps
    ).sort("focal", "neighbour")
    lonely = np.setdiff1d(np.arange(len(cells)), pairs["focal"].to_numpy())
    graph = Graph.from_arrays(
        np.concatenate([pairs["focal"].to_numpy(), lonely]),
        np.concatenate([pairs["neighbour"].to_numpy(), lonely]),
        np.concatenate([np.ones(len(pairs)), np.zeros(len(lonely))]),
    )
    result = G_Local(values, graph.assign_self_weight(1), transform="B", star=None, permutations=0)
    return np.nan_to_num(np.asarray(result.Zs, dtype=float), nan=0.0)


def derive(
    events: pl.DataFrame,
    *,
    area_wkb: bytes,
    n_places: int,
    side_m: float,
    separation_m: float,
    false_discovery_rate: float,
    largest_part_share: float,
    selection: tuple[date, date],
    valid_from: date,
    first_treated: date | None,
    treated_until: date | None,
    source_sha256: str,
) -> pl.DataFrame:
    """
    Draw hot spots from the crimes of a selection window.

    The fullest square whose middle lies in a significant cell (`gi_star`) becomes the first hot
    spot; then the next fullest that keeps its distance, and so on. Fewer than `n_places` come back
    where fewer such squares exist. Counts of the selection window overstate how hot the places
    are: compare them on other windows only (regression to the mean).

    Parameters
    ----------
    events : DataFrame
        Events of the selection window: `easting_m`, `northing_m` (null: left out). Not modified.
    area_wkb : bytes
        Study area in metres; events outside it choose nothing.
    n_places : int
        Number of hot spots wanted.
    side_m : float
        Side of the square, for example 200.
    separation_m : float
        Smallest distance between two outlines; at least the inner ring, or rings swallow each
        other.
    false_discovery_rate : float
        As in `gi_star`.
    largest_part_share : float
        Squares with more than this share of their events in one of their 16 parts are passed over.
        On snapped data such squares are often a hospital, a custody suite or a police station,
        where crimes are recorded rather than committed. 1 passes over none.
    selection : (date, date)
        First and last day of the selection window, recorded in the rows.
    valid_from : date
        Day from which the outlines hold.
    first_treated, treated_until : date or None
        Days of patrols, the same for all; None: not known or never.
    source_sha256 : str
        Hash of what the places were derived from.

    Returns
    -------
    table `hotspot`
        One row per hot spot, `D01` the fullest; `source_row` counts them from 2.

    Raises
    ------
    SettingsError
        If no place is wanted, or the distance or the side is not a length.
    IdentificationError
        If no event lies in the area, or no square stands in a significant concentration.
    """
    if n_places < 1 or separation_m < 0:
        raise SettingsError(
            f"{n_places} hot spots {separation_m:g} m apart were asked for. "
            "Expected: at least one, and a distance of 0 or more.",
            mend="Correct [places] in plan.toml.",
        )
    cells = grid_counts(events, cell_m=side_m, area_wkb=area_wkb, weight=None)
    if cells.is_empty() or cells["events"].sum() == 0:
        raise IdentificationError(
            "no event of the selection window lies in the study area, so no hot spot can be drawn.",
            mend="Check selection_from and selection_to in plan.toml against the data's dates.",
        )
    marked = gi_star(cells, false_discovery_rate=false_discovery_rate)
    spread = squares(events, side_m=side_m).filter(
        pl.col("largest_part") <= largest_part_share * pl.col("events")
    )
    chosen = _spaced(
        _in_significant_cells(spread, marked, side_m=side_m),
        side_m=side_m,
        separation_m=separation_m,
        n_places=n_places,
    )
    if chosen.is_empty():
        raise IdentificationError(
            f"none of {len(cells)} cells of {side_m:g} m stands out from chance.",
            mend="Supply drawn hot spots, a longer selection window, or larger places.",
        )
    rule = (
        f"fullest squares of {side_m:g} m, at least {separation_m:g} m apart, in cells significant "
        f"by Gi* at a false discovery rate of {false_discovery_rate:g}, at most "
        f"{largest_part_share:g} of the events in one sixteenth of the square"
    )
    return hotspot_rows(
        [
            {
                "hotspot_id": f"D{rank:02d}",
                "version": 1,
                "name": f"Derived place {rank}",
                "kind": "unknown",
                "valid_from": valid_from,
                "first_treated": first_treated,
                "treated_until": treated_until,
                "selection_rule": rule,
                "selection_from": selection[0],
                "selection_to": selection[1],
                "geometry": square(row["west_m"], row["south_m"], side_m),
                "source_sha256": source_sha256,
                "source_row": rank + 1,
            }
            for rank, row in enumerate(chosen.to_dicts(), start=1)
        ]
    )


def _in_significant_cells(
    found: pl.DataFrame, marked: pl.DataFrame, *, side_m: float
) -> pl.DataFrame:
    cell = {
        "cell_east": ((pl.col("west_m") + side_m / 2) / side_m).floor().cast(pl.Int64),
        "cell_north": ((pl.col("south_m") + side_m / 2) / side_m).floor().cast(pl.Int64),
    }
    significant = marked.filter("significant").select("cell_east", "cell_north")
    return found.with_columns(**cell).join(
        significant, on=["cell_east", "cell_north"], how="semi", maintain_order="left"
    )


def _spaced(
    found: pl.DataFrame, *, side_m: float, separation_m: float, n_places: int
) -> pl.DataFrame:
    """Walk down the list and keep each square that lies far enough from all kept before."""
    west, south = found["west_m"].to_numpy(), found["south_m"].to_numpy()
    free = np.ones(len(found), dtype=bool)
    kept: list[int] = []
    position = 0
    while len(kept) < n_places:
        ahead = np.flatnonzero(free[position:])
        if len(ahead) == 0:
            break
        position += int(ahead[0])
        kept.append(position)
        gap_east = np.maximum(np.abs(west - west[position]) - side_m, 0.0)
        gap_north = np.maximum(np.abs(south - south[position]) - side_m, 0.0)
        overlaps = (np.abs(west - west[position]) < side_m) & (
            np.abs(south - south[position]) < side_m
        )
        free &= ~overlaps & (np.hypot(gap_east, gap_north) >= separation_m)
        free[position] = False
    return found[kept]


def delineation_estimates(
    hotspots: pl.DataFrame,
    events: pl.DataFrame,
    *,
    n_wanted: int,
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    feeds: str,
) -> pl.DataFrame:
    """
    Say how many places were drawn and how much of the selection window lies in them.

    Parameters
    ----------
    hotspots : table `hotspot`
        What `derive` gave.
    events : DataFrame
        The events it was given. Not modified.
    n_wanted : int
        How many places were wanted.
    outcome, outcome_label : str
        Outcome that chose them, by id and in words.
    definition_edition : str or None
        Definition that was used.
    feeds : str
        Canonical tables behind the events.

    Returns
    -------
    table `estimate`
        Question `places`: `places_derived` (the reason says if fewer than wanted were found) and
        `share_in_hotspots` of the located events of the selection window.
    """
    located = events.filter(has_point())
    inside = np.asarray(
        geometry.locate(
            located["easting_m"].to_numpy(),
            located["northing_m"].to_numpy(),
            list(geometry.outlines(hotspots["geometry"])),
        )
    )
    base: dict[str, object] = {
        "question": "places",
        "outcome": outcome,
        "outcome_label": outcome_label,
        "definition_edition": definition_edition,
        "population": "derived hot spots",
        "window_start": hotspots["selection_from"].min(),
        "window_end": hotspots["selection_to"].max(),
        "method": "fullest_squares_gi_star",
        "n": len(located),
        "n_places": len(hotspots),
        "feeds": feeds,
        "diagnostics": json.dumps(
            {"area_m2": round(float(hotspots["area_m2"].sum()), 1), "wanted": n_wanted},
            sort_keys=True,
        ),
    }
    few = (
        f"{n_wanted} places were wanted; only {len(hotspots)} stand apart and out from chance."
        if len(hotspots) < n_wanted
        else None
    )
    share: dict[str, object] = (
        {"estimate": float((inside >= 0).mean())}
        if len(located)
        else {"status": "not_identified", "reason": "No event has a location."}
    )
    return estimate.rows(
        [
            base
            | {"estimand": "places_derived", "unit": "places", "reason": few}
            | {"estimate": float(len(hotspots))},
            base
            | {
                "estimand": "share_in_hotspots",
                "unit": "share",
                "n_events": float((inside >= 0).sum()),
            }
            | share,
        ]
    )


def single_point_shares(
    located: pl.DataFrame,
    *,
    noticed_from: float,
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    feeds: str,
) -> pl.DataFrame:
    """
    Flag hot spots most of whose events stand on one point.

    Hospitals, custody suites and police stations draw events that happened elsewhere, and sources
    put events without a place on a default point. Snapped data hide which it is: a person has to
    look.

    Parameters
    ----------
    located : DataFrame
        One row per event: `place_id` (null: left out), `easting_m`, `northing_m`. Not modified.
    noticed_from : float
        Share of the events of a place on one point (to the metre) from which the reason says so.
    outcome, outcome_label : str
        Outcome, by id and in words.
    definition_edition : str or None
        Definition that was used.
    feeds : str
        Canonical tables behind the events.

    Returns
    -------
    table `estimate`
        Question `places`, estimand `single_point_share`, one row per place with events (horizon
        "hotspot=ID"); the diagnostics name the point.
    """
    points = (
        located.drop_nulls(["place_id", "easting_m", "northing_m"])
        .group_by("place_id", pl.col("easting_m", "northing_m").round(0))
        .agg(n=pl.len())
        .sort("place_id", "n", "northing_m", "easting_m", descending=[False, True, False, False])
        .group_by("place_id", maintain_order=True)
        .agg(pl.col("easting_m", "northing_m", "n").first(), total=pl.col("n").sum())
    )
    return estimate.rows(
        [
            {
                "question": "places",
                "outcome": outcome,
                "outcome_label": outcome_label,
                "definition_edition": definition_edition,
                "population": "hot spots",
                "horizon": f"hotspot={row['place_id']}",
                "estimand": "single_point_share",
                "method": "count",
                "unit": "share",
                "estimate": row["n"] / row["total"],
                "n": row["total"],
                "n_places": 1,
                "n_events": float(row["total"]),
                "feeds": feeds,
                "reason": _ONE_POINT if row["n"] / row["total"] >= noticed_from else None,
                "diagnostics": json.dumps(
                    {"easting_m": row["easting_m"], "northing_m": row["northing_m"]},
                    sort_keys=True,
                ),
            }
            for row in points.to_dicts()
        ]
    )


_ONE_POINT = (
    "Most events stand on one point: look whether it is a hospital, a custody suite, a police "
    "station or a default location."
)
