"""The lines of the funder's return: what each measure counts, month by month."""

from collections.abc import Iterable

import numpy as np
import polars as pl
import shapely

from placeproof import geometry
from placeproof.calendar import LOCAL_ZONE, operating_day

RETURNED = {
    "group": pl.String,
    "measure": pl.String,
    "label": pl.String,
    "part": pl.String,
    "unit": pl.String,
    "of_people": pl.Boolean,
    "kind": pl.String,
    "period": pl.String,
    "period_start": pl.Date,
    "value": pl.Float64,
    "status": pl.String,
    "note": pl.String,
}
"""One row per measure and period: kind is month or quarter; status is supplied, incomplete,
not_supplied or suppressed; where there is no figure `value` is null, never 0."""

_LOGGED = (
    ("stops", "People stopped, as logged", True),
    ("searches", "People searched, as logged", True),
    ("arrests", "People arrested, as logged", True),
    ("asb_powers", "Uses of anti-social behaviour powers, as logged", True),
    ("referrals", "Referrals to other services, as logged", True),
    ("engagements", "Conversations and other engagements, as logged", False),
    ("intelligence", "Intelligence reports, as logged", False),
)


def rows_of(
    months: pl.DataFrame,
    counted: pl.DataFrame | None,
    *,
    group: str,
    measure: str,
    label: str,
    part: str = "",
    unit: str = "count",
    of_people: bool = False,
    known: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """
    Turn counts into one row for each month.

    Parameters
    ----------
    months : DataFrame
        `period_start`, `period`, `period_end`, `kind`.
    counted : DataFrame or None
        `month`, `value` and perhaps `note`; None where the source is not supplied.
    group, measure, label, part, unit, of_people
        As the columns of `RETURNED`.
    known : DataFrame or None
        `month`: months in which nothing counted means none.

    Returns
    -------
    DataFrame
        `RETURNED`.
    """
    values = pl.DataFrame(schema={"month": pl.Date, "value": pl.Float64, "note": pl.String})
    if counted is not None:
        values = pl.concat(
            [values, counted.with_columns(pl.col("value").cast(pl.Float64))], how="diagonal_relaxed"
        )
    made = months.join(values, left_on="period_start", right_on="month", how="left")
    if known is not None:
        in_known = pl.col("period_start").is_in(known["month"].implode())
        made = made.with_columns(
            pl.when(in_known).then(pl.col("value").fill_null(0.0)).otherwise("value").alias("value")
        )
    noted = pl.col("note").fill_null("")
    return made.with_columns(
        group=pl.lit(group),
        measure=pl.lit(measure),
        label=pl.lit(label),
        part=pl.lit(part),
        unit=pl.lit(unit),
        of_people=pl.lit(of_people),
        status=pl.when(pl.col("value").is_null())
        .then(pl.lit("not_supplied"))
        .when(noted != "")
        .then(pl.lit("incomplete"))
        .otherwise(pl.lit("supplied")),
        note=noted,
    ).select(list(RETURNED))  # fmt: skip


def month_of(day: pl.Expr) -> pl.Expr:
    """
    The month of a day.

    Parameters
    ----------
    day : expression of Date

    Returns
    -------
    expression of Date
        Its first day.
    """
    return day.dt.month_start()


def enforcement(patrol_log: pl.DataFrame | None, months: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """
    What logs state; a blank count is not 0.

    Parameters
    ----------
    patrol_log : table `patrol_log`, or None
    months : DataFrame

    Yields
    ------
    DataFrame
        `RETURNED`.
    """
    at = None
    if patrol_log is not None and patrol_log.height:
        at = patrol_log.with_columns(month=month_of(operating_day(pl.col("started_at"))))
    for measure, label, of_people in _LOGGED:
        counted = None
        if at is not None:
            given = pl.col(measure).is_not_null()
            counted = at.group_by("month").agg(
                value=pl.when(given.any()).then(pl.col(measure).sum()),
                note=pl.when(given.all() | ~given.any())
                .then(pl.lit(""))
                .otherwise(pl.format("stated in {} of {} logs", given.sum(), pl.len())),
            )
        yield rows_of(
            months,
            counted,
            group="enforcement",
            measure=measure,
            label=label,
            of_people=of_people,
        )


def weapons(
    crime: pl.DataFrame | None,
    stop_search: pl.DataFrame | None,
    hotspots: pl.DataFrame | None,
    months: pl.DataFrame,
) -> Iterable[pl.DataFrame]:
    """
    Weapon offences and searches inside the outlines of the hot spots.

    Parameters
    ----------
    crime, stop_search, hotspots : tables, or None
    months : DataFrame

    Yields
    ------
    DataFrame
        `RETURNED`.
    """
    found = seen = None
    if crime is not None and hotspots is not None and crime["weapon"].is_not_null().any():
        dated = crime.filter(pl.col("status") == "recorded").with_columns(day=_crime_day())
        seen = dated.select(month=month_of(pl.col("day"))).unique()
        weapons = dated.filter(pl.col("weapon"), pl.col("police_generated"))
        found = _inside(weapons, hotspots)
    yield _counted(found, seen, months, "weapons_found", "Weapon offences found by police activity")
    looked = done = had = None
    if stop_search is not None and hotspots is not None and stop_search.height:
        day = pl.coalesce(pl.col("at").dt.convert_time_zone(LOCAL_ZONE).dt.date(), pl.col("month"))
        dated = stop_search.with_columns(day=day)
        had = dated.select(month=month_of(pl.col("day"))).unique()
        for_weapons = pl.col("object_of_search").str.contains("(?i)weapon|firearm|knife|blade")
        looked = _inside(dated.filter(for_weapons), hotspots)
        nothing = pl.col("outcome").str.contains("(?i)no further action|nothing found|no action")
        done = looked.filter(pl.col("outcome").is_not_null(), ~nothing)
    yield _counted(looked, had, months, "weapon_searches", "Searches for weapons")
    yield _counted(
        done, had, months, "weapon_searches_with_outcome", "… after which action was taken"
    )


def _counted(
    found: pl.DataFrame | None,
    seen: pl.DataFrame | None,
    months: pl.DataFrame,
    measure: str,
    label: str,
) -> pl.DataFrame:
    counted = None
    if found is not None:
        counted = found.group_by(month=month_of(pl.col("day"))).agg(value=pl.len())
    return rows_of(
        months, counted, group="weapons", measure=measure, label=label, of_people=True, known=seen
    )


def _crime_day() -> pl.Expr:
    known = pl.coalesce("occurred_from", "recorded_at")
    return pl.coalesce(known.dt.convert_time_zone(LOCAL_ZONE).dt.date(), pl.col("month"))


def _inside(events: pl.DataFrame, hotspots: pl.DataFrame) -> pl.DataFrame:
    """Events in any hot spot whose outline held on their day, each once."""
    x, y = (
        events[n].cast(pl.Float64).fill_null(np.nan).to_numpy() for n in ("easting_m", "northing_m")
    )
    day = events["day"]
    held = np.zeros(events.height, dtype=bool)
    for row, outline in zip(
        hotspots.iter_rows(named=True), geometry.outlines(hotspots["geometry"]), strict=True
    ):
        if outline is None:
            continue
        valid = day >= row["valid_from"]
        if row["valid_to"] is not None:
            valid &= day <= row["valid_to"]
        shapely.prepare(outline)
        held |= valid.fill_null(value=False).to_numpy() & shapely.intersects_xy(outline, x, y)
    return events.filter(pl.Series(held, dtype=pl.Boolean))


def plans(plan: pl.DataFrame | None, periods: pl.DataFrame) -> pl.DataFrame:
    """
    Plans that ran, began or ended: a quarter is counted anew, because plans run on.

    Parameters
    ----------
    plan : table `problem_plan`, or None
    periods : DataFrame
        Months or quarters.

    Returns
    -------
    DataFrame
        `RETURNED`.
    """
    made = []
    begun = pl.col("starts_on").is_between(pl.col("period_start"), pl.col("period_end"))
    ended = pl.col("ends_on").is_between(pl.col("period_start"), pl.col("period_end"))
    runs = (pl.col("starts_on") <= pl.col("period_end")) & (
        pl.col("ends_on").is_null() | (pl.col("ends_on") >= pl.col("period_start"))
    )
    for measure, label, rule in (
        ("plans_running", "Problem-solving plans that ran", runs),
        ("plans_begun", "Problem-solving plans that began", begun),
        ("plans_ended", "Problem-solving plans that ended", ended),
    ):
        counted = None
        if plan is not None:
            counted = (
                periods.join(plan.unique("plan_id"), how="cross")
                .group_by(month="period_start")
                .agg(value=rule.fill_null(value=False).sum())
            )
        known = periods.select(month="period_start") if plan is not None else None
        made.append(
            rows_of(periods, counted, group="plans", measure=measure, label=label, known=known)
        )
    return pl.concat(made)


def money(cost: pl.DataFrame | None, months: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """
    Money and paid hours by item.

    Parameters
    ----------
    cost : table `cost`, or None
    months : DataFrame

    Yields
    ------
    DataFrame
        `RETURNED`.
    """
    for column, label, unit in (
        ("amount_gbp", "Money spent", "GBP"),
        ("hours", "Hours worked, as paid", "h"),
    ):
        if cost is None or cost[column].null_count() == cost.height:
            if column == "amount_gbp":
                yield rows_of(months, None, group="money", measure=column, label=label, unit=unit)
            continue
        for (item,), part in sorted(cost.group_by("item"), key=lambda entry: str(entry[0])):
            given = part.drop_nulls(column)
            counted = given.group_by("month").agg(value=pl.col(column).sum())
            yield rows_of(
                months,
                counted,
                group="money",
                measure=column,
                label=label,
                part=str(item),
                unit=unit,
            )
