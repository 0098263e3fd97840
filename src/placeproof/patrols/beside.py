"""What stands beside compliance: reasons, and presence on control days."""

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols.dividing import divided
from placeproof.patrols.rows import Row, base_row, share_of, window_of

MOST_REASONS = 12
"""Reasons beyond the most frequent are told together: free text would make a row each."""

LEAST_TIMES = 5
"""A reason given less often is told with the others: it may be free text that names somebody."""


def reason_rows(held: pl.DataFrame) -> list[Row]:
    """
    Reasons given for windows that were cancelled, missed or too short.

    Parameters
    ----------
    held : table `attendance`

    Returns
    -------
    list of rows for table `estimate`
        Shares of those windows, one row for each reason that was given often, then for all others
        together; windows without a reason are a row, too.
    """
    short = held.filter(pl.col("observed") & ~pl.col("level_3"))
    row = base_row(
        "window_reason",
        "Reason given for a window cancelled, missed or too short",
        "share",
        "count",
        "share",
        "tasking",
    ) | window_of(short["operating_day"])
    if short.is_empty():
        return [
            row | {"status": "not_identified", "reason": "No window fell short, as far as known."}
        ]
    given = (
        short["reason"]
        .drop_nulls()
        .value_counts()
        .filter(pl.col("count") >= LEAST_TIMES)
        .sort("count", "reason", descending=[True, False])
    )
    often = given["reason"].head(MOST_REASONS).to_list()
    told = pl.when(pl.col("reason").is_in(often) | pl.col("reason").is_null()).then("reason")
    named = short.with_columns(reason=told.otherwise(pl.lit("other reasons")))
    return [
        row | key | {"estimate": part.height / short.height, "n": short.height}
        for key, part in divided(named, by="reason", night=None)
    ]


def control_rows(tasking: pl.DataFrame, dose: pl.DataFrame, *, source: str) -> list[Row]:
    """
    Presence on control days, where the days of patrols were allotted at random.

    Parameters
    ----------
    tasking : table `tasking`
    dose : table `dose`
        Its rows for all hours and of one source are used: a day without a row is not known.
    source : str
        Source of the dose.

    Returns
    -------
    list of rows for table `estimate`
        Share of control days with any presence, and mean minutes on control and on tasked days.
    """
    days = control_days(tasking, dose, source=source)
    feeds = f"tasking {'ping' if source == 'pings' else 'delivered'} hotspot"
    label = "Control days on which somebody was there all the same"
    shared = base_row("control_day_presence", label, "share", "randomised_days", "share", feeds)
    control = days.filter(~pl.col("tasked"))
    if control.is_empty():
        reason = "No day was allotted at random, so there are no control days."
        if not days.is_empty():
            reason = "No control day falls on a day on which the source reported."
        return [shared | {"status": "not_identified", "reason": reason}]
    rows = [
        shared
        | share_of(control["patrol_minutes"] > 0)
        | window_of(control["operating_day"])
        | {"n_places": control["hotspot_id"].n_unique()}
    ]
    for outcome, words, part in (
        ("control_day_minutes", "Minutes of presence on a control day", control),
        ("tasked_day_minutes", "Minutes of presence on a tasked day", days.filter("tasked")),
    ):
        base = base_row(outcome, words, "mean", "randomised_days", "minutes", feeds)
        rows.append(base | _mean(part["patrol_minutes"]) | window_of(part["operating_day"]))
    return rows


def control_days(tasking: pl.DataFrame, dose: pl.DataFrame, *, source: str) -> pl.DataFrame:
    """
    List the days that chance could have tasked, and whether it did.

    Parameters
    ----------
    tasking : table `tasking`
    dose : table `dose`
    source : str
        Source of the dose.

    Returns
    -------
    DataFrame
        `hotspot_id`, `operating_day`, `tasked`, `patrol_minutes`: days between the first and the
        last task of a place that chance allotted, on which the source reported. Sorted.
    """
    tasks = tasking.select(
        "hotspot_id", "randomised", operating_day=operating_day(pl.col("window_from"))
    )
    span = (
        tasks.filter(pl.col("randomised"))
        .group_by("hotspot_id")
        .agg(first=pl.col("operating_day").min(), last=pl.col("operating_day").max())
    )
    on = ["hotspot_id", "operating_day"]
    asked = tasks.select(on).unique().with_columns(tasked=pl.lit(value=True))
    return (
        dose.filter(pl.col("hours") == "all", pl.col("source") == source)
        .group_by(on)
        .agg(pl.col("patrol_minutes").sum())
        .join(span, on="hotspot_id")
        .filter(pl.col("operating_day").is_between("first", "last"))
        .join(asked, on=on, how="left")
        .select(*on, pl.col("tasked").fill_null(value=False), "patrol_minutes")
        .sort(on)
    )


def _mean(minutes: pl.Series) -> Row:
    if minutes.is_empty():
        return {"status": "not_identified", "reason": "There is no such day.", "n": 0}
    return {"estimate": float(minutes.mean()), "n": len(minutes)}  # type: ignore[arg-type]
