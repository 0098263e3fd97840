"""Whether an effect lasts: planted decay shows and is timed, a constant effect does not decay."""

import numpy as np
import pytest

from placeproof.effects import PlannedOutcome
from placeproof.effects.dose import lasting
from placeproof.effects.dose.lasting import NO_DECAY
from tests.effects.panels import make_panel

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", "planted@1:abc", "headline")}


def told(effect: np.ndarray, *, seed: int = 1, noise: bool = True, n: int = 12) -> dict[str, dict]:
    """Months 24 to 59 have patrols in half of the places; `effect` are their log ratios."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(8, 25, (2 * n, 1)) * (1 + 0.2 * np.sin(np.arange(60) / 2))
    mean[:n, 24:] *= np.exp(effect)
    counts = rng.poisson(mean).astype(float) if noise else mean
    made = lasting(make_panel(counts, [24] * n + [None] * n), outcomes=PLAN, level=0.95)
    return {f"{r['estimand']} {r['horizon']}": r for r in made.iter_rows(named=True)}


MONTHS = np.arange(36) + 0.5


def test_a_line_on_the_log_scale_is_given_back_exactly() -> None:
    rows = told(-0.5 + 0.24 * MONTHS * 30.4375 / 365.25, noise=False)
    assert rows["effect_change_per_year all"]["estimate"] == pytest.approx(np.exp(0.24), abs=1e-8)


def test_a_half_life_is_given_back_but_for_the_length_of_a_step() -> None:
    rows = told(-0.6 * 0.5 ** (MONTHS * 30.4375 / 7 / 26), noise=False)
    assert rows["effect_half_life all"]["estimate"] == pytest.approx(26, rel=1e-3)


def test_planted_decay_shows_and_its_interval_holds_it() -> None:
    rows = told(-0.6 * 0.5 ** (MONTHS * 30.4375 / 7 / 26))
    assert rows["effect_change_per_year all"]["lower"] > 1
    life = rows["effect_half_life all"]
    assert life["lower"] < 26 < life["upper"]
    first, year = rows["horizon_rate_ratio first=quarter"], rows["horizon_rate_ratio first=year"]
    assert first["estimate"] < year["estimate"] < 1


def test_constant_effects_are_rarely_called_decay() -> None:
    found = [
        told(np.full(36, -0.4), seed=seed)["effect_half_life all"]["status"] == "estimated"
        for seed in range(40)
    ]
    # One side of a 5 % test: 1 of 40 is expected, 6 come up once in a thousand times.
    assert sum(found) <= 5


def test_an_effect_that_grows_is_no_decay() -> None:
    row = told(-0.02 * MONTHS)["effect_half_life all"]
    assert (row["status"], row["reason"]) == ("not_identified", NO_DECAY)


def test_horizons_shorter_than_the_counts_are_refused_in_words() -> None:
    rows = told(np.full(36, -0.4))
    for name in ("day", "week"):
        row = rows[f"horizon_rate_ratio first={name}"]
        assert row["status"] == "not_identified"
        assert "by month" in row["reason"]
    assert rows["horizon_rate_ratio first=month"]["lower"] < np.exp(-0.4)


def test_zeros_and_few_places_say_so() -> None:
    none = make_panel(np.zeros((4, 12)), [4, 4, None, None])
    assert lasting(none, outcomes=PLAN, level=0.95).is_empty()
    rng = np.random.default_rng(1)
    two = make_panel(rng.poisson(5, (4, 12)).astype(float), [4, 4, None, None])
    made = lasting(two, outcomes=PLAN, level=0.95).filter(estimand="effect_change_per_year")
    assert made["status"].to_list() == ["not_identified"]
    after = rng.poisson(5, (6, 12)).astype(float)
    after[:3, 4:] = 0
    gone = lasting(make_panel(after, [4] * 3 + [None] * 3), outcomes=PLAN, level=0.95)
    assert gone.filter(estimand="effect_change_per_year")["status"].to_list() == ["not_identified"]
