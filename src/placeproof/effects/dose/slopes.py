"""Two-way Poisson with slopes: what a dose does, places and periods held."""

from dataclasses import dataclass

import numpy as np

from placeproof.effects.inference import Spread, jackknife

LONGEST = 60
STEADY = 1e-10
RUNAWAY = 15.0


@dataclass(frozen=True)
class Slopes:
    """Coefficients of K terms on the log scale, and with each of the n places left out."""

    log_ratios: np.ndarray
    """(K,)"""
    replicates: np.ndarray
    """(n, K)"""
    cells: int
    places: int
    moved: int
    """Places whose own terms vary: they carry the slope."""
    events: float
    refusal: str | None = None

    def spread(self, term: int, *, level: float) -> Spread | None:
        """Jackknife interval of one coefficient, t(places that carry it − 1)."""
        if self.moved < 3 or not np.isfinite(self.replicates[:, term]).all():
            return None
        estimate = float(self.log_ratios[term])
        replicates = self.replicates[:, term]
        return jackknife(estimate, replicates, degrees=self.moved - 1, level=level)


def two_way_slopes(
    counts: np.ndarray, used: np.ndarray, terms: np.ndarray, *, apart: np.ndarray | None = None
) -> Slopes:
    """
    Fit count = place × period × exp(terms · coefficients) by Poisson, and without each place.

    Parameters
    ----------
    counts : array, shape (n, T)
        Events by place and period.
    used : array of bool, shape (n, T)
        Cells that take part.
    terms : array, shape (K, n, T)
        Doses; read where `used`.
    apart : array, shape (n, K, n, T), optional
        Terms anew for each place left out, where they are themselves made from all places.

    Returns
    -------
    Slopes
        With `refusal` where places and periods alone tell the doses.
    """
    doses = np.where(used, terms, 0.0)
    total = float(counts[used].sum())
    if total <= 0:
        return _refused(terms.shape, "No event was counted in these place-periods.")
    fitted = _fit(counts, used, doses, None)
    if fitted is None:
        why = "Places and periods alone tell the dose, or zeros separate the counts: no slope."
        return _refused(terms.shape, why)
    n = len(counts)
    replicates = np.full((n, len(terms)), np.nan)
    for i in range(n):
        without = used.copy()
        without[i] = False
        one = doses if apart is None else np.where(without, apart[i], 0.0)
        made = _fit(counts, without, one, fitted) if without.any() else None
        if made is not None:
            replicates[i] = made[0]
    wide = np.where(used, terms, -np.inf).max(2) - np.where(used, terms, np.inf).min(2)
    moved = (wide > 1e-9).any(axis=0) & used.any(axis=1)
    return Slopes(
        log_ratios=fitted[0],
        replicates=replicates,
        cells=int(used.sum()),
        places=int(used.any(axis=1).sum()),
        moved=int(moved.sum()),
        events=total,
    )


def _refused(shape: tuple[int, ...], why: str) -> Slopes:
    nothing = np.full(shape[0], np.nan)
    return Slopes(nothing, np.zeros((shape[1], shape[0])), 0, 0, 0, 0.0, why)


_Fitted = tuple[np.ndarray, np.ndarray]
"""Coefficients, and the logarithm of each period's level."""


def _fit(
    counts: np.ndarray, used: np.ndarray, doses: np.ndarray, start: _Fitted | None
) -> _Fitted | None:
    """Fit without the places and periods that have no event; None where there is no slope."""
    kept = used
    while True:
        seen = np.where(kept, counts, 0.0)
        inside = kept & (seen.sum(1) > 0)[:, None] & (seen.sum(0) > 0)[None, :]
        if (inside == kept).all():
            break
        kept = inside
    rows, columns = kept.any(1), kept.any(0)
    if not rows.any():
        return None
    y = np.where(kept, counts, 0.0)[np.ix_(rows, columns)]
    w = kept[np.ix_(rows, columns)].astype(float)
    x = (doses * kept)[:, rows][:, :, columns]
    begun = (np.zeros(len(x)), np.zeros(used.shape[1])) if start is None else start
    at, level = begun[0].copy(), begun[1][columns].copy()
    for _ in range(LONGEST):
        raised = w * np.exp(np.clip(np.tensordot(at, x, 1) + level[None, :], -40, 40))
        # Each place's own level is the one that gives it its own total.
        share = y.sum(1) / raised.sum(1)
        expected = raised * share[:, None]
        step = _step(y, expected, x)
        if step is None:
            return None
        change = np.clip(step, -3, 3)
        at, level = at + change[: len(at)], level + change[len(at) :]
        if np.abs(at).max() > RUNAWAY:
            return None
        short = np.abs((y - expected).sum(0)).max()
        if np.abs(change[: len(at)]).max() < STEADY and short < 1e-7 * max(1.0, y.sum()):
            levels = np.zeros(used.shape[1])
            levels[columns] = level
            return (at, levels) if _determined(expected, x) else None
    return None


def _step(y: np.ndarray, expected: np.ndarray, x: np.ndarray) -> np.ndarray | None:
    """Newton's step of slopes and period levels, place levels taken out."""
    even, scale = _curve(expected, x)
    score = np.concatenate([((y - expected)[None] * x).sum((1, 2)), (y - expected).sum(0)])[:-1]
    try:
        found = np.linalg.solve(even + 1e-12 * np.eye(len(even)), score / scale)
    except np.linalg.LinAlgError:
        return None
    return np.append(found / scale, 0.0)


def _determined(expected: np.ndarray, x: np.ndarray) -> bool:
    """Whether the slopes stand on more than what places and periods tell."""
    even, _ = _curve(expected, x)
    asked = len(x)
    held = even[asked:, asked:] + 1e-12 * np.eye(len(even) - asked)
    rest = np.linalg.solve(held, even[asked:, :asked])
    left = even[:asked, :asked] - even[:asked, asked:] @ rest
    return bool(np.linalg.eigvalsh(left).min() > 1e-7)


def _curve(expected: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Curve of the likelihood, evened to a diagonal of ones, and the scale that evens it."""
    by_place = expected.sum(1)
    k, periods = len(x), expected.shape[1]
    weighted = expected[None] * x
    mean = weighted.sum(2) / by_place
    middle = expected / by_place[:, None]
    curve = np.empty((k + periods, k + periods))
    curve[:k, :k] = np.einsum("knt,lnt->kl", weighted, x) - (mean * by_place) @ mean.T
    curve[:k, k:] = weighted.sum(1) - mean @ expected
    curve[k:, :k] = curve[:k, k:].T
    curve[k:, k:] = np.diag(expected.sum(0)) - expected.T @ middle
    # One period's level is free to choose: it stays.
    curve = curve[:-1, :-1]
    scale = np.sqrt(np.maximum(np.diag(curve), 1e-300))
    return curve / scale[:, None] / scale[None, :], scale
