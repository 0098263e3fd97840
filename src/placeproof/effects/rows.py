"""Effects written as rows of table `estimate`."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from placeproof.effects.effect import Effect
from placeproof.effects.grid import Grid
from placeproof.effects.inference import Spread, detectable

Row = dict[str, object]

IMPUTATION = "poisson_imputation_jackknife"
PLACEBO = "poisson_imputation_placebo_permutation"
TREND_ADJUSTED = "poisson_imputation_trend_adjusted"
PRE_TREND = "pre_trend_slope_jackknife"
TWO_WAY = "poisson_two_way_fixed_effects"
DISPLACEMENT = "weighted_displacement_difference_quasi_poisson"
BEFORE_AFTER = "before_after"


@dataclass(frozen=True)
class PlannedOutcome:
    """What the plan says of one outcome."""

    question: str
    """RQ1, RQ2 or RQ3."""
    label: str
    """The outcome in words for a reader."""
    edition: str | None
    """Definition, edition and hash, as id@edition:hash."""
    role: str
    """headline, beside, robustness or negative_control."""
    feeds: str = "crime hotspot"
    """Canonical tables that the counts rest on, separated by blanks."""


def about(
    planned: PlannedOutcome, outcome: str, table: Grid | None, *, population: str, hours: str
) -> Row:
    """
    Start a row: what is described, before anything is estimated.

    Parameters
    ----------
    planned : PlannedOutcome
        What the plan says of the outcome.
    outcome : str
        Its id.
    table : Grid or None
        The counts, for the window.
    population : str
        Which places.
    hours : str
        Hours as estimates name them, such as nte:nte-core.

    Returns
    -------
    dict
        Columns of table `estimate`.
    """
    return {
        "question": planned.question,
        "outcome": outcome,
        "outcome_label": planned.label,
        "definition_edition": planned.edition,
        "population": population,
        "hours": hours,
        "window_start": table.period_starts[0] if table else None,
        "window_end": table.period_ends[-1] if table else None,
        "feeds": planned.feeds,
        "unit": "ratio",
    }


def as_json(figures: Mapping[str, object]) -> str:
    """
    Write further figures down.

    Parameters
    ----------
    figures : mapping
        Name to number, text or list; numbers that are not finite become null.

    Returns
    -------
    str
        A JSON object with sorted keys, numbers to ten digits.
    """
    return json.dumps({name: _plain(value) for name, value in figures.items()}, sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    return value


def refused(base: Row, reason: str, *, status: str = "not_identified") -> Row:
    """
    Make a row that says why there is no number.

    Parameters
    ----------
    base : dict
        Columns so far, estimand and method among them.
    reason : str
        Why, in plain words.
    status : str
        "not_identified" or "not_supplied".

    Returns
    -------
    dict
        Columns of table `estimate`.
    """
    return {**base, "status": status, "reason": reason, "estimate": None}


def interval(spread: Spread | None, *, level: float, ratio: bool = True) -> Row:
    """
    Give the columns of an interval.

    Parameters
    ----------
    spread : Spread or None
        On the log scale for ratios.
    level : float
        Coverage that the interval claims.
    ratio : bool
        Whether ends and minimum detectable effect are to be taken back from the log scale.

    Returns
    -------
    dict
        lower, upper, level, standard_error, p_value and minimum_detectable_effect, which is the
        reduction that is found with 80 % power; all null without an interval.
    """
    if spread is None:
        return {}
    least = -detectable(spread.standard_error, degrees=spread.degrees)
    back = math.exp if ratio else float
    try:
        ends = back(spread.lower), back(spread.upper)
    except OverflowError:
        return {}
    return {
        "lower": ends[0],
        "upper": ends[1],
        "level": level,
        "standard_error": spread.standard_error,
        "p_value": spread.p_value,
        "minimum_detectable_effect": back(least),
    }


def ratio_row(base: Row, effect: Effect, table: Grid, *, level: float) -> Row:
    """
    Write a rate ratio down.

    Parameters
    ----------
    base : dict
        Columns so far.
    effect : Effect
        From the imputation.
    table : Grid
        The counts it was made from.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    dict
        Columns of table `estimate`; status not_identified where the effect was refused.
    """
    base = {"estimand": "rate_ratio", "method": IMPUTATION, **base}
    if effect.refusal:
        return refused({**base, "diagnostics": figures(effect, table)}, effect.refusal)
    return {
        **base,
        **interval(effect.spread, level=level),
        **rests_on(table),
        "estimate": math.exp(effect.log_ratio),
        "reason": " ".join(effect.limits) or None,
        "diagnostics": figures(effect, table),
    }


def prevented_row(base: Row, effect: Effect, table: Grid, *, level: float) -> Row:
    """
    Write down how many events fewer than expected there were; negative: more than expected.

    The interval is that of the ratio, with the observed count held: imputed − observed =
    observed · (1/ratio − 1). So both hold "no effect", or neither does.

    Parameters
    ----------
    base : dict
        Columns so far.
    effect : Effect
        From the imputation.
    table : Grid
        The counts it was made from.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    dict
        Columns of table `estimate`.
    """
    base = {**base, "estimand": "events_prevented", "method": IMPUTATION, "unit": "events"}
    if effect.refusal:
        return refused({**base, "diagnostics": figures(effect, table)}, effect.refusal)
    ends: Row = {}
    if effect.spread is not None:
        error, degrees = effect.spread.standard_error, effect.spread.degrees
        ends = {
            "lower": effect.observed * math.expm1(-effect.spread.upper),
            "upper": effect.observed * math.expm1(-effect.spread.lower),
            "level": level,
            "standard_error": effect.imputed * error,
            "p_value": effect.spread.p_value,
            "minimum_detectable_effect": -effect.imputed
            * math.expm1(-detectable(error, degrees=degrees)),
        }
    return {
        **base,
        **ends,
        **rests_on(table),
        "estimate": effect.imputed - effect.observed,
        "reason": " ".join(effect.limits) or None,
        "diagnostics": figures(effect, table),
    }


def rests_on(table: Grid) -> Row:
    """
    Count what an estimate rests on.

    Parameters
    ----------
    table : Grid
        The counts.

    Returns
    -------
    dict
        n (place-periods with a count, partial ones left out), n_places, n_events.
    """
    used = table.observed & (table.before | table.after)
    return {
        "n": int(used.sum()),
        "n_places": len(table.places),
        "n_events": float(table.counts[used].sum()),
    }


def figures(effect: Effect, table: Grid, **more: object) -> str:
    """
    Write down what stands behind an effect.

    Parameters
    ----------
    effect : Effect
        From the imputation.
    table : Grid
        The counts it was made from.
    **more
        Further figures.

    Returns
    -------
    str
        JSON for the column `diagnostics`.
    """
    before = table.before & table.observed
    early = np.where(before, table.counts, 0.0)
    made: dict[str, object] = {
        "scale": "log",
        "observed_events": effect.observed,
        "imputed_events": effect.imputed,
        "treated_places": effect.treated_places,
        "comparison_places": int((~table.patrolled).sum()),
        "treated_place_periods": effect.cells,
        "treated_place_periods_left_out": effect.left_out_cells,
        "missing_place_periods": int((~table.observed).sum()),
        "partial_place_periods": int((table.observed & ~table.before & ~table.after).sum()),
        "places_without_untreated_events": int(
            (before.any(axis=1) & (early.sum(axis=1) == 0)).sum()
        ),
        "periods_without_untreated_events": int(
            (before.any(axis=0) & (early.sum(axis=0) == 0)).sum()
        ),
    }
    if effect.spread is not None:
        made["degrees_of_freedom"] = effect.spread.degrees
        made["minimum_detectable_rise"] = math.exp(
            min(700.0, detectable(effect.spread.standard_error, degrees=effect.spread.degrees))
        )
    return as_json({**made, **more})
