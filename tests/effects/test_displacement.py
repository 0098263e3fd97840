"""Events that moved: a planted share is found, nothing is counted twice, refusals in words."""

import math

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome
from placeproof.effects.displacement import (
    displaced_share,
    displacement,
    log_relative_rate,
    quotient,
)
from placeproof.effects.effect import overall
from placeproof.effects.grid import grid, rings_together
from placeproof.effects.weighted_displacement import weighted_displacement
from tests.effects.panels import REFERENCE, make_panel

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", None, "headline")}
STARTS: list[int | None] = [18] * 10 + [None] * 20


def study(seed: int, *, moved: float, inside: float = 0.7, level: float = 40.0) -> pl.DataFrame:
    """Hot spots lose a share of their events; `moved` of what they lose turns up around them."""
    rng = np.random.default_rng(seed)
    targets = rng.gamma(9, level / 9, (30, 1)) * np.ones((30, 36))
    rings = 1.5 * rng.gamma(9, level / 9, (30, 1)) * np.ones((30, 36))
    lost = (1 - inside) * targets[:10, 18:]
    targets[:10, 18:] -= lost
    rings[:10, 18:] += moved * lost
    near, far = 0.4 * rings, 0.6 * rings
    parts = [make_panel(rng.poisson(targets), STARTS)]
    for mean, prefix in ((near, "near-"), (far, "far-")):
        parts.append(
            make_panel(rng.poisson(mean), STARTS, kinds=("ring", "comparison_ring"),
                       prefix=prefix, targets=True)
        )  # fmt: skip
    return pl.concat(parts)


BANDS = {f"{prefix}P{i:02d}": words for i in range(30)
         for prefix, words in (("near-", "0-100 m"), ("far-", "100-250 m"))}  # fmt: skip


def pair(panel: pl.DataFrame):
    table = grid(panel, outcome="planted", hours="all", kinds=("hotspot", "comparison"))
    around = rings_together(panel, outcome="planted", hours="all")
    assert table is not None
    assert around is not None
    return table, around


def test_a_planted_share_of_thirty_per_cent_is_found_and_its_interval_holds_it() -> None:
    for moved in (0.3, 0.0, -0.2):
        made = [displaced_share(*pair(study(seed, moved=moved)), level=0.95) for seed in range(60)]
        found = np.array([one.share for one in made])
        assert abs(found.mean() - moved) < 4 * found.std(ddof=1) / math.sqrt(60)
        held = np.mean([one.lower <= moved <= one.upper for one in made])
        assert held > 0.86  # 99 % Monte Carlo interval of .95 from 60 studies


def test_rings_of_a_place_are_one_place_and_no_event_is_counted_twice() -> None:
    panel = study(1, moved=0.3)
    table, around = pair(panel)
    rings = panel.filter(pl.col("kind").is_in(["ring", "comparison_ring"]))
    assert around.counts.sum() == rings["count"].sum()
    assert around.places == table.places
    rows = displacement(panel, outcomes=PLAN, bands=BANDS, level=0.95)
    parts = rows.filter(estimand="weighted_displacement_difference")
    assert set(parts["population"]) == {"treated hot spots", "ring 0-100 m", "ring 100-250 m"}
    whole = weighted_displacement(
        table,
        [grid(rings.filter(pl.col("place_id").str.starts_with(prefix)), outcome="planted",
              hours="all", kinds=("ring", "comparison_ring"))
         for prefix in ("near-", "far-")],  # type: ignore[misc]
        level=0.95,
    )  # fmt: skip
    assert parts["estimate"].sum() == pytest.approx(whole.difference)


def test_by_hand() -> None:
    # Doubled places, no chance: 100 a period inside before, 60 after; around 50 before, 58 after.
    counts = [[100.0] * 4 + [60.0] * 4] * 4 + [[100.0] * 8] * 4
    rings = [[50.0] * 4 + [58.0] * 4] * 4 + [[50.0] * 8] * 4
    starts: list[int | None] = [4] * 4 + [None] * 4
    panel = pl.concat(
        [
            make_panel(counts, starts),
            make_panel(rings, starts, kinds=("ring", "comparison_ring"), prefix="r-", targets=True),
        ]
    )
    made = displaced_share(*pair(panel), level=0.95)
    assert made.prevented == pytest.approx(4 * 4 * 40)
    assert made.added == pytest.approx(4 * 4 * 8)
    assert made.share == pytest.approx(0.2)
    rows = displacement(panel, outcomes=PLAN, bands={}, level=0.95)
    by = {(row["estimand"], row["population"]): row for row in rows.to_dicts()}
    difference = "weighted_displacement_difference"
    assert by[difference, "treated hot spots"]["estimate"] == pytest.approx(-640)
    assert by[difference, "ring any distance"]["estimate"] == pytest.approx(128)
    rirr = by["log_relative_incident_rate_ratio", "treated hot spots"]
    assert rirr["estimate"] == pytest.approx(math.log(0.6))
    around = by["log_relative_incident_rate_ratio", "rings around treated hot spots"]
    assert around["estimate"] == pytest.approx(math.log(58 / 50))


