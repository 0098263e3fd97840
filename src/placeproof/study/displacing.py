"""Whether events moved, by two methods side by side."""

import polars as pl

from placeproof.effects.displacement import displacement
from placeproof.study.estimating import bands_of, for_estimation, planned_outcomes
from placeproof.study.work import Work


def estimate_displacement(work: Work) -> None:
    """
    Estimate for each headline outcome what changed in the hot spots and in each ring.

    Parameters
    ----------
    work : Work
        The run; estimates are added.
    """
    names = work.headline_outcomes()
    if work.panel is None or not work.lock.outcomes_visible or not names:
        return
    counted = work.panel.filter(pl.col("outcome").is_in(names), hours="all")
    if counted.is_empty():
        return
    work.add(
        displacement(
            for_estimation(work, counted),
            outcomes={name: planned_outcomes(work)[name] for name in names},
            bands=bands_of(work),
            level=work.plan.level,
        )
    )
