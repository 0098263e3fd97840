"""Whether events moved: hot spots, each ring and both together, by two methods side by side."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from placeproof.effects.effect import Effect, overall
from placeproof.effects.first_set import HOT_SPOTS, SPOTS, WITH_RINGS
from placeproof.effects.grid import Grid, checked, grid, only, ring_grids, rings_together
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.inference import spread
from placeproof.effects.rows import (
    DISPLACEMENT,
    IMPUTATION,
    PlannedOutcome,
    Row,
    about,
    as_json,
    interval,
    refused,
    rests_on,
)
from placeproof.effects.weighted_displacement import Displacement, weighted_displacement
from placeproof.tables import estimate

AROUND = "rings around treated hot spots"
QUOTIENT = "weighted_displacement_quotient"
RELATIVE = "relative_incident_rate_quasi_poisson"


@dataclass(frozen=True)
class Share:
    """What share of the events prevented inside was added around."""

    share: float
    lower: float
    upper: float
    prevented: float
    """Events fewer than expected inside."""
    added: float
    """Events more than expected around; negative: fewer."""
    refusal: str | None = None


def displacement(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    bands: Mapping[str, str],
    level: float,
) -> pl.DataFrame:
    """
    Say for hot spots, each ring and all together how many events fewer or more there were.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on, rings among them. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    bands : mapping of str to str
        Place id of each ring to its band in words, such as "0-100 m".
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Role robustness, beside what `first_set` estimates by imputation for the same places:
        `weighted_displacement_difference` of the hot spots alone and of each ring;
        `displaced_share`, the events added around for each event prevented inside, by imputation;
        `weighted_displacement_quotient`; and `log_relative_incident_rate_ratio` of the hot spots,
        and of the rings together, for pooling with other studies.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
        if table is None or why_not_supplied(table) or why_not_identified(table):
            continue
        base = {
            **about(outcomes[outcome], outcome, table, population=HOT_SPOTS, hours="all"),
            "role": "robustness",
        }
        rings = ring_grids(whole, outcome=outcome, bands=bands)
        inside = weighted_displacement(table, [], level=level)
        rows.append(_difference_row(base, inside, table, level=level))
        rows.append(_relative_row(base, inside, table, level=level))
        for band, ring in rings:
            made = weighted_displacement(ring, [], level=level)
            rows.append(
                _difference_row({**base, "population": f"ring {band}"}, made, ring, level=level)
            )
        around = rings_together(whole, outcome=outcome, hours="all")
        if around is None or not rings:
            continue
        beside = weighted_displacement(around, [], level=level)
        rows.append(_relative_row({**base, "population": AROUND}, beside, around, level=level))
        rows.append(_share_row({**base, "population": WITH_RINGS}, table, around, level=level))
        rows.append(_quotient_row({**base, "population": WITH_RINGS}, inside, beside, table))
    return estimate.rows(rows)


def _difference_row(base: Row, made: Displacement, table: Grid, *, level: float) -> Row:
    named = {
        **base,
        "estimand": "weighted_displacement_difference",
        "method": DISPLACEMENT,
        "horizon": "part",
        "unit": "events",
    }
    if made.refusal:
        return refused(named, made.refusal)
    more = {
        "scale": "events",
        "poisson_standard_error": made.poisson_error,
        "overdispersion": made.overdispersion,
        "periods_before": made.periods_before,
        "periods_after": made.periods_after,
    }
    return {
        **named,
        **rests_on(table),
        **interval(made.spread, level=level, ratio=False),
        "window_start": table.period_starts[made.window[0]],
        "window_end": table.period_ends[made.window[1]],
        "n_events": made.events,
        "estimate": made.difference,
        "reason": None if made.spread else _BARE,
        "diagnostics": as_json(more),
    }


_BARE = "The overdispersion cannot be measured from so few places, so there is no interval."


