"""What a run knows so far: handed from step to step, each of which adds what it made."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from placeproof.definitions import Outcome, outcomes, shocks
from placeproof.study.lock import Lock
from placeproof.study.plan import Plan
from placeproof.study.reading import Inputs, Progress
from placeproof.study.settings import Study
from placeproof.tables import estimate


@dataclass
class Work:
    """One run: what was asked, what was read, what was made of it."""

    study: Study
    plan: Plan
    lock: Lock
    inputs: Inputs
    progress: Progress
    selected: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Outcome id to its events, each with `place_id` once places are known."""
    not_supplied: dict[str, str] = field(default_factory=dict)
    """Outcome id to the reason why it cannot be counted."""
    hotspots: pl.DataFrame | None = None
    why_no_places: str = ""
    """Why hot spots could not be delineated; empty where they could, or were supplied."""
    comparison: pl.DataFrame | None = None
    places: pl.DataFrame | None = None
    panel: pl.DataFrame | None = None
    baseline_periods: frozenset[date] | None = None
    """Starts of the periods before patrols that may serve as baseline; None: all of them."""
    steps: dict[date, list[str]] = field(default_factory=dict)
    """Months with a step in how things are recorded, and in which series."""
    estimates: list[pl.DataFrame] = field(default_factory=list)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Further tables that the run keeps."""

    patrol_facts: dict[str, object] = field(default_factory=dict)
    """How positions became visits, and why so."""
    observations: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Free text of logs, for coding. It is personal and is never kept by a run."""

    def rng(self, step: str, item: str) -> np.random.Generator:
        """
        Randomness for one step and item: the same for the same seed, whatever else runs.

        Parameters
        ----------
        step, item : str
            What it is for.

        Returns
        -------
        numpy.random.Generator
            Seeded by the plan's seed and a hash of step and item.
        """
        digest = hashlib.sha256(f"{step}/{item}".encode()).digest()
        words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4)]
        return np.random.default_rng(np.random.SeedSequence([self.plan.seed, *words]))

    def add(self, estimates: pl.DataFrame) -> None:
        """Keep estimates for the answers."""
        self.estimates.append(estimates)

    def role_of(self, outcome: str) -> str:
        """The part that an outcome plays by the plan."""
        if outcome in self.plan.headline_per_question.values() or outcome == self.plan.primary:
            return "headline"
        return "negative_control" if outcome in self.plan.negative_controls else "beside"

    def question_of(self, outcome: str) -> str:
        """The research question that an outcome speaks to: the plan's word goes first."""
        for question, headline in self.plan.headline_per_question.items():
            if headline == outcome:
                return question
        return outcomes()[outcome].question

    def feeds_of(self, outcome: str) -> str:
        """Canonical tables behind an outcome counted in places, separated by blanks."""
        sources = outcomes()[outcome].source_tables
        drawn = "" if self.plan.derive else " hotspot"
        return " ".join(sources) + drawn

    def headline_outcomes(self) -> list[str]:
        """Outcomes that could be counted and carry a headline, in the order of the plan."""
        counted = (name for name in self.selected if name not in self.not_supplied)
        return [name for name in counted if self.role_of(name) == "headline"]

    def shocks(self) -> pl.DataFrame:
        """Table `shock`: the study's own register, or where it has none the one that ships."""
        register = self.inputs.get("shock")
        return shocks() if register is None else register


def described(work: Work, outcome: str) -> Mapping[str, object]:
    """
    Name an outcome as estimates do.

    Parameters
    ----------
    work : Work
        The run.
    outcome : str
        Its id.

    Returns
    -------
    mapping
        `outcome`, `outcome_label`, `definition_edition`, `feeds`.
    """
    definition: Outcome = outcomes()[outcome]
    return {
        "outcome": outcome,
        "outcome_label": definition.label,
        "definition_edition": definition.edition_tag,
        "feeds": work.feeds_of(outcome),
    }


def without_effect(work: Work, reasons: Mapping[str, str], *, status: str) -> pl.DataFrame:
    """
    Say of some outcomes that their effect has no number, and why.

    Parameters
    ----------
    work : Work
        The run.
    reasons : mapping of str to str
        Outcome id to the reason.
    status : str
        `not_supplied` or `masked`.

    Returns
    -------
    table `estimate`
        One row per outcome, named as its headline estimate would be.
    """
    return estimate.rows(
        [
            dict(described(work, outcome_id))
            | {
                "question": work.question_of(outcome_id),
                "population": "treated hot spots",
                "estimand": "rate_ratio",
                "method": "poisson_imputation_jackknife",
                "role": work.role_of(outcome_id),
                "unit": "ratio",
                "status": status,
                "reason": reason,
            }
            for outcome_id, reason in reasons.items()
        ]
    )
