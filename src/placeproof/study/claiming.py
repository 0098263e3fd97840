"""Holding a claim of before and after against the counts of a study."""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof import calendar, panel
from placeproof.definitions import Outcome, outcomes
from placeproof.effects.claim import Factor, TakenApart, taken_apart
from placeproof.effects.grid import Grid, grid
from placeproof.errors import InputError, LockError
from placeproof.study import placing, reading
from placeproof.study.claim_words import Claim, Window, meant_outcome, read_claim
from placeproof.study.counting import supplied_months
from placeproof.study.estimating import serves_as_baseline
from placeproof.study.lock import lock_state
from placeproof.study.mappings import meanings
from placeproof.study.plan import Plan, read_plan
from placeproof.study.reading import Progress
from placeproof.study.settings import find_folder, read_study
from placeproof.study.work import Work

_SPOTS = ("hotspot", "comparison")
_NEEDED = ("crime", "incident", "hotspot")


@dataclass(frozen=True)
class CheckedClaim:
    """A claim with what the run says of it."""

    claim: Claim
    outcome: Outcome
    made: TakenApart
    period: str
    level: float
    stamp: str
    warnings: tuple[str, ...]

    @property
    def figure_holds(self) -> bool | None:
        """Whether the claimed figure is what the run counts, to its own decimals."""
        if self.claim.change is None or self.made.refusal:
            return None
        counted = self.made.change.ratio - 1
        return abs(counted - self.claim.change) <= 0.5 * 10 ** -(self.claim.decimals + 2) + 1e-12

    def as_dict(self) -> dict[str, Any]:
        """The check as plain values; numbers that do not exist are null."""
        content = {
            "claim": self.claim.text,
            "claimed_change": self.claim.change,
            "outcome": self.outcome.id,
            "definition": self.outcome.edition_tag,
            "now": [self.claim.now.first, self.claim.now.last],
            "then": [self.claim.then.first, self.claim.then.last],
            "figure_holds": self.figure_holds,
            "stamp": self.stamp,
            "level": self.level,
            "warnings": list(self.warnings),
            **asdict(self.made),
        }
        return json.loads(json.dumps(_finite(content), default=str))

    def lines(self) -> list[str]:
        """The check as a person reads it."""
        return [*_head(self), *_body(self), *(f"Note: {words}" for words in self.warnings),
                f"A claim made after the fact is exploratory. {self.stamp}".rstrip()]  # fmt: skip


def check_claim(
    folder: Path,
    text: str,
    *,
    outcome: str | None,
    now: Window | None,
    then: Window | None,
    place: str | None,
    progress: Progress,
) -> CheckedClaim:
    """
    Hold a claim such as "ASB down 15.2 % April-September 2024 against 2023" against a study.

    Parameters
    ----------
    folder : Path
        The study's folder.
    text : str
        The claim.
    outcome : str or None
        Id of the outcome; None: read from the words.
    now, then : Window or None
        The later and the earlier window; None: read from the words.
    place : str or None
        One hot spot; None: all of them together.
    progress : callable
        Told of each step.

    Returns
    -------
    CheckedClaim
        What was counted, what was to be expected, what was chance, and what is left.

    Raises
    ------
    InputError
        If the words cannot be read, or that window or outcome is not counted.
    LockError
        If outcomes are masked, because the plan is not locked.
    """
    folder = find_folder(folder)
    claim = read_claim(text, now=now, then=then)
    work = _counting(folder, progress)
    meant = _outcome(work, text, outcome)
    counted = _of_place(_panel(work, meant.id), place)
    table = grid(counted, outcome=meant.id, hours="all", kinds=_SPOTS)
    if table is None:
        raise InputError(f"{meant.label} could not be counted in hot spots.")
    then_periods, now_periods = (_within(table, window) for window in (claim.then, claim.now))
    _require_whole(table, claim)
    made = taken_apart(
        table,
        then=then_periods,
        now=now_periods,
        baseline=_baseline(table, work),
        level=work.plan.level,
    )
    return CheckedClaim(
        claim=claim,
        outcome=meant,
        made=made,
        period=table.period_kind,
        level=work.plan.level,
        stamp=work.lock.stamp,
        warnings=tuple(_warnings(work.plan, claim, made)),
    )


