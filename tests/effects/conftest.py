"""The invented counts that R worked on, and what R found."""

import numpy as np
import polars as pl
import pytest

from tests.effects.panels import REFERENCE, make_panel


@pytest.fixture(scope="session")
def invented() -> pl.DataFrame:
    """The counts of tests/reference/effects_counts.csv as table `panel`."""
    rows = pl.read_csv(REFERENCE / "effects_counts.csv", null_values="NA")
    places = rows["place"].max()
    periods = rows["period"].max()
    counts = np.full((places, periods), np.nan)
    starts: list[int | None] = [None] * places
    partial = set()
    for row in rows.iter_rows(named=True):
        i, t = row["place"] - 1, row["period"] - 1
        counts[i, t] = np.nan if row["count"] is None else row["count"]
        starts[i] = None if row["start"] is None else row["start"] - 1
        if row["partial"]:
            partial.add((i, t))
    return make_panel(counts, starts, partial=frozenset(partial))


@pytest.fixture(scope="session")
def r_values() -> dict[str, float]:
    """What tests/reference/effects_poisson.R found."""
    table = pl.read_csv(REFERENCE / "effects_poisson.csv", comment_prefix="#")
    return dict(zip(table["name"], table["value"].cast(pl.Float64), strict=True))
