"""The first set of effects, in the order in which a reader doubts them."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from placeproof.effects.before_after import WHY_NOT_IMPACT, before_after
from placeproof.effects.effect import Effect, effects, overall
from placeproof.effects.event_study import event_study
from placeproof.effects.grid import Grid, checked, grid, joined, ring_grids
from placeproof.effects.hours import hours_rows
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.imputation import placebo_log_ratios
from placeproof.effects.inference import placebo_p_value
from placeproof.effects.rows import (
    BEFORE_AFTER,
    DISPLACEMENT,
    IMPUTATION,
    PLACEBO,
    TWO_WAY,
    PlannedOutcome,
    Row,
    about,
    as_json,
    figures,
    interval,
    prevented_row,
    ratio_row,
    refused,
    rests_on,
)
from placeproof.effects.trend_rows import trend_rows
from placeproof.effects.two_way import two_way
from placeproof.effects.weighted_displacement import weighted_displacement
from placeproof.tables import estimate

HOT_SPOTS = "treated hot spots"
SPOTS = ("hotspot", "comparison")
AREAS = "areas with treated hot spots"
WITH_RINGS = "treated hot spots with their rings"


@dataclass(frozen=True)
class _Run:
    """What is the same for every estimate of one call."""

    panel: pl.DataFrame
    level: float
    permutations: int
    entropy: int
    widths: tuple[str, ...]
    leads: int
    nte: str | None
    bands: Mapping[str, str]


def first_set(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    level: float,
    permutations: int,
    rng: np.random.Generator,
    widths: tuple[str, ...],
    leads: int,
    nte: str | None,
    bands: Mapping[str, str],
) -> pl.DataFrame:
    """
    Estimate the effect of the patrols on each outcome by the headline method and those beside it.

    For each outcome, in treated hot spots (or areas, where the panel has only areas): the rate
    ratio and the events prevented by Poisson imputation, the placebo permutation, the
    trend-adjusted ratio and the slope before the start with its power, two-way Poisson, Weighted
    Displacement Difference, the event study, cohorts, rings, hot spots with their rings, before
    against after (labelled not impact); and core hours against other hours where both are counted.
    Negative controls get the ratio, its placebo permutation and its trend adjustment.

    Parameters
    ----------
    panel : table `panel`
        One length of period. Any order. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    level : float
        Coverage that intervals claim, between 0 and 1.
    permutations : int
        Placebo permutations; 0 leaves them out.
    rng : numpy.random.Generator
        One number is drawn from it; each outcome then has its own stream, so that leaving one out
        does not move the others.
    widths : tuple of str
        Steps of the event study: "week", "month", "quarter", "year".
    leads : int
        Steps before the start that the event study shows, at most.
    nte : str or None
        Id of the preset by which the panel's hours "nte" and "other" were split; None: no split.
    bands : mapping of str to str
        Place id of each ring to its band in words, such as "0-100 m". Rings not named there are
        taken together as "any distance".

    Returns
    -------
    table `estimate`
        One row per number, or per reason why there is none. For ratios `standard_error` is on the
        log scale, and `minimum_detectable_effect` is the largest ratio below 1 (the smallest
        reduction) found with 80 % power at two-sided 5 %: exp(−(t.975 + t.80) · error); its mirror
        image, the smallest rise, is in the diagnostics.

    Raises
    ------
    ContractError
        If the panel breaks its contract, repeats a cell or mixes periods of different length.
    ValueError
        If `level` is not between 0 and 1, or `permutations` or `leads` is negative.
    """
    if not 0 < level < 1 or permutations < 0 or leads < 0:
        raise ValueError("level lies between 0 and 1; permutations and leads are not negative")
    run = _Run(
        panel=checked(panel),
        level=level,
        permutations=permutations,
        entropy=int(rng.integers(2**63)),
        widths=widths,
        leads=leads,
        nte=nte,
        bands=bands,
    )
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        rows += _one_outcome(run, outcome, outcomes[outcome])
    return estimate.rows(rows)


def _one_outcome(run: _Run, outcome: str, planned: PlannedOutcome) -> list[Row]:
    spots = grid(run.panel, outcome=outcome, hours="all", kinds=SPOTS)
    areas = grid(run.panel, outcome=outcome, hours="all", kinds=("lsoa",))
    main, population = (areas, AREAS) if spots is None and areas is not None else (spots, HOT_SPOTS)
    rows = _population(run, outcome, planned, main, population, planned.role)
    if planned.role == "negative_control":
        return rows
    if spots is not None and areas is not None:
        rows += _population(run, outcome, planned, areas, AREAS, "robustness")
    if main is not None and main.observed.any():
        rows += _beside(run, outcome, planned, main, population)
    rows += _around(run, outcome, planned)
    return rows + _by_hours(run, outcome, planned, population)


def _population(
    run: _Run, outcome: str, planned: PlannedOutcome, table: Grid | None, where: str, role: str
) -> list[Row]:
    """Ratio, events prevented, placebo permutation, trend: the same for every kind of place."""
    base = {**about(planned, outcome, table, population=where, hours="all"), "role": role}
    other = "negative_control" if role == "negative_control" else "beside"
    head = {**base, "estimand": "rate_ratio", "method": IMPUTATION}
    missing = why_not_supplied(table)
    if missing or table is None:
        return [refused(head, missing or "", status="not_supplied")]
    hurdle = why_not_identified(table)
    if hurdle:
        return [refused(head, hurdle)]
    effect = overall(table, level=run.level)
    placebo = _placebo_row({**base, "role": "placebo"}, run, outcome, table, effect)
    rows = [ratio_row(base, effect, table, level=run.level)]
    if placebo:
        rows.append(placebo)
        rows[0]["diagnostics"] = figures(effect, table, placebo_p_value=placebo["p_value"])
    if other == "beside":
        rows.append(prevented_row({**base, "role": other}, effect, table, level=run.level))
    return rows + trend_rows({**base, "role": other}, effect, table, level=run.level)


def _placebo_row(base: Row, run: _Run, outcome: str, table: Grid, effect: Effect) -> Row | None:
    if not run.permutations or effect.refusal or not math.isfinite(effect.log_ratio):
        return None
    rng = _stream(run.entropy, outcome, str(base["population"]))
    placebos = placebo_log_ratios(table, permutations=run.permutations, rng=rng)
    p_value = placebo_p_value(effect.log_ratio, placebos)
    if not math.isfinite(p_value):
        return None
    usable = placebos[np.isfinite(placebos)]
    ends = np.quantile(usable, [0.025, 0.5, 0.975]) if len(usable) else np.full(3, np.nan)
    return {
        **base,
        **rests_on(table),
        "estimand": "rate_ratio",
        "method": PLACEBO,
        "estimate": math.exp(effect.log_ratio),
        "p_value": p_value,
        "diagnostics": as_json(
            {
                "permutations": run.permutations,
                "unusable_permutations": int(run.permutations - np.sum(~np.isnan(placebos))),
                "placebo_ratio_lower": float(np.exp(ends[0])),
                "placebo_ratio_median": float(np.exp(ends[1])),
                "placebo_ratio_upper": float(np.exp(ends[2])),
            }
        ),
    }


def _stream(entropy: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([entropy, *digest]))


def _beside(run: _Run, outcome: str, planned: PlannedOutcome, table: Grid, where: str) -> list[Row]:
    base = {**about(planned, outcome, table, population=where, hours="all"), "role": "beside"}
    rows = [_before_after_row(base, table)]
    if why_not_identified(table):
        return rows
    rows.append(_two_way_row({**base, "role": "robustness"}, table, level=run.level))
    rows += _cohort_rows(base, table, level=run.level)
    rows += _event_rows(run, base, table)
    if where == HOT_SPOTS:
        rows.append(_displacement_row({**base, "role": "robustness"}, run, outcome, table))
    return rows


def _before_after_row(base: Row, table: Grid) -> Row:
    base = {
        **base,
        "role": "not_impact",
        "estimand": "rate_ratio",
        "method": BEFORE_AFTER,
        "reason": WHY_NOT_IMPACT,
    }
    ratio = before_after(table)
    if not math.isfinite(ratio):
        why = "No event, or no count, in the treated places before patrols. " + WHY_NOT_IMPACT
        return refused(base, why)
    return {**base, **rests_on(table), "estimate": ratio}


def _two_way_row(base: Row, table: Grid, *, level: float) -> Row:
    base = {**base, "estimand": "rate_ratio", "method": TWO_WAY}
    made = two_way(table, level=level)
    if made.refusal:
        return refused(base, made.refusal)
    more = {"scale": "log", "clusters": made.places, "separated_place_periods": made.separated}
    return {
        **base,
        **rests_on(table),
        **interval(made.spread, level=level),
        "n": made.cells,
        "n_places": made.places,
        "estimate": math.exp(made.log_ratio),
        "diagnostics": as_json(more),
    }


def _cohort_rows(base: Row, table: Grid, *, level: float) -> list[Row]:
    treated = (table.after & table.observed).any(axis=1)
    days = sorted({day for day, yes in zip(table.cohorts, treated, strict=True) if yes and day})
    if len(days) < 2:
        return []
    member = np.array([[cohort == day for cohort in table.cohorts] for day in days])
    made = effects(table, parts=table.after[None] & member[:, :, None], level=level)
    return [
        ratio_row({**base, "subgroup": f"cohort={day}"}, one, table, level=level)
        for day, one in zip(days, made, strict=True)
    ]


def _event_rows(run: _Run, base: Row, table: Grid) -> list[Row]:
    rows = []
    for width in run.widths:
        for step in event_study(table, width=width, leads=run.leads, level=run.level):
            named = {**base, "estimand": "event_study_rate_ratio", "horizon": step.horizon}
            rows.append(ratio_row(named, step.effect, table, level=run.level))
    return rows


def _displacement_row(base: Row, run: _Run, outcome: str, table: Grid) -> Row:
    base = {
        **base,
        "estimand": "weighted_displacement_difference",
        "method": DISPLACEMENT,
        "unit": "events",
    }
    rings = [t for _, t in ring_grids(run.panel, outcome=outcome, bands=run.bands)]
    if rings:
        base["population"] = WITH_RINGS
    made = weighted_displacement(table, rings, level=run.level)
    if made.refusal:
        return refused(base, made.refusal)
    more = {
        "scale": "events",
        "poisson_standard_error": made.poisson_error,
        "overdispersion": made.overdispersion,
        "overdispersion_before": made.overdispersion_before,
        "overdispersion_comparison": made.overdispersion_comparison,
        "periods_before": made.periods_before,
        "periods_after": made.periods_after,
        "rings": bool(rings),
    }
    bare = "The overdispersion cannot be measured from so few places, so there is no interval."
    return {
        **base,
        **rests_on(table),
        **interval(made.spread, level=run.level, ratio=False),
        "window_start": table.period_starts[made.window[0]],
        "window_end": table.period_ends[made.window[1]],
        "n_places": len(table.places) + sum(len(ring.places) for ring in rings),
        "n_events": made.events,
        "estimate": made.difference,
        "reason": None if made.spread else bare,
        "diagnostics": as_json(more),
    }


def _around(run: _Run, outcome: str, planned: PlannedOutcome) -> list[Row]:
    rows: list[Row] = []
    for band, table in ring_grids(run.panel, outcome=outcome, bands=run.bands):
        rows += _population(run, outcome, planned, table, f"ring {band}", "beside")
    whole = joined(run.panel, outcome=outcome, hours="all")
    if whole is not None and whole.observed.any():
        rows += _population(run, outcome, planned, whole, WITH_RINGS, "beside")
    return rows


def _by_hours(run: _Run, outcome: str, planned: PlannedOutcome, where: str) -> list[Row]:
    if run.nte is None:
        return []
    kinds = ("lsoa",) if where == AREAS else SPOTS
    night, other = (
        grid(run.panel, outcome=outcome, hours=hours, kinds=kinds) for hours in ("nte", "other")
    )
    return hours_rows(
        night, other, outcome=outcome, planned=planned, population=where, nte=run.nte,
        level=run.level,
    )  # fmt: skip
