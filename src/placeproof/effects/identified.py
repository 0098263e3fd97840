"""Whether a panel can bear an effect at all, said plainly."""

import numpy as np

from placeproof.effects.grid import Grid


def why_not_supplied(table: Grid | None) -> str | None:
    """
    Say why there are no counts to work with.

    Parameters
    ----------
    table : Grid or None
        As `grid` returns it.

    Returns
    -------
    str or None
        None where there is at least one count.
    """
    if table is None:
        return "The panel has no counts of this outcome for these places and hours."
    if not table.observed.any():
        return "Every count of this outcome is missing in these places and hours."
    return None


def why_not_identified(table: Grid) -> str | None:
    """
    Say why no comparison of before and after, treated and untreated, can be made.

    Parameters
    ----------
    table : Grid
        With at least one count.

    Returns
    -------
    str or None
        None where nothing stands in the way as far as the course of patrols tells; counts of 0
        may still do so.
    """
    before, after = table.before & table.observed, table.after & table.observed
    treated = after.any(axis=1)
    if not treated.any():
        return "No place is patrolled in any period that has a count."
    if table.counts[table.observed].sum() == 0:
        return "No event was counted in any of the places: 0 against 0 says nothing."
    if not before[treated].any():
        return (
            "The counts begin at or after the first day of patrols in every treated place: there "
            "is no untreated period to compare with."
        )
    if not (before.any(axis=0) & after.any(axis=0)).any():
        return _no_comparison(table, treated)
    if table.counts[treated][before[treated]].sum() == 0:
        return (
            "No event was counted in the treated places before patrols: from only zeros before, "
            "nothing can be expected after."
        )
    return None


def _no_comparison(table: Grid, treated: np.ndarray) -> str:
    if not (~table.patrolled).any():
        return (
            f"There is no comparison place, and all {int(treated.sum())} treated places are "
            "patrolled whenever one of them is: what patrols did cannot be told from what "
            "happened everywhere."
        )
    return (
        "No untreated place has a count in any period with patrols: the comparison places and the "
        "treated places are not counted at the same time."
    )
