"""Which cohorts a comparison of before and after can speak of, and which not."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl

from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.imputation import groups, imputable
from placeproof.effects.rows import PlannedOutcome, Row, about, as_json
from placeproof.tables import estimate

BEGINS_TOO_LATE = (
    "Its counts begin at or after its first day of patrols: there is no time without patrols to "
    "compare with."
)
ALONE = (
    "No untreated place is counted while these places are patrolled: what patrols did cannot be "
    "told from what happened everywhere."
)


def identified_cohorts(
    panel: pl.DataFrame, *, outcomes: Mapping[str, PlannedOutcome]
) -> pl.DataFrame:
    """
    Say of each cohort how long it was counted without patrols, and whether that bears an effect.

    Parameters
    ----------
    panel : table `panel`
        The rows on which effects are estimated. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.

    Returns
    -------
    table `estimate`
        Role description, subgroup "cohort=DAY", estimand `untreated_periods`: periods with a count
        before its first day of patrols that serve as baseline. Where the cohort is not
        identified, the reason says why; where it is, there is none.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        if table is not None and table.observed.any():
            rows += _cohorts(table, outcome, outcomes[outcome])
    return estimate.rows(rows)


def _cohorts(table: Grid, outcome: str, planned: PlannedOutcome) -> list[Row]:
    grouped = groups(table)
    known = imputable(table, grouped, before=grouped.before)[grouped.member]
    before, after = table.before & table.observed, table.after & table.observed
    base = about(planned, outcome, table, population=HOT_SPOTS, hours="all")
    days = sorted({day for day in table.cohorts if day is not None})
    made = []
    for day in days:
        mine = np.array([cohort == day for cohort in table.cohorts])
        if after[mine].any():
            borne = (after & known)[mine]
            made.append(_row(base, table, day, before[mine], after[mine], borne))
    return made


def _row(
    base: Row, table: Grid, day: date, before: np.ndarray, after: np.ndarray, borne: np.ndarray
) -> Row:
    periods = int(before.sum(axis=1).max())
    why = None
    if not borne.any():
        why = ALONE if before.any() else BEGINS_TOO_LATE
    more = {
        "treated_place_periods": int(after.sum()),
        "treated_place_periods_identified": int(borne.sum()),
        "comparison_places": int((~table.patrolled).sum()),
    }
    return {
        **base,
        "role": "description",
        "subgroup": f"cohort={day}",
        "estimand": "untreated_periods",
        "method": "count",
        "unit": f"{table.period_kind}s",
        "estimate": float(periods),
        "n": int(after.sum()),
        "n_places": len(before),
        "reason": why,
        "diagnostics": as_json(more),
    }
