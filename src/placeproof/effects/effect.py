"""One effect with what it rests on: ratio, interval, and what limits it."""

from dataclasses import dataclass, field

import numpy as np

from placeproof.effects.grid import Grid
from placeproof.effects.imputation import (
    groups,
    imputable,
    leave_one_out,
    sums,
    totals,
)
from placeproof.effects.inference import Spread, jackknife


@dataclass(frozen=True)
class Effect:
    """The rate ratio over some treated place-periods, on the log scale."""

    log_ratio: float
    replicates: np.ndarray
    """(n,) the same with each place of the grid left out; not finite where that is impossible."""
    spread: Spread | None
    observed: float
    imputed: float
    cells: int
    """Treated place-periods that it rests on."""
    treated_places: int
    places: int
    left_out_cells: int
    """Treated place-periods with a count but without a determined expectation."""
    refusal: str | None = None
    """Why there is no estimate."""
    limits: tuple[str, ...] = field(default=())
    """What the estimate, or its interval, cannot bear."""


def effects(
    table: Grid,
    *,
    parts: np.ndarray,
    before: np.ndarray | None = None,
    apart: np.ndarray | None = None,
    level: float,
) -> list[Effect]:
    """
    Estimate the rate ratio over K parts of the cells by Poisson imputation.

    Parameters
    ----------
    table : Grid
        Not modified.
    parts : array of bool, shape (K, n, T)
        Cells of which each effect is made; cells without a count are passed over.
    before : array of bool, shape (n, T), optional
        Cells that the fit may use: all untreated ones unless told otherwise.
    apart : array, shape (n, anything), optional
        Needed where `parts` or `before` differ between places of one course, side and pattern of
        missing counts: places that differ here are not gathered.
    level : float
        Coverage that the intervals claim.

    Returns
    -------
    list of Effect
        In the order of `parts`. The interval is the leave-one-place-out jackknife on the log scale
        with t(treated places − 1); none where fewer than two treated places take part, or where
        some place cannot be left out.
    """
    grouped = groups(table, apart=apart)
    base = grouped.before if before is None else (before & table.observed)[grouped.first]
    known = imputable(table, grouped, before=base)
    wanted = (parts & table.observed)[:, grouped.first]
    usable = wanted & known
    events = sums(table, grouped)[None]
    everyone = np.ones((1, len(base)), dtype=bool)
    full = totals(events, everyone, before=base, parts=usable)
    left, present = leave_one_out(table, grouped)
    without = totals(left, present, before=base, parts=usable)
    replicates = np.where(without.lost, np.nan, without.log_ratio)
    return [
        _effect(
            log_ratio=float(full.log_ratio[0, k]),
            replicates=replicates[:, k],
            observed=float(full.observed[0, k]),
            imputed=float(full.imputed[0, k]),
            used=usable[k][grouped.member],
            asked=wanted[k][grouped.member],
            level=level,
        )
        for k in range(len(parts))
    ]


def overall(table: Grid, *, level: float) -> Effect:
    """
    Estimate the rate ratio over all treated place-periods by Poisson imputation.

    Parameters
    ----------
    table : Grid
        Not modified.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Effect
        The headline effect.
    """
    return effects(table, parts=table.after[None], level=level)[0]


def _effect(
    *,
    log_ratio: float,
    replicates: np.ndarray,
    observed: float,
    imputed: float,
    used: np.ndarray,
    asked: np.ndarray,
    level: float,
) -> Effect:
    treated = int(used.any(axis=1).sum())
    lost = int(asked.sum() - used.sum())
    refusal = _refusal(int(asked.sum()), treated, observed, imputed, log_ratio)
    limits = [_left_out(lost, int(asked.sum()))] if lost and not refusal else []
    spread = None
    if not refusal:
        why = _no_interval(treated, observed, replicates)
        if why:
            limits.append(why)
        else:
            spread = jackknife(log_ratio, replicates, degrees=treated - 1, level=level)
    return Effect(
        log_ratio=log_ratio,
        replicates=replicates,
        spread=spread,
        observed=observed,
        imputed=imputed,
        cells=int(used.sum()),
        treated_places=treated,
        places=len(used),
        left_out_cells=lost,
        refusal=refusal,
        limits=tuple(limits),
    )


def _refusal(
    asked: int, treated: int, observed: float, imputed: float, log_ratio: float
) -> str | None:
    if not asked:
        return "No place-period with a count lies here."
    if not treated:
        return (
            "No untreated count ties these places to these periods: the counts begin at or after "
            "the start, or no untreated place is counted at the same time."
        )
    if imputed <= 0 and observed <= 0:
        return "No event was counted, and none was to be expected: nothing can be compared."
    if imputed <= 0:
        return (
            "No event was counted in these places before patrols, or in the comparison places "
            "after them: nothing was to be expected, so that no ratio can be formed."
        )
    if np.isnan(log_ratio):
        return "The fit to the untreated counts did not settle: too many of them are 0."
    return None


def _left_out(lost: int, asked: int) -> str:
    return (
        f"{lost} of {asked} treated place-periods are left out: no untreated count ties the place "
        "to the period (its counts begin at or after its start, or no untreated place is counted "
        "then)."
    )


def _no_interval(treated: int, observed: float, replicates: np.ndarray) -> str | None:
    if treated < 2:
        return (
            "One treated place: leaving places out cannot say how far the estimate may lie from "
            "the truth, so there is no interval; only the placebo permutation speaks."
        )
    if observed <= 0:
        return (
            "No event was counted after the start: the ratio is 0 and has no interval on the log "
            "scale."
        )
    if not np.isfinite(replicates).all():
        return (
            "The estimate rests on a single place somewhere: without it nothing can be estimated, "
            "so there is no interval."
        )
    return None
