"""From a study's panel to the trial that its recovery certificate is made of."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from placeproof.effects.certificate.calibrating import Calibration, calibrate
from placeproof.effects.certificate.judging import Trial
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.identified import why_not_identified

SPOTS = ("hotspot", "comparison")
NO_SPOTS = (
    "The panel has no counts of this outcome in hot spots and comparison places: only such "
    "studies can be invented."
)


@dataclass(frozen=True)
class Design:
    """What the certificate of one outcome may see: counts before the first patrols, and courses."""

    full: Grid
    """Every period; counts that a patrol anywhere can have touched are 0 and not to be read."""
    kept: Grid
    """The periods that the estimate uses, with the counts that it will find supplied."""
    usable: np.ndarray
    """(n, T of full) bool: counts to calibrate on."""
    sha256: str
    """Of everything that the calibration and the courses rest on."""


def design(
    panel: pl.DataFrame, kept: pl.DataFrame, *, outcome: str, masked_from: date | None
) -> Design | None:
    """
    Take from a panel what may be seen before the plan is locked, whether it is locked or not.

    Parameters
    ----------
    panel : table `panel`
        Every period. Not modified.
    kept : table `panel`
        The periods that the estimate uses. Not modified.
    outcome : str
        Id of the outcome.
    masked_from : datetime.date or None
        First day from which counts are masked and stand there as missing; None: none is.

    Returns
    -------
    Design or None
        None where the panel has no such counts. Counts from the month of the first patrols on are
        never read, so that a certificate made before the lock holds after it.
    """
    own = (pl.col("outcome") == outcome) & (pl.col("hours") == "all")
    full, used = (
        grid(checked(cells.filter(own)), outcome=outcome, hours="all", kinds=SPOTS)
        for cells in (panel, kept)
    )
    if full is None or used is None or full.places != used.places:
        return None
    starts = [day for day in full.cohorts if day is not None]
    first = min(starts).replace(day=1) if starts else date.max
    early = np.array([end < first for end in full.period_ends])
    usable = full.observed & full.before & early
    counts = np.where(usable, full.counts, 0.0)
    full = replace(full, counts=counts)
    columns = _columns(full, used)
    observed = used.observed
    if masked_from is not None:
        unseen = np.array([start >= masked_from for start in used.period_starts])
        observed = observed | (unseen & (used.before | used.after))
    used = replace(used, counts=counts[:, columns], observed=observed)
    return Design(full, used, usable, _digest(full, used, usable))


def trial(
    made: Design, *, level: float, permutations: int
) -> tuple[Trial | None, str, Calibration | None]:
    """
    Calibrate a trial.

    Parameters
    ----------
    made : Design
        Not modified.
    level : float
        Coverage that intervals claim.
    permutations : int
        Placebo permutations.

    Returns
    -------
    (Trial or None, str, Calibration or None)
        Without a trial the text says why nothing can be certified.
    """
    days = np.array([start.toordinal() for start in made.full.period_starts], dtype=float)
    ends = np.array([end.toordinal() for end in made.full.period_ends], dtype=float)
    calibration = calibrate(made.full.counts, made.usable, year=(days + ends) / 2 / 365.25)
    hurdle = calibration.refusal or why_not_identified(made.kept)
    if hurdle or calibration.likeness is None:
        return None, hurdle or "", calibration
    built = Trial(
        table=made.kept,
        columns=_columns(made.full, made.kept),
        reached=made.full.after,
        likeness=calibration.likeness,
        level=level,
        permutations=permutations,
    )
    return built, "", calibration


def _columns(full: Grid, used: Grid) -> np.ndarray:
    position = {start: k for k, start in enumerate(full.period_starts)}
    return np.array([position[start] for start in used.period_starts], dtype=int)


def _digest(full: Grid, used: Grid, usable: np.ndarray) -> str:
    told = [
        full.places,
        [str(day) for day in full.cohorts],
        full.patrolled.tolist(),
        [str(day) for day in full.period_starts],
        [str(day) for day in used.period_starts],
        usable.tolist(),
        full.counts[usable].tolist(),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
