"""Registers of what else happened: outreach, problem plans, events, shocks, cost."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.choices import COHORT_STARTS, LAST_DAY, OUTREACH_START, RECORDING_SHOCK
from placeproof.rehearsal.rhythm import EVENTS
from placeproof.rehearsal.rivals import outreach_places
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import write_csv, write_xlsx

OUTREACH_SECTION = """
# A rival in the same places: outreach workers in seven hot spots of the city centre.
[data.outreach]
contract = "cointervention"
files = ["registers/outreach.csv"]
date_format = "%d/%m/%Y"
[data.outreach.columns]
cointervention_id = "Ref"
hotspot_id = "Hot Spot"
starts_on = "From"
ends_on = "To"
hours = "Hours"
[data.outreach.constants]
name = "Street outreach"
deliverer = "The Lantern Trust (invented)"
"""
PLAN_SECTION = """
# Problem-solving plans: most start some time after the patrols do.
[data.problem_plans]
contract = "problem_plan"
files = ["registers/problem_plans.csv"]
date_format = "%d/%m/%Y"
[data.problem_plans.columns]
plan_id = "Plan"
hotspot_id = "Hot Spot"
starts_on = "Opened"
ends_on = "Closed"
problem = "Problem"
response = "Response"
"""
EVENT_SECTION = """
# Evenings that fill the towns: those marked count as core night-time economy.
[data.events]
contract = "event"
files = ["registers/events.csv"]
time_format = "%d/%m/%Y %H:%M"
time_zone = "Europe/London"
[data.events.columns]
event_id = "Ref"
name = "Event"
starts_at = "Starts"
ends_at = "Ends"
nte = "Night out"
[data.events.values.nte]
"yes" = "true"
"no" = "false"
"""
SHOCK_SECTION = """
# Changes that move counts everywhere at once.
[data.shocks]
contract = "shock"
files = ["registers/shocks.csv"]
date_format = "%d/%m/%Y"
[data.shocks.columns]
shock_id = "Ref"
name = "What"
kind = "Kind"
starts_on = "From"
ends_on = "To"
outcomes = "Touches"
"""
COST_SECTION = """
# What the patrols cost, month by month.
[data.cost]
contract = "cost"
files = ["registers/cost.xlsx"]
sheet = "Spend"
[data.cost.columns]
month = "Month"
item = "Item"
hours = "Hours"
amount_gbp = "GBP"

