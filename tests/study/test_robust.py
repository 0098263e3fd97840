"""The robustness set inside a run: what the plan says is done, masked before the lock, at exit."""

import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import SettingsError
from placeproof.rehearsal.study_files import _PLAN
from placeproof.study import reading, robust
from placeproof.study.effect_keys import ROBUSTNESS
from placeproof.study.estimating import for_estimation
from placeproof.study.lock import lock_state
from placeproof.study.plan import read_plan
from placeproof.study.run import STEPS
from placeproof.study.settings import read_study
from placeproof.study.work import Work
from tests.study.conftest import quiet, shortened
from tests.study.test_varying import HEADLINES


@pytest.fixture(scope="module")
def work(northmere: Path, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A run up to its panel, without patrols measured, in months."""
    folder = shortened(Path(shutil.copytree(northmere, tmp_path_factory.mktemp("robust") / "s")))
    settings = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(
        without_feeds(settings, "radios", "handhelds"), encoding="utf-8"
    )
    study, plan = read_study(folder), read_plan(folder)
    lock = lock_state(folder, plan, outcomes_public=False, mappings={})
    work = Work(study, plan, lock, reading.read_all(study, quiet), quiet)
    for name, _, steps in STEPS:
        if name == "effects":
            return work
        for step in steps if name != "patrols" else ():
            step(work)
    raise AssertionError


def without_feeds(settings: str, *names: str) -> str:
    """The settings of a study without the sections of some feeds."""
    parts = re.split(r"(?m)^(?=\[)", settings)
    gone = re.compile(rf"\[data\.({'|'.join(names)})[\].]")
    kept = [part for part in parts if not gone.match(part)]
    assert len(kept) < len(parts)
    return "".join(kept)


def added(work: Work, step) -> pl.DataFrame:
    before = len(work.estimates)
    step(work)
    made = work.estimates[before:]
    del work.estimates[before:]
    return pl.concat(made) if made else pl.DataFrame()


def fewer(work: Work, *methods: str) -> Work:
    return replace(
        work, plan=replace(work.plan, robustness=replace(work.plan.robustness, methods=methods))
    )


def test_every_planned_estimator_has_a_row_for_each_headline(work: Work) -> None:
    quick = ("callaway_santanna", "synthetic_did", "bounded_calibration")
    made = added(fewer(work, *quick), robust.estimate_otherwise)
    ratios = made.filter(estimand="rate_ratio", horizon="all")
    assert set(ratios.select("question", "outcome", "method").iter_rows()) == {
        (question, outcome, method) for outcome, question in HEADLINES.items() for method in quick
    }
    assert set(made["role"]) == {"robustness"}
    assert (ratios["status"] == "estimated").all()
    # Northmere's patrols reduce what was planted: every estimator leans that way.
    assert (ratios["estimate"] < 1.05).all()


def test_the_rows_are_those_of_the_baseline_that_the_headline_rests_on(work: Work) -> None:
    everything = replace(
        fewer(work, "bounded_calibration"),
        plan=replace(fewer(work, "bounded_calibration").plan, baseline="all"),
    )
    made = added(fewer(work, "bounded_calibration"), robust.estimate_otherwise)
    other = added(everything, robust.estimate_otherwise)
    assert made["estimate"].to_list() != other["estimate"].to_list()


def test_before_the_lock_nothing_is_estimated(work: Work) -> None:
    masked = replace(work, lock=replace(work.lock, state="unlocked"))
    assert added(masked, robust.estimate_otherwise).is_empty()
    assert added(masked, robust.censor_at_exit).is_empty()


def test_where_no_place_left_the_list_there_is_no_row(work: Work) -> None:
    nobody = replace(
        work,
        places=work.places.with_columns(treated_until=pl.lit(None, dtype=pl.Date)),  # type: ignore[union-attr]
    )
    assert added(nobody, robust.censor_at_exit).is_empty()


def test_what_comes_after_the_exit_is_left_out(work: Work) -> None:
    treated = work.panel.filter(kind="hotspot", group="treated")["place_id"].unique().sort()  # type: ignore[union-attr]
    gone, last = treated[0], date(2022, 9, 30)
    left = pl.when(pl.col("place_id") == gone).then(pl.lit(last))
    exits = replace(work, places=work.places.with_columns(treated_until=left))  # type: ignore[union-attr]
    made = added(exits, robust.censor_at_exit)
    assert set(made["horizon"]) == {"without=after-exit"}
    assert set(made["outcome"]) == set(HEADLINES)
    assert set(made["estimand"]) == {"rate_ratio", "change_in_rate_ratio"}
    one = made.filter(outcome="asb-all", estimand="rate_ratio").row(0, named=True)
    counted = work.panel.filter(  # type: ignore[union-attr]
        pl.col("kind").is_in(["hotspot", "comparison"]), outcome="asb-all", hours="all"
    )
    kept = for_estimation(work, counted).filter(
        (pl.col("place_id") != gone) | (pl.col("period_end") <= last)
    )
    usable = kept.filter(pl.col("count").is_not_null(), pl.col("treated").is_not_null())
    assert one["n"] == usable.height
    assert one["n_events"] == pytest.approx(usable["count"].sum())


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ('comparison_of_cohorts = "not_yet"', 'comparison_of_cohorts = "later"', "never, not_yet"),
        ("relative_magnitudes = [0.25, 0.5, 1.0]", "relative_magnitudes = []", "one at least"),
        ("smoothness = [0.005, 0.01, 0.02]", "smoothness = [-1]", "0 or more"),
        ("largest_weight = 5.0", "largest_weight = 0.5", "1 or more"),
        ("honest_steps = 4", "honest_steps = 1", "2 or more"),
        ("weeks_per_step = 13", "weeks = 13", 'no key "weeks"'),
    ],
)
def test_what_the_plan_cannot_mean_is_said(
    northmere: Path, tmp_path: Path, line: str, wrong: str, said: str
) -> None:
    whole = (northmere / "plan.toml").read_text(encoding="utf-8")
    assert whole.count(line + "\n") == 1
    (tmp_path / "plan.toml").write_text(whole.replace(line, wrong), encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        read_plan(tmp_path)


def test_the_rehearsal_names_every_estimator() -> None:
    assert all(f'"{name}"' in _PLAN for name in ROBUSTNESS)
