"""Poisson within strata: what moves counts where a place and its month are held."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placeproof.effects.inference import Spread, jackknife

LONGEST = 60
STEADY = 1e-10
RUNAWAY = 15.0
"""Log ratios beyond this mean that zeros separate the counts."""


@dataclass(frozen=True)
class Within:
    """Coefficients of K terms, on the log scale, and what they rest on."""

    log_ratios: np.ndarray
    """(K,)"""
    replicates: np.ndarray
    """(P, K): with each of the P places left out that have something to say."""
    rows: int
    places: int
    events: float
    refusal: str | None = None

    def summed(self, terms: Sequence[int]) -> tuple[float, np.ndarray]:
        """Sum of some coefficients, and of their replicates."""
        return float(self.log_ratios[list(terms)].sum()), self.replicates[:, list(terms)].sum(1)

    def spread(self, terms: Sequence[int], *, level: float) -> Spread | None:
        """Jackknife interval of the sum of some coefficients, t(places − 1); None: it has none."""
        estimate, replicates = self.summed(terms)
        if self.places < 2 or not np.isfinite(replicates).all():
            return None
        return jackknife(estimate, replicates, degrees=self.places - 1, level=level)


def within_strata(
    counts: np.ndarray,
    terms: np.ndarray,
    stratum: np.ndarray,
    place: np.ndarray,
    *,
    asked: int,
) -> Within:
    """
    Fit count = stratum × exp(terms · coefficients) by Poisson, each stratum held at its own total.

    Holding the totals gives the same coefficients as one free level for each stratum (they are
    the same likelihood), without fitting the levels.

    Parameters
    ----------
    counts : array, shape (N,)
        Events of a place and day.
    terms : array, shape (N, K)
        What is asked for first, then what is held (days of the week).
    stratum, place : array of int, shape (N,)
        Stratum of each row, each in one place only.
    asked : int
        Of the K terms, how many are asked for: strata in which none of these varies say nothing
        of them and are left out.

    Returns
    -------
    Within
        With `refusal` where the counts do not determine what is asked.
    """
    if not len(counts):
        return _refused(terms.shape[1], "No event was counted on any of these days.")
    varying = _varies(terms[:, :asked], stratum)
    events = np.bincount(stratum, counts, minlength=int(stratum.max(initial=-1)) + 1)
    kept = varying[stratum] & (events[stratum] > 0) if len(stratum) else np.zeros(0, dtype=bool)
    if not kept.any():
        return _refused(terms.shape[1], "In no month of any place do such days stand side by side.")
    order = np.argsort(stratum[kept], kind="stable")
    data = _Data(counts[kept][order], terms[kept][order], stratum[kept][order])
    place = place[kept][order]
    everyone = np.ones(len(place))
    fitted = data.solve(everyone, np.zeros(terms.shape[1]), asked)
    if fitted is None or not data.determined(everyone, fitted, asked):
        return _refused(terms.shape[1], "The counts of these days are too few or too alike to say.")
    names = np.unique(place)
    nothing = np.full(terms.shape[1], np.nan)
    replicates = [data.solve((place != name).astype(float), fitted, asked) for name in names]
    return Within(
        log_ratios=fitted,
        replicates=np.array([nothing if one is None else one for one in replicates]),
        rows=len(place),
        places=len(names),
        events=float(data.counts.sum()),
    )


def _refused(terms: int, why: str) -> Within:
    return Within(np.full(terms, np.nan), np.zeros((0, terms)), 0, 0, 0.0, why)


def _varies(terms: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Strata in which some term is not the same on all rows."""
    n = int(stratum.max(initial=-1)) + 1
    rows = np.maximum(np.bincount(stratum, minlength=n), 1)
    apart = np.zeros(n, dtype=bool)
    for k in range(terms.shape[1]):
        mean = np.bincount(stratum, terms[:, k], minlength=n) / rows
        off = np.abs(terms[:, k] - mean[stratum]) > 1e-9
        apart |= np.bincount(stratum, off, minlength=n) > 0
    return apart


class _Data:
    """Rows in order of their stratum."""

    def __init__(self, counts: np.ndarray, terms: np.ndarray, stratum: np.ndarray) -> None:
        self.counts, self.terms = counts, terms
        self.first = np.flatnonzero(np.diff(stratum, prepend=stratum[0] - 1))
        self.size = np.diff(np.append(self.first, len(stratum)))
        self.totals = np.add.reduceat(counts, self.first)

    def solve(self, weight: np.ndarray, start: np.ndarray, asked: int) -> np.ndarray | None:
        """
        Newton's steps from `start`; None where what is asked does not come to rest.

        Weights are 0 or 1. A term that is only held may run on: where its days have no event at
        all, their expectation goes to 0, and nothing else moves.
        """
        at = start.copy()
        held = weight[self.first] * self.totals
        reached = self._likelihood(at, weight, held)
        for _ in range(LONGEST):
            score, curve = self._slope(at, weight, held)
            step = np.linalg.lstsq(curve, score, rcond=1e-10)[0]
            size = 1.0
            while True:
                ahead = self._likelihood(at + size * step, weight, held)
                if ahead >= reached - 1e-12 * abs(reached) or size < 1e-6:
                    break
                size /= 2
            at, reached = at + size * step, ahead
            if np.abs(at[:asked]).max() > RUNAWAY:
                return None
            if np.abs(size * step[:asked]).max() < STEADY and np.abs(score).max() < 1e-8:
                return at
        return None

    def determined(self, weight: np.ndarray, at: np.ndarray, asked: int) -> bool:
        """Whether the curve of the likelihood holds what is asked, the rest being free."""
        curve = self._slope(at, weight, weight[self.first] * self.totals)[1]
        mine, rest = curve[:asked, :asked], curve[asked:, asked:]
        across = curve[:asked, asked:]
        left = mine - across @ np.linalg.pinv(rest, rcond=1e-10) @ across.T
        return bool(np.linalg.eigvalsh(left).min() > 1e-6 * max(1.0, float(np.trace(mine))) / 1e3)

    def _shares(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raised = self.terms @ at
        top = np.repeat(np.maximum.reduceat(raised, self.first), self.size)
        risen = np.exp(raised - top)
        return risen / np.repeat(np.add.reduceat(risen, self.first), self.size), raised

    def _likelihood(self, at: np.ndarray, weight: np.ndarray, held: np.ndarray) -> float:
        shares, _ = self._shares(at)
        with np.errstate(divide="ignore"):
            logs = np.where(self.counts > 0, np.log(shares), 0.0)
        return float((weight * self.counts * logs).sum())

    def _slope(
        self, at: np.ndarray, weight: np.ndarray, held: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        shares, _ = self._shares(at)
        expected = np.repeat(held, self.size) * shares
        middle = np.add.reduceat(shares[:, None] * self.terms, self.first)
        score = self.terms.T @ (weight * self.counts - expected)
        curve = self.terms.T @ (expected[:, None] * self.terms)
        return score, curve - middle.T @ (held[:, None] * middle)
