"""Which cohorts a comparison of before and after can speak of."""

import numpy as np
import polars as pl

from placeproof.effects import PlannedOutcome
from placeproof.effects.dose import identified_cohorts
from placeproof.effects.dose.cohorts import ALONE, BEGINS_TOO_LATE
from tests.effects.panels import make_panel, month

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", "planted@1:abc", "headline")}


def told(starts: list[int | None], counts: np.ndarray | None = None) -> dict[str, dict]:
    if counts is None:
        counts = np.full((len(starts), 12), 3.0)
    made = identified_cohorts(make_panel(counts, starts), outcomes=PLAN)
    return {row["subgroup"]: row for row in made.iter_rows(named=True)}


def test_counts_that_begin_with_the_first_cohort_do_not_bear_it_and_bear_the_second() -> None:
    rows = told([0, 0, 6, 6, None, None])
    first, second = rows[f"cohort={month(0)}"], rows[f"cohort={month(6)}"]
    assert (first["estimate"], first["reason"], first["n_places"]) == (0, BEGINS_TOO_LATE, 2)
    assert (second["estimate"], second["reason"]) == (6, None)


def test_one_missing_month_is_not_counted_as_time_without_patrols() -> None:
    counts = np.full((4, 12), 3.0)
    counts[:2, 0] = np.nan
    assert told([4, 4, None, None], counts)[f"cohort={month(4)}"]["estimate"] == 3


def test_nothing_untreated_at_the_same_time_is_said() -> None:
    assert told([5, 5, 5])[f"cohort={month(5)}"]["reason"] == ALONE
    counts = np.full((4, 12), 3.0)
    counts[2:, 6:] = np.nan
    rows = told([6, 6, None, None], counts)
    assert rows[f"cohort={month(6)}"]["reason"] == ALONE


def test_an_outcome_without_counts_has_no_row() -> None:
    panel = make_panel(np.full((3, 12), np.nan), [4, 4, None])
    assert identified_cohorts(panel, outcomes=PLAN).is_empty()
    assert identified_cohorts(panel.head(0), outcomes=PLAN).is_empty()
    assert identified_cohorts(panel.filter(pl.col("outcome") == "x"), outcomes=PLAN).is_empty()
