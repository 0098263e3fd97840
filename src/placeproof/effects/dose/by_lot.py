"""Days that chance allotted: rate ratio and randomisation inference, as the lots were drawn."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from placeproof.effects.dose.place_days import BY_LOT, DayRules
from placeproof.effects.first_set import HOT_SPOTS
from placeproof.effects.inference import placebo_p_value
from placeproof.effects.rows import Row, as_json, refused

RANDOMISATION = "mantel_haenszel_randomisation_inference"
BATCH = 2_000_000
"""Numbers that one batch of allotments may hold at once."""
FARTHEST = 5.0
"""Log ratio beyond which the end of an interval is not sought."""


@dataclass(frozen=True)
class Allotted:
    """Lots drawn anew, as sums that give the ratio under any true effect."""

    log_ratio: float
    numerators: np.ndarray
    """(P, 2): of events on truly untasked, and on truly tasked days."""
    denominators: np.ndarray
    """(P, 2)"""
    events: tuple[float, float]
    """On tasked and on untasked days, in blocks that have both."""

    def p_value(self, log_truth: float) -> float:
        """Two-sided p-value of a true log ratio, the same in every place and on every day."""
        scale = np.array([1.0, math.exp(-log_truth)])
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = np.log(self.numerators @ scale) - np.log(self.denominators @ scale)
        return placebo_p_value(self.log_ratio - log_truth, drawn)

    def ends(self, *, level: float) -> tuple[float, float] | None:
        """Ends of the log ratios that are not refused; None where an end lies too far out."""
        found = []
        for side in (-1.0, 1.0):
            near, far = self.log_ratio, self.log_ratio + side * FARTHEST
            if self.p_value(far) > 1 - level:
                return None
            for _ in range(40):
                middle = (near + far) / 2
                if self.p_value(middle) > 1 - level:
                    near = middle
                else:
                    far = middle
            found.append((near + far) / 2)
        return found[0], found[1]


def allotted(
    counts: np.ndarray,
    tasked: np.ndarray,
    block: np.ndarray,
    *,
    permutations: int,
    rng: np.random.Generator,
) -> Allotted | None:
    """
    Compare tasked with untasked days block by block, and draw the lots of each block anew.

    The ratio is that of Mantel and Haenszel over blocks; each drawing keeps the number of tasked
    days of a block. Under a true ratio the events of tasked days are brought back by it, and the
    untouched counts that this gives are handed to the drawings.

    Parameters
    ----------
    counts : array, shape (N,)
        Events of a place and day.
    tasked : array of bool, shape (N,)
        Whether chance asked for a patrol.
    block : array of int, shape (N,)
        Within which the days were allotted.
    permutations : int
        Drawings.
    rng : numpy.random.Generator
        Source of the drawings.

    Returns
    -------
    Allotted or None
        None where no block has both kinds of day, or a kind has no event.
    """
    n = int(block.max(initial=-1)) + 1
    with_patrol = np.bincount(block, tasked, minlength=n)
    days = np.bincount(block, minlength=n)
    kept = ((with_patrol > 0) & (with_patrol < days))[block]
    order = np.argsort(block[kept], kind="stable")
    y, d, b = counts[kept][order], tasked[kept][order], block[kept][order]
    up, down = (days - with_patrol)[b] / days[b], with_patrol[b] / days[b]
    above, below = float((up * y)[d].sum()), float((down * y)[~d].sum())
    if above <= 0 or below <= 0:
        return None
    split = np.column_stack([y * ~d, y * d])
    size = max(1, BATCH // len(y))
    tops, bottoms = [], []
    for start in range(0, permutations, size):
        drawn = np.argsort(b + rng.random((min(size, permutations - start), len(y))), axis=1)
        again = d[drawn].astype(float)
        tops.append(again @ (up[:, None] * split))
        bottoms.append((1 - again) @ (down[:, None] * split))
    return Allotted(
        log_ratio=math.log(above / below),
        numerators=np.concatenate(tops) if tops else np.zeros((0, 2)),
        denominators=np.concatenate(bottoms) if bottoms else np.zeros((0, 2)),
        events=(float(y[d].sum()), float(y[~d].sum())),
    )


def lot_rows(
    days: pl.DataFrame, base: Row, *, rules: DayRules, rng: np.random.Generator
) -> list[Row]:
    """
    Write down what the days that chance allotted say, by randomisation inference.

    Parameters
    ----------
    days : DataFrame
        As `place_days.place_days` makes it.
    base : dict
        Columns so far: outcome, window, hours.
    rules : DayRules
        Choices of the plan.
    rng : numpy.random.Generator
        Source of the drawings.

    Returns
    -------
    list of rows for table `estimate`
        None where no lots were drawn, or no drawings are wanted.
    """
    mine = days.filter("lot")
    if mine.is_empty() or not rules.permutations:
        return []
    every = "1w" if rules.lot_block == "week" else "1mo"
    block = mine.select(
        pl.struct("place_id", pl.col("day").dt.truncate(every)).rank("dense") - 1
    ).to_series()
    tasked = mine["tasked"].to_numpy()
    row: Row = {
        **base,
        "population": HOT_SPOTS,
        "subgroup": BY_LOT,
        "role": "beside",
        "estimand": "tasked_day_rate_ratio",
        "method": RANDOMISATION,
        "unit": "ratio",
        "n_places": mine["place_id"].n_unique(),
    }
    made = allotted(
        mine["count"].to_numpy(), tasked, block.to_numpy().astype(int),
        permutations=rules.permutations, rng=rng,
    )  # fmt: skip
    if made is None:
        why = f"No {rules.lot_block} of any place has both kinds of day with events."
        return [refused(row, why)]
    ends = made.ends(level=rules.level)
    more = {
        "scale": "log",
        "drawings": rules.permutations,
        "block": rules.lot_block,
        "tasked_place_days": int(tasked.sum()),
        "untasked_place_days": int((~tasked).sum()),
    }
    return [
        {
            **row,
            "estimate": math.exp(made.log_ratio),
            "lower": math.exp(ends[0]) if ends else None,
            "upper": math.exp(ends[1]) if ends else None,
            "level": rules.level if ends else None,
            "p_value": made.p_value(0.0),
            "n": mine.height,
            "n_events": sum(made.events),
            "reason": None if ends else "The drawings are too few or too alike for an interval.",
            "diagnostics": as_json(more),
        }
    ]
