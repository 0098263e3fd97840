"""The rate ratio against comparison places that are weighted to the treated places' past."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from placeproof.effects.grid import Grid
from placeproof.effects.inference import Spread, jackknife
from placeproof.effects.robustness.calibration import MET, blocks, calibrate


@dataclass(frozen=True)
class Calibrated:
    """The ratio of observed events to those that the weighted comparison places had."""

    log_ratio: float
    spread: Spread | None
    observed: float
    expected: float
    treated_places: int
    comparison_places: int
    unmet: tuple[str, ...] = ()
    """Totals that bounded weights could not meet, in words, each with by how much."""
    notes: dict[str, object] = field(default_factory=dict)
    refusal: str | None = None
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Wave:
    """Places that start on one day, beside every comparison place."""

    rows: np.ndarray
    """(m,) which of the treated places."""
    past: np.ndarray
    """(m, k) what is to be matched: events a period in each part of the past, and features."""
    later: np.ndarray
    """(m,) events a period after the start."""
    others_past: np.ndarray
    """(c, k)"""
    others_later: np.ndarray
    """(c,)"""
    periods: int
    """Periods after the start."""
    words: tuple[str, ...]


def _why_no_ratio(observed: float, expected: float) -> str:
    if observed <= 0:
        return "No event was counted after the start in the treated places."
    if expected <= 0:
        return "No event was counted after the start in the comparison places that carry weight."
    return "The search for weights did not come to rest."


FARTHEST = 0.1
"""Weights that miss the whole of the past by more than this share are no comparison."""

NO_COMPARISON = "There are fewer than two comparison places that were counted at the same time."
NO_PAST = "No treated place is counted both before and after its start."


def calibrated(
    table: Grid,
    *,
    parts: int,
    most: float,
    level: float,
    features: np.ndarray | None = None,
    feature_names: Sequence[str] = (),
) -> Calibrated:
    """
    Estimate the ratio over all treated cells against calibrated comparison places.

    For the places of each start, weights on the comparison places are found that lie between 0 and
    a bound and meet the treated places' events in each part of the time before, and their features.
    The comparison places' weighted events after the start are what was to be expected. Events are
    added up over starts. The interval leaves each place out in turn, with weights found anew, on
    the log scale with t(treated places − 1).

    Parameters
    ----------
    table : Grid
        Not modified.
    parts : int
        Into how many equal parts the time before each start is cut.
    most : float
        Largest weight, as a multiple of the even one.
    level : float
        Coverage that the interval claims.
    features : array, shape (n, f), optional
        Further traits of the places that are to add up.
    feature_names : sequence of str
        Their names.

    Returns
    -------
    Calibrated
        With `refusal` where there is no ratio, `unmet` where totals could not be met.
    """
    others = np.flatnonzero(~table.patrolled)
    waves, others = _waves(table, others, parts, features, tuple(feature_names))
    if len(others) < 2:
        return _refused(NO_COMPARISON)
    if not waves:
        return _refused(NO_PAST)
    rows = np.concatenate([wave.rows for wave in waves])
    nobody = np.full(len(others), -1)
    sums = _summed(
        waves,
        np.concatenate([[-1], rows, nobody]),
        np.concatenate([[-1], np.full(len(rows), -1), np.arange(len(others))]),
        most,
    )
    observed, expected = float(sums.observed[0]), float(sums.expected[0])
    if not (observed > 0 and expected > 0):
        return _refused(_why_no_ratio(observed, expected))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(sums.observed) - np.log(sums.expected)
    log_ratio = float(ratios[0])
    spread, limits = _interval(ratios[1:], log_ratio, len(rows), level)
    missed, largest = sums.missed, sums.largest
    far = max(abs(float(gaps[0])) for gaps in missed)
    if far > FARTHEST:
        return _refused(
            "Weights within bounds miss the events of the treated places before patrols by "
            f"{far:.0%}: no comparison places are like them."
        )
    unmet = _unmet(waves, missed)
    return Calibrated(
        log_ratio=log_ratio,
        spread=spread,
        observed=observed,
        expected=expected,
        treated_places=len(rows),
        comparison_places=len(others),
        unmet=unmet,
        limits=limits,
        notes={
            "starts": len(waves),
            "totals_to_meet": int(sum(len(part) for part in missed)),
            "totals_not_met": len(unmet),
            "largest_weight_against_even": largest,
            "largest_weight_allowed": most,
        },
    )


def _refused(reason: str) -> Calibrated:
    nothing = math.nan
    return Calibrated(nothing, None, nothing, nothing, 0, 0, refusal=reason)


def _waves(
    table: Grid,
    others: np.ndarray,
    parts: int,
    features: np.ndarray | None,
    names: tuple[str, ...],
) -> tuple[list[_Wave], np.ndarray]:
    treated = (table.after & table.observed).any(axis=1) & (table.before & table.observed).any(1)
    days = sorted({table.cohorts[i] for i in np.flatnonzero(treated)} - {None})  # type: ignore[type-var]
    found, counted = [], np.ones(len(others), dtype=bool)
    for day in days:
        rows = np.array([i for i in np.flatnonzero(treated) if table.cohorts[i] == day])
        made = _wave(table, rows, others, parts, features, names)
        if made is not None:
            found.append(made)
            counted &= np.isfinite(made.others_past).all(axis=1) & np.isfinite(made.others_later)
    kept = [
        _Wave(
            wave.rows, wave.past, wave.later, wave.others_past[counted],
            wave.others_later[counted], wave.periods, wave.words,
        )
        for wave in found
    ]  # fmt: skip
    return kept, others[counted]


def _wave(
    table: Grid,
    rows: np.ndarray,
    others: np.ndarray,
    parts: int,
    features: np.ndarray | None,
    names: tuple[str, ...],
) -> _Wave | None:
    before = np.flatnonzero((table.before & table.observed)[rows].any(axis=0))
    after = np.flatnonzero((table.after & table.observed)[rows].any(axis=0))
    # The whole of the past is a total of its own: where parts cannot all be met, it weighs double.
    cut = [before[part] for part in blocks(len(before), parts)]
    cut = [before, *cut] if len(cut) > 1 else cut

    def traits(which: np.ndarray) -> np.ndarray:
        columns = [_mean(table, which, periods) for periods in cut]
        if features is not None:
            columns += list(features[which].T)
        return np.column_stack(columns)

    past, later = traits(rows), _mean(table, rows, after)
    usable = np.isfinite(past).all(axis=1) & np.isfinite(later)
    if not usable.any():
        return None
    start = table.cohorts[rows[0]]
    words = tuple(
        f"events from {table.period_starts[part[0]]} to {table.period_ends[part[-1]]}"
        for part in cut
    )
    return _Wave(
        rows=rows[usable],
        past=past[usable],
        later=later[usable],
        others_past=traits(others),
        others_later=_mean(table, others, after),
        periods=len(after),
        words=tuple(f"{word} (start {start})" for word in (*words, *names)),
    )


def _mean(table: Grid, which: np.ndarray, periods: np.ndarray) -> np.ndarray:
    seen = table.observed[np.ix_(which, periods)]
    counts = np.where(seen, table.counts[np.ix_(which, periods)], 0.0)
    number = seen.sum(axis=1)
    return np.where(number > 0, counts.sum(axis=1) / np.maximum(number, 1), np.nan)


@dataclass(frozen=True)
class _Sums:
    """Observed and expected events of R replicates, and what the weights of the first one are."""

    observed: np.ndarray
    expected: np.ndarray
    missed: list[np.ndarray]
    largest: float


def _summed(
    waves: list[_Wave], without: np.ndarray, without_other: np.ndarray, most: float
) -> _Sums:
    """Add up over starts; replicate r leaves one treated or one comparison place out (−1: none)."""
    n = len(without)
    observed, expected = np.zeros(n), np.zeros(n)
    missed, largest = [], 0.0
    for wave in waves:
        stays = wave.rows[None, :] != without[:, None]
        number = stays.sum(axis=1).astype(float)
        some = number > 0
        kept = np.arange(len(wave.others_later))[None, :] != without_other[:, None]
        made = calibrate(
            wave.others_past, stays[some].astype(float) @ wave.past, treated=number[some],
            kept=kept[some], most=most,
        )  # fmt: skip
        observed[some] += wave.periods * (stays[some] @ wave.later)
        expected[some] += wave.periods * (made.weights @ wave.others_later)
        expected[some] += np.where(made.settled, 0.0, np.nan)
        missed.append(made.missed[0])
        largest = max(largest, float(made.weights[0].max() * kept[0].sum() / number[0]))
    return _Sums(observed, expected, missed, largest)


def _interval(
    replicates: np.ndarray, log_ratio: float, treated: int, level: float
) -> tuple[Spread | None, tuple[str, ...]]:
    if treated < 2:
        return None, ("One treated place: leaving places out gives no interval.",)
    if not np.isfinite(replicates).all():
        return None, ("Without some single place no ratio is left, so there is no interval.",)
    return jackknife(log_ratio, replicates, degrees=treated - 1, level=level), ()


def _unmet(waves: list[_Wave], missed: list[np.ndarray]) -> tuple[str, ...]:
    return tuple(
        f"{words}: {gap:+.1%}"
        for wave, gaps in zip(waves, missed, strict=True)
        for words, gap in zip(wave.words, gaps, strict=True)
        if abs(gap) > MET
    )