def log_relative_rate(counts: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """
    Compute the log of the relative incident rate ratio and its Poisson variance.

    Parameters
    ----------
    counts : mapping of str to (float, float)
        Events before and after in "treated" and "comparison".

    Returns
    -------
    (float, float)
        Log of (treated after/before) over (comparison after/before), below 0 where events fell,
        and the sum of the inverse counts; not a number where a count is 0.

    Sources
    -------
    A. P. Wheeler, blog of 18 March 2021 on the statistic of D. B. Wilson (2021, Journal of
    Quantitative Criminology): the statistic and the worked example 50, 30, 60, 55.
    """
    (a, b), (c, d) = counts["treated"], counts["comparison"]
    if min(a, b, c, d) <= 0:
        return float("nan"), float("nan")
    return math.log(b / a) - math.log(d / c), 1 / a + 1 / b + 1 / c + 1 / d


def _relative_row(base: Row, made: Displacement, table: Grid, *, level: float) -> Row:
    named = {
        **base,
        "estimand": "log_relative_incident_rate_ratio",
        "method": RELATIVE,
        "unit": "log ratio",
    }
    if made.refusal:
        return refused(named, made.refusal)
    value, variance = log_relative_rate(made.counts)
    if not math.isfinite(value):
        return refused(named, "A side has no event before or after: no ratio can be formed.")
    error = math.sqrt(variance * made.overdispersion)
    own = None
    if made.spread is not None:
        own = spread(value, error, degrees=made.spread.degrees, level=level)
    more = {
        "scale": "log",
        "poisson_standard_error": math.sqrt(variance),
        "overdispersion": made.overdispersion,
        "events": [*made.counts["treated"], *made.counts["comparison"]],
        "order": "treated before, treated after, comparison before, comparison after",
    }
    return {
        **named,
        **rests_on(table),
        **interval(own, level=level, ratio=False),
        "minimum_detectable_effect": None,
        "window_start": table.period_starts[made.window[0]],
        "window_end": table.period_ends[made.window[1]],
        "n_events": made.events,
        "estimate": value,
        "reason": None if own else _BARE,
        "diagnostics": as_json(more),
    }


def displaced_share(table: Grid, around: Grid, *, level: float) -> Share:
    """
    Estimate what share of the events prevented inside was added around.

    Each hot spot and comparison place is left out together with its rings; the interval is
    Fieller's, because a quotient has none of its own that holds where the lower part is small.

    Parameters
    ----------
    table : Grid
        Hot spots and comparison places.
    around : Grid
        Their rings, as `rings_together` lays them out.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Share
        Negative where there were fewer events around as well (diffusion of benefit); with
        `refusal` where no fall inside can be told from none.
    """
    both = sorted(set(table.places) & set(around.places))
    inside, outside = (
        overall(only(one, np.isin(np.array(one.places), both)), level=level)
        for one in (table, around)
    )
    why = inside.refusal or outside.refusal
    if why or inside.spread is None or outside.spread is None:
        return _no_share(why or " ".join([*inside.limits, *outside.limits]))
    prevented, added = _prevented(inside), -_prevented(outside)
    prevented_r = inside.observed * np.expm1(-inside.replicates)
    added_r = -outside.observed * np.expm1(-outside.replicates)
    n = len(prevented_r)
    away = np.stack([prevented_r - prevented, added_r - added])
    variance = (n - 1) / n * away @ away.T
    degrees = min(inside.spread.degrees, outside.spread.degrees)
    reach = float(stats.t.ppf(0.5 + level / 2, degrees)) ** 2
    square = prevented**2 - reach * variance[0, 0]
    if prevented <= 0 or square <= 0:
        return _no_share(
            "Inside there were not clearly fewer events than expected, so there is nothing of "
            "which a share could have moved."
        )
    mixed = prevented * added - reach * variance[0, 1]
    last = added**2 - reach * variance[1, 1]
    width = math.sqrt(max(0.0, mixed**2 - square * last))
    return Share(
        share=added / prevented,
        lower=(mixed - width) / square,
        upper=(mixed + width) / square,
        prevented=prevented,
        added=added,
    )


def _prevented(effect: Effect) -> float:
    return effect.observed * math.expm1(-effect.log_ratio)


def _no_share(why: str) -> Share:
    nothing = float("nan")
    return Share(nothing, nothing, nothing, nothing, nothing, why)


def _share_row(base: Row, table: Grid, around: Grid, *, level: float) -> Row:
    named = {**base, "estimand": "displaced_share", "method": IMPUTATION, "unit": "share"}
    made = displaced_share(table, around, level=level)
    if made.refusal:
        return refused(named, made.refusal)
    more = {"events_prevented_inside": made.prevented, "events_added_around": made.added}
    return {
        **named,
        **rests_on(table),
        "estimate": made.share,
        "lower": made.lower,
        "upper": made.upper,
        "level": level,
        "diagnostics": as_json(more),
    }


def _quotient_row(base: Row, inside: Displacement, beside: Displacement, table: Grid) -> Row:
    named = {**base, "estimand": QUOTIENT, "method": QUOTIENT, "unit": "quotient"}
    why = inside.refusal or beside.refusal
    if why:
        return refused(named, why)
    value = quotient(inside.counts, beside.counts["treated"])
    if not math.isfinite(value):
        return refused(
            named,
            "Against the comparison places nothing changed inside, or they had no event: no "
            "quotient can be formed.",
        )
    reason = (
        "A description without an interval, shown because readers expect it; the displaced share "
        "by imputation, with its interval, is what counts."
    )
    return {**named, **rests_on(table), "estimate": value, "reason": reason}


def quotient(counts: Mapping[str, tuple[float, float]], buffer: tuple[float, float]) -> float:
    """
    Compute the Weighted Displacement Quotient.

    Parameters
    ----------
    counts : mapping of str to (float, float)
        Events before and after in "treated" and "comparison".
    buffer : (float, float)
        Events before and after around the treated places.

    Returns
    -------
    float
        Change around over change inside, both as parts of the comparison places: below 0 events
        moved outwards, above 0 the effect spread outwards. Not a number where it is not defined.
    """
    (a0, a1), (c0, c1) = counts["treated"], counts["comparison"]
    if c0 <= 0 or c1 <= 0:
        return float("nan")
    below = a1 / c1 - a0 / c0
    return (buffer[1] / c1 - buffer[0] / c0) / below if below else float("nan")
