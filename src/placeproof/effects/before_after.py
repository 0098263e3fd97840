"""Before against after in treated places alone: computed to be labelled, never called impact."""

import numpy as np

from placeproof.effects.grid import Grid

WHY_NOT_IMPACT = (
    "Before against after in the patrolled places alone is not impact: it holds everything else "
    "that changed at the same time (season, reopening, recording) and the return to the average of "
    "places chosen at their worst."
)


def before_after(table: Grid) -> float:
    """
    Divide the rate after the start by the rate before it, in treated places.

    Parameters
    ----------
    table : Grid
        Only places that are patrolled in some counted period are read.

    Returns
    -------
    float
        Not a number where one side has no count, or the time before has no event.
    """
    before, after = table.before & table.observed, table.after & table.observed
    treated = after.any(axis=1)
    early, late = before[treated], after[treated]
    counts = table.counts[treated]
    if not early.any() or not late.any() or counts[early].sum() == 0:
        return float("nan")
    return float(np.mean(counts[late]) / np.mean(counts[early]))
