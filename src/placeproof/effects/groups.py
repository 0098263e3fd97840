"""The effect by group of victims, and each group against the others of the same places."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from placeproof.effects.effect import overall
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.hours import hours_rows, ratio_of_ratios
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.rows import (
    IMPUTATION,
    PlannedOutcome,
    Row,
    about,
    as_json,
    interval,
    ratio_row,
    refused,
    rests_on,
)
from placeproof.tables import estimate

NOT_RECORDED = "not recorded"
"""The group of events whose victim has no group."""

OTHERS = "the other recorded groups"


@dataclass(frozen=True)
class Split:
    """The counts of one outcome, split by one variable of its victims."""

    variable: str
    """Name in subgroups: victim_sex of victim_sex=Female."""
    edition: str
    """Which edition of bands or groups."""
    panels: Mapping[str, pl.DataFrame]
    """Group to table `panel`, in the order of a table; every event is in one of them."""


def by_group(
    splits: Sequence[Split],
    *,
    outcome: str,
    planned: PlannedOutcome,
    least_events: int,
    nte: str,
    level: float,
    adjusted: Callable[[np.ndarray], np.ndarray],
) -> pl.DataFrame:
    """
    Estimate the headline ratio of one outcome in each group of victims, and compare the groups.

    Parameters
    ----------
    splits : sequence of Split
        One for each variable.
    outcome : str
        Id of the outcome in the panels.
    planned : PlannedOutcome
        What the plan says of it.
    least_events : int
        Fewest events of a group in the patrolled places, before and after the start together, for
        an effect of its own; the others of a contrast need as many.
    nte : str
        Id of the preset by which the panels' hours "nte" and "other" were split, if they were.
    level : float
        Coverage that intervals claim, between 0 and 1.
    adjusted : callable
        Takes the p-values of all contrasts of the outcome, some not a number, and gives them
        corrected for their number.

    Returns
    -------
    table `estimate`
        Question RQ8, treated hot spots, subgroup "VARIABLE=GROUP". Role beside: `rate_ratio` of
        each group, those without a recorded group among them, and `ratio_of_rate_ratios` of each
        recorded group against the others together, with `p_value_holm` in the diagnostics; of two
        groups the first one only, because the second says the same. Its interval leaves each
        place out of both at once. Role robustness: each group in and outside night-time hours,
        where both have enough events.

    Raises
    ------
    ContractError
        If a panel breaks its contract.
    """
    rows: list[Row] = []
    contrasts: list[Row] = []
    asked = PlannedOutcome("RQ8", planned.label, planned.edition, "beside", planned.feeds)
    for split in splits:
        panels = {name: checked(panel) for name, panel in split.panels.items()}
        tables = {
            name: grid(panel, outcome=outcome, hours="all", kinds=SPOTS)
            for name, panel in panels.items()
        }
        one = _One(split, outcome, asked, least_events, level)
        for name, table in tables.items():
            rows.append(_effect_row(one, name, table))
            rows += _night_rows(one, name, panels[name], nte)
        contrasts += _contrasts(one, tables)
    return estimate.rows([*rows, *_corrected(contrasts, adjusted)])


@dataclass(frozen=True)
class _One:
    split: Split
    outcome: str
    planned: PlannedOutcome
    least: int
    level: float

    def base(self, name: str, table: Grid | None) -> Row:
        row = about(self.planned, self.outcome, table, population=HOT_SPOTS, hours="all")
        return {**row, "role": "beside", "subgroup": f"{self.split.variable}={name}"}

    def is_few(self, table: Grid) -> bool:
        return _patrolled_events(table) < self.least


def _patrolled_events(table: Grid) -> float:
    used = table.observed & (table.before | table.after) & table.patrolled[:, None]
    return float(table.counts[used].sum())


def _few(least: int, whose: str) -> str:
    return (
        f"Fewer than {least} events {whose} in the patrolled places, before and after the start "
        "together: the plan asks for more."
    )


def _effect_row(one: _One, name: str, table: Grid | None) -> Row:
    base = {**one.base(name, table), "estimand": "rate_ratio", "method": IMPUTATION}
    missing = why_not_supplied(table)
    if missing or table is None:
        return refused(base, missing or "", status="not_supplied")
    hurdle = why_not_identified(table)
    if hurdle:
        return refused(base, hurdle)
    effect = overall(table, level=one.level)
    if one.is_few(table):
        # Neither events nor ratio: how small an effect could have been seen, and no more.
        held = interval(effect.spread, level=one.level).get("minimum_detectable_effect")
        made = refused(base, _few(one.least, "of this group"))
        return {**made, "minimum_detectable_effect": held, "diagnostics": _edition(one)}
    row = ratio_row(base, effect, table, level=one.level)
    told = json.loads(str(row["diagnostics"])) | {"edition": one.split.edition}
    return {**row, "diagnostics": as_json(told)}


def _edition(one: _One, **more: object) -> str:
    return as_json({"edition": one.split.edition, **more})


def _night_rows(one: _One, name: str, panel: pl.DataFrame, nte: str) -> list[Row]:
    """One group in night-time hours and in the others; nothing where either has few events."""
    night, other = (
        grid(panel, outcome=one.outcome, hours=hours, kinds=SPOTS) for hours in ("nte", "other")
    )
    if night is None or other is None or one.is_few(night) or one.is_few(other):
        return []
    rows = hours_rows(
        night, other, outcome=one.outcome, planned=one.planned, population=HOT_SPOTS, nte=nte,
        level=one.level,
    )  # fmt: skip
    mine = {"question": "RQ8", "role": "robustness", "subgroup": f"{one.split.variable}={name}"}
    return [
        {**row, **mine}
        | ({"hours": f"nte:{nte}"} if row["estimand"] == "ratio_of_rate_ratios" else {})
        for row in rows
    ]


def _contrasts(one: _One, tables: Mapping[str, Grid | None]) -> list[Row]:
    recorded = {
        name: table
        for name, table in tables.items()
        if name != NOT_RECORDED and table is not None and table.counts.sum() > 0
    }
    names = list(recorded)
    compared = names[:1] if len(names) == 2 else names if len(names) > 2 else []
    rows = []
    for name in compared:
        others = together([table for other, table in recorded.items() if other != name])
        if not one.is_few(recorded[name]) and not why_not_identified(recorded[name]):
            rows.append(_contrast(one, name, recorded[name], others))
    return rows


def together(tables: Sequence[Grid]) -> Grid:
    """
    Add up counts of the same places and periods.

    Parameters
    ----------
    tables : sequence of Grid
        One at least, laid out from one set of places and periods.

    Returns
    -------
    Grid
        A count is supplied where it is in all of them.
    """
    return replace(
        tables[0],
        counts=np.sum([table.counts for table in tables], axis=0),
        observed=np.all([table.observed for table in tables], axis=0),
    )


def _contrast(one: _One, name: str, group: Grid, others: Grid) -> Row:
    base = {**one.base(name, group), "estimand": "ratio_of_rate_ratios", "method": IMPUTATION}
    if one.is_few(others):
        return refused(base, _few(one.least, "of the other groups"))
    log_ratio, spread, first, second = ratio_of_ratios(group, others, level=one.level)
    if not math.isfinite(log_ratio):
        why = first.refusal or second.refusal or "No event was counted after the start in one side."
        return refused(base, why)
    return {
        **base,
        **rests_on(group),
        **interval(spread, level=one.level),
        "n_events": float(group.counts.sum() + others.counts.sum()),
        "estimate": math.exp(log_ratio),
        "reason": " ".join(dict.fromkeys([*first.limits, *second.limits])) or None,
        "diagnostics": _edition(one, numerator=name, denominator=OTHERS, scale="log"),
    }


def _corrected(contrasts: Sequence[Row], adjusted: Callable[[np.ndarray], np.ndarray]) -> list[Row]:
    """Each contrast with its p-value held against the number of all of them."""
    held = [row.get("p_value") for row in contrasts]
    p = np.array([np.nan if value is None else value for value in held], dtype=float)
    tested = int(np.isfinite(p).sum())
    note = f"One of {tested} contrasts: about 1 in 20 stands out by chance alone."
    made = []
    for row, value in zip(contrasts, adjusted(p), strict=True):
        told = json.loads(str(row.get("diagnostics", "{}")))
        if row.get("status") != "not_identified":
            told |= {"multiplicity": note, "p_value_holm": float(value)}
        made.append({**row, "diagnostics": as_json(told)})
    return made
