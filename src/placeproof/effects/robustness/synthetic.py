"""Synthetic difference-in-differences for staggered starts, cohort by cohort, by diff-diff."""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from placeproof.effects.robustness.group_time import TROUBLE, hurdle_of
from placeproof.effects.robustness.linear import Linear, refused_linear
from placeproof.effects.robustness.steps import Steps

LEAST_STEPS_BEFORE = 2
"""The library measures the noise of the comparison places by differences between steps before."""


@dataclass(frozen=True)
class _Cohort:
    rows: np.ndarray
    """Treated places of the cohort."""
    after: np.ndarray
    """(m,) treated places: mean after the start minus weighted mean before it."""
    others: np.ndarray
    """(c,) the same for the comparison places."""
    weights: np.ndarray
    """(c,) weights of the comparison places, which add up to 1."""
    steps: int
    """Steps after the start."""


def synthetic(data: Steps) -> Linear:
    """
    Estimate by synthetic difference-in-differences (Arkhangelsky and others, 2021).

    Each cohort is compared with places never patrolled, weighted so that they run parallel to it
    before its start, and with the steps before the start, weighted so that they resemble those
    after it. Cohorts are averaged by their treated place-steps. Weights are the library's; the
    error is the jackknife with weights held (their algorithm 3), each place left out of every
    cohort at once, because cohorts share their comparison places.

    Parameters
    ----------
    data : Steps
        Not modified.

    Returns
    -------
    Linear
        Cohorts with fewer than two steps before their start are left out, and counted in `notes`.
    """
    hurdle = hurdle_of(data, never=True)
    if hurdle:
        return refused_linear(hurdle)
    others = np.flatnonzero(~data.treated)
    starts = [start for start in data.cohorts if start >= LEAST_STEPS_BEFORE]
    if not starts:
        return refused_linear(
            "No cohort has two counted steps before its start, which the weights are made from."
        )
    cohorts = []
    for start in starts:
        made = _cohort(data, start, others)
        if isinstance(made, str):
            return refused_linear(made)
        cohorts.append(made)
    effect = _combined(cohorts, None, None)
    rows = np.concatenate([cohort.rows for cohort in cohorts])
    observed = [float(data.counts[c.rows, data.counts.shape[1] - c.steps :].sum()) for c in cohorts]
    cells = sum(len(cohort.rows) * cohort.steps for cohort in cohorts)
    return Linear(
        effect=effect,
        error=_jackknife(cohorts, rows, len(others)),
        observed=sum(observed) / cells,
        cells=cells,
        treated_places=len(rows),
        comparison_places=len(others),
        notes={
            "cohorts": len(cohorts),
            "cohorts_left_out": len(data.cohorts) - len(cohorts),
            "comparison_places_that_carry_weight": int(
                (np.max([cohort.weights for cohort in cohorts], axis=0) > 1e-6).sum()
            ),
            "largest_weight": float(max(cohort.weights.max() for cohort in cohorts)),
        },
    )


def _cohort(data: Steps, start: int, others: np.ndarray) -> _Cohort | str:
    rows = np.flatnonzero(data.first == start)
    made = _weights(data, start, rows, others)
    if isinstance(made, str):
        return made
    weights, before = made

    def change(which: np.ndarray) -> np.ndarray:
        counts = data.counts[which]
        return counts[:, start:].mean(axis=1) - counts[:, :start] @ before

    return _Cohort(rows, change(rows), change(others), weights, data.counts.shape[1] - start)


def _weights(
    data: Steps, start: int, rows: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | str:
    """Weights of comparison places and of steps before the start."""
    import pandas as pd

    chosen = np.concatenate([others, rows])
    n_steps = data.counts.shape[1]
    frame = pd.DataFrame(
        {
            "place": np.repeat(chosen, n_steps),
            "step": np.tile(np.arange(n_steps), len(chosen)),
            "events": data.counts[chosen].ravel(),
            "treated": np.repeat(np.isin(chosen, rows).astype(int), n_steps),
        }
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import diff_diff

            made: Any = diff_diff.SyntheticDiD(variance_method="jackknife").fit(
                frame, outcome="events", treatment="treated", unit="place", time="step",
                post_periods=list(range(start, n_steps)),
            )  # fmt: skip
    except TROUBLE as trouble:
        return f"The estimator could not be fitted ({type(trouble).__name__})."
    places = np.array([float(made.unit_weights.get(int(i), 0.0)) for i in others])
    before = np.array([float(made.time_weights.get(int(k), 0.0)) for k in range(start)])
    if not (places.sum() > 0 and before.sum() > 0 and math.isfinite(float(made.att))):
        return "The weights of comparison places or steps did not come to rest."
    return places / places.sum(), before / before.sum()


def _combined(cohorts: list[_Cohort], treated: int | None, other: int | None) -> float:
    """The average over cohorts, perhaps without one treated or one comparison place."""
    total, cells = 0.0, 0
    for cohort in cohorts:
        stays = np.ones(len(cohort.rows), dtype=bool) if treated is None else cohort.rows != treated
        if not stays.any():
            continue
        weights = cohort.weights.copy()
        if other is not None:
            weights[other] = 0.0
        if weights.sum() <= 1e-9:
            return math.nan
        expected = float(weights @ cohort.others / weights.sum())
        part = int(stays.sum()) * cohort.steps
        total += part * (float(cohort.after[stays].mean()) - expected)
        cells += part
    return total / cells if cells else math.nan


def _jackknife(cohorts: list[_Cohort], rows: np.ndarray, n_others: int) -> float:
    without = [_combined(cohorts, int(row), None) for row in rows]
    without += [_combined(cohorts, None, j) for j in range(n_others)]
    made = np.array(without)
    if not np.isfinite(made).all():
        return math.nan
    n = len(made)
    return float(np.sqrt((n - 1) / n * np.sum((made - made.mean()) ** 2)))
