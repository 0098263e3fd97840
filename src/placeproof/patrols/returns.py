"""What a funder asks: hours, patrols, enforcement, weapons, plans, money by month and quarter."""

from collections.abc import Iterable
from datetime import date

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
_MINUTES = (
    ("patrol_minutes", "Time with somebody there"),
    ("person_minutes", "Time of all officers together"),
    ("visible_minutes", "Time on foot and outside premises"),
)
_SOURCE_WORDS = {
    "pings": "measured by positions",
    "delivered": "stated",
    "reconciled": "measured, completed by statements",
}
_ORDER = ("presence", "patrols", "windows", "enforcement", "weapons", "plans", "money")


def returned(
    *,
    dose: pl.DataFrame | None,
    visits: pl.DataFrame | None,
    attendance: pl.DataFrame | None,
    patrol_log: pl.DataFrame | None,
    crime: pl.DataFrame | None,
    stop_search: pl.DataFrame | None,
    problem_plan: pl.DataFrame | None,
    cost: pl.DataFrame | None,
    hotspots: pl.DataFrame | None,
    first: date,
    last: date,
    target_minutes: float,
) -> pl.DataFrame:
    """
    Add up what was done, month by month and quarter by quarter; exact, for inside the force.

    Sources of presence are never added up: each has rows of its own. A month of which a source says
    nothing is not supplied. A quarter is the sum of its months; where one is missing the sum of the
    others is given and called incomplete. Weapons are counted inside the outlines of the hot spots.

    Parameters
    ----------
    dose : table `dose`, or None
        Rows of all hours are added up.
    visits : table `visit`, or None
        Only hot spot, arrival, length and source are read.
    attendance : table `attendance`, or None
    patrol_log : table `patrol_log`, or None
        A blank count is not 0: how many logs state one is noted.
    crime, stop_search : tables, or None
        Offences with a weapon that police activity found; searches for weapons and what came of
        them.
    problem_plan, cost : tables, or None
    hotspots : table `hotspot`, or None
        Without it weapons are not supplied.
    first, last : date
        Days of the return, both included.
    target_minutes : float
        Length from which a visit counts as long enough.

    Returns
    -------
    DataFrame
        `RETURNED`, sorted by group, measure, part, kind and period.
    """
    months = _months(first, last)
    visits, attendance, patrol_log = (
        None if table is None else table.filter(day.is_between(first, last))
        for table, day in (
            (visits, operating_day(pl.col("arrived_at"))),
            (attendance, pl.col("operating_day")),
            (patrol_log, operating_day(pl.col("started_at"))),
        )
    )
    made = [
        *_presence(dose, months, first, last),
        *_patrols(visits, dose, months, target_minutes),
        *_windows(attendance, months),
        *_enforcement(patrol_log, months),
        *_weapons(crime, stop_search, hotspots, months),
        *_money(cost, months),
    ]
    monthly = pl.concat([pl.DataFrame(schema=RETURNED), *made])
    plans = _plans(problem_plan, months)
    every = pl.concat(
        [monthly, _quarters(monthly), plans, _plans(problem_plan, _as_quarters(months))]
    )
    order = pl.col("group").replace_strict(
        list(_ORDER), list(range(len(_ORDER))), return_dtype=pl.Int8
    )
    return every.select(pl.col(n).cast(t) for n, t in RETURNED.items()).sort(
        order, "measure", "part", "kind", "period_start"
    )


def released(exact: pl.DataFrame, *, counts_below: int, round_to: int) -> pl.DataFrame:
    """
    Prepare the return for a reader outside the force.

    Counts of people, and of offences in the hot spots, are suppressed below `counts_below` and
    otherwise rounded. Where one month of a quarter is suppressed its other months are, too, because
    the quarter would give it away. Minutes are rounded to whole ones so that rounded months add up
    to their rounded quarter; patrols, windows, plans and money are exact.

    Parameters
    ----------
    exact : DataFrame
        As `returned` gives it. Not modified.
    counts_below : int
        The first count that is released.
    round_to : int
        Released counts are multiples of this.

    Returns
    -------
    DataFrame
        `RETURNED`; a suppressed figure is null and its status says so.

    Raises
    ------
    ValueError
        If a threshold is below 1.
    """
    if min(counts_below, round_to) < 1:
        raise ValueError("thresholds of disclosure control are at least 1")
    few = pl.col("of_people") & (pl.col("value") < counts_below).fill_null(False)
    whose = ["measure", "part", "kind", pl.col("period_start").dt.truncate("1q")]
    betrayed = few.any().over(whose) & pl.col("of_people") & pl.col("value").is_not_null()
    hidden = exact.with_columns(hidden=betrayed)
    rounded = (pl.col("value") / round_to).round() * round_to
    below = f"a month of the quarter, or the quarter, is below {counts_below}"
    shown = hidden.with_columns(
        value=pl.when("hidden")
        .then(None)
        .when("of_people")
        .then(rounded)
        .otherwise(pl.col("value")),
        status=pl.when("hidden").then(pl.lit("suppressed")).otherwise(pl.col("status")),
        note=pl.when("hidden").then(pl.lit(below)).otherwise(pl.col("note")),
    ).drop("hidden")
    return _whole_minutes(shown)


