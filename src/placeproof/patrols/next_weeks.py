"""What stands out in the last weeks of a hot spot, and so could change in the next."""

from collections.abc import Sequence

import polars as pl

from placeproof.calendar import period_start
from placeproof.patrols.coverage import Coverage

CHANGES = {
    "hotspot_id": pl.String,
    "week": pl.Date,
    "kind": pl.String,
    "weekday": pl.Int8,
    "starts": pl.String,
    "ends": pl.String,
    "side": pl.String,
    "times": pl.Int64,
    "of": pl.Int64,
}
"""One row per hot spot and week: what stands out in the weeks up to it."""


def next_changes(
    window: pl.DataFrame | None,
    attendance: pl.DataFrame | None,
    covered: Coverage | None,
    *,
    weeks: Sequence[object],
    hotspot_ids: Sequence[str],
    weeks_back: int,
) -> pl.DataFrame:
    """
    Find what stands out in the last weeks of each hot spot, one thing each week.

    In this order: a window that was missed at least twice; one that was cancelled at least twice;
    one that was too short at least twice; a side of the hot spot of which routes reached less than
    half; visible patrols without a completed log at least twice; nothing. Windows and places are
    named, never who was asked.

    Parameters
    ----------
    window : DataFrame or None
        As `windows` makes it.
    attendance : table `attendance`, or None
    covered : Coverage or None
        Of `coverage` with weeks.
    weeks : sequence of date
        Mondays.
    hotspot_ids : sequence of str
    weeks_back : int
        Weeks looked at, the week itself included.

    Returns
    -------
    DataFrame
        `CHANGES`: kind is missed, cancelled, short, unreached, unlogged, nothing or not_known.
    """
    grid = pl.DataFrame({"hotspot_id": list(hotspot_ids)}, schema={"hotspot_id": pl.String}).join(
        pl.DataFrame({"week": list(weeks)}, schema={"week": pl.Date}), how="cross"
    )
    found = [pl.DataFrame(schema={**CHANGES, "order": pl.Int32})]
    if window is not None:
        found += _slots_that_stand_out(window, weeks_back)
    if covered is not None:
        found.append(_unreached(covered, weeks_back))
    if attendance is not None:
        found.append(_unlogged(attendance, weeks_back))
    keys = ["hotspot_id", "week"]
    known = [part.select(keys) for part in (window, _weeks_seen(covered)) if part is not None]
    looked = _forward(pl.concat([*known, grid.clear()]), weeks_back).unique()
    quiet = looked.with_columns(kind=pl.lit("nothing"), order=pl.lit(99, dtype=pl.Int32))
    every = pl.concat([*found, quiet], how="diagonal").sort(
        *keys, "order", -pl.col("times"), "weekday", "starts", "side", nulls_last=True
    )
    first = every.unique(keys, keep="first", maintain_order=True)
    return (
        grid.join(first, on=keys, how="left")
        .with_columns(pl.col("kind").fill_null("not_known"))
        .select(pl.col(name).cast(kind) for name, kind in CHANGES.items())
        .sort(keys)
    )


def _forward(rows: pl.DataFrame, weeks_back: int) -> pl.DataFrame:
    """Each row in its own week and in the weeks that look back on it."""
    return pl.concat(
        [rows.with_columns(pl.col("week").dt.offset_by(f"{n}w")) for n in range(weeks_back)]
    )


def _slots_that_stand_out(window: pl.DataFrame, weeks_back: int) -> list[pl.DataFrame]:
    slot = ["hotspot_id", "week", "weekday", "starts", "ends"]
    seen = _forward(window.select(*slot, "state"), weeks_back)
    known = pl.col("state").is_in(["kept", "short", "missed"])
    counted = seen.group_by(slot).agg(
        missed=(pl.col("state") == "missed").sum().cast(pl.Int64),
        cancelled=(pl.col("state") == "cancelled").sum().cast(pl.Int64),
        short=(pl.col("state") == "short").sum().cast(pl.Int64),
        known=known.sum().cast(pl.Int64),
        asked=(pl.col("state") != "not_known").sum().cast(pl.Int64),
    )
    return [
        counted.filter(pl.col(kind) >= 2).select(
            *slot,
            kind=pl.lit(kind),
            times=kind,
            of="asked" if kind == "cancelled" else "known",
            order=pl.lit(order, dtype=pl.Int32),
        )
        for order, kind in enumerate(("missed", "cancelled", "short"))
    ]


def _weeks_seen(covered: Coverage | None) -> pl.DataFrame | None:
    if covered is None:
        return None
    return covered.shares.select("hotspot_id", week="period_start")


def _unreached(covered: Coverage, weeks_back: int) -> pl.DataFrame:
    """The side of which the last weeks' routes reached least, where that is under half."""
    whose = ["hotspot_id", "version"]
    middle = covered.pieces.with_columns(
        east=(pl.col("from_easting_m") + pl.col("to_easting_m")) / 2,
        north=(pl.col("from_northing_m") + pl.col("to_northing_m")) / 2,
    )
    up = pl.col("north") >= pl.col("north").mean().over(whose)
    right = pl.col("east") >= pl.col("east").mean().over(whose)
    sided = middle.with_columns(
        side=pl.concat_str(
            pl.when(up).then(pl.lit("north")).otherwise(pl.lit("south")),
            pl.lit("-"),
            pl.when(right).then(pl.lit("east")).otherwise(pl.lit("west")),
        )
    ).select(*whose, "piece", "size", "side")
    weeks = covered.shares.select(*whose, week="period_start")
    near = _forward(
        covered.reached.select(*whose, "piece", week="period_start"), weeks_back
    ).unique()
    sizes = sided.group_by(*whose, "side").agg(pl.col("size").sum())
    got = (
        near.join(sided, on=[*whose, "piece"])
        .group_by(*whose, "week", "side")
        .agg(got=pl.col("size").sum())
    )
    return (
        weeks.join(sizes, on=whose)
        .join(got, on=[*whose, "week", "side"], how="left")
        .with_columns(share=pl.col("got").fill_null(0.0) / pl.col("size"))
        .filter(pl.col("share") < 0.5)
        .select(
            "hotspot_id",
            "week",
            "side",
            kind=pl.lit("unreached"),
            times=((1 - pl.col("share")) * 100).round().cast(pl.Int64),
            of=pl.lit(100, dtype=pl.Int64),
            order=pl.lit(3, dtype=pl.Int32),
        )
    )


def _unlogged(attendance: pl.DataFrame, weeks_back: int) -> pl.DataFrame:
    at = attendance.with_columns(week=period_start(pl.col("operating_day"), kind="week")).filter(
        pl.col("level_4"), pl.col("level_5").is_not_null()
    )
    seen = _forward(at.select("hotspot_id", "week", "level_5"), weeks_back)
    return (
        seen.group_by("hotspot_id", "week")
        .agg(times=(~pl.col("level_5")).sum().cast(pl.Int64), of=pl.len().cast(pl.Int64))
        .filter(pl.col("times") >= 2)
        .with_columns(kind=pl.lit("unlogged"), order=pl.lit(4, dtype=pl.Int32))
    )
