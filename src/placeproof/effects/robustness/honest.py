"""How far trends may part before an effect is no longer seen: Rambachan and Roth, by moderndid."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from placeproof.effects.effect import Effect, effects
from placeproof.effects.grid import NEVER, Grid
from placeproof.effects.robustness.steps import LEAST_SHARE, periods_in_a_step

TO_INSTALL = (
    "HonestDiD is not installed; it comes with the extra `robustness`: "
    "pip install 'placeproof[robustness]'."
)

GRID_POINTS = 1000

LEAST_LAGS = 2
"""The library cannot bound a single step after the start."""


@dataclass(frozen=True)
class Course:
    """The event study that the bounds start from: log ratios against the step before the start."""

    steps: tuple[int, ...]
    """Steps since the start, without −1, which is the base: such as −3, −2, 0, 1."""
    log_ratios: np.ndarray
    """(k,)"""
    covariance: np.ndarray
    """(k, k) jackknife over places, widened by (t / z)² for t(treated − 1)."""
    treated_places: int
    refusal: str | None = None

    @property
    def leads(self) -> int:
        """How many steps lie before the base."""
        return sum(step < 0 for step in self.steps)

    @property
    def lags(self) -> int:
        """How many steps lie after the start."""
        return len(self.steps) - self.leads


@dataclass(frozen=True)
class Bound:
    """The interval of the mean log ratio after the start, where trends may part by `size`."""

    size: float
    estimate: float
    """The mean itself; for smoothness, the mean less the trend that the leads foretell."""
    lower: float
    upper: float

    @property
    def holds_no_effect(self) -> bool:
        """Whether no effect lies in the interval, or the interval has no end."""
        return not math.isfinite(self.lower + self.upper) or self.lower <= 0 <= self.upper


def course(table: Grid, *, weeks: int, lags: int, most_leads: int, level: float) -> Course:
    """
    Make an event study in which the time before the start is treated as the time after it.

    Every step is imputed from the step before the start and from the places never patrolled, in the
    same way on both sides, because the bounds compare the two. Only places whose base step is
    counted in a third of its periods take part; steps before the base are used as far as they
    follow each other without a gap.

    Parameters
    ----------
    table : Grid
        Not modified.
    weeks : int
        Length of a step.
    lags : int
        Steps from the start on over which the effect is averaged.
    most_leads : int
        Steps before the base, at most.
    level : float
        Coverage of the intervals made from it.

    Returns
    -------
    Course
        With `refusal` where the bounds have nothing to start from.
    """
    width = periods_in_a_step(table.period_kind, weeks=weeks)
    timed = table.event_time != NEVER
    step = np.where(timed, np.floor_divide(np.where(timed, table.event_time, 0), width), NEVER)
    usable = table.observed & (table.before | table.after)
    base = usable & (step == -1) & table.before
    based = base.sum(axis=1) >= LEAST_SHARE * width
    if not (~table.patrolled).any():
        return _refused("There is no comparison place that is never patrolled.")
    if not based.any():
        return _refused(
            "The step before the start is not counted, or not part of the baseline, in any treated "
            "place: the bounds have no base."
        )
    treated = int((based & table.patrolled).sum())
    if treated < 2:
        return _refused("One treated place has a base: leaving places out gives no covariance.")
    never = ~table.patrolled[:, None] & usable
    wanted = [*range(-1 - most_leads, -1), *range(lags)]
    parts = np.stack([usable & based[:, None] & timed & (step == k) for k in wanted])
    made = effects(table, parts=parts, before=never | (base & based[:, None]), level=level)
    good = {
        k: one
        for k, one in zip(wanted, made, strict=True)
        if one.refusal is None
        and math.isfinite(one.log_ratio)
        and np.isfinite(one.replicates).all()
    }
    after = _unbroken(range(lags), good)
    before = _unbroken(range(-2, -2 - most_leads, -1), good)[::-1]
    if len(after) < LEAST_LAGS or not before:
        side = "before the base" if not before else "after the start"
        few = "no step" if not before else "fewer than two steps"
        return _refused(f"There is {few} {side} that can be estimated, also without each place.")
    steps = [*before, *after]
    replicates = np.stack([good[k].replicates for k in steps])
    values = np.array([good[k].log_ratio for k in steps])
    return Course(tuple(steps), values, _covariance(values, replicates, treated, level), treated)


def _refused(reason: str) -> Course:
    return Course((), np.zeros(0), np.zeros((0, 0)), 0, refusal=reason)


def _unbroken(steps: Sequence[int], good: Mapping[int, Effect]) -> list[int]:
    found: list[int] = []
    for step in steps:
        if step not in good:
            break
        found.append(step)
    return found


def _covariance(
    values: np.ndarray, replicates: np.ndarray, treated: int, level: float
) -> np.ndarray:
    n = replicates.shape[1]
    apart = replicates - values[:, None]
    half = 0.5 + level / 2
    widened = (stats.t.ppf(half, treated - 1) / stats.norm.ppf(half)) ** 2
    made: np.ndarray = (n - 1) / n * widened * (apart @ apart.T)
    return made


def relative_magnitudes(made: Course, *, sizes: Sequence[float], level: float) -> list[Bound]:
    """
    Bound the mean log ratio where trends part after the start as they did before it, times a size.

    From one step to the next, treated and comparison places part by no more than `size` times the
    most that they did between two steps before the start. Conditional test of the library.

    Parameters
    ----------
    made : Course
        Without refusal.
    sizes : sequence of float
        Rising "Mbar"; 0: trends do not part after the start.
    level : float
        Coverage that the intervals claim.

    Returns
    -------
    list of Bound
        In the order of `sizes`, up to the first that holds no effect: larger ones hold it as well.

    Raises
    ------
    ModuleNotFoundError
        If the library is not installed.
    """
    honest = library()
    reach = _reach(made)
    wide = _padded(made)
    bounds = []
    for size in sizes:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = honest.compute_conditional_cs_rm(
                wide.log_ratios, wide.covariance, wide.leads, wide.lags,
                l_vec=_mean_of(made), m_bar=float(size), alpha=1 - level,
                hybrid_flag="ARP", grid_points=GRID_POINTS, seed=0,
                grid_lb=-reach * (1 + size), grid_ub=reach * (1 + size),
            )  # fmt: skip
        inside = np.asarray(found["grid"])[np.asarray(found["accept"]) > 0]
        bounds.append(_bound(float(size), _mean(made), inside, reach * (1 + size)))
        if bounds[-1].holds_no_effect:
            break
    return bounds


def smoothness(made: Course, *, sizes: Sequence[float], level: float) -> list[Bound]:
    """
    Bound the mean log ratio where the slope at which trends part changes by no more than a size.

    Parameters
    ----------
    made : Course
        Without refusal.
    sizes : sequence of float
        Rising "M", on the log scale from one step to the next; 0: trends part in a straight line.
    level : float
        Coverage that the intervals claim: fixed-length intervals of the library.

    Returns
    -------
    list of Bound
        In the order of `sizes`, up to the first that holds no effect: larger ones hold it as well.

    Raises
    ------
    ModuleNotFoundError
        If the library is not installed.
    """
    honest = library()
    bounds = []
    for size in sizes:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = honest.compute_flci(
                made.log_ratios, made.covariance, float(size), made.leads, made.lags,
                post_period_weights=_mean_of(made), alpha=1 - level, seed=0,
            )  # fmt: skip
        lower, upper = (float(end) for end in found.flci)
        # Such an interval is an estimate plus and minus one length.
        bounds.append(Bound(float(size), (lower + upper) / 2, lower, upper))
        if bounds[-1].holds_no_effect:
            break
    return bounds


def library() -> Any:
    """
    Import the library of the extra `robustness`.

    Returns
    -------
    module
        Its part on honest differences.

    Raises
    ------
    ModuleNotFoundError
        If it, or its solver, is not installed; the message says what to type.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import cvxpy  # noqa: F401
            import moderndid.didhonest as honest
    except ImportError as trouble:
        raise ModuleNotFoundError(TO_INSTALL) from trouble
    return honest