def _whole_minutes(shown: pl.DataFrame) -> pl.DataFrame:
    """Rounding the running total, not each month, so that nothing is lost or made on the way."""
    minutes = (pl.col("unit") == "min") & pl.col("value").is_not_null()
    whose = ["measure", "part", "kind"]
    running = pl.col("value").fill_null(0.0).cum_sum().over(whose)
    # A hair before rounding: sums of months and of quarters differ in the last bits.
    total = (running + 1e-6).round()
    before = total.shift(fill_value=0.0).over(whose)
    ordered = shown.sort("measure", "part", "kind", "period_start", maintain_order=True)
    return (
        shown.with_row_index("place")
        .select("place", *whose, "period_start")
        .join(
            ordered.with_columns(value=pl.when(minutes).then(total - before).otherwise("value")),
            on=[*whose, "period_start"],
            nulls_equal=True,
        )
        .sort("place")
        .select(list(RETURNED))
    )


def _months(first: date, last: date) -> pl.DataFrame:
    starts = pl.date_range(first.replace(day=1), last, interval="1mo", eager=True)
    return pl.DataFrame({"period_start": starts}).with_columns(
        period=pl.col("period_start").dt.strftime("%Y-%m"),
        period_end=pl.col("period_start").dt.month_end(),
        kind=pl.lit("month"),
    )


def _as_quarters(months: pl.DataFrame) -> pl.DataFrame:
    return (
        months.group_by(period_start=pl.col("period_start").dt.truncate("1q"))
        .agg(pl.col("period_end").max())
        .sort("period_start")
        .with_columns(period=_quarter(pl.col("period_start")), kind=pl.lit("quarter"))
    )


def _quarter(day: pl.Expr) -> pl.Expr:
    return pl.format("{}Q{}", day.dt.year(), day.dt.quarter())


def _quarters(monthly: pl.DataFrame) -> pl.DataFrame:
    keys = ["group", "measure", "label", "part", "unit", "of_people"]
    there = pl.col("value").is_not_null()
    whole = (pl.col("status") == "supplied").all() & (pl.len() == 3)
    return (
        monthly.group_by(*keys, start=pl.col("period_start").dt.truncate("1q"))
        .agg(
            value=pl.when(there.any()).then(pl.col("value").sum()),
            status=pl.when(~there.any())
            .then(pl.lit("not_supplied"))
            .when(whole)
            .then(pl.lit("supplied"))
            .otherwise(pl.lit("incomplete")),
            note=pl.when(whole | ~there.any())
            .then(pl.lit(""))
            .when(~there.all())
            .then(pl.format("{} of {} months", there.sum(), pl.len()))
            .when(pl.len() < 3)
            .then(pl.format("{} months lie in the return", pl.len()))
            .otherwise(pl.lit("a part of a month is missing")),
        )
        .with_columns(
            kind=pl.lit("quarter"), period=_quarter(pl.col("start")), period_start="start"
        )
        .select(list(RETURNED))
    )


