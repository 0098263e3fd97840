"""Callaway–Sant'Anna and Sun–Abraham on counts a step, by diff-diff."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from placeproof.effects.robustness.linear import Linear, refused_linear
from placeproof.effects.robustness.steps import Steps

TROUBLE = (ValueError, RuntimeError, np.linalg.LinAlgError, KeyError, ZeroDivisionError)
"""What the library may raise where places and steps bear no estimate."""

CONTROLS = {"never": "never_treated", "not_yet": "not_yet_treated"}


def callaway_santanna(data: Steps, *, controls: str) -> Linear:
    """
    Estimate by Callaway and Sant'Anna (2021), without covariates, averaged over treated cells.

    Each cohort is compared, from the step before its start, with places never patrolled, or with
    those not yet patrolled as well. The average weighs each cohort and step by its places ("simple"
    aggregation).

    Parameters
    ----------
    data : Steps
        Not modified.
    controls : str
        "never" or "not_yet".

    Returns
    -------
    Linear
        Standard error by the library's influence functions, clustered by place. `by_step` holds
        the effects by steps since the start (the "dynamic" aggregation), leads included.
    """
    hurdle = hurdle_of(data, never=controls == "never")
    if hurdle:
        return refused_linear(hurdle)
    made = _fitted("CallawaySantAnna", data, control_group=CONTROLS[controls], n_bootstrap=0)
    if isinstance(made, str):
        return refused_linear(made)
    cells = {
        (int(group), int(time)): float(one["effect"])
        for (group, time), one in made.group_time_effects.items()
        if time >= group
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            course = made.aggregate("event_study")
    except TROUBLE:
        course = None
    steps = () if course is None else _course(course.event_time, course.att, course.se)
    return _averaged(data, float(made.overall_att), float(made.overall_se), cells, steps)


def sun_abraham(data: Steps) -> Linear:
    """
    Estimate by Sun and Abraham (2021): a linear regression with one effect a cohort and step.

    Only places never patrolled serve as comparison; the step before each start is the base.

    Parameters
    ----------
    data : Steps
        Not modified.

    Returns
    -------
    Linear
        Standard error clustered by place.
    """
    hurdle = hurdle_of(data, never=True)
    if hurdle:
        return refused_linear(hurdle)
    made = _fitted("SunAbraham", data, control_group="never_treated", cluster="place")
    if isinstance(made, str):
        return refused_linear(made)
    cells = {
        (int(group), int(group) + int(since)): float(one["effect"])
        for (group, since), one in made.cohort_effects.items()
        if since >= 0
    }
    rows = sorted(made.event_study_effects.items())
    steps = _course(
        [int(k) for k, _ in rows],
        [one["effect"] for _, one in rows],
        [one["se"] for _, one in rows],
    )
    return _averaged(data, float(made.overall_att), float(made.overall_se), cells, steps)


def hurdle_of(data: Steps, *, never: bool) -> str | None:
    """
    Say why steps cannot bear such an estimator.

    Parameters
    ----------
    data : Steps
        Not modified.
    never : bool
        Whether only places that are never patrolled may serve as comparison.

    Returns
    -------
    str or None
        None where nothing stands in the way.
    """
    n_steps = data.counts.shape[1]
    if n_steps < 2:
        return (
            "Fewer than two steps are counted in every place: steps that are hardly counted, or "
            "not in all places, are left out."
        )
    if not data.treated.any():
        return "No treated place has a counted step both before and after its start."
    others = int((~data.treated).sum())
    if never and others < 2:
        return "This estimator needs at least two places that were never patrolled, and there " + (
            "is one." if others else "is none."
        )
    if not never and others < 2 and len(data.cohorts) < 2:
        return "No place is left to compare with: all are patrolled from the same step on."
    if np.ptp(data.counts) == 0:
        return "Every place has the same count in every step: there is nothing to learn from."
    return None


def _fitted(name: str, data: Steps, **choices: object) -> Any:
    import pandas as pd

    n, n_steps = data.counts.shape
    frame = pd.DataFrame(
        {
            "place": np.repeat(np.arange(n), n_steps),
            # The library takes a start of 0 for never, so that steps are numbered from 1.
            "step": np.tile(np.arange(1, n_steps + 1), n),
            "events": data.counts.ravel(),
            "start": np.repeat(np.where(data.treated, data.first + 1, 0), n_steps),
        }
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import diff_diff

            return getattr(diff_diff, name)(**choices).fit(
                frame, outcome="events", unit="place", time="step", first_treat="start"
            )
    except (
        ValueError,
        RuntimeError,
        np.linalg.LinAlgError,
        KeyError,
        ZeroDivisionError,
    ) as trouble:
        return f"The estimator could not be fitted ({type(trouble).__name__})."


def _averaged(
    data: Steps,
    effect: float,
    error: float,
    cells: Mapping[tuple[int, int], float],
    steps: tuple[tuple[int, float, float], ...],
) -> Linear:
    used = [(group - 1, time - 1) for (group, time), one in cells.items() if math.isfinite(one)]
    if not used or not math.isfinite(effect):
        return refused_linear(
            "No treated step has both a counted step before its start and places to compare with."
        )
    places = {group: np.flatnonzero(data.first == group) for group, _ in used}
    total = sum(float(data.counts[places[group], time].sum()) for group, time in used)
    number = sum(len(places[group]) for group, _ in used)
    return Linear(
        effect=effect,
        error=error,
        observed=total / number,
        cells=number,
        treated_places=sum(len(rows) for rows in places.values()),
        comparison_places=int((~data.treated).sum()),
        by_step=steps,
    )


def _course(since: Any, effects: Any, errors: Any) -> tuple[tuple[int, float, float], ...]:
    return tuple(
        (int(k), float(effect), float(error))
        for k, effect, error in zip(since, effects, errors, strict=True)
    )
