"""What it cost: spending held against events and harm prevented, with the interval carried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from placeproof.effects.rows import Row, as_json, refused
from placeproof.tables import estimate

PER_EVENT = "cost_per_event_prevented"
PER_HARM = "cost_per_harm_prevented"
PER_HOUR = "cost_per_patrol_hour"
BREAK_EVEN = "break_even_events"
BENEFIT = "benefit_per_pound"
ACCOUNTS = "accounts_over_interval"
"""Spending is known from accounts, so the only uncertainty is that of what was prevented."""


@dataclass(frozen=True)
class Spending:
    """What was spent in some months."""

    gbp: float
    hours: float | None
    """Hours paid; None where no row has them."""
    valued_hours: float
    """Hours of rows without an amount, valued at the study's rate."""
    months: int
    missing: tuple[date, ...]
    """Months without a row, which are not supplied and never 0."""
    unvalued: int
    """Rows with neither an amount nor hours that a rate could value."""


@dataclass(frozen=True)
class UnitCost:
    """What one event of an outcome costs, as the user states it."""

    gbp: float
    edition: str


def spending(cost: pl.DataFrame, *, months: Sequence[date], hour_gbp: float | None) -> Spending:
    """
    Add up what was spent in some months.

    Parameters
    ----------
    cost : table `cost`
        Not modified.
    months : sequence of date
        First days of the months that count.
    hour_gbp : float or None
        What an hour costs, for rows with hours and no amount; None: such rows have no value.

    Returns
    -------
    Spending
    """
    wanted = pl.Series("month", sorted(set(months)), dtype=pl.Date)
    inside = cost.filter(pl.col("month").is_in(wanted.implode()))
    bare = inside.filter(pl.col("amount_gbp").is_null())
    valued = bare.filter(pl.col("hours").is_not_null()) if hour_gbp is not None else bare.clear()
    extra = float(valued["hours"].sum())
    hours = inside["hours"].drop_nulls()
    found = set(inside["month"].to_list())
    return Spending(
        gbp=float(inside["amount_gbp"].sum()) + extra * (hour_gbp or 0.0),
        hours=float(hours.sum()) if len(hours) else None,
        valued_hours=extra,
        months=len(wanted),
        missing=tuple(month for month in wanted.to_list() if month not in found),
        unvalued=bare.height - valued.height,
    )


def why_not_spent(spent: Spending) -> str | None:
    """
    Say why spending cannot be held against what was prevented.

    Parameters
    ----------
    spent : Spending
        From `spending`.

    Returns
    -------
    str or None
        None where it can.
    """
    if spent.missing:
        return (
            f"{len(spent.missing)} of {spent.months} months in which patrols were at work have no "
            f"cost, the first {spent.missing[0]:%Y-%m}: a month without a row is not supplied, "
            "never 0, so that spending is not known."
        )
    if spent.unvalued:
        return (
            f"{spent.unvalued} rows of the table cost have neither an amount nor hours with a rate "
            "to value them, so that spending is not known."
        )
    if spent.gbp <= 0:
        return "Nothing was spent by the table cost, so that no cost can be held against anything."
    return None


def against(
    prevented: Mapping[str, object], spent: Spending, *, unit_cost: UnitCost | None
) -> pl.DataFrame:
    """
    Hold spending against what was prevented.

    Parameters
    ----------
    prevented : estimate
        A row with estimand `events_prevented` or `harm_prevented`.
    spent : Spending
        In the months in which patrols were at work.
    unit_cost : UnitCost or None
        What one event costs; None: not supplied, and nothing is made up.

    Returns
    -------
    table `estimate`
        `cost_per_event_prevented` (or harm), with both ends where the whole interval lies above
        nought, else its lower end alone, under horizon "at least"; of events `break_even_events`
        and `benefit_per_pound` where a unit cost was supplied.
    """
    of_harm = prevented["estimand"] == "harm_prevented"
    names = (
        "question", "outcome", "outcome_label", "definition_edition", "population", "subgroup",
        "hours", "window_start", "window_end", "n_places", "n_events",
    )  # fmt: skip
    base: Row = {name: prevented[name] for name in names}
    base |= {"method": ACCOUNTS, "role": "beside", "unit": "GBP"}
    base |= {"feeds": f"{prevented['feeds']} cost"}
    head = {**base, "estimand": PER_HARM if of_harm else PER_EVENT}
    why = why_not_spent(spent)
    if why:
        return estimate.rows([refused(head, why, status="not_supplied")])
    if prevented["status"] != "estimated":
        return estimate.rows([refused(head, str(prevented["reason"]), status=_status(prevented))])
    rows = _per_unit(head, prevented, spent)
    if not of_harm and unit_cost is not None:
        rows += _worth(base, prevented, spent, unit_cost)
    return estimate.rows(rows)


