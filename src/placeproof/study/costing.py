"""What it cost: the study's spending held against what its patrols prevented and delivered."""

from datetime import date

import polars as pl

from placeproof import calendar
from placeproof.effects import cost
from placeproof.errors import InputError
from placeproof.files import sheets
from placeproof.study.placing import first_start
from placeproof.study.work import Work

_MAIN = "poisson_imputation_jackknife"


def cost_effects(work: Work) -> None:
    """
    Hold spending against events and harm prevented, and against hours.

    Parameters
    ----------
    work : Work
        The run; estimates are added where the study has table `cost`. Without a table of unit
        costs nothing is said of worth: no unit cost ships.
    """
    table = work.inputs.get("cost")
    if table is None or not work.lock.outcomes_visible:
        return
    rate = work.study.costs.hour_gbp
    start, last = first_start(work), min(work.plan.analysis_to, work.study.cut_off)
    if start is not None and start <= last and work.panel is not None:
        spent = cost.spending(table, months=_months(start, last), hour_gbp=rate)
        prices = _unit_costs(work)
        for row in _prevented(work):
            work.add(cost.against(row, spent, unit_cost=prices.get(str(row["outcome"]))))
    _hours(work, table)


def _months(first: date, last: date) -> list[date]:
    whole = pl.Series([last]).dt.month_end().item()
    return calendar.periods(first.replace(day=1), whole, kind="month")["period_start"].to_list()


def _prevented(work: Work) -> list[dict[str, object]]:
    """Events prevented of each headline outcome, and harm, in the hot spots by the main method."""
    headlines = [*work.headline_outcomes()]
    wanted = (
        (pl.col("estimand").eq("events_prevented") & pl.col("outcome").is_in(headlines))
        | pl.col("estimand").eq("harm_prevented")
    ) & pl.col("method").eq(_MAIN)
    found = [
        part.filter(
            wanted, population="treated hot spots", subgroup="all", hours="all", horizon="all"
        )
        for part in work.estimates
    ]
    return pl.concat(found).filter(~pl.col("role").is_in(["robustness", "placebo"])).to_dicts()


def _unit_costs(work: Work) -> dict[str, cost.UnitCost]:
    facts = work.study.costs
    if facts.unit_costs is None:
        return {}
    name = facts.unit_costs.name
    read = sheets.sheet(facts.unit_costs, shown=name).rows
    for column in (facts.outcome, facts.gbp):
        if column not in read.columns:
            raise InputError(
                f'{name} has no column "{column}".',
                mend="name its columns in study.toml, [costs], keys outcome and gbp",
            )
    table = read.select(
        outcome=pl.col(facts.outcome).cast(pl.String).str.strip_chars(),
        gbp=pl.col(facts.gbp).cast(pl.Float64, strict=False),
    )
    bad = table.filter(~(pl.col("gbp").is_finite() & (pl.col("gbp") > 0)).fill_null(value=False))
    if bad.height or table["outcome"].is_duplicated().any():
        raise InputError(
            f"{name}: a unit cost is missing, not above 0, or stands twice.",
            mend="give one row for each outcome, by its id in plan.toml, with pounds above 0.",
        )
    return {row["outcome"]: cost.UnitCost(row["gbp"], facts.edition) for row in table.to_dicts()}


def _hours(work: Work, table: pl.DataFrame) -> None:
    rate = work.study.costs.hour_gbp
    delivered = work.tables.get("delivered_minutes")
    if delivered is not None and delivered.height:
        days = delivered["operating_day"].drop_nulls()
        first, last = days.min(), days.max()
        months = calendar.periods(first, last, kind="month")["period_start"].to_list()  # type: ignore[arg-type]
        costed = set(table["month"].to_list())
        both = [month for month in months if month in costed]
        if both:
            inside = delivered.filter(pl.col("operating_day").dt.month_start().is_in(both))
            spent = cost.spending(table, months=both, hour_gbp=rate)
            hours = float(inside["minutes"].sum()) / 60
            feeds = "ping" if work.inputs.get("ping") is not None else "delivered"
            work.add(cost.per_hour(spent, delivered_hours=hours, feeds=feeds))
            return
    spent = cost.spending(table, months=table["month"].to_list(), hour_gbp=rate)
    work.add(cost.per_hour(spent, delivered_hours=None, feeds=""))
