"""Which rows an outcome counts, which it cannot tell, and why it cannot be counted at all."""

import polars as pl

from placeproof.definitions.categories import police_uk_slugs, with_slugs
from placeproof.definitions.outcome import Outcome, Part
from placeproof.errors import InputError

_EVENT_COLUMNS: dict[str, pl.DataType] = {
    "event_row": pl.Int64(),
    "source_table": pl.String(),
    "month": pl.Date(),
    "occurred_from": pl.Datetime("us", "UTC"),
    "occurred_to": pl.Datetime("us", "UTC"),
    "easting_m": pl.Float64(),
    "northing_m": pl.Float64(),
    "location_quality": pl.String(),
    "lsoa_code": pl.String(),
    "victim_age": pl.Int64(),
    "victim_sex": pl.String(),
    "victim_ethnicity": pl.String(),
    "offence_code": pl.String(),
    "police_generated": pl.Boolean(),
    "weight": pl.Float64(),
}


def supplied(
    outcome: Outcome, crime: pl.DataFrame | None, incident: pl.DataFrame | None
) -> str | None:
    """
    Say why an outcome cannot be counted.

    Parameters
    ----------
    outcome : Outcome
    crime, incident : tables of those names, or None where no feed supplied them

    Returns
    -------
    str or None
        The reason in words for a report, or None if it can be counted. Rows that the rule cannot
        tell forbid counting only where they outnumber those it counts, because the true count
        could then be more than twice as large; otherwise `unknown_share` says how many they are.
    """
    for part in outcome.parts:
        table = {"crime": crime, "incident": incident}[part.source_table]
        if table is None:
            return f"no {part.source_table} table was supplied"
        standing = _standing(table)
        if standing.is_empty():
            return f"the {part.source_table} table has no rows that stand as recorded"
        if reason := _unsaid(outcome, part, standing):
            return reason
        verdict = _verdict(outcome, part, standing)
        counted, unknown = int(verdict.sum()), verdict.null_count()
        if unknown > counted:
            return (
                f"the rule cannot be decided for {unknown} of {standing.height} rows of the "
                f"{part.source_table} table, more than the {counted} that it counts"
            )
    return None


def unknown_share(
    outcome: Outcome, *, crime: pl.DataFrame | None, incident: pl.DataFrame | None
) -> float:
    """
    Measure the share of recorded rows that the rule cannot tell.

    Parameters
    ----------
    outcome : Outcome
        One for which `supplied` gives no reason.
    crime, incident : tables of those names, or None

    Returns
    -------
    float
        Rows whose verdict is null, as a share of all recorded rows of the tables it reads. They
        are not counted, so a count can lie below the truth by up to this many rows.

    Raises
    ------
    InputError
        If the outcome cannot be counted.
    """
    rows = unknown = 0
    for part, standing in _standing_parts(outcome, crime, incident):
        rows += standing.height
        unknown += _verdict(outcome, part, standing).null_count()
    return unknown / rows


def select(
    outcome: Outcome, *, crime: pl.DataFrame | None, incident: pl.DataFrame | None
) -> pl.DataFrame:
    """
    Take the rows that count as an outcome.

    A row counts where its rule is true. Where the rule is null because a column is null, the row
    does not count and is part of `unknown_share`. Cancelled and transferred rows never count.

    Parameters
    ----------
    outcome : Outcome
        One for which `supplied` gives no reason.
    crime, incident : tables of those names, or None
        Not modified.

    Returns
    -------
    DataFrame
        One row per event: `event_row` (from 0), `source_table`, `month`, `occurred_from`,
        `occurred_to` (UTC; null where only the month is known; for incidents the time of the
        report), `easting_m`, `northing_m`, `location_quality`, `lsoa_code`, `victim_age`,
        `victim_sex`, `victim_ethnicity`, `offence_code`, `police_generated` (null for incidents),
        `weight` (1.0). In the order of the tables, crimes or incidents as the definition lists
        them.

    Raises
    ------
    InputError
        If the outcome cannot be counted.
    """
    taken = [
        _events(standing.filter(_verdict(outcome, part, standing)), part.source_table)
        for part, standing in _standing_parts(outcome, crime, incident)
    ]
    events = pl.concat(taken).with_row_index("event_row")
    return events.select(pl.col(name).cast(dtype) for name, dtype in _EVENT_COLUMNS.items())


def _standing_parts(
    outcome: Outcome, crime: pl.DataFrame | None, incident: pl.DataFrame | None
) -> list[tuple[Part, pl.DataFrame]]:
    if reason := supplied(outcome, crime, incident):
        raise InputError(
            f'Outcome "{outcome.id}" cannot be counted: {reason}.',
            mend="supply it, or take the outcome out of plan.toml.",
        )
    tables = {"crime": crime, "incident": incident}
    return [
        (part, _standing(table))
        for part in outcome.parts
        if (table := tables[part.source_table]) is not None
    ]


def _standing(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("status") == "recorded")


def _unsaid(outcome: Outcome, part: Part, standing: pl.DataFrame) -> str | None:
    for name in part.needs:
        if name not in standing.columns or standing[name].null_count() == standing.height:
            return f"column {name} of the {part.source_table} table is not supplied for any row"
    if outcome.vocabulary == "police.uk":
        slugs = with_slugs(standing.select("category"))["category"]
        others = standing.height - slugs.is_in(list(police_uk_slugs().values())).sum()
        if others:
            return (
                f"{others} of {standing.height} rows of the {part.source_table} table carry a "
                "category that is not one of data.police.uk"
            )
    return None


def _verdict(outcome: Outcome, part: Part, standing: pl.DataFrame) -> pl.Series:
    """True, false or null for each row; columns that the table lacks are unknown."""
    rule = pl.sql_expr(part.rule)
    read = dict.fromkeys(rule.meta.root_names())
    table = standing.select(
        pl.col(name) if name in standing.columns else pl.lit(None).alias(name) for name in read
    )
    if outcome.vocabulary and "category" in table.columns:
        table = with_slugs(table)
    return table.select(rule.alias("verdict")).to_series()


def _events(rows: pl.DataFrame, source_table: str) -> pl.DataFrame:
    if source_table == "incident" and "reported_at" in rows.columns:
        at = pl.col("reported_at")
        rows = rows.with_columns(occurred_from=at, occurred_to=at)
    made = rows.with_columns(source_table=pl.lit(source_table), weight=pl.lit(1.0))
    return made.select(
        (pl.col(name) if name in made.columns else pl.lit(None).alias(name)).cast(dtype)
        for name, dtype in _EVENT_COLUMNS.items()
        if name != "event_row"
    )