def _counting(folder: Path, progress: Progress) -> Work:
    """The steps of a run up to the place of each event, on the feeds that counting needs."""
    study, plan = read_study(folder), read_plan(folder)
    lock = lock_state(
        folder, plan, outcomes_public=study.outcomes_public, mappings=meanings(folder)
    )
    if not lock.outcomes_visible:
        raise LockError(
            "the plan is not locked: outcomes after the start of patrols are masked.",
            mend=f"lock it first with: placeproof lock {folder}",
        )
    feeds = tuple(
        feed for feed in study.feeds if feed.contract in _NEEDED or feed.format == "police-uk"
    )
    inputs = reading.read_all(replace(study, feeds=feeds), progress)
    work = Work(study, plan, lock, inputs, progress)
    progress("finding places", 0, 1)
    placing.select_outcomes(work)
    placing.find_places(work)
    progress("done", 1, 1)
    if work.places is None:
        raise InputError(
            work.why_no_places or "no hot spots were supplied.",
            mend="placeproof check says what is missing",
        )
    return work


def _panel(work: Work, outcome: str) -> pl.DataFrame:
    """Counts by day where events have times, by month where they have none."""
    spots = work.places.filter(pl.col("kind").is_in(_SPOTS))  # type: ignore[union-attr]
    events = work.selected[outcome]
    events = events.filter(pl.col("place_id").is_in(spots["place_id"].implode()))
    timed = "occurred_from" in events.columns and events["occurred_from"].is_not_null().any()
    return panel.build(
        events,
        spots,
        outcome_id=outcome,
        period_kind="day" if timed else "month",
        first=min(work.plan.history_from, work.plan.analysis_from),
        last=min(work.plan.analysis_to, work.study.cut_off),
        supplied_months=supplied_months(work, outcome),
        nte_intervals=None,
    )


def _outcome(work: Work, text: str, named: str | None) -> Outcome:
    order = [name for name in work.plan.outcome_ids() if name in work.selected]
    known = outcomes()
    if named is not None:
        if named not in order:
            raise InputError(
                f"{named!r} is not counted in this study; counted are {', '.join(order)}.",
                mend="name one of them, or put the outcome into plan.toml",
            )
        return known[named]
    headlines = [work.plan.primary, *work.plan.headline_per_question.values()]
    return meant_outcome(
        text,
        [known[name] for name in order],
        primary_first=list(dict.fromkeys([*headlines, *order])),
    )


def _of_place(counted: pl.DataFrame, place: str | None) -> pl.DataFrame:
    if place is None:
        return counted
    treated = counted.filter(group="treated")["place_id"].unique().sort().to_list()
    if place not in treated:
        raise InputError(
            f"no treated hot spot is called {place!r}; there are {', '.join(treated)}.",
            mend="name one of them",
        )
    return counted.filter((pl.col("place_id") == place) | (pl.col("group") == "comparison"))


def _within(table: Grid, window: Window) -> np.ndarray:
    spans = zip(table.period_starts, table.period_ends, strict=True)
    return np.array([window.first <= a and b <= window.last for a, b in spans], dtype=bool)


def _require_whole(table: Grid, claim: Claim) -> None:
    for window in (claim.then, claim.now):
        if window.first < table.period_starts[0] or window.last > table.period_ends[-1]:
            raise InputError(
                f"the claim speaks of {window.words()}; the study counts from "
                f"{table.period_starts[0]} to {table.period_ends[-1]}.",
                mend="name a window inside that, or widen the windows of plan.toml",
            )


def _baseline(table: Grid, work: Work) -> np.ndarray:
    """Days (or months) that lie in a period of the plan which may serve as baseline."""
    kind = work.plan.period
    first, last = table.period_starts[0], table.period_ends[-1]
    spare = work.baseline_periods
    serving = (
        calendar.periods(first, last, kind=kind)  # type: ignore[arg-type]
        .filter(serves_as_baseline(work.plan, None if spare is None else sorted(spare)))
        .sort("period_start")
    )
    cells = pl.DataFrame(
        {"first": table.period_starts, "last": table.period_ends},
        schema={"first": pl.Date, "last": pl.Date},
    )
    found = cells.join_asof(serving, left_on="first", right_on="period_start")
    return (found["last"] <= found["period_end"]).fill_null(value=False).to_numpy()


def _warnings(plan: Plan, claim: Claim, made: TakenApart) -> list[str]:
    said = []
    if claim.then.first <= plan.selection_to and claim.then.last >= plan.selection_from:
        said.append(
            "the earlier window lies in the data on which hot spots were chosen: places chosen for "
            "a high are lower afterwards, whatever is done."
        )
    if made.dropped_places:
        said.append(
            f"{made.dropped_places} hot spots have no expectation in one of the windows (no "
            "untreated count outside them): they are in no figure here."
        )
    if not made.refusal and made.places < 2:
        said.append("with one hot spot there is no interval.")
    return said


