"""The robustness set: other estimators of the headline effects, as rows of table `estimate`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.robustness.calibrated import Calibrated, calibrated
from placeproof.effects.robustness.group_time import callaway_santanna, sun_abraham
from placeproof.effects.robustness.honest_rows import honest_rows
from placeproof.effects.robustness.linear import Linear, events_spread, log_spread
from placeproof.effects.robustness.steps import Steps, steps
from placeproof.effects.robustness.synthetic import synthetic
from placeproof.effects.rows import PlannedOutcome, Row, about, as_json, interval, refused, rests_on
from placeproof.tables import estimate

CALLAWAY_SANTANNA = "callaway_santanna"
SUN_ABRAHAM = "sun_abraham"
SYNTHETIC = "synthetic_did"
CALIBRATION = "bounded_calibration"
HONEST = "honest_did"
METHODS = (CALLAWAY_SANTANNA, SUN_ABRAHAM, SYNTHETIC, CALIBRATION, HONEST)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the plan says of the robustness set."""

    methods: tuple[str, ...]
    """Some of `METHODS`."""
    weeks_per_step: int
    """Length of the steps of all but the calibration."""
    comparison_of_cohorts: str
    """For Callaway–Sant'Anna: "never" or "not_yet"."""
    calibration_parts: int
    """Equal parts of the time before that calibrated weights match."""
    largest_weight: float
    """The most that a comparison place may weigh, as a multiple of the even weight."""
    honest_steps: int
    """Steps after the start over which HonestDiD averages."""
    honest_leads: int
    """Steps before the base step that it looks at, at most."""
    relative_magnitudes: tuple[float, ...]
    """Sizes of departure, as multiples of the largest before the start."""
    smoothness: tuple[float, ...]
    """Sizes of departure, as change of slope from step to step on the log scale."""


def robustness_set(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    choices: Choices,
    level: float,
) -> pl.DataFrame:
    """
    Estimate the effect in treated hot spots by every other estimator that the plan names.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    choices : Choices
        Estimators and what they need to be told.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Role robustness. For each estimator the rate ratio; for those that work in events also
        `events_changed_per_step`; for HonestDiD the ratio's interval at each size of departure
        (horizon "relative_magnitudes=0.5" or "smoothness=0.01") and the `breakdown_value`. Where
        an estimator cannot be used, the row says why.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        base = {
            **about(outcomes[outcome], outcome, table, population=HOT_SPOTS, hours="all"),
            "role": "robustness",
        }
        rows += _one_outcome(base, table, choices, level)
    return estimate.rows(rows)


def _one_outcome(base: Row, table: Grid | None, choices: Choices, level: float) -> list[Row]:
    missing = why_not_supplied(table)
    hurdle = missing or (why_not_identified(table) if table else None)
    if hurdle or table is None:
        status = "not_supplied" if missing else "not_identified"
        return [
            refused({**base, "estimand": "rate_ratio", "method": name}, hurdle or "", status=status)
            for name in choices.methods
        ]
    rows: list[Row] = []
    for name, make in _linear(choices).items():
        if name in choices.methods:
            data = steps(table, weeks=choices.weeks_per_step)
            rows += _linear_rows({**base, "method": name}, table, data, make(data), choices, level)
    if CALIBRATION in choices.methods:
        rows.append(_calibrated_row({**base, "method": CALIBRATION}, table, choices, level))
    if HONEST in choices.methods:
        rows += honest_rows(
            {**base, "method": HONEST},
            table,
            weeks=choices.weeks_per_step,
            lags=choices.honest_steps,
            most_leads=choices.honest_leads,
            relative=choices.relative_magnitudes,
            smooth=choices.smoothness,
            level=level,
        )
    return rows


def _linear(choices: Choices) -> dict[str, Callable[[Steps], Linear]]:
    def by_cohort(data: Steps) -> Linear:
        return callaway_santanna(data, controls=choices.comparison_of_cohorts)

    return {CALLAWAY_SANTANNA: by_cohort, SUN_ABRAHAM: sun_abraham, SYNTHETIC: synthetic}


def _linear_rows(
    base: Row, table: Grid, data: Steps, made: Linear, choices: Choices, level: float
) -> list[Row]:
    ratio: Row = {**base, "estimand": "rate_ratio"}
    events: Row = {
        **base,
        "estimand": "events_changed_per_step",
        "unit": f"events a place in {choices.weeks_per_step} weeks",
    }
    if made.refusal:
        return [refused(ratio, made.refusal)]
    more: dict[str, object] = {
        "weeks_per_step": choices.weeks_per_step,
        "steps": data.counts.shape[1],
        "steps_left_out": data.steps_left_out,
        "places_left_out": data.places_left_out,
        "treated_places": made.treated_places,
        "comparison_places": made.comparison_places,
        "treated_place_steps": made.cells,
        "observed_events_a_place_and_step": made.observed,
        "expected_events_a_place_and_step": made.expected,
        "degrees_of_freedom": made.degrees,
        **made.notes,
    }
    if base["method"] == CALLAWAY_SANTANNA:
        more["comparison_of_cohorts"] = choices.comparison_of_cohorts
    bare = _why_bare(made)
    resting = {**rests_on(table), "n": made.cells, "n_places": len(data.places)}
    events |= {
        **resting,
        **interval(events_spread(made, level=level), level=level, ratio=False),
        "estimate": made.effect,
        "reason": bare,
        "diagnostics": as_json({"scale": "events", **more}),
    }
    if made.expected <= 0 or made.observed <= 0:
        why = (
            "Less than no event was to be expected by this estimator, which works in events: no "
            "ratio can be formed."
            if made.expected <= 0
            else "No event was counted after the start: the ratio is 0."
        )
        return [refused(ratio, why), events]
    ratio |= {
        **resting,
        **interval(log_spread(made, level=level), level=level),
        "estimate": made.observed / made.expected,
        "reason": bare,
        "diagnostics": as_json({"scale": "log", **more}),
    }
    return [ratio, events]


def _why_bare(made: Linear) -> str | None:
    if made.degrees < 1:
        return "One treated place: there is no interval."
    if not math.isfinite(made.error) or made.error <= 0:
        return "Without some single place nothing can be estimated, so there is no interval."
    return None


def _calibrated_row(base: Row, table: Grid, choices: Choices, level: float) -> Row:
    made: Calibrated = calibrated(
        table, parts=choices.calibration_parts, most=choices.largest_weight, level=level
    )
    ratio: Row = {**base, "estimand": "rate_ratio"}
    if made.refusal:
        return refused(ratio, made.refusal)
    said = list(made.limits)
    if made.unmet:
        total = made.notes["totals_to_meet"]
        said.insert(
            0,
            f"{len(made.unmet)} of {total} totals are not met by weights within bounds: "
            + "; ".join(made.unmet)
            + ".",
        )
    return {
        **ratio,
        **rests_on(table),
        **interval(made.spread, level=level),
        "n_places": made.treated_places + made.comparison_places,
        "estimate": float(np.exp(made.log_ratio)),
        "reason": " ".join(said) or None,
        "diagnostics": as_json(
            {
                "scale": "log",
                "observed_events": made.observed,
                "expected_events": made.expected,
                "treated_places": made.treated_places,
                "comparison_places": made.comparison_places,
                "degrees_of_freedom": made.treated_places - 1,
                "totals_missed": list(made.unmet),
                **made.notes,
            }
        ),
    }
