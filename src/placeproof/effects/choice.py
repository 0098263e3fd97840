"""How much the choice of comparison places moves the headline, by sets, placebos and omissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from placeproof.effects.effect import overall
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.forged import (
    OVER_SETS,
    SetCounts,
    pretended_log_ratios,
    set_log_ratios,
    set_rows,
    spread_rows,
)
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.pretended import one_left_out_rows, space_rows, time_rows
from placeproof.effects.rows import PlannedOutcome, Row, about, refused
from placeproof.tables import estimate


@dataclass(frozen=True)
class Sets:
    """Events of one outcome in the places of many sets, and in those that play hot spots."""

    names: tuple[str, ...]
    """S names, such as tessellated=7."""
    periods: tuple[date, ...]
    """T first days."""
    events: np.ndarray
    """(S, T) in the comparison places of each set together."""
    places: np.ndarray
    """(S,) how many these are."""
    hot_spots: tuple[str, ...]
    """H ids."""
    pretended: np.ndarray
    """(S, H, T) in the place without patrols that plays the part of each hot spot."""
    beside: np.ndarray
    """(S, T) in the other places of the matching that gave those."""
    beside_places: np.ndarray
    """(S,) how many places both are."""


def choice_of_comparison(
    panel: pl.DataFrame,
    *,
    outcome: str,
    planned: PlannedOutcome,
    sets: Sets,
    wanted: int,
    earlier: Sequence[int],
    level: float,
) -> pl.DataFrame:
    """
    Show how much the headline of one outcome hangs on its comparison places.

    Parameters
    ----------
    panel : table `panel`
        The rows that the headline rests on. Not modified.
    outcome : str
        Its id.
    planned : PlannedOutcome
        What the plan says of it.
    sets : Sets
        Events in the places of many matched sets.
    wanted : int
        Sets that the plan asked for.
    earlier : sequence of int
        By how many periods patrols are pretended to have begun earlier.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        For treated hot spots at all hours: the estimate under each set and its spread over sets
        (`spread_rows`), placebos in space and time, and the headline without each place in turn.
        One row says why there is nothing where the panel bears no estimate.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    table = grid(whole, outcome=outcome, hours="all", kinds=SPOTS)
    base = about(planned, outcome, table, population=HOT_SPOTS, hours="all")
    hot_spots = grid(whole, outcome=outcome, hours="all", kinds=("hotspot",))
    why = why_not_supplied(hot_spots) or _no_course(hot_spots)
    if why or hot_spots is None or table is None:
        head = base | {"estimand": "median_rate_ratio", "method": OVER_SETS, "role": "robustness"}
        return estimate.rows([refused(head, str(why))])
    rows: list[Row] = []
    headline, error = None, None
    if not why_not_identified(table):
        effect = overall(table, level=level)
        rows += one_left_out_rows(base, effect, table)
        rows += time_rows(base, table, earlier=earlier, level=level)
        headline = None if effect.refusal else effect.log_ratio
        error = effect.spread.standard_error if effect.spread else None
    rows += _of_sets(base, hot_spots, sets, headline, error, wanted)
    return estimate.rows(rows)


def _no_course(hot_spots: Grid | None) -> str | None:
    """Why no set can help: its places have the counts that comparison places need, if any do."""
    if hot_spots is None:
        return None
    before, after = (part & hot_spots.observed for part in (hot_spots.before, hot_spots.after))
    treated = after.any(axis=1)
    if not treated.any():
        return "No place is patrolled in any period that has a count."
    if not before[treated].any():
        return (
            "The counts begin at or after the first day of patrols in every treated place: there "
            "is no untreated period to compare with."
        )
    return None


def _of_sets(
    base: Row,
    hot_spots: Grid,
    sets: Sets,
    headline: float | None,
    error: float | None,
    wanted: int,
) -> list[Row]:
    column = [sets.periods.index(day) for day in hot_spots.period_starts]
    one = SetCounts(sets.names, sets.events[:, column], sets.places)
    made = set_log_ratios(hot_spots, one.events)
    rows = set_rows(base, one, made)
    rows += spread_rows(base, one, made, headline=headline, headline_error=error, wanted=wanted)
    order = [sets.hot_spots.index(p) if p in sets.hot_spots else -1 for p in hot_spots.places]
    # The last row is empty: a hot spot that no set knows has nobody to play its part.
    padded = np.concatenate([sets.pretended, np.zeros_like(sets.pretended[:, :1])], axis=1)
    pretended = padded[:, order][:, :, column]
    beside = sets.beside[:, column]
    other = SetCounts(sets.names, pretended.sum(axis=1) + beside, sets.beside_places)
    placebos = pretended_log_ratios(hot_spots, pretended, beside)
    return rows + space_rows(base, other, placebos, headline=headline)
