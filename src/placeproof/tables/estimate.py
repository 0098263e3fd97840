"""Contract of table `estimate`."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import polars as pl

from placeproof.tables.contract import (
    Table,
    day,
    number,
    one_of,
    text,
    whole,
)


class Estimate(Table):
    """One row per estimate that a strand hands to the answers.

    Made by Placeproof: a finding before it has its identity, its provenance and its disclosure
    control.
    """

    table_name: ClassVar[str] = "estimate"
    contract_version: ClassVar[int] = 1

    question = one_of(
        "What it helps to answer",
        "RQ1",
        "RQ2",
        "RQ3",
        "RQ4",
        "RQ5",
        "RQ6",
        "RQ7",
        "RQ8",
        "RQ9",
        "RQ10",
        "delivery",
        "places",
        "data",
    )
    outcome = text("Outcome, by the id of its definition, or what is described")
    outcome_label = text("The outcome in words for a reader")
    definition_edition = text(
        "Definition, edition and hash that were used, as id@edition:hash",
        null="no registered definition",
    )
    population = text("Which places or people")
    subgroup = text("Part of the population, as variable=category; all for everyone")
    hours = text("Hours of the day; all, nte or other, with the preset: nte:nte-core")
    horizon = text(
        "Time since the start, month, ring or whatever orders a series; all for the whole window"
    )
    window_start = day("First day of the data used", null="not tied to a window")
    window_end = day("Last day of the data used", null="not tied to a window")
    estimand = text("What is estimated, by its name in the glossary")
    method = text("How, by its name in the glossary")
    role = one_of(
        "Its part in the argument",
        "headline",
        "beside",
        "robustness",
        "negative_control",
        "placebo",
        "description",
        "not_impact",
    )
    estimate = number(
        "The estimate", unit="see column unit", null="not identified, not supplied or suppressed"
    )
    lower = number("Lower end of the interval", unit="see column unit", null="no interval")
    upper = number("Upper end of the interval", unit="see column unit", null="no interval")
    level = number(
        "Coverage that the interval claims", unit="share", null="no interval", low=0, high=1
    )
    standard_error = number(
        "Standard error, on the scale named in diagnostics (log for ratios)",
        unit="see column unit",
        null="none",
        low=0,
    )
    p_value = number("Two-sided p-value", unit="probability", null="none", low=0, high=1)
    n = whole(
        "Rows, people or place-periods that it rests on, unweighted", null="does not apply", low=0
    )
    n_places = whole("Places that it rests on", null="does not apply", low=0)
    n_events = number("Events that it rests on", unit="count", null="does not apply", low=0)
    unit = text("Unit of the estimate: ratio, crimes, share, minutes, people, rows…")
    minimum_detectable_effect = number(
        "Smallest effect found with 80 % power at two-sided 5 %, on the scale of the estimate",
        unit="see column unit",
        null="does not apply",
    )
    status = one_of(
        "Whether there is a number",
        "estimated",
        "not_identified",
        "not_supplied",
        "suppressed",
        "masked",
    )
    reason = text("Why there is no number, or what limits it", null="nothing to say")
    diagnostics = text("Further figures as a JSON object with sorted keys")
    feeds = text("Canonical tables that it rests on, separated by blanks")


_DEFAULTS: dict[str, object] = {
    "population": "all",
    "subgroup": "all",
    "hours": "all",
    "horizon": "all",
    "role": "description",
    "status": "estimated",
    "diagnostics": "{}",
}

_ORDER = ("question", "outcome", "population", "subgroup", "hours", "horizon", "estimand", "method")


def rows(estimates: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """
    Make a valid `estimate` table from plain mappings, one for each row.

    Parameters
    ----------
    estimates : sequence of mappings
        Column to value. Absent columns take their default (`population`, `subgroup`, `hours` and
        `horizon`: "all"; `role`: "description"; `status`: "estimated"; `diagnostics`: "{}") or
        null.
        A number that is not finite becomes null, and then `status` must say why there is none.

    Returns
    -------
    table `estimate`
        Sorted by question, outcome, population, subgroup, hours, horizon, estimand and method.

    Raises
    ------
    dataframely.exc.ValidationError
        If a row breaks the contract: that is a fault of the calling room, not of the user.
    ValueError
        If a mapping names a column that the contract does not have, or an estimate is missing
        though its status is "estimated".
    """
    columns = Estimate.column_names()
    for row in estimates:
        if unknown := sorted(set(row) - set(columns)):
            raise ValueError(f"estimate has no column {', '.join(unknown)}")
    filled = [
        {name: _finite(row.get(name, _DEFAULTS.get(name))) for name in columns} for row in estimates
    ]
    for row in filled:
        if row["status"] == "estimated" and row["estimate"] is None:
            raise ValueError(f"estimated without an estimate: {row['outcome']}, {row['method']}")
    schema = {name: column.dtype for name, column in Estimate.columns().items()}
    return Estimate.validate(pl.DataFrame(filled, schema=schema), cast=True).sort(_ORDER)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
