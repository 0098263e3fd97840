"""What was changed after the lock is listed, and stamps the numbers that it touches, no others."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import LockError
from placeproof.study.check import check
from placeproof.study.deviations import TOUCHES, deviations
from placeproof.study.keys import PLAN_KEYS
from placeproof.study.lock import LOCK_FILE, lock_state, write_lock
from placeproof.study.mappings import meanings
from placeproof.study.plan import read_plan
from placeproof.study.run import run
from tests.study.conftest import make_study, quiet

ON = date(2026, 1, 2)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_study(
        tmp_path_factory.mktemp("deviating") / "s", permutations="9", exploratory="false"
    )
    write_lock(folder, read_plan(folder), mappings=meanings(folder), on=ON)
    return folder


def changed(folder: Path, old: str, new: str) -> None:
    path = folder / "plan.toml"
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))


def state(folder: Path):  # type: ignore[no-untyped-def]
    return lock_state(folder, read_plan(folder), outcomes_public=False, mappings=meanings(folder))


def test_what_was_locked_and_what_is_now_is_told(locked: Path) -> None:
    changed(locked, "permutations = 9\n", "permutations = 19\n")
    try:
        found = state(locked)
    finally:
        changed(locked, "permutations = 19\n", "permutations = 9\n")
    assert found.state == "deviated"
    assert [(each.key, each.locked, each.now) for each in found.deviations] == [
        ("permutations", "9", "19")
    ]
    assert found.outcomes_visible
    assert found.stamp == (
        "Deviates from the plan that was locked on 2026-01-02: numbers marked † are exploratory"
    )
    assert state(locked).state == "locked"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ring_edges_m = [0, 100, 250]", "ring_edges_m = [0, 100, 300]"),
        ("level = 0.95", "level = 0.9"),
        ('period = "month"', 'period = "week"'),
    ],
)
def test_a_choice_under_every_number_stamps_the_whole(locked: Path, old: str, new: str) -> None:
    changed(locked, old, new)
    try:
        found = state(locked)
    finally:
        changed(locked, new, old)
    assert found.state == "changed"
    assert found.stamp.startswith("Exploratory: plan.toml was changed")
    assert len(found.deviations) == 1


def test_an_older_lock_without_the_choices_stamps_the_whole(locked: Path) -> None:
    path = locked / LOCK_FILE
    whole = path.read_text()
    content = json.loads(whole)
    del content["plan"]
    path.write_text(json.dumps(content))
    changed(locked, "permutations = 9\n", "permutations = 19\n")
    try:
        found = state(locked)
    finally:
        changed(locked, "permutations = 19\n", "permutations = 9\n")
        path.write_text(whole)
    assert found.state == "changed"
    assert found.deviations == ()


def test_another_plan_is_not_locked_over_the_first(locked: Path) -> None:
    changed(locked, "permutations = 9\n", "permutations = 19\n")
    try:
        with pytest.raises(LockError, match="Another plan was locked"):
            write_lock(locked, read_plan(locked), mappings=meanings(locked), on=ON)
    finally:
        changed(locked, "permutations = 19\n", "permutations = 9\n")


def test_only_what_is_touched_is_marked(locked: Path) -> None:
    """An outcome added after the lock: its numbers are marked, nobody else's."""
    changed(locked, "also = []", 'also = ["puk-vehicle-crime"]')
    try:
        made = run(locked, until=None, progress=quiet)
        problems = check(locked, quiet)
    finally:
        changed(locked, 'also = ["puk-vehicle-crime"]', "also = []")
    findings = pl.read_parquet(made.folder / "tables" / "finding.parquet")
    marked = findings.filter(pl.col("exploratory").is_not_null())
    assert set(marked["outcome"]) == {"puk-vehicle-crime"}
    rest = findings.filter(pl.col("outcome") == "puk-vehicle-crime")
    assert marked.height == rest.height > 0
    manifest = json.loads((made.folder / "manifest.json").read_text())
    keys = {each["key"]: each for each in manifest["lock"]["deviations"]}
    assert set(keys) == {"also", "definitions.puk-vehicle-crime"}
    estimated = marked.filter(status="estimated").height
    assert keys["also"]["numbers"] == estimated
    page = (made.folder / "report.html").read_text(encoding="utf-8")
    assert "Deviations from the locked plan" in page
    assert "numbers marked † are exploratory" in page
    if estimated:
        assert "†" in page.replace("numbers marked †", "")
    assert any(problem.code == "deviates" and "also" in problem.message for problem in problems)


def test_an_answer_whose_headline_deviates_says_so(locked: Path) -> None:
    changed(locked, 'RQ1 = "puk-robbery"', 'RQ1 = "puk-weapons"')
    try:
        made = run(locked, until="answers", progress=quiet)
    finally:
        changed(locked, 'RQ1 = "puk-weapons"', 'RQ1 = "puk-robbery"')
    answers = pl.read_parquet(made.folder / "tables" / "answer.parquet")
    said = dict(zip(answers["question"], answers["grade_reasons"], strict=True))
    words = "made otherwise than the locked plan says"
    assert words in said["RQ1"], said["RQ1"]
    assert words not in said["RQ3"]


def test_every_key_that_has_a_rule_is_a_key_of_the_plan() -> None:
    known = {key.name for keys in PLAN_KEYS.values() for key in keys} | set(PLAN_KEYS)
    assert set(TOUCHES) <= known


def test_a_definition_that_moved_touches_its_outcome() -> None:
    before = {"definitions": ["robbery@1:aaaa", "burglary@1:bbbb"], "seed": 1}
    after = {"definitions": ["robbery@2:cccc", "burglary@1:bbbb"], "seed": 1}
    (only,) = deviations(before, after)
    assert (only.key, only.locked, only.now) == ("definitions.robbery", "1:aaaa", "2:cccc")
    rows = pl.DataFrame({"outcome": ["robbery", "burglary"]})
    assert rows.filter(only.which)["outcome"].to_list() == ["robbery"]