def breakdown(bounds: Sequence[Bound]) -> float | None:
    """
    Find the largest size up to which every interval leaves "no effect" out.

    Parameters
    ----------
    bounds : sequence of Bound
        By rising size.

    Returns
    -------
    float or None
        None where already the first interval holds no effect.
    """
    found = None
    for bound in bounds:
        if bound.holds_no_effect:
            return found
        found = bound.size
    return found


def _padded(made: Course) -> Course:
    """
    Add a step that tells nothing before all others.

    moderndid 0.2.0 passes over the parting between the first two of its steps, where the program of
    the method's authors does not. A step of next to no precision in that place binds nothing.
    """
    k = len(made.steps)
    covariance = np.eye(k + 1) * 1e4 * float(made.covariance.diagonal().max())
    covariance[1:, 1:] = made.covariance
    values = np.concatenate([made.log_ratios[:1], made.log_ratios])
    return Course((made.steps[0] - 1, *made.steps), values, covariance, made.treated_places)


def _mean_of(made: Course) -> np.ndarray:
    return np.full((made.lags, 1), 1.0 / made.lags)


def _reach(made: Course) -> float:
    """As far as the mean may lie where trends part no more than the leads show, twice over."""
    leads = np.concatenate([made.log_ratios[: made.leads], [0.0]])
    errors = np.sqrt(np.diag(made.covariance))
    jumps = np.abs(np.diff(leads)).max() + 4 * float(errors.max())
    return float(abs(_mean(made)) + 4 * float(errors.max()) + 2 * made.lags * jumps)


def _mean(made: Course) -> float:
    return float(made.log_ratios[made.leads :].mean())


def _bound(size: float, estimate: float, inside: np.ndarray, reach: float) -> Bound:
    if not len(inside):
        return Bound(size, estimate, math.nan, math.nan)
    near = 0.999 * reach
    lower, upper = float(inside.min()), float(inside.max())
    return Bound(
        size, estimate,
        -math.inf if lower <= -near else lower,
        math.inf if upper >= near else upper,
    )  # fmt: skip
