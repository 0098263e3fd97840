"""Patrols and what else was done in the same places, estimated together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from placeproof.effects.grid import Grid
from placeproof.effects.imputation import groups, imputable, leave_one_out, sums, totals
from placeproof.effects.inference import Spread, jackknife

PATROLS = "patrols"
ROUNDS = 60
"""Newton steps of the small regression on sums; it comes to rest in a handful."""


@dataclass(frozen=True)
class Rival:
    """Something else that was done in places of the study, and on which days."""

    rival: str
    """Identifier: lower-case letters, digits and hyphens."""
    name: str
    """In words for a reader."""
    spells: tuple[tuple[str, date, date | None], ...]
    """Place, first day, last day (None: goes on)."""
    feeds: str
    """Canonical tables that say so, separated by blanks."""


@dataclass(frozen=True)
class Active:
    """Where and when a rival was at work, on a grid."""

    whole: np.ndarray
    """(n, T) bool: at work on every day of the period."""
    touched: np.ndarray
    """(n, T) bool: at work on at least one day of it."""


@dataclass(frozen=True)
class Term:
    """One factor of the joint model, on the log scale."""

    name: str
    log_ratio: float
    spread: Spread | None
    places: int
    """Places that tell this factor from the others."""
    cells: int
    """Place-periods in which it was at work."""
    coinciding: int = 0
    """Places in which it started too close to patrols to be told from them."""
    refusal: str | None = None
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cells:
    """Which cells of a grid the joint model may use, and what was at work in each."""

    design: np.ndarray
    """(n, T, 1 + K) bool: patrols, then each rival."""
    usable: np.ndarray
    """(n, T) bool: everything at work on all days of the period or on none, and told apart."""
    coinciding: np.ndarray
    """(K, n) bool: the rival came to the place, too close to patrols to be told from them."""
    telling: np.ndarray
    """(K, n) bool: the place tells the rival from patrols."""


def active(table: Grid, rival: Rival) -> Active:
    """
    Lay the days of a rival out on a grid.

    Parameters
    ----------
    table : Grid
        Not modified.
    rival : Rival
        Places that the grid does not have are passed over.

    Returns
    -------
    Active
        Which place-periods it filled, and which it touched.
    """
    first = np.array(table.period_starts, dtype="datetime64[D]")
    last = np.array(table.period_ends, dtype="datetime64[D]")
    row = {place: i for i, place in enumerate(table.places)}
    shape = table.counts.shape
    whole, touched = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for place, starts_on, ends_on in _merged(rival.spells):
        if place in row:
            start = np.datetime64(starts_on)
            end = np.datetime64(ends_on or date.max)
            whole[row[place]] |= (first >= start) & (last <= end)
            touched[row[place]] |= (last >= start) & (first <= end)
    return Active(whole, touched)


def _merged(
    spells: Sequence[tuple[str, date, date | None]],
) -> list[tuple[str, date, date | None]]:
    """Spells of one place that overlap or follow on the next day as one."""
    found: list[tuple[str, date, date | None]] = []
    for place, start, end in sorted(spells, key=lambda spell: (spell[0], spell[1])):
        before = found[-1] if found and found[-1][0] == place else None
        reach = None if before is None or before[2] is None else before[2] + timedelta(1)
        if before is not None and (before[2] is None or (reach is not None and reach >= start)):
            longer = None if before[2] is None or end is None else max(before[2], end)
            found[-1] = (place, before[1], longer)
        else:
            found.append((place, start, end))
    return found


def cells(table: Grid, rivals: Sequence[Rival], *, apart_days: int) -> Cells:
    """
    Say of every cell what was at work, and whether it can be told apart.

    A place tells a rival from patrols where it has `apart_days` days or more with one of the two
    and not the other; a place that patrols never reached always does. Cells in which a rival was
    at work in a place that does not tell it apart are of no use to the joint model.

    Parameters
    ----------
    table : Grid
        Not modified.
    rivals : sequence of Rival
        In the order of the columns of the design.
    apart_days : int
        The least number of days by which the two must differ in a place.

    Returns
    -------
    Cells
        Design and use of every cell.
    """
    laid = [active(table, rival) for rival in rivals]
    design = np.stack([table.after, *(one.whole for one in laid)], axis=2)
    usable = table.observed & (table.before | table.after)
    days = _days(table)
    telling, coinciding = [], []
    for one in laid:
        usable &= one.whole | ~one.touched
        alone = (one.whole & table.before & table.observed) @ days
        without = (table.after & ~one.touched & table.observed) @ days
        both = (one.whole & table.after & table.observed).any(axis=1)
        came = (one.whole & table.observed & (table.before | table.after)).any(axis=1)
        never = ~table.after.any(axis=1)
        tells = came & (never | (alone >= apart_days) | (both & (without >= apart_days)))
        telling.append(tells)
        coinciding.append(came & ~tells)
        usable &= ~(one.touched & ~tells[:, None])
    n = len(table.places)
    empty = np.zeros((0, n), dtype=bool)
    return Cells(
        design=design,
        usable=usable,
        coinciding=np.array(coinciding) if laid else empty,
        telling=np.array(telling) if laid else empty,
    )


def _days(table: Grid) -> np.ndarray:
    pairs = zip(table.period_starts, table.period_ends, strict=True)
    return np.array([(end - start).days + 1 for start, end in pairs], dtype=float)


def joint(table: Grid, rivals: Sequence[Rival], *, apart_days: int, level: float) -> list[Term]:
    """
    Estimate one factor for patrols and one for each rival, all against the same baseline.

    The baseline is imputed from the cells in which nothing was at work: Poisson imputation, as for
    the headline. The cells with anything at work are then gathered by what was, and their observed
    sums are regressed on those factors with the imputed sums as exposure (Poisson); because the
    factors are the same within a gathering, that equals the regression on single cells. Factors
    multiply, and last as long as their cause. Intervals leave each place out of both stages.

    Parameters
    ----------
    table : Grid
        Not modified.
    rivals : sequence of Rival
        What else was at work.
    apart_days : int
        As in `cells`.
    level : float
        Coverage that the intervals claim.

    Returns
    -------
    list of Term
        Patrols first, then each rival in order; with `refusal` where it cannot be told.
    """
    use = cells(table, rivals, apart_days=apart_days)
    code = use.design @ (2 ** np.arange(use.design.shape[2]))
    code = np.where(use.usable, code, -1)
    present = np.unique(code[code > 0])
    grouped = groups(table, apart=code)
    base = (code == 0)[grouped.first]
    known = imputable(table, grouped, before=base)
    parts = (code[None] == present[:, None, None])[:, grouped.first] & known
    kept = parts.any(axis=(1, 2))
    parts, present = parts[kept], present[kept]
    if not len(present):
        return _all_refused(rivals, use, _nothing(table))
    everyone = np.ones((1, len(base)), dtype=bool)
    full = totals(sums(table, grouped)[None], everyone, before=base, parts=parts)
    fed = full.imputed[0] > 0
    if not fed.any():
        why = "Nothing was to be expected: no event was counted without patrols."
        return _all_refused(rivals, use, why)
    parts, present = parts[fed], present[fed]
    used = parts[:, grouped.member].any(axis=0)
    full = totals(sums(table, grouped)[None], everyone, before=base, parts=parts)
    left, there = leave_one_out(table, grouped)
    without = totals(left, there, before=base, parts=parts)
    design = (present[:, None] >> np.arange(use.design.shape[2])) & 1
    usual = _regressed(design, full.observed, full.imputed)[0]
    replicates = _regressed(design, without.observed, without.imputed)
    spoilt = without.lost.any(axis=1) | ~without.settled
    replicates[spoilt] = np.nan
    return [
        _term(
            k, rivals, table, use, used, design, full.observed[0], usual, replicates, level=level
        )
        for k in range(len(rivals) + 1)
    ]  # fmt: skip


def _all_refused(rivals: Sequence[Rival], use: Cells, why: str) -> list[Term]:
    together = use.coinciding.any()
    found = [_refused(PATROLS, _BOTH if together else why)]
    for rival, never in zip(rivals, use.coinciding.sum(axis=1).tolist(), strict=True):
        told = _never_apart(never) if never else why
        found.append(_refused(rival.rival, told, coinciding=never))
    return found


_BOTH = (
    "Something else began too close to the first patrols wherever they went: the headline measures "
    "both together."
)


def _nothing(table: Grid) -> str:
    if not (table.before & table.observed).any():
        return "No count lies before patrols, or in an unpatrolled place: there is no baseline."
    return (
        "No untreated count ties these places to these periods, or nothing was at work in any "
        "period that has a count."
    )


def _regressed(design: np.ndarray, observed: np.ndarray, imputed: np.ndarray) -> np.ndarray:
    """Poisson regression of R sets of sums with exposure, shape (R, factors); smallest norm."""
    x = design.astype(float)
    exposure = np.where(imputed > 0, imputed, 0.0)
    rows = len(observed)
    theta = np.zeros((rows, x.shape[1]))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(ROUNDS):
            mean = exposure * np.exp(np.clip(theta @ x.T, -30, 30))
            score = (observed - mean) @ x
            information = np.einsum("rm,mi,mj->rij", mean, x, x)
            step = np.einsum(
                "rij,rj->ri", np.linalg.pinv(information, hermitian=True, rcond=1e-10), score
            )
            step = np.clip(step, -2, 2)
            theta = theta + step
            if np.abs(step).max() < 1e-12:
                break
    return np.where(_told_apart(x, exposure > 0), theta, np.nan)


def _told_apart(x: np.ndarray, fed: np.ndarray) -> np.ndarray:
    """Whether no mixture of the other factors does the same, for each set of sums and factor."""
    patterns, which = np.unique(fed, axis=0, return_inverse=True)
    told = np.empty((len(patterns), x.shape[1]), dtype=bool)
    for p, rows in enumerate(patterns):
        part = x[rows]
        kernel = np.eye(x.shape[1]) - np.linalg.pinv(part) @ part
        told[p] = np.abs(kernel).max(axis=0) < 1e-8
    return told[which.ravel()]


def _term(
    k: int,
    rivals: Sequence[Rival],
    table: Grid,
    use: Cells,
    used: np.ndarray,
    design: np.ndarray,
    observed: np.ndarray,
    usual: np.ndarray,
    replicates: np.ndarray,
    *,
    level: float,
) -> Term:
    name = rivals[k - 1].rival if k else PATROLS
    mine = use.design[:, :, k] & used
    coinciding = int(use.coinciding[k - 1].sum()) if k else 0
    bearing = use.telling[k - 1] & mine.any(axis=1) if k else mine.any(axis=1)
    refusal = _why_not(k, rivals, table, use, mine, design, observed, float(usual[k]))
    if refusal:
        return _refused(name, refusal, coinciding=coinciding)
    places = int(bearing.sum())
    limits: list[str] = []
    spread = None
    if places < 2:
        limits.append(
            "It rests on one place: leaving places out cannot say how far it may lie from the "
            "truth, so there is no interval."
        )
    elif not np.isfinite(replicates[:, k]).all() or np.abs(replicates[:, k]).max() > 20:
        limits.append(
            "It rests on a single place somewhere: without it nothing can be estimated, so there "
            "is no interval."
        )
    else:
        spread = jackknife(float(usual[k]), replicates[:, k], degrees=places - 1, level=level)
    if coinciding:
        limits.append(_coincided(coinciding))
    return Term(
        name, float(usual[k]), spread, places, int(mine.sum()), coinciding, None, tuple(limits)
    )


def _why_not(
    k: int,
    rivals: Sequence[Rival],
    table: Grid,
    use: Cells,
    mine: np.ndarray,
    design: np.ndarray,
    observed: np.ndarray,
    value: float,
) -> str | None:
    if not mine.any():
        if k and not active(table, rivals[k - 1]).whole.any():
            return "It was at work in no place of the comparison in any period that has a count."
        if k and use.coinciding[k - 1].any() and not use.telling[k - 1].any():
            return _never_apart(int(use.coinciding[k - 1].sum()))
        return (
            "No count without it ties its places to the periods in which it was at work: there is "
            "nothing to compare with."
        )
    everything = np.ones((1, len(design)), dtype=bool)
    if not _told_apart(design.astype(float), everything)[0, k]:
        return "It was always at work together with something else: the two cannot be told apart."
    if observed[design[:, k] == 1].sum() == 0:
        return "No event was counted while it was at work: the ratio is 0 and has no interval."
    if not np.isfinite(value) or abs(value) > 20:
        return "Nothing was to be expected while it was at work, so that no ratio can be formed."
    return None


def _coincided(places: int) -> str:
    return (
        f"{places} more places got it too close to the first patrols to tell the two apart; their "
        "periods with both are left out."
    )


def _never_apart(places: int) -> str:
    return (
        f"It began too close to the first patrols in all {places} places that got it: what each of "
        "the two did cannot be told apart."
    )


def _refused(name: str, why: str, *, coinciding: int = 0) -> Term:
    return Term(name, float("nan"), None, 0, 0, coinciding, why)
