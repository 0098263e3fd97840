"""The linearised estimator against R survey, and against what must hold of any estimator."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from placeproof.surveys import linearised

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
EXPECTED = pl.read_csv(REFERENCE / "surveys_linearised.csv", comment_prefix="#")
PEOPLE = pl.read_csv(REFERENCE / "surveys_people.csv")
# Same formulas in double precision, so only rounding differs; the logit interval of R goes
# through an iterated fit, which stops at a relative change of 1e-8 in the deviance.
TOLERANCE = {"lower": 1e-7, "upper": 1e-7}

COLUMN = {"share": "yes", "mean": "score"}


def arrays(weighting: str, column: str):
    weights = PEOPLE["weight"].to_numpy() if weighting == "weighted" else np.ones(PEOPLE.height)
    values = PEOPLE[column].cast(pl.Float64).to_numpy()
    areas = PEOPLE["area"].rank("dense").cast(pl.Int64).to_numpy()
    return values, weights, areas, ~np.isnan(values), PEOPLE["group"].to_numpy()


def ours(case: str) -> linearised.Spread:
    weighting, kind, who = case.split()
    values, weights, areas, answered, group = arrays(weighting, COLUMN[kind])
    common = {"weights": weights, "areas": areas, "level": 0.95}
    if who == "a-b":
        first, second = answered & (group == "a"), answered & (group == "b")
        return linearised.difference(values, first=first, second=second, **common)
    members = answered & ((group == who) | (who == "all"))
    return linearised.mean(values, members=members, share=kind == "share", **common)


@pytest.mark.parametrize(
    ("case", "statistic", "value"),
    [row for row in EXPECTED.rows() if row[0] != "alpha"],
)
def test_agrees_with_r_survey(case: str, statistic: str, value: float) -> None:
    tolerance = TOLERANCE.get(statistic, 1e-9)
    assert getattr(ours(case), statistic) == pytest.approx(value, rel=tolerance, abs=1e-12)


def test_order_of_people_does_not_matter() -> None:
    values, weights, areas, answered, _ = arrays("weighted", "score")
    turned = np.random.default_rng(3).permutation(values.size)
    one = linearised.mean(
        values, weights=weights, areas=areas, members=answered, level=0.95, share=False
    )
    two = linearised.mean(
        values[turned],
        weights=weights[turned],
        areas=areas[turned],
        members=answered[turned],
        level=0.95,
        share=False,
    )
    assert two.standard_error == pytest.approx(one.standard_error, rel=1e-12)
    assert two.estimate == pytest.approx(one.estimate, rel=1e-12)


def test_weight_two_equals_the_person_twice() -> None:
    values, _, areas, answered, _ = arrays("unweighted", "score")
    weights = np.where(np.arange(values.size) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(values.size), weights.astype(int))
    weighted = linearised.mean(
        values, weights=weights, areas=areas, members=answered, level=0.95, share=False
    )
    repeated = linearised.mean(
        values[twice],
        weights=np.ones(twice.size),
        areas=areas[twice],
        members=answered[twice],
        level=0.95,
        share=False,
    )
    assert weighted.estimate == pytest.approx(repeated.estimate, rel=1e-12)
    assert weighted.standard_error == pytest.approx(repeated.standard_error, rel=1e-12)


def test_one_area_gives_a_number_without_an_interval() -> None:
    found = linearised.mean(
        np.array([0.0, 1.0, 1.0]),
        weights=np.ones(3),
        areas=np.zeros(3, dtype=np.int64),
        members=np.ones(3, dtype=bool),
        level=0.95,
        share=True,
    )
    assert found.estimate == pytest.approx(2 / 3)
    assert found.n_areas == 1
    assert np.isnan([found.lower, found.upper, found.standard_error]).all()


def test_everyone_alike_gives_no_interval() -> None:
    found = linearised.mean(
        np.ones(4),
        weights=np.ones(4),
        areas=np.array([0, 0, 1, 1]),
        members=np.ones(4, dtype=bool),
        level=0.95,
        share=True,
    )
    assert found.estimate == 1.0
    assert np.isnan(found.lower)


def test_weights_of_zero_give_no_number() -> None:
    found = linearised.mean(
        np.array([1.0, 2.0]),
        weights=np.zeros(2),
        areas=np.array([0, 1]),
        members=np.ones(2, dtype=bool),
        level=0.95,
        share=False,
    )
    assert np.isnan(found.estimate)
    assert found.n == 2


def test_intervals_cover_a_known_share() -> None:
    """20 areas of 40 people with an intra-class correlation: 95 % intervals hold the truth."""
    rng = np.random.default_rng(11)
    areas = np.repeat(np.arange(20), 40)
    held = 0
    for _ in range(400):
        chance = rng.beta(9, 6, 20)  # mean 0.6
        values = (rng.random(800) < chance[areas]).astype(float)
        found = linearised.mean(
            values,
            weights=np.ones(800),
            areas=areas,
            members=np.ones(800, dtype=bool),
            level=0.95,
            share=True,
        )
        held += found.lower <= 0.6 <= found.upper
    # 400 draws: the 99 % Monte Carlo band around 0.95 is 0.922 to 0.978.
    assert 0.922 <= held / 400 <= 0.978
