"""Weights on comparison places, within bounds, whose totals are those of the treated places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STIFFNESS = 1e4
"""What a squared relative distance from a total costs against weights that differ from even."""

MET = 0.005
"""A total counts as met where it is missed by less than half a per cent."""

MOST_ROUNDS = 100


@dataclass(frozen=True)
class Calibration:
    """The weights of R problems over the same c comparison places and k totals."""

    weights: np.ndarray
    """(R, c); 0 for a place that takes no part."""
    missed: np.ndarray
    """(R, k): (weighted comparison − treated) / treated, for each total."""
    settled: np.ndarray
    """(R,) bool: the search came to rest."""

    @property
    def met(self) -> np.ndarray:
        """(R, k) bool: which totals are met."""
        return np.abs(self.missed) <= MET


def calibrate(
    traits: np.ndarray,
    totals: np.ndarray,
    *,
    treated: np.ndarray,
    kept: np.ndarray,
    most: float,
) -> Calibration:
    """
    Find the weights nearest to even ones that meet totals, each between 0 and a bound.

    Minimises the mean squared relative distance of the weights from the even one, treated places /
    comparison places, plus `STIFFNESS` times the squared relative distances from the totals. So
    totals are met where bounded weights can meet them; where they cannot, the weights come as near
    as they can, and `missed` says by how much. The solution is unique.

    Parameters
    ----------
    traits : array, shape (c, k)
        Of each comparison place, what is to add up.
    totals : array, shape (R, k)
        Sums over the treated places, in each of R problems.
    treated : array, shape (R,)
        How many treated places there are.
    kept : array of bool, shape (R, c)
        Which comparison places take part; at least one.
    most : float
        Largest weight, as a multiple of the even one; at least 1.

    Returns
    -------
    Calibration
        In the order of `totals`.
    """
    usual = np.maximum(np.abs(traits).mean(axis=0), 1e-12)
    unit, goal = traits / usual, totals / usual / treated[:, None]
    share = kept / kept.sum(axis=1, keepdims=True)
    rounds = _Search(unit, goal, share, most)
    x, settled = rounds.solved()
    weights = share * np.clip(1.0 + x @ unit.T, 0.0, most)
    gap = weights @ unit - goal
    missed = np.divide(gap, np.abs(goal), out=gap.copy(), where=np.abs(goal) > 1e-9)
    return Calibration(weights * treated[:, None], missed, settled)


class _Search:
    """
    Newton's method for R small convex problems at once.

    The weights are share · clip(1 + unit · x): whatever the number of places, only the k unknowns x
    of the dual problem are searched for, and that problem is smooth and strictly convex.
    """

    def __init__(self, unit: np.ndarray, goal: np.ndarray, share: np.ndarray, most: float) -> None:
        self.unit, self.goal, self.share, self.most = unit, goal, share, most
        # Distances are relative to the total; where that is next to nothing, to a twentieth of what
        # is usual.
        self.hard = np.maximum(np.abs(goal), 0.05) ** 2 / STIFFNESS
        self.soft = self.hard

    def solved(self) -> tuple[np.ndarray, np.ndarray]:
        """(R, k) the unknowns, and (R,) whether they came to rest."""
        x = np.zeros_like(self.goal)
        # Totals out of reach pull without end: they are let in step by step.
        for softer in (1e4, 1e3, 1e2, 1e1, 1.0):
            self.soft = self.hard * softer
            x, slope = self._from(x)
        return x, np.abs(slope).max(axis=1) <= 1e-6

    def _from(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at, slope = self._value(x)
        for _ in range(MOST_ROUNDS):
            open_ = np.abs(slope).max(axis=1) > 1e-9
            if not open_.any():
                break
            step = -np.linalg.solve(self._curvature(x), slope[:, :, None])[:, :, 0]
            step[~open_] = 0.0
            x, at, slope = self._along(x, at, slope, step)
        return x, slope

    def _along(
        self, x: np.ndarray, at: np.ndarray, slope: np.ndarray, step: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Go along the step, less far in those problems where it does not go down."""
        reach = np.ones(len(x))
        fall = (slope * step).sum(axis=1)
        for _ in range(60):
            new = x + reach[:, None] * step
            value, new_slope = self._value(new)
            short = value > at + 1e-4 * reach * fall + 1e-13 * (1 + np.abs(at))
            if not short.any():
                break
            reach = np.where(short, reach / 2, reach)
        return new, value, new_slope

    def _value(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raw = 1.0 + x @ self.unit.T
        held = np.clip(raw, 0.0, self.most)
        inner = (self.share * (held * raw - held**2 / 2)).sum(axis=1)
        value = inner - (self.goal * x).sum(axis=1) + (self.soft * x**2).sum(axis=1) / 2
        return value, (self.share * held) @ self.unit - self.goal + self.soft * x

    def _curvature(self, x: np.ndarray) -> np.ndarray:
        raw = 1.0 + x @ self.unit.T
        inside = self.share * ((raw > 0) & (raw < self.most))
        k = self.unit.shape[1]
        pairs = (self.unit[:, :, None] * self.unit[:, None, :]).reshape(len(self.unit), -1)
        made: np.ndarray = (inside @ pairs).reshape(-1, k, k) + self.soft[:, :, None] * np.eye(k)
        return made


def blocks(n: int, parts: int) -> Sequence[np.ndarray]:
    """
    Cut n periods in order into equal parts.

    Parameters
    ----------
    n : int
        How many periods.
    parts : int
        How many parts; fewer where there are fewer periods.

    Returns
    -------
    sequence of arrays
        Positions of the periods of each part.
    """
    return np.array_split(np.arange(n), max(1, min(parts, n)))
