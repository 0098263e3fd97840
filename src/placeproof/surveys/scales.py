"""Scales of several items: a mean where enough items were answered, and their reliability."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl


def scale_mean(
    items: pl.DataFrame,
    *,
    columns: Sequence[str],
    min_items: int,
    reversed_items: Mapping[str, tuple[int, int]],
) -> pl.Series:
    """
    Average each person's answers over the items of a scale.

    Parameters
    ----------
    items : DataFrame
        One row per person. Not modified.
    columns : sequence of str
        The items.
    min_items : int
        People who answered fewer have no score. No default: it changes the answer.
    reversed_items : mapping of str to (int, int)
        Items that run the other way, with the lowest and highest possible answer.

    Returns
    -------
    Series of float, in the order of the rows; null where too few items were answered.

    Raises
    ------
    ValueError
        If `min_items` is below 1 or above the number of items.
    """
    if not 1 <= min_items <= len(columns):
        raise ValueError(f"min_items must lie between 1 and {len(columns)}, not {min_items}")
    turned = _turned(items, columns, reversed_items)
    answered = pl.sum_horizontal(pl.col(name).is_not_null() for name in columns)
    score = pl.when(answered >= min_items).then(pl.mean_horizontal(*columns))
    return turned.select(score.alias("score"))["score"]


def cronbach_alpha(
    items: pl.DataFrame,
    *,
    columns: Sequence[str],
    reversed_items: Mapping[str, tuple[int, int]],
) -> tuple[float, int]:
    """
    Reliability of a scale among people who answered every item, unweighted.

    Parameters
    ----------
    items : DataFrame
        One row per person.
    columns : sequence of str
        The items, at least two.
    reversed_items : mapping of str to (int, int)
        As for `scale_mean`.

    Returns
    -------
    (float, int)
        Alpha, not a number where fewer than two people answered all or nobody differs; and the
        number of people who answered all.
    """
    complete = _turned(items, columns, reversed_items).drop_nulls().to_numpy()
    if complete.shape[0] < 2 or complete.shape[1] < 2:
        return np.nan, complete.shape[0]
    covariance = np.cov(complete, rowvar=False)
    total = covariance.sum()
    k = complete.shape[1]
    # A total of nothing but rounding means that nobody differs.
    if total <= 1e-12:
        return np.nan, complete.shape[0]
    return float(k / (k - 1) * (1 - np.trace(covariance) / total)), complete.shape[0]


def _turned(
    items: pl.DataFrame, columns: Sequence[str], reversed_items: Mapping[str, tuple[int, int]]
) -> pl.DataFrame:
    return items.select(
        (sum(reversed_items[name]) - pl.col(name) if name in reversed_items else pl.col(name))
        .cast(pl.Float64)
        .alias(name)
        for name in columns
    )