# What an offence costs, invented: whoever bears it.
[costs]
file = "registers/unit_costs.csv"
edition = "Northmere unit costs 2023 (invented)"
outcome = "Outcome"
gbp = "Unit Cost"
hour_gbp = 46.5
hour_edition = "Northmere pay scale 2021 (invented)"
"""
UNIT_COSTS_GBP = {"sv-street-nondom": 9000.0, "all-crime-reported": 2500.0}
"""Invented; anti-social behaviour has none."""


def write_outreach(folder: Path, hotspots: Sequence[Hotspot], ratio: float) -> dict[str, Any]:
    """
    Write the register of outreach, which shares its places with patrols.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places.
    ratio : float
        Its planted rate ratio in its hours.
    """
    spots = outreach_places(hotspots)
    rows = pl.DataFrame(
        {
            "Ref": [f"OR{i}" for i in range(1, len(spots) + 1)],
            "Hot Spot": spots,
            "From": [OUTREACH_START] * len(spots),
            "To": [None] * len(spots),
            "Hours": ["14:00-20:00"] * len(spots),
        }
    )
    write_csv(folder / "registers" / "outreach.csv", rows)
    return {"hotspots": spots, "from": str(OUTREACH_START), "planted_rate_ratio": ratio}


def problem_plans(hotspots: Sequence[Hotspot], rng: np.random.Generator) -> list[dict[str, Any]]:
    """
    Draw the register of problem-solving plans.

    Parameters
    ----------
    hotspots : sequence of Hotspot
        The patrolled places.
    rng : Generator
        Source of randomness.
    """
    problems = (
        ("Fights at closing time", "Taxi marshals and staggered closing"),
        ("Groups drinking by day", "Benches moved, bins emptied at noon"),
        ("Thefts from bags", "Hooks under tables, signs"),
        ("Dark passage", "Lamps repaired, hedge cut"),
    )
    rows = []
    for number, index in enumerate(sorted(rng.permutation(len(hotspots))[:9].tolist()), start=1):
        spot = hotspots[index]
        opened = spot.first_treated + timedelta(int(rng.integers(-20, 160)))
        problem, response = problems[int(rng.integers(0, len(problems)))]
        closed = opened + timedelta(140) if number % 3 == 0 else None
        rows.append(
            {
                "Plan": f"PSP{number:02d}",
                "Hot Spot": spot.hotspot_id,
                "Opened": opened,
                "Closed": closed if closed and closed <= LAST_DAY else None,
                "Problem": problem,
                "Response": response,
            }
        )
    return rows


def write_problem_plans(
    folder: Path, plans: Sequence[dict[str, Any]], ratio: float
) -> dict[str, Any]:
    """
    Write the register of problem-solving plans.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    plans : sequence of dict
        As `problem_plans` draws them.
    ratio : float
        Their planted rate ratio.
    """
    table = pl.DataFrame(plans, schema_overrides={"Closed": pl.Date})
    write_csv(folder / "registers" / "problem_plans.csv", table)
    return {"plans": len(plans), "planted_rate_ratio": ratio}


def write_events(folder: Path) -> dict[str, Any]:
    """
    Write the list of events.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    """

    def at(day: date, hour: int) -> datetime:
        return datetime.combine(day, datetime.min.time()) + timedelta(hours=6 + hour)

    rows = pl.DataFrame(
        [
            {
                "Ref": event.event_id,
                "Event": event.name,
                "Starts": at(event.day, event.from_hour),
                "Ends": at(event.day, event.to_hour),
                "Night out": "yes" if event.nte else "no",
            }
            for event in EVENTS
        ]
    )
    write_csv(folder / "registers" / "events.csv", rows)
    return {"events": len(EVENTS), "nte": sum(event.nte for event in EVENTS)}


def write_shocks(folder: Path) -> dict[str, Any]:
    """
    Write the register of shocks.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    """
    rows = pl.DataFrame(
        {
            "Ref": ["S1", "S2", "S3"],
            "What": [
                "COVID-19 restrictions",
                "Night-clubs reopen, a week before the first patrols",
                "Recording rules change: less is called disorder, more is called assault",
            ],
            "Kind": ["covid", "reopening", "recording"],
            "From": [date(2020, 3, 23), date(2021, 7, 19), RECORDING_SHOCK],
            "To": [date(2021, 7, 18), None, None],
            "Touches": ["*", "*", "asb-all asb-plus-public-order vwoi"],
        }
    )
    write_csv(folder / "registers" / "shocks.csv", rows)
    return {
        "planted_rate_ratios_everywhere": {"asb from recording": 0.88, "minor violence": 1.10},
        "recording_from": str(RECORDING_SHOCK),
    }


def write_cost(
    folder: Path, hotspots: Sequence[Hotspot], rng: np.random.Generator
) -> dict[str, Any]:
    """
    Write what the patrols cost.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places.
    rng : Generator
        Source of randomness.
    """
    rows = []
    month = date(COHORT_STARTS[0].year, COHORT_STARTS[0].month, 1)
    while month <= LAST_DAY:
        running = sum(spot.first_treated < month + timedelta(27) for spot in hotspots)
        hours = round(float(running * 40 * rng.uniform(0.55, 0.75)), 1)
        rows.append(
            {
                "Month": month,
                "Item": "Officer overtime",
                "Hours": hours,
                "GBP": round(hours * 46.5, 2),
            }
        )
        if month.month in (1, 4, 7, 10):
            rows.append({"Month": month, "Item": "Training and maps", "Hours": None, "GBP": 850.0})
        month = (month + timedelta(32)).replace(day=1)
    table = pl.DataFrame(rows, schema_overrides={"Hours": pl.Float64})
    write_xlsx(folder / "registers" / "cost.xlsx", {"Spend": table})
    prices = {"Outcome": list(UNIT_COSTS_GBP), "Unit Cost": list(UNIT_COSTS_GBP.values())}
    write_csv(folder / "registers" / "unit_costs.csv", pl.DataFrame(prices))
    return {
        "months": len({row["Month"] for row in rows}),
        "gbp": round(float(table["GBP"].sum()), 2),
    }
