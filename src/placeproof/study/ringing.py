"""The rings of every day as outlines in which visits can be found, one for each hot spot."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from placeproof import geometry, hotspots

_OF = "\n"
"""Between the ring and the hot spot in an id: no id of a register holds it."""


def ring_register(
    register: pl.DataFrame, comparison: pl.DataFrame | None, *, edges_m: Sequence[float]
) -> pl.DataFrame:
    """
    Draw the rings around hot spots as they were on each day.

    Ground between two places goes to the nearer one, comparison places too, as when events are
    counted. A ring holds on the days on which its hot spot does.

    Parameters
    ----------
    register : table `hotspot`
        Every version of every hot spot.
    comparison : table `place` or None
        Comparison places.
    edges_m : sequence of float
        Distances that bound the rings, rising from 0.

    Returns
    -------
    DataFrame
        `hotspot_id` (of one ring of one hot spot; `by_ring` takes it apart), `valid_from`,
        `valid_to`, `geometry`: sorted, and no two rows of one id hold on one day.
    """
    rows: list[dict[str, object]] = []
    before: pl.DataFrame | None = None
    rings = pl.DataFrame()
    for first, last in _spans(register):
        held = hotspots.version_on(register, day=first)["hotspot_id"].to_list()
        now = hotspots.places(register, day=first)
        now = now if comparison is None else pl.concat([now, comparison])
        rings, before = _redrawn(rings, before, now, edges_m), now
        mine = rings.filter(pl.col("kind") == "ring", pl.col("target_id").is_in(held))
        for row in mine.iter_rows(named=True):
            name = f"ring {row['ring_inner_m']:g}-{row['ring_outer_m']:g} m"
            rows.append(
                {
                    "hotspot_id": f"{name}{_OF}{row['target_id']}",
                    "valid_from": first,
                    "valid_to": last,
                    "geometry": row["geometry"],
                }
            )
    return pl.DataFrame(_without_seams(rows), schema=_SCHEMA).sort("hotspot_id", "valid_from")


_SCHEMA = {
    "hotspot_id": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
    "geometry": pl.Binary,
}


def by_ring(visits: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """
    Take visits to rings apart.

    Parameters
    ----------
    visits : table `visit`
        To the outlines of `ring_register`.

    Returns
    -------
    dict
        Ring, as "ring 0-100 m", to visits to it under the ids of its hot spots, sorted as visits
        are.
    """
    both = pl.col("hotspot_id").str.split_exact(_OF, 1)
    parts = visits.with_columns(
        both.struct.field("field_0").alias("ring"), hotspot_id=both.struct.field("field_1")
    ).partition_by("ring", as_dict=True, include_key=False)
    return {
        str(ring): part.sort("device_id", "hotspot_id", "arrived_at")
        for (ring,), part in sorted(parts.items())
    }


def _redrawn(
    rings: pl.DataFrame, before: pl.DataFrame | None, now: pl.DataFrame, edges_m: Sequence[float]
) -> pl.DataFrame:
    """Rings of all places, drawn anew around those alone that a change of outlines can reach."""
    if before is None:
        return hotspots.ring_places(now, edges_m=edges_m)
    key = ["place_id", "geometry"]
    changed = pl.concat(
        [now.join(before, on=key, how="anti"), before.join(now, on=key, how="anti")]
    )
    if changed.is_empty():
        return rings
    # Ground is shared by places whose rings meet; what they share depends on their neighbours.
    affected = _meeting(now, changed, edges_m[-1])
    drawn = hotspots.ring_places(_meeting(now, affected, edges_m[-1]), edges_m=edges_m)
    anew = pl.col("target_id").is_in(affected["place_id"].to_list())
    return pl.concat([rings.filter(~anew), drawn.filter(anew)])


def _meeting(places: pl.DataFrame, others: pl.DataFrame, outer_m: float) -> pl.DataFrame:
    """Places whose outermost ring meets that of another."""
    import shapely

    theirs = shapely.STRtree(geometry.outlines(others["geometry"]))
    found = theirs.query(
        geometry.outlines(places["geometry"]), predicate="dwithin", distance=2 * outer_m
    )
    return places[sorted(set(found[0].tolist()))]


def _spans(register: pl.DataFrame) -> list[tuple[date, date | None]]:
    """First and last day of each stretch of days without a change of any outline."""
    changes = {
        *register["valid_from"].to_list(),
        *(day + timedelta(days=1) for day in register["valid_to"].drop_nulls().to_list()),
    }
    ordered: list[date | None] = [*sorted(changes), None]
    return [
        (first, None if after is None else after - timedelta(days=1))
        for first, after in itertools.pairwise(ordered)
        if first is not None
    ]


def _without_seams(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """A ring that stays as it is when another changes stays one outline."""
    made: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        parts = made.setdefault(str(row["hotspot_id"]), [])
        if parts and parts[-1]["geometry"] == row["geometry"] and _follows(parts[-1], row):
            parts[-1] = parts[-1] | {"valid_to": row["valid_to"]}
        else:
            parts.append(row)
    return [row for parts in made.values() for row in parts]


def _follows(earlier: dict[str, object], later: dict[str, object]) -> bool:
    ended, begins = earlier["valid_to"], later["valid_from"]
    assert isinstance(ended, date)
    assert isinstance(begins, date)
    return begins - ended == timedelta(days=1)
