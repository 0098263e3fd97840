"""Primary suppression where a result leaves: small cells, rounding, and what would betray them."""

import json
from collections.abc import Mapping

import polars as pl

from placeproof.tables import Finding

PEOPLE_FEEDS = frozenset({"response", "session", "speaker", "turn", "coded_span", "consent"})
POLICE_FEEDS = frozenset({"crime", "incident", "stop_search", "patrol_log", "panel"})
HEALTH_FEEDS = frozenset({"ed_assault", "admission"})

COUNT_UNITS = frozenset(
    {"count", "crimes", "incidents", "events", "searches", "attendances", "admissions", "people"}
)
"""Units in which a police or health figure is a count of what happened to people."""

WHOLE_AREA = frozenset({"all", "force", "force area", "whole force", "study area"})
"""Populations so large that a count of police records in them betrays nobody."""

_BETRAYING = frozenset(
    {
        "observed", "imputed", "expected", "count", "counts", "events", "events_before",
        "events_after", "before", "after", "counterfactual", "observed_events", "imputed_events",
    }
)  # fmt: skip


def release(
    findings: pl.DataFrame,
    *,
    people_below: int = 10,
    counts_below: int = 5,
    round_to: int = 5,
    admissions_below: int = 8,
) -> pl.DataFrame:
    """
    Apply primary disclosure control to findings that leave the force or the university.

    Cells of people who answered, spoke or were interviewed are suppressed below `people_below`.
    Counts from police records in places or groups smaller than the study area, and all counts
    from health records, are suppressed below `counts_below` and otherwise rounded; admissions are
    suppressed from 1 up to `admissions_below` - 1. Ratios resting on fewer than `counts_below`
    events are suppressed too. Totals of the study area and counts of rows read (data quality)
    stay exact. Secondary suppression is not done here.

    Parameters
    ----------
    findings : table `finding`
        Not modified.
    people_below, counts_below, admissions_below : int
        The first number of people, events, admissions that is released.
    round_to : int
        Released counts are rounded to the nearest multiple of this.

    Returns
    -------
    table `finding`
        The same rows in the same order; a suppressed one has no estimate, interval, n, events or
        diagnostics, and says why.

    Raises
    ------
    ValueError
        If a threshold is below 1.
    """
    if min(people_below, counts_below, round_to, admissions_below) < 1:
        raise ValueError("thresholds of disclosure control are at least 1")
    rules = _Rules(people_below, counts_below, round_to, admissions_below)
    rows = [rules.applied(row) for row in findings.iter_rows(named=True)]
    return Finding.validate(pl.DataFrame(rows, schema=findings.schema), cast=True)


class _Rules:
    def __init__(
        self, people_below: int, counts_below: int, round_to: int, admissions_below: int
    ) -> None:
        self.people_below, self.counts_below = people_below, counts_below
        self.round_to, self.admissions_below = round_to, admissions_below

    def applied(self, row: Mapping[str, object]) -> dict[str, object]:
        if row["status"] != "estimated":
            return dict(row)
        feeds = set(str(row["feeds"]).split())
        if feeds & PEOPLE_FEEDS and (reason := self._few_people(row)):
            return _suppressed(row, reason)
        if feeds & PEOPLE_FEEDS and row["unit"] in _NOT_OF_PEOPLE and self._is_few(row["n"]):
            # Of a place's roles or sessions the number may leave; of its people it may not.
            row = {**row, "n": None}
        recorded = feeds & (POLICE_FEEDS | HEALTH_FEEDS)
        if (
            not recorded
            or row["question"] == "data"
            or not (feeds & HEALTH_FEEDS or _is_small(row))
        ):
            return dict(row)
        if reason := self._few_events(row, admissions="admission" in feeds):
            return _suppressed(row, reason)
        return self._rounded(row)

    def _few_people(self, row: Mapping[str, object]) -> str:
        people = [row["n"]] if row["unit"] not in _NOT_OF_PEOPLE else []
        if row["unit"] in ("people", "respondents", "responses"):
            people.append(row["estimate"])
        few = any(self._is_few(n) for n in people)
        return f"fewer than {self.people_below} people" if few else ""

    def _is_few(self, people: object) -> bool:
        return isinstance(people, int | float) and people < self.people_below

    def _few_events(self, row: Mapping[str, object], *, admissions: bool) -> str:
        counted = [row["n_events"]]
        if _is_count(row):
            counted.append(row["estimate"])
        numbers = [n for n in counted if isinstance(n, int | float)]
        if admissions:
            few = any(0 < n < self.admissions_below for n in numbers)
            return f"admissions from 1 to {self.admissions_below - 1}" if few else ""
        few = any(n < self.counts_below for n in numbers)
        return f"fewer than {self.counts_below} events" if few else ""

    def _rounded(self, row: Mapping[str, object]) -> dict[str, object]:
        made = dict(row)
        names = ["n_events"]
        if row["unit"] in COUNT_UNITS:
            names += ["estimate", "lower", "upper", "n"]
        for name in names:
            value = row[name]
            if isinstance(value, int | float):
                rounded = self.round_to * int(value / self.round_to + (0.5 if value >= 0 else -0.5))
                made[name] = rounded if name == "n" else float(rounded)
        made["diagnostics"] = _harmless(str(row["diagnostics"]))
        return made


def _is_count(row: Mapping[str, object]) -> bool:
    """A count of what happened, and not a difference between counts."""
    return row["unit"] in COUNT_UNITS and row["estimand"] not in _DIFFERENCES


_DIFFERENCES = frozenset({"weighted_displacement_difference", "events_prevented"})
_NOT_OF_PEOPLE = frozenset({"areas", "cells", "roles", "places", "sessions", "rows", "files"})


def _is_small(row: Mapping[str, object]) -> bool:
    return row["population"] not in WHOLE_AREA or row["subgroup"] != "all"


def _harmless(diagnostics: str) -> str:
    told = json.loads(diagnostics)
    if not isinstance(told, dict):
        return "{}"
    return json.dumps({k: v for k, v in told.items() if k not in _BETRAYING}, sort_keys=True)


def _suppressed(row: Mapping[str, object], reason: str) -> dict[str, object]:
    emptied = dict.fromkeys(
        (
            "estimate", "lower", "upper", "level", "standard_error", "p_value", "n", "n_events",
            "minimum_detectable_effect",
        )
    )  # fmt: skip
    return {**row, **emptied, "status": "suppressed", "reason": reason, "diagnostics": "{}"}
