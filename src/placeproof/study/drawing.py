"""Routes of a run: a line for each visit, of positions in memory or of packed ones by device."""

from collections.abc import Iterator

import polars as pl

from placeproof import patrols
from placeproof.study.patrol_keys import RouteRules
from placeproof.study.position_files import Positions, by_device
from placeproof.tables import Route

PINGS_AT_A_TIME = 3_000_000


def lines(
    positions: Positions | pl.DataFrame | None,
    visits: pl.DataFrame,
    hotspots: pl.DataFrame,
    *,
    rules: RouteRules,
    longest_gap_s: float,
    premises: pl.DataFrame | None,
    pings_at_a_time: int = PINGS_AT_A_TIME,
) -> pl.DataFrame:
    """
    Draw the line of each visit, some devices at a time where positions are packed.

    Parameters
    ----------
    positions : Positions, table `ping` or None
        None: there are none, so no line either.
    visits : table `visit`
        Made of them.
    hotspots : table `hotspot`
        Every version of every hot spot.
    rules : RouteRules
        How lines are drawn.
    longest_gap_s : float
        Seconds of silence over which no line is drawn.
    premises : DataFrame or None
        As for `patrols.routes`.
    pings_at_a_time : int
        Packed positions held at once; does not change the result.

    Returns
    -------
    table `route`
    """
    made: list[pl.DataFrame] = [Route.create_empty()]
    for pings in _groups(positions, pings_at_a_time):
        theirs = pl.col("device_id").is_in(pings["device_id"].unique().implode())
        mine = visits.filter(theirs)
        if mine.is_empty():
            continue
        drawn = patrols.routes(
            pings,
            mine,
            hotspots,
            margin_m=rules.margin_m,
            lead_s=rules.lead_s,
            longest_gap_s=longest_gap_s,
            trim_m=rules.trim_m,
            snap_m=rules.snap_m,
            simplify_m=rules.simplify_m,
            premises=premises,
        )
        made.append(drawn)
    return pl.concat(made).sort("hotspot_id", "arrived_at", "length_m", "line")


def _groups(positions: Positions | pl.DataFrame | None, most: int) -> Iterator[pl.DataFrame]:
    if isinstance(positions, Positions):
        yield from by_device(positions, most=most)
    elif positions is not None:
        yield positions
