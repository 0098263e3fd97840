"""What officers did with people: counts from logs, per hour of patrol, held against searches."""

import numpy as np
import polars as pl

from placeproof import geometry
from placeproof.calendar import operating_day

COUNTS: dict[str, str] = {
    "engagements": "Conversations and other engagements",
    "stops": "People stopped",
    "searches": "People searched",
    "arrests": "People arrested",
    "referrals": "Referrals to other services",
    "asb_powers": "Uses of anti-social behaviour powers",
    "intelligence": "Intelligence reports",
}
"""Columns of table `patrol_log` that count, and what they count."""


def ledger(patrol_log: pl.DataFrame) -> pl.DataFrame:
    """
    Give each count of each log a row of its own.

    Parameters
    ----------
    patrol_log : table `patrol_log`

    Returns
    -------
    DataFrame
        `log_id`, `hotspot_id`, `operating_day`, `started_at`, `hours` (null: the log has no end,
        or none after its start), `kind`, `counted` (null where the log leaves it blank: a blank is
        not zero). Sorted by start, log and kind.
    """
    length = (pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds() / 3.6e9
    return (
        patrol_log.select(
            "log_id",
            "hotspot_id",
            "started_at",
            *COUNTS,
            operating_day=operating_day(pl.col("started_at")),
            hours=pl.when(length > 0).then(length),
        )
        .unpivot(
            list(COUNTS),
            index=["log_id", "hotspot_id", "operating_day", "started_at", "hours"],
            variable_name="kind",
            value_name="counted",
        )
        .sort("started_at", "log_id", "kind")
    )


def searches_by_day(
    patrol_log: pl.DataFrame, stop_search: pl.DataFrame, hotspots: pl.DataFrame
) -> pl.DataFrame:
    """
    Hold logged stops and searches against recorded ones, by place and operating day.

    Parameters
    ----------
    patrol_log : table `patrol_log`
    stop_search : table `stop_search`
        Rows without a time or a trusted point (exact) cannot be given to a place and day.
    hotspots : table `hotspot`
        A search belongs to the first hot spot, by id, whose outline held on its day and holds it.

    Returns
    -------
    DataFrame
        `hotspot_id`, `operating_day`, `logged_stops`, `logged_searches` (null where every log of
        the place and day leaves it blank, or there is none), `recorded` (0 where there is a log
        and no search). Days outside the days that both tables cover are left out. Sorted.
    """
    place_day = ["hotspot_id", "operating_day"]
    logged = (
        patrol_log.with_columns(operating_day=operating_day(pl.col("started_at")))
        .group_by(place_day)
        .agg(
            pl.when(pl.col(name).is_not_null().any())
            .then(pl.col(name).sum())
            .alias(f"logged_{name}")
            for name in ("stops", "searches")
        )
    )
    placed = _placed(stop_search, hotspots)
    days = stop_search.filter(pl.col("at").is_not_null()).select(
        first=operating_day(pl.col("at")).min(), last=operating_day(pl.col("at")).max()
    )
    both = logged.join(
        placed.group_by(place_day).agg(recorded=pl.len().cast(pl.Int64)),
        on=place_day,
        how="full",
        coalesce=True,
    )
    covered = patrol_log.select(
        first=operating_day(pl.col("started_at")).min(),
        last=operating_day(pl.col("started_at")).max(),
    )
    for span in (days, covered):
        first, last = span.row(0)
        within = (
            pl.lit(value=False)
            if first is None
            else (pl.col("operating_day").is_between(first, last))
        )
        both = both.filter(within)
    return both.with_columns(pl.col("recorded").fill_null(0)).sort(place_day)


def unplaced_searches(stop_search: pl.DataFrame) -> int:
    """
    Count the searches that cannot be given to a place and day.

    Parameters
    ----------
    stop_search : table `stop_search`

    Returns
    -------
    int
        Without a time, or without a point that can be trusted.
    """
    return stop_search.height - stop_search.filter(_can_be_placed()).height


def _can_be_placed() -> pl.Expr:
    return (
        pl.col("at").is_not_null()
        & pl.col("easting_m").is_not_null()
        & pl.col("northing_m").is_not_null()
        & (pl.col("location_quality") == "exact")
    )


def _placed(stop_search: pl.DataFrame, hotspots: pl.DataFrame) -> pl.DataFrame:
    known = stop_search.filter(_can_be_placed()).select(
        "easting_m", "northing_m", operating_day=operating_day(pl.col("at"))
    )
    register = hotspots.sort("hotspot_id", "valid_from")
    parts = [pl.DataFrame(schema={"hotspot_id": pl.String, "operating_day": pl.Date})]
    for (day,), here in sorted(known.group_by("operating_day"), key=lambda item: str(item[0])):
        held = register.filter(
            pl.col("valid_from") <= day, pl.col("valid_to").is_null() | (pl.col("valid_to") >= day)
        )
        found = geometry.locate(
            here["easting_m"], here["northing_m"], list(geometry.outlines(held["geometry"]))
        )
        inside = found[np.asarray(found) >= 0]
        parts.append(
            pl.DataFrame(
                {"hotspot_id": held["hotspot_id"][inside], "operating_day": [day] * len(inside)},
                schema=parts[0].schema,
            )
        )
    return pl.concat(parts)
