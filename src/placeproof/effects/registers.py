"""What the registers say was done beside patrols, as terms of the model and as sensitivity."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from placeproof.effects.effect import Effect, effects
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.inference import jackknife
from placeproof.effects.rivals import PATROLS, Rival, Term, active, cells, joint
from placeproof.effects.rows import (
    IMPUTATION,
    PlannedOutcome,
    Row,
    about,
    as_json,
    interval,
    ratio_row,
    refused,
    rests_on,
)
from placeproof.effects.two_way import two_way_with
from placeproof.tables import estimate

JOINT = "poisson_imputation_joint"
TWO_WAY_JOINT = "poisson_two_way_joint"


def beside_rivals(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    rivals: Sequence[Rival],
    apart_days: int,
    level: float,
    hours: str = "all",
    hours_label: str = "all",
) -> pl.DataFrame:
    """
    Estimate patrols and rivals together, each with its own factor, in two ways.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    rivals : sequence of Rival
        What else was at work.
    apart_days : int
        The least number of days by which patrols and a rival must differ in a place for it to tell
        the two apart.
    level : float
        Coverage that intervals claim, between 0 and 1.
    hours : str
        Which hours of the panel: "all", "nte" or "other".
    hours_label : str
        What estimates call these hours.

    Returns
    -------
    table `estimate`
        Role robustness. For patrols `rate_ratio` with the horizon "term=patrols"; for each rival
        `rival_rate_ratio` with "term=" and its identifier; by Poisson imputation and, for all
        hours, by two-way Poisson. For each rival also `ratio_of_rate_ratios`: patrols with the
        rival over patrols before or after it, in the places that had both, each place against its
        own expectation.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(whole, outcome=outcome, hours=hours, kinds=SPOTS)
        planned = outcomes[outcome]
        base = {
            **about(planned, outcome, table, population=HOT_SPOTS, hours=hours_label),
            "role": "robustness",
            "feeds": _feeds(planned.feeds, rivals),
        }
        why = why_not_supplied(table) or (why_not_identified(table) if table else None)
        if why or table is None:
            rows += [_refused(base, JOINT, name, why or "") for name in _names(rivals)]
            continue
        rows += _together(base, table, rivals, apart_days=apart_days, level=level)
        rows += [
            row
            for rival in rivals
            for row in _same_places(base, table, rival, rivals, apart_days, level=level)
        ]
    return estimate.rows(rows)


def _feeds(feeds: str, rivals: Sequence[Rival]) -> str:
    named = [feeds, *(rival.feeds for rival in rivals)]
    return " ".join(dict.fromkeys(" ".join(named).split()))


def _names(rivals: Sequence[Rival]) -> list[tuple[str, str]]:
    return [(PATROLS, HOT_SPOTS), *((rival.rival, _where(rival)) for rival in rivals)]


def _where(rival: Rival) -> str:
    return f"places with {rival.name}"


def _named(base: Row, method: str, name: tuple[str, str]) -> Row:
    estimand = "rate_ratio" if name[0] == PATROLS else "rival_rate_ratio"
    return {
        **base,
        "population": name[1],
        "horizon": f"term={name[0]}",
        "estimand": estimand,
        "method": method,
    }


def _refused(base: Row, method: str, name: tuple[str, str], why: str) -> Row:
    return refused(_named(base, method, name), why)


def _together(
    base: Row, table: Grid, rivals: Sequence[Rival], *, apart_days: int, level: float
) -> list[Row]:
    terms = joint(table, rivals, apart_days=apart_days, level=level)
    use = cells(table, rivals, apart_days=apart_days)
    names = _names(rivals)
    told = [k for k, term in enumerate(terms) if term.refusal is None]
    masks = {names[k][0]: use.design[:, :, k] for k in told}
    whole_day = base["hours"] == "all"
    beside = (
        two_way_with(table, masks, used=use.usable, level=level) if whole_day and 0 in told else {}
    )
    rows = []
    for k, term in enumerate(terms):
        rows.append(_term_row(_named(base, JOINT, names[k]), term, table, level=level))
        other = beside.get(names[k][0])
        if other is None:
            continue
        named = _named(base, TWO_WAY_JOINT, names[k])
        if other.refusal:
            rows.append(refused(named, other.refusal))
            continue
        rows.append(
            {
                **named,
                **interval(other.spread, level=level),
                **rests_on(table),
                "n": other.cells,
                "n_places": other.places,
                "estimate": math.exp(other.log_ratio),
                "diagnostics": as_json({"scale": "log", "clusters": other.places}),
            }
        )
    return rows


def _term_row(base: Row, term: Term, table: Grid, *, level: float) -> Row:
    more = {
        "scale": "log",
        "places_that_tell": term.places,
        "place_periods_with_it": term.cells,
        "places_that_coincide": term.coinciding,
    }
    if term.refusal:
        return refused({**base, "diagnostics": as_json(more)}, term.refusal)
    return {
        **base,
        **interval(term.spread, level=level),
        **rests_on(table),
        "estimate": math.exp(term.log_ratio),
        "reason": " ".join(term.limits) or None,
        "diagnostics": as_json(more),
    }


