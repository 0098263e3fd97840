"""Scale scores and their reliability."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from placeproof.surveys.scales import cronbach_alpha, scale_mean

REFERENCE = Path(__file__).resolve().parents[1] / "reference"


def test_alpha_agrees_with_the_formula_in_r() -> None:
    expected = pl.read_csv(REFERENCE / "surveys_linearised.csv", comment_prefix="#").filter(
        pl.col("case") == "alpha"
    )["value"][0]
    people = pl.read_csv(REFERENCE / "surveys_people.csv")
    alpha, complete = cronbach_alpha(people, columns=["item1", "item2", "item3"], reversed_items={})
    assert alpha == pytest.approx(expected, rel=1e-9)
    assert complete == people.select("item1", "item2", "item3").drop_nulls().height


def test_too_few_items_give_no_score_and_reversed_items_are_turned() -> None:
    items = pl.DataFrame({"a": [5, 1, None], "b": [1, None, None], "c": [4, 3, 2]})
    score = scale_mean(items, columns=["a", "b", "c"], min_items=2, reversed_items={"b": (1, 5)})
    assert score.to_list() == [pytest.approx(14 / 3), 2.0, None]


def test_reversed_item_restores_alpha() -> None:
    rng = np.random.default_rng(2)
    trait = rng.integers(1, 6, 200)
    other = np.clip(trait + rng.integers(-1, 2, 200), 1, 5)
    straight = pl.DataFrame({"a": trait, "b": other})
    crooked = pl.DataFrame({"a": trait, "b": 6 - other})
    good, _ = cronbach_alpha(straight, columns=["a", "b"], reversed_items={})
    turned, _ = cronbach_alpha(crooked, columns=["a", "b"], reversed_items={"b": (1, 5)})
    wrong, _ = cronbach_alpha(crooked, columns=["a", "b"], reversed_items={})
    assert turned == pytest.approx(good)
    assert wrong < 0 < good


@pytest.mark.parametrize("min_items", [0, 4])
def test_an_impossible_minimum_is_refused(min_items: int) -> None:
    with pytest.raises(ValueError, match="min_items"):
        scale_mean(pl.DataFrame({"a": [1]}), columns=["a"], min_items=min_items, reversed_items={})


def test_nobody_differs_gives_no_alpha() -> None:
    alpha, complete = cronbach_alpha(
        pl.DataFrame({"a": [3, 3], "b": [4, 4]}), columns=["a", "b"], reversed_items={}
    )
    assert np.isnan(alpha)
    assert complete == 2
