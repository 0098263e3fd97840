"""The effect on harm: the headline's estimator on crimes weighted by an index."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from placeproof.effects.effect import overall
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.rows import (
    PlannedOutcome,
    Row,
    about,
    prevented_row,
    ratio_row,
    refused,
)
from placeproof.effects.trend_rows import trend_rows
from placeproof.tables import estimate

HARM_RATIO = "harm_rate_ratio"


@dataclass(frozen=True)
class Weighed:
    """One outcome weighed by one edition of an index."""

    planned: PlannedOutcome
    """Its edition is that of the index; its label names both."""
    unit: str
    """Unit of the weights, such as "harm days"."""
    crimes: float
    """Crimes behind the sums: harm is no count, and disclosure asks for one."""
    limits: str | None = None
    """What the index lacks, in words."""


def harm_effects(
    panel: pl.DataFrame, *, outcomes: Mapping[str, Weighed], level: float
) -> pl.DataFrame:
    """
    Estimate by how much the harm of recorded crime changed in treated hot spots.

    Poisson imputation needs the expectation of what is summed and nothing of its distribution, so
    that it serves sums of weights as it serves counts; the leave-one-place-out jackknife measures
    how widely they scatter. A few grave crimes weigh more than many light ones, so intervals are
    wider than those of counts.

    Parameters
    ----------
    panel : table `panel`
        Sums of weights, on the rows that the headline rests on. Not modified.
    outcomes : mapping of str to Weighed
        By the outcome's id in the panel.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Role beside: `harm_rate_ratio` with its trend adjustment, the slope before patrols, and
        `harm_prevented` in the unit of the index, negative where there was more.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        weighed = outcomes[outcome]
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        made = _outcome(outcome, weighed, table, level)
        rows += [_told(row, weighed) for row in made]
    return estimate.rows(rows)


def _outcome(outcome: str, weighed: Weighed, table: Grid | None, level: float) -> list[Row]:
    planned = weighed.planned
    base: Row = {
        **about(planned, outcome, table, population=HOT_SPOTS, hours="all"),
        "role": "beside",
    }
    head: Row = {**base, "estimand": HARM_RATIO, "method": "poisson_imputation_jackknife"}
    missing = why_not_supplied(table)
    if missing or table is None:
        return [refused(head, missing or "", status="not_supplied")]
    hurdle = why_not_identified(table)
    if hurdle:
        return [refused(head, hurdle)]
    effect = overall(table, level=level)
    prevented = prevented_row(base, effect, table, level=level)
    return [
        ratio_row({**base, "estimand": HARM_RATIO}, effect, table, level=level),
        {**prevented, "estimand": "harm_prevented", "unit": weighed.unit},
        *(_renamed(row) for row in trend_rows(base, effect, table, level=level)),
    ]


def _renamed(row: Row) -> Row:
    return {**row, "estimand": HARM_RATIO} if row["estimand"] == "rate_ratio" else row


def _told(row: Row, weighed: Weighed) -> Row:
    reason = " ".join(part for part in (row.get("reason"), weighed.limits) if part)  # type: ignore[misc]
    rests = {"n_events": weighed.crimes} if row.get("n_events") is not None else {}
    return {**row, **rests, "reason": reason or None}
