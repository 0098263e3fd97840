"""By what results about delivery may be divided: place, time and reason, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from placeproof.calendar import in_nte
from placeproof.patrols.rows import Row

DIVISIONS: tuple[str, ...] = ("all", "place", "day", "month", "hours", "reason")
"""The whole list. Units, officers and devices are not on it, so none can be ranked."""


@dataclass(frozen=True)
class Night:
    """
    Hours by which results are divided.

    Parameters
    ----------
    intervals : DataFrame
        As `calendar.nte_intervals` makes them, covering all the data.
    preset : str
        Which preset they are.
    """

    intervals: pl.DataFrame
    preset: str


def divided(
    table: pl.DataFrame, *, by: str, night: Night | None
) -> Iterator[tuple[Row, pl.DataFrame]]:
    """
    Take a table in parts.

    Parameters
    ----------
    table : DataFrame
        `hotspot_id` and `operating_day`; for hours `window_from` or `started_at`, the moment that
        decides; for reasons `reason`.
    by : str
        One of `DIVISIONS`.
    night : Night or None
        None: there is no part for hours.

    Yields
    ------
    (row, DataFrame)
        What the part adds to a row of table `estimate`, and the part; in order. Parts without a
        row are left out, but the whole is always given.

    Raises
    ------
    ValueError
        If results may not be divided so.
    """
    if by not in DIVISIONS:
        raise ValueError(f"results are divided by {', '.join(DIVISIONS)} only, not by {by}")
    if by == "all":
        yield {}, table
    elif by == "hours":
        yield from _hours(table, night)
    else:
        key, column = _KEYS[by]
        named = table.with_columns(_part=_COLUMNS[by])
        for (value,), part in sorted(named.group_by("_part"), key=lambda item: str(item[0][0])):
            yield {key: f"{column}{value}"}, part.drop("_part")


_KEYS = {
    "place": ("subgroup", "hotspot="),
    "day": ("horizon", ""),
    "month": ("horizon", ""),
    "reason": ("subgroup", "reason="),
}
_COLUMNS = {
    "place": pl.col("hotspot_id"),
    "day": pl.col("operating_day").dt.strftime("%Y-%m-%d"),
    "month": pl.col("operating_day").dt.strftime("%Y-%m"),
    "reason": pl.col("reason").fill_null("none given"),
}


def _hours(table: pl.DataFrame, night: Night | None) -> Iterator[tuple[Row, pl.DataFrame]]:
    if night is None:
        return
    moment = "window_from" if "window_from" in table.columns else "started_at"
    inside = in_nte(table[moment], night.intervals)
    for hours, part in (("nte", table.filter(inside)), ("other", table.filter(~inside))):
        if not part.is_empty():
            yield {"hours": f"{hours}:{night.preset}"}, part