def _same_places(
    base: Row,
    table: Grid,
    rival: Rival,
    rivals: Sequence[Rival],
    apart_days: int,
    *,
    level: float,
) -> list[Row]:
    """Patrols with the rival over patrols without it, in the places that had both."""
    named = {
        **base,
        "population": _where(rival),
        "horizon": f"term={rival.rival}",
        "estimand": "ratio_of_rate_ratios",
        "method": IMPUTATION,
    }
    use = cells(table, [rival], apart_days=apart_days)
    others = [active(table, other).touched for other in rivals if other is not rival]
    alone = use.usable & ~np.logical_or.reduce([np.zeros_like(use.usable), *others])
    patrols, mine = use.design[:, :, 0] & alone, use.design[:, :, 1] & alone
    both = use.telling[0] & (patrols & mine).any(axis=1) & (patrols & ~mine).any(axis=1)
    if not both.any():
        return []
    inside = both[:, None]
    parts = np.stack([patrols & mine & inside, patrols & ~mine & inside])
    with_it, without = effects(
        table, parts=parts, before=table.before & ~use.design[:, :, 1] & alone,
        apart=np.hstack([use.design[:, :, 1], alone, both[:, None]]), level=level,
    )  # fmt: skip
    return [_quotient(named, with_it, without, table, level=level)]


def everywhere_at_once(
    panel: pl.DataFrame, *, outcomes: Mapping[str, PlannedOutcome], rivals: Sequence[Rival]
) -> pl.DataFrame:
    """
    Say of rivals that are tied to no place that they cannot be told from the time.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    rivals : sequence of Rival
        What was at work in the whole study area.

    Returns
    -------
    table `estimate`
        One row without a number for each outcome and rival.
    """
    why = (
        "It worked in the whole study area at once: what it did cannot be told from what changed "
        "with time, and the comparison places felt it as the hot spots did, or the headline holds "
        "the difference."
    )
    rows: list[Row] = []
    for outcome in sorted(outcomes):
        table = grid(panel, outcome=outcome, hours="all", kinds=SPOTS)
        base = {
            **about(outcomes[outcome], outcome, table, population=HOT_SPOTS, hours="all"),
            "role": "robustness",
        }
        for rival in rivals:
            named = {**base, "feeds": _feeds(outcomes[outcome].feeds, [rival])}
            rows.append(_refused(named, JOINT, (rival.rival, _where(rival)), why))
    return estimate.rows(rows)


def before_and_since(
    panel: pl.DataFrame,
    *,
    outcomes: Mapping[str, PlannedOutcome],
    changes: Mapping[str, date],
    level: float,
) -> pl.DataFrame:
    """
    Estimate patrols before and since a lasting change, such as of recording.

    A change that moves every place alike is taken up by the periods; one that moves patrolled
    places otherwise shows as a difference between the two.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcomes : mapping of str to PlannedOutcome
        By the outcome's id in the panel.
    changes : mapping of str to date
        Identifier and first day; a period that holds it is on neither side.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Role robustness: `rate_ratio` with the horizons "until=ID" and "since=ID", and
        `ratio_of_rate_ratios` "since=ID" of the second over the first. Nothing of changes with
        patrols on one side only.
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
        first = np.array(table.period_starts, dtype="datetime64[D]")
        last = np.array(table.period_ends, dtype="datetime64[D]")
        for name, day in sorted(changes.items()):
            sides = [table.after & (last < np.datetime64(day)),
                     table.after & (first >= np.datetime64(day))]  # fmt: skip
            if all((side & table.observed).any() for side in sides):
                rows += _two_sides(base, name, table, np.stack(sides), level=level)
    return estimate.rows(rows)


def _two_sides(base: Row, name: str, table: Grid, sides: np.ndarray, *, level: float) -> list[Row]:
    until, since = effects(table, parts=sides, level=level)
    rows = [
        ratio_row({**base, "horizon": f"until={name}"}, until, table, level=level),
        ratio_row({**base, "horizon": f"since={name}"}, since, table, level=level),
    ]
    named = {
        **base,
        "horizon": f"since={name}",
        "estimand": "ratio_of_rate_ratios",
        "method": IMPUTATION,
    }
    return [*rows, _quotient(named, since, until, table, level=level)]


def _quotient(base: Row, above: Effect, below: Effect, table: Grid, *, level: float) -> Row:
    """One rate ratio over another from the same places, each left out of both at once."""
    why = above.refusal or below.refusal
    if why:
        return refused(base, why)
    ratio = above.log_ratio - below.log_ratio
    if not math.isfinite(ratio):
        return refused(base, "No event was counted on one side: no ratio can be formed.")
    spread = None
    if above.spread is not None and below.spread is not None:
        degrees = min(above.spread.degrees, below.spread.degrees)
        replicates = above.replicates - below.replicates
        spread = jackknife(ratio, replicates, degrees=degrees, level=level)
    return {
        **base,
        **interval(spread, level=level),
        **rests_on(table),
        "n_places": min(above.treated_places, below.treated_places),
        "estimate": math.exp(ratio),
        "reason": " ".join(dict.fromkeys([*above.limits, *below.limits])) or None,
        "diagnostics": as_json({"scale": "log"}),
    }


def contaminated(panel: pl.DataFrame, rivals: Sequence[Rival]) -> pl.DataFrame:
    """
    List the place-periods in which any of some rivals was at work on at least one day.

    Parameters
    ----------
    panel : table `panel`
        Any outcome and hours. Not modified.
    rivals : sequence of Rival
        What else was at work.

    Returns
    -------
    DataFrame
        `place_id` and `period_start`, each pair once, sorted.
    """
    spells = pl.DataFrame(
        [
            {"place_id": place, "starts_on": start, "ends_on": end or date.max}
            for rival in rivals
            for place, start, end in rival.spells
        ],
        schema={"place_id": pl.String, "starts_on": pl.Date, "ends_on": pl.Date},
    )
    cells_of = panel.select("place_id", "period_start", "period_end").unique()
    touched = cells_of.join(spells, on="place_id").filter(
        (pl.col("period_end") >= pl.col("starts_on"))
        & (pl.col("period_start") <= pl.col("ends_on"))
    )
    return touched.select("place_id", "period_start").unique().sort("place_id", "period_start")