def _head(checked: CheckedClaim) -> list[str]:
    claim, made = checked.claim, checked.made
    lines = [
        f"Claim: {claim.text}",
        f"Read as: {checked.outcome.label}, {claim.now.words()} against {claim.then.words()}, "
        f"in {_spots(made.places) if not made.refusal else 'the hot spots'}.",
    ]
    if made.refusal:
        return [*lines, f"Not answerable: {made.refusal}"]
    counted = (
        f"Counted: {made.counted_then:,.0f} then, {made.counted_now:,.0f} now"
        f"{_lengths(made, checked.period)}: {_change(made.change)}."
    )
    verdict = {None: "", True: " The claimed figure is right.", False: ""}[checked.figure_holds]
    if checked.figure_holds is False and claim.change is not None:
        verdict = f" The claim says {_per_cent(claim.change, claim.decimals)}."
    return [*lines, counted + verdict]


def _body(checked: CheckedClaim) -> list[str]:
    made = checked.made
    if made.refusal:
        return []
    level = f"{100 * checked.level:g} %"
    lines = ["", f"What the change is made of ({level} intervals; the three multiply to it):"]
    before = made.patrolled_then == 0
    return_words = (
        "return from a chance high or low of the earlier window (regression to the mean)"
        if before
        else "the earlier window against what was to be expected then without patrols"
    )
    for words, factor in (
        ("season and what comparison places did too", made.elsewhere),
        (return_words, made.luck),
        ("beyond that: counted against expected without patrols", made.beyond),
    ):
        lines.append(f"  {_change(factor):<28} {words}")
    lines += ["", f"Expected without patrols: {made.expected_now:,.0f}{_expected(made)}; "
              f"counted: {made.counted_now:,.0f}."]  # fmt: skip
    lines.append(_share(made))
    lines.append(_conclusion(checked))
    return [line for line in lines if line is not None]


def _share(made: TakenApart) -> str:
    if made.patrolled_then:
        return (
            f"{100 * made.patrolled_then:.0f} % of the earlier window was patrolled already: the "
            "change between the windows is no comparison of patrols with none, and chance cannot "
            "be told from patrols there."
        )
    if not math.isfinite(made.luck_share):
        return "The change is too small to say which part of it is regression to the mean."
    usual = _per_cent(made.counted_then / made.expected_then - 1, 0)
    told = f"The earlier window held {usual} against these places' usual level then"
    spread = made.luck_share_spread
    reach = ""
    if spread is not None:
        low, high = (_per_cent(end, 0) for end in (spread.lower, spread.upper))
        reach = f" ({low} to {high})"
    share = _per_cent(made.luck_share, 0).lstrip("+")
    if made.luck_share < 0:
        return f"{told}: the return from it works against the change (share {share}{reach})."
    return f"{told}: regression to the mean is {share}{reach} of the change, on the log scale."


def _conclusion(checked: CheckedClaim) -> str:
    made, spread = checked.made, checked.made.beyond.spread
    if not made.patrolled_now:
        return "No place was patrolled in the later window: the change is not patrols' doing."
    if spread is None:
        return "No interval can be given, so nothing is concluded about the patrols."
    if spread.lower > 0 or spread.upper < 0:
        way = "fewer" if spread.upper < 0 else "more"
        return (
            f"What is left beyond season and chance is {way} events than expected without patrols, "
            "by more than chance."
        )
    return (
        "What is left beyond season and chance could be chance: this claim is no evidence that "
        "patrols moved it, in either direction."
    )


def _change(factor: Factor) -> str:
    words = _per_cent(factor.ratio - 1, 1)
    if factor.spread is None:
        return words
    low, high = (math.exp(end) - 1 for end in (factor.spread.lower, factor.spread.upper))
    return f"{words} ({_per_cent(low, 0)} to {_per_cent(high, 0)})"


def _expected(made: TakenApart) -> str:
    spread = made.beyond.spread
    if spread is None:
        return ""
    low, high = (made.counted_now * math.exp(-end) for end in (spread.upper, spread.lower))
    return f" ({low:,.0f} to {high:,.0f})"


def _lengths(made: TakenApart, period: str) -> str:
    if made.periods_then == made.periods_now:
        return ""
    return (
        f" ({made.periods_then} and {made.periods_now} {period}s; the change is of the rate "
        f"a {period})"
    )


def _per_cent(share: float, decimals: int) -> str:
    figure = f"{100 * abs(share):.{decimals}f}"
    sign = "" if float(figure) == 0 else ("−" if share < 0 else "+")
    return f"{sign}{figure} %"


def _spots(places: int) -> str:
    return "one hot spot" if places == 1 else f"{places} hot spots"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
