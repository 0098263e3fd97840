"""What a funder asks: hours, patrols, enforcement, weapons, plans, money by month and quarter."""

from datetime import date

import polars as pl

from placeproof.calendar import operating_day
from placeproof.patrols import return_lines, return_presence
from placeproof.patrols.weeks import main_attendance

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
    attendance = None if attendance is None else main_attendance(attendance)
    made = [
        *return_presence.presence(dose, months, first, last),
        *return_presence.patrols(visits, dose, months, target_minutes, first, last),
        *return_presence.windows(attendance, months),
        *return_lines.enforcement(patrol_log, months),
        *return_lines.weapons(crime, stop_search, hotspots, months),
        *return_lines.money(cost, months),
    ]
    monthly = pl.concat([pl.DataFrame(schema=return_lines.RETURNED), *made])
    plans = return_lines.plans(problem_plan, months)
    every = pl.concat(
        [monthly, _quarters(monthly), plans, return_lines.plans(problem_plan, _as_quarters(months))]
    )
    order = pl.col("group").replace_strict(
        list(_ORDER), list(range(len(_ORDER))), return_dtype=pl.Int8
    )
    return every.select(pl.col(n).cast(t) for n, t in return_lines.RETURNED.items()).sort(
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
        .select(list(return_lines.RETURNED))
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
        .select(list(return_lines.RETURNED))
    )
