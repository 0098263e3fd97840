"""Negative controls: outcomes that patrols should not move."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class NegativeControls:
    """What the negative controls say about the comparison."""

    run: tuple[str, ...]
    """Outcomes with an estimate and an interval."""
    tripped: tuple[str, ...]
    """Outcomes that moved: their interval does not hold 1."""
    not_run: tuple[str, ...]
    """Outcomes without an estimate or without an interval: they reassure nobody."""
    expected_by_chance: float
    """How many would trip if patrols moved none of them."""


def negative_controls(estimates: pl.DataFrame) -> NegativeControls:
    """
    Say whether any negative control moved.

    No correction is made for the number of controls: a control that trips by chance lowers a claim
    that might stand, one that is excused lets a claim stand that should not.

    Parameters
    ----------
    estimates : table `estimate`
        As `first_set` returns it. Only rate ratios over the whole window with the role
        negative_control are read.

    Returns
    -------
    NegativeControls
        Outcomes in alphabetical order.
    """
    rows = estimates.filter(
        (pl.col("role") == "negative_control")
        & (pl.col("estimand") == "rate_ratio")
        & (pl.col("method") == "poisson_imputation_jackknife")
        & (pl.col("horizon") == "all")
        & (pl.col("subgroup") == "all")
    ).sort("outcome")
    with_interval = rows.filter(pl.col("lower").is_not_null() & pl.col("upper").is_not_null())
    moved = with_interval.filter((pl.col("lower") > 1) | (pl.col("upper") < 1))
    run = with_interval["outcome"].unique().sort().to_list()
    chance = with_interval.select((1 - pl.col("level")).sum()).item() if run else 0.0
    return NegativeControls(
        run=tuple(run),
        tripped=tuple(moved["outcome"].unique().sort().to_list()),
        not_run=tuple(sorted(set(rows["outcome"]) - set(run))),
        expected_by_chance=float(chance),
    )