def _rows(
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
    """One row for each month: `counted` has `month`, `value` and perhaps `note`; `known` says in
    which further months nothing counted means none."""
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


def _month(day: pl.Expr) -> pl.Expr:
    return day.dt.month_start()


def _presence(
    dose: pl.DataFrame | None, months: pl.DataFrame, first: date, last: date
) -> Iterable[pl.DataFrame]:
    if dose is None or dose.is_empty():
        for measure, label in _MINUTES[:1]:
            yield _rows(months, None, group="presence", measure=measure, label=label, unit="min")
        return
    daily = dose.filter(pl.col("hours") == "all", pl.col("operating_day").is_between(first, last))
    spans = dict(
        months.select(
            "period_start",
            (
                pl.min_horizontal(pl.col("period_end"), pl.lit(last))
                - pl.max_horizontal(pl.col("period_start"), pl.lit(first))
            ).dt.total_days()
            + 1,
        ).iter_rows()
    )
    for (source, by), part in sorted(
        daily.group_by("source", "delivered_by"), key=lambda item: str(item[0])
    ):
        words = _SOURCE_WORDS[str(source)] + (f" by {by}" if by else "")
        for measure, label in _MINUTES:
            if part[measure].null_count() == part.height:
                continue
            counted = (
                part.group_by(month=_month(pl.col("operating_day")))
                .agg(
                    value=pl.when(pl.col(measure).is_not_null().any()).then(pl.col(measure).sum()),
                    days=pl.col("operating_day").filter(pl.col(measure).is_not_null()).n_unique(),
                )
                .with_columns(
                    of=pl.col("month").replace_strict(spans, return_dtype=pl.Int64, default=0)
                )
                .with_columns(
                    note=pl.when(pl.col("days") < pl.col("of"))
                    .then(pl.format("{} of {} days", "days", "of"))
                    .otherwise(pl.lit(""))
                )
                .select("month", "value", "note")
            )
            yield _rows(
                months,
                counted,
                group="presence",
                measure=measure,
                label=label,
                part=words,
                unit="min",
            )


def _patrols(
    visits: pl.DataFrame | None,
    dose: pl.DataFrame | None,
    months: pl.DataFrame,
    target_minutes: float,
) -> Iterable[pl.DataFrame]:
    long = f"Visits of {target_minutes:g} minutes or more"
    if visits is None or visits.is_empty():
        yield _rows(months, None, group="patrols", measure="visits", label="Visits")
        return
    at = visits.with_columns(month=_month(operating_day(pl.col("arrived_at"))))
    for (source,), part in sorted(at.group_by("source"), key=lambda item: str(item[0])):
        known = None
        if dose is not None:
            own = dose.filter(pl.col("source") == source)
            known = own.select(month=_month(pl.col("operating_day"))).unique()
        words = _SOURCE_WORDS[str(source)]
        for measure, label, kept in (
            ("visits", "Visits", part),
            ("visits_long_enough", long, part.filter(pl.col("dwell_s") >= 60 * target_minutes)),
        ):
            seen = part.select("month").unique()
            counted = seen.join(kept.group_by("month").agg(value=pl.len()), on="month", how="left")
            yield _rows(
                months,
                counted.with_columns(pl.col("value").fill_null(0)),
                group="patrols",
                measure=measure,
                label=label,
                part=words,
                known=known,
            )


def _windows(attendance: pl.DataFrame | None, months: pl.DataFrame) -> Iterable[pl.DataFrame]:
    counted = dict.fromkeys(("asked", "attended"), None)
    if attendance is not None and attendance.height:
        at = attendance.with_columns(month=_month(pl.col("operating_day")))
        silent = pl.col("level_1").is_null().sum()
        counted = {
            "asked": at.group_by("month").agg(value=pl.len()),
            "attended": at.group_by("month").agg(
                value=pl.when(pl.col("level_1").is_not_null().any()).then(pl.col("level_1").sum()),
                note=pl.when(silent > 0)
                .then(pl.format("not known for {} windows", silent))
                .otherwise(pl.lit("")),
            ),
        }
    for measure, label in (
        ("asked", "Windows asked for, cancelled ones included"),
        ("attended", "Windows in which somebody was there"),
    ):
        yield _rows(
            months, counted[measure], group="windows", measure=f"windows_{measure}", label=label
        )


def _enforcement(patrol_log: pl.DataFrame | None, months: pl.DataFrame) -> Iterable[pl.DataFrame]:
    at = None
    if patrol_log is not None and patrol_log.height:
        at = patrol_log.with_columns(month=_month(operating_day(pl.col("started_at"))))
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
        yield _rows(
            months,
            counted,
            group="enforcement",
            measure=measure,
            label=label,
            of_people=of_people,
        )


def _weapons(
    crime: pl.DataFrame | None,
    stop_search: pl.DataFrame | None,
    hotspots: pl.DataFrame | None,
    months: pl.DataFrame,
) -> Iterable[pl.DataFrame]:
    found = seen = None
    if crime is not None and hotspots is not None and crime["weapon"].is_not_null().any():
        dated = crime.filter(pl.col("status") == "recorded").with_columns(day=_crime_day())
        seen = dated.select(month=_month(pl.col("day"))).unique()
        weapons = dated.filter(pl.col("weapon"), pl.col("police_generated"))
        found = _inside(weapons, hotspots)
    yield _counted(found, seen, months, "weapons_found", "Weapon offences found by police activity")
    looked = done = had = None
    if stop_search is not None and hotspots is not None and stop_search.height:
        day = pl.coalesce(pl.col("at").dt.convert_time_zone(LOCAL_ZONE).dt.date(), pl.col("month"))
        dated = stop_search.with_columns(day=day)
        had = dated.select(month=_month(pl.col("day"))).unique()
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
        counted = found.group_by(month=_month(pl.col("day"))).agg(value=pl.len())
    return _rows(
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


def _plans(plan: pl.DataFrame | None, periods: pl.DataFrame) -> pl.DataFrame:
    """Plans that ran, began or ended: a quarter is counted anew, because plans run on."""
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
            _rows(periods, counted, group="plans", measure=measure, label=label, known=known)
        )
    return pl.concat(made)


def _money(cost: pl.DataFrame | None, months: pl.DataFrame) -> Iterable[pl.DataFrame]:
    for column, label, unit in (
        ("amount_gbp", "Money spent", "GBP"),
        ("hours", "Hours worked, as paid", "h"),
    ):
        if cost is None or cost[column].null_count() == cost.height:
            if column == "amount_gbp":
                yield _rows(months, None, group="money", measure=column, label=label, unit=unit)
            continue
        for (item,), part in sorted(cost.group_by("item"), key=lambda entry: str(entry[0])):
            given = part.drop_nulls(column)
            counted = given.group_by("month").agg(value=pl.col(column).sum())
            yield _rows(
                months,
                counted,
                group="money",
                measure=column,
                label=label,
                part=str(item),
                unit=unit,
            )