def test_ends_of_the_interval_are_the_shares_that_the_jackknife_just_does_not_exclude() -> None:
    table, around = pair(study(3, moved=0.3))
    made = displaced_share(table, around, level=0.95)
    inside, outside = overall(table, level=0.95), overall(around, level=0.95)

    def distance(share: float) -> float:
        prevented = inside.observed * np.expm1(-inside.replicates)
        added = -outside.observed * np.expm1(-outside.replicates)
        centre = made.added - share * made.prevented
        moved = added - share * prevented - centre
        return abs(centre) / math.sqrt(29 / 30 * float(moved @ moved))

    for end in (made.lower, made.upper):
        assert distance(end) == pytest.approx(2.262157, rel=1e-5)  # t with nine degrees of freedom


def test_the_quotient_is_what_a_hand_makes() -> None:
    counts = {"treated": (100.0, 60.0), "comparison": (200.0, 180.0)}
    expected = (55 / 180 - 50 / 200) / (60 / 180 - 100 / 200)
    assert quotient(counts, (50.0, 55.0)) == pytest.approx(expected)
    assert quotient(counts, (50.0, 55.0)) < 0
    assert math.isnan(quotient({"treated": (1.0, 1.0), "comparison": (0.0, 5.0)}, (1.0, 1.0)))
    assert math.isnan(quotient({"treated": (2.0, 2.0), "comparison": (5.0, 5.0)}, (1.0, 1.0)))


def test_relative_rates_agree_with_the_published_example_and_with_r() -> None:
    value, variance = log_relative_rate({"treated": (50.0, 30.0), "comparison": (60.0, 55.0)})
    assert value == pytest.approx(-0.4238142, abs=5e-8)
    assert variance == pytest.approx(1 / 50 + 1 / 30 + 1 / 60 + 1 / 55)
    table = pl.read_csv(REFERENCE / "effects_registers.csv", comment_prefix="#")
    says = dict(zip(table["name"], table["value"].cast(pl.Float64), strict=True))
    sums = {"treated": (191.0, 153.0), "comparison": (199.0, 195.0)}
    value, variance = log_relative_rate(sums)
    assert value == pytest.approx(says["rirr_log"], abs=1e-9)
    assert math.sqrt(variance) == pytest.approx(says["rirr_poisson_error"], abs=1e-6)
    assert math.isnan(log_relative_rate({"treated": (0.0, 3.0), "comparison": (1.0, 1.0)})[0])


def test_where_nothing_fell_inside_no_share_is_formed() -> None:
    made = displaced_share(*pair(study(1, moved=0.0, inside=1.0)), level=0.95)
    assert made.refusal is not None
    assert "nothing of which a share" in made.refusal
    rose = displaced_share(*pair(study(1, moved=0.0, inside=1.3)), level=0.95)
    assert rose.refusal is not None


def test_without_rings_comparators_or_a_second_place_there_are_words_and_no_crash() -> None:
    panel = study(2, moved=0.3)
    spots = panel.filter(pl.col("kind").is_in(["hotspot", "comparison"]))
    bare = displacement(spots, outcomes=PLAN, bands={}, level=0.95)
    assert set(bare["estimand"]) == {
        "weighted_displacement_difference", "log_relative_incident_rate_ratio"
    }  # fmt: skip
    one = panel.filter(~pl.col("target_id").fill_null(pl.col("place_id")).is_in(
        [f"P{i:02d}" for i in range(1, 10)]))  # fmt: skip
    row = displacement(one, outcomes=PLAN, bands=BANDS, level=0.95).filter(
        estimand="displaced_share"
    ).row(0, named=True)  # fmt: skip
    assert row["status"] == "not_identified"
    alone = panel.filter(group="treated")
    assert displacement(alone, outcomes=PLAN, bands=BANDS, level=0.95).is_empty()
