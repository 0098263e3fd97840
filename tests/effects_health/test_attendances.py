"""Attendances with a place: an effect where enough are located, else a sentence."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from tests.effects.panels import make_panel, month

from placeproof.effects.attendances import OUTCOME, attendance_effect, by_place


def made(*, least: int = 50, unlocated: float = 10.0, scale: float = 8.0) -> pl.DataFrame:
    counts = np.random.default_rng(2).poisson(scale, (6, 18)).astype(float)
    panel = make_panel(counts, [8, 8, 11, None, None, None], outcome=OUTCOME)
    totals = pl.DataFrame(
        {
            "period_start": [month(t) for t in range(18)],
            "located": counts.sum(axis=0),
            "unlocated": [unlocated] * 18,
        }
    )
    return attendance_effect(panel, totals=totals, least_located=least, odds=2.0, level=0.95)


def test_enough_attendances_give_an_effect_inside_its_bounds() -> None:
    kept = made().filter(pl.col("role") != "beside")
    rows = {(row["estimand"], row["horizon"]): row for row in kept.to_dicts()}
    head = rows["rate_ratio", "all"]
    assert (head["role"], head["question"], head["status"]) == ("headline", "RQ10", "estimated")
    bound = {side: rows["rate_ratio", f"unlocated={side}"]["estimate"]
             for side in ("lowest", "fewer", "proportional", "more", "highest")}  # fmt: skip
    assert list(bound.values()) == sorted(bound.values())
    assert bound["lowest"] < head["estimate"] < bound["highest"]


def test_too_few_give_a_sentence_and_no_number() -> None:
    row = made(least=100_000).to_dicts()
    assert len(row) == 1
    assert (row[0]["status"], row[0]["estimate"]) == ("not_identified", None)
    assert "Fewer than 100000" in row[0]["reason"]


def test_without_an_unlocated_one_there_are_no_bounds() -> None:
    assert made(unlocated=0.0).filter(pl.col("horizon").str.starts_with("unlocated")).is_empty()


def test_every_attendance_is_in_one_row_of_each_kind() -> None:
    where = pl.DataFrame(
        {
            "month": [date(2021, 1, 1)] * 3 + [date(2021, 2, 1)],
            "where": ["hot spots", "unlocated", "hot spots", "dwelling"],
        }
    )
    rows = by_place(where)
    assert rows.filter(estimand="count")["estimate"].sum() == 4
    assert rows.filter(estimand="share")["estimate"].sum() == pytest.approx(1.0)