def _status(row: Mapping[str, object]) -> str:
    return str(row["status"])


def _per_unit(head: Row, prevented: Mapping[str, object], spent: Spending) -> list[Row]:
    middle, low, high = (prevented[name] for name in ("estimate", "lower", "upper"))
    assert isinstance(middle, float)
    told = _figures(spent)
    rows: list[Row] = []
    if middle <= 0:
        why = "There were as many as expected, or more: nothing was prevented that it could buy."
        rows.append(refused({**head, "diagnostics": told}, why))
    else:
        row: Row = {**head, "estimate": spent.gbp / middle, "diagnostics": told}
        if isinstance(low, float) and isinstance(high, float):
            if low > 0:
                row |= {"lower": spent.gbp / high, "upper": spent.gbp / low}
                row |= {"level": prevented["level"]}
            else:
                row |= {"reason": _NO_UPPER_END}
        else:
            row |= {"reason": "What was prevented has no interval, and so neither has this."}
        rows.append(row)
    if isinstance(low, float) and isinstance(high, float) and low <= 0 < high:
        least: Row = {**head, "horizon": "at least", "estimate": spent.gbp / high}
        rows.append({**least, "level": prevented["level"], "diagnostics": told})
    return rows


_NO_UPPER_END = (
    "The interval of what was prevented holds nought: the cost has a lower end and no upper one."
)


def _worth(
    base: Row, prevented: Mapping[str, object], spent: Spending, unit_cost: UnitCost
) -> list[Row]:
    """What one event costs is stated, not estimated, and carries no uncertainty of its own."""
    edition = {"unit_cost_gbp": unit_cost.gbp, "unit_cost_edition": unit_cost.edition}
    ends: Row = {}
    if isinstance(prevented["lower"], float) and isinstance(prevented["upper"], float):
        ends = {
            "lower": prevented["lower"] * unit_cost.gbp / spent.gbp,
            "upper": prevented["upper"] * unit_cost.gbp / spent.gbp,
            "level": prevented["level"],
        }
    else:
        ends = {"reason": "What was prevented has no interval, and so neither has this."}
    told = _figures(spent, **edition)
    middle = prevented["estimate"]
    assert isinstance(middle, float)
    return [
        {
            **base,
            "estimand": BREAK_EVEN,
            "estimate": spent.gbp / unit_cost.gbp,
            "unit": "offences to break even",
            "diagnostics": told,
        },
        {
            **base,
            **ends,
            "estimand": BENEFIT,
            "estimate": middle * unit_cost.gbp / spent.gbp,
            "unit": "pounds for each pound",
            "diagnostics": told,
        },
    ]


def per_hour(spent: Spending, *, delivered_hours: float | None, feeds: str) -> pl.DataFrame:
    """
    Give what an hour of patrol cost: an hour paid, and an hour delivered in hot spots.

    Parameters
    ----------
    spent : Spending
        In the months that delivery was measured in, or, without it, in all months.
    delivered_hours : float or None
        Patrol-hours inside hot spots in the same months; None: not measured.
    feeds : str
        Canonical tables that delivery rests on, separated by blanks.

    Returns
    -------
    table `estimate`
        Question delivery, one row for each, or why there is none.
    """
    base: Row = {
        "question": "delivery",
        "population": "hot spots",
        "estimand": PER_HOUR,
        "method": "accounts",
        "unit": "GBP",
        "diagnostics": _figures(spent),
    }
    paid = {**base, "outcome": "paid_hour_cost", "feeds": "cost",
            "outcome_label": "Cost of an hour paid"}  # fmt: skip
    there = {**base, "outcome": "delivered_hour_cost", "feeds": f"cost {feeds}".strip(),
             "outcome_label": "Cost of an hour of patrol delivered in hot spots"}  # fmt: skip
    why = why_not_spent(spent)
    if why:
        return estimate.rows([refused(row, why, status="not_supplied") for row in (paid, there)])
    rows: list[Row] = [
        {**paid, "estimate": spent.gbp / spent.hours}
        if spent.hours
        else refused(paid, "No row of the table cost has hours.", status="not_supplied")
    ]
    if delivered_hours is None:
        why = "No whole month of delivery was measured and costed."
        rows.append(refused(there, why, status="not_supplied"))
    elif delivered_hours <= 0:
        rows.append(refused(there, "No minute of patrol was delivered in those months."))
    else:
        rows.append({**there, "estimate": spent.gbp / delivered_hours})
    return estimate.rows(rows)


def _figures(spent: Spending, **more: object) -> str:
    return as_json(
        {
            "spent_gbp": spent.gbp,
            "months": spent.months,
            "hours_paid": spent.hours,
            "hours_valued_at_the_rate": spent.valued_hours,
            **more,
        }
    )
