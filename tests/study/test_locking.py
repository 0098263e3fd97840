"""A lock holds the plan and what study.toml says that rows mean."""

import json
from datetime import date
from pathlib import Path

import pytest

from placeproof.errors import LockError
from placeproof.study.check import check
from placeproof.study.lock import AS_LOCKED, Lock, lock_state, write_lock
from placeproof.study.locking import lock
from placeproof.study.mappings import meanings
from placeproof.study.plan import read_plan
from placeproof.study.run import run
from tests.study.conftest import STUDY, make_study, plan, quiet

ON = date(2026, 1, 2)
MAPPED = """schema = 1
[study]
name = "A study"
force = "A force"
authors = ["Somebody"]
start = 2020-01-01
cut_off = 2021-12-31
[data.crimes]
contract = "crime"
files = ["crimes.csv"]
time_format = "%d/%m/%Y %H:%M"
offences = "codes.csv"
[data.crimes.columns]
crime_id = "Ref"
[data.crimes.values.public_place]
"Y" = "true"
[data.crimes.constants]
status = "recorded"
"""
SURVEY = '[data.survey]\ncontract = "response"\nfiles = ["r.csv"]\n'


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "codes.csv").write_text("offence_code,violence\n5A,true\n")
    (tmp_path / "study.toml").write_text(MAPPED)
    (tmp_path / "plan.toml").write_text(plan(exploratory="false"))
    write_lock(tmp_path, read_plan(tmp_path), mappings=meanings(tmp_path), on=ON)
    return tmp_path


def state(folder: Path, *, outcomes_public: bool = False) -> Lock:
    fixed = read_plan(folder)
    return lock_state(folder, fixed, outcomes_public=outcomes_public, mappings=meanings(folder))


def edited(folder: Path, old: str, new: str) -> Lock:
    text = (folder / "study.toml").read_text()
    assert old in text
    (folder / "study.toml").write_text(text.replace(old, new))
    return state(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Y" = "true"', '"Y" = "true"\n"N" = "true"'),
        ('crime_id = "Ref"', 'crime_id = "Number"'),
        ('status = "recorded"', 'status = "cancelled"'),
        ('"%d/%m/%Y %H:%M"', '"%m/%d/%Y %H:%M"'),
        ('offences = "codes.csv"\n', ""),
    ],
)
def test_a_mapping_that_moved_after_the_lock_is_stamped(study: Path, old: str, new: str) -> None:
    moved = edited(study, old, new)
    assert moved.state == "changed"
    assert moved.mappings == "[data.crimes] changed"
    assert moved.stamp == (
        "Exploratory: study.toml ([data.crimes] changed) was changed after the plan was locked on "
        "2026-01-02"
    )


def test_a_table_of_codes_that_moved_is_a_mapping_that_moved(study: Path) -> None:
    codes = study / "data" / "codes.csv"
    codes.write_bytes(codes.read_bytes().replace(b"\n", b"\r\n"))
    assert state(study).mappings == AS_LOCKED
    codes.write_text("offence_code,violence\n5A,false\n")
    assert state(study).state == "changed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "A study"', 'name = "The study"'),
        ("cut_off = 2021-12-31", "cut_off = 2022-12-31"),
        ('files = ["crimes.csv"]', 'files = ["crimes*.csv", "more/*.csv"]\nencoding = "cp1252"'),
        ("data.crimes", "data.recorded"),
    ],
)
def test_files_names_and_the_cut_off_may_move_on(study: Path, old: str, new: str) -> None:
    kept = edited(study, old, new)
    assert (kept.state, kept.mappings, kept.stamp) == ("locked", AS_LOCKED, "")


def test_what_is_said_by_default_may_be_written_out(study: Path) -> None:
    kept = edited(
        study,
        '[data.crimes]\ncontract = "crime"',
        'outcomes_public = false\n[data.crimes]\ncontract = "crime"\nformat = "auto"\ncrs = ""',
    )
    assert kept.mappings == AS_LOCKED


def test_a_feed_that_comes_later_is_told_and_moves_nothing(study: Path) -> None:
    later = edited(study, "[data.crimes]", SURVEY + "[data.crimes]")
    assert later.state == "locked"
    assert later.stamp == "Mapped after the plan was locked on 2026-01-02: [data.survey]"
    assert state(study, outcomes_public=True).stamp.startswith("Retrospective: ")


def test_a_second_feed_of_what_was_locked_moves_it(study: Path) -> None:
    second = '[data.public]\nformat = "police-uk"\nfiles = ["archive"]\n'
    assert edited(study, "[data.crimes]", second + "[data.crimes]").state == "changed"


def test_a_feed_that_is_gone_moves_what_was_locked(study: Path) -> None:
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text[: text.index("[data.crimes]")])
    assert state(study).mappings == "[data.crimes] gone"
    assert state(study).state == "changed"


def test_whether_outcomes_were_public_cannot_be_taken_back(study: Path) -> None:
    assert edited(study, "[data.crimes]\n", "outcomes_public = true\n[data.crimes]\n").state == (
        "changed"
    )


def test_plan_and_mappings_that_both_moved_are_both_named(study: Path) -> None:
    (study / "plan.toml").write_text(plan(exploratory="false", level="0.9"))
    both = edited(study, '"Ref"', '"Number"')
    assert "plan.toml and study.toml ([data.crimes] changed) were changed" in both.stamp


def test_an_older_lock_says_that_mappings_are_not_recorded(study: Path) -> None:
    path = study / "plan.lock"
    content = json.loads(path.read_text())
    del content["mappings"]
    path.write_text(json.dumps(content))
    old = state(study)
    assert (old.state, old.stamp, old.mappings) == ("locked", "", "not recorded")
    assert "is not recorded" in old.remark
    assert "is not recorded" in lock(study)
    told = [problem for problem in check(study, quiet) if problem.where == "plan.lock"]
    assert [(problem.severity, problem.code) for problem in told] == [
        ("note", "mappings_not_recorded")
    ]


def test_other_mappings_are_never_locked_over(study: Path) -> None:
    before = (study / "plan.lock").read_bytes()
    edited(study, '"Ref"', '"Number"')
    with pytest.raises(LockError, match=r"Other mappings were locked on 2026-01-02"):
        lock(study)
    assert (study / "plan.lock").read_bytes() == before


@pytest.mark.parametrize(
    "content", ["[]", '{"plan_sha256": "x"}', '{"plan_sha256": 1, "locked_on": 2, "mappings": []}']
)
def test_a_broken_lock_is_refused(study: Path, content: str) -> None:
    (study / "plan.lock").write_text(content)
    with pytest.raises(LockError, match="cannot be read"):
        state(study)


def test_a_folder_is_no_lock(study: Path) -> None:
    (study / "plan.lock").unlink()
    (study / "plan.lock").mkdir()
    for refused in (lambda: state(study), lambda: lock(study)):
        with pytest.raises(LockError, match="is a folder"):
            refused()
    told = [problem for problem in check(study, quiet) if problem.where == "plan.lock"]
    assert [problem.severity for problem in told] == ["error"]


def test_a_plan_is_locked_before_any_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(MAPPED.partition("[data.crimes]")[0])
    (tmp_path / "plan.toml").write_text(plan(exploratory="false"))
    assert lock(tmp_path).startswith("The plan is locked")
    (tmp_path / "study.toml").write_text(MAPPED)
    assert state(tmp_path).stamp.endswith(": [data.crimes]")


def test_check_run_and_report_say_that_a_mapping_moved(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", exploratory="false", permutations="0")
    lock(folder)
    assert not [problem for problem in check(folder, quiet) if problem.where == "plan.lock"]
    text = STUDY.replace('files = ["archive"]', 'files = ["archive"]\ntime_zone = "UTC"')
    (folder / "study.toml").write_text(text)
    told = [problem for problem in check(folder, quiet) if problem.where == "plan.lock"]
    assert [(problem.severity, problem.code) for problem in told] == [
        ("warning", "changed_after_lock")
    ]
    made = run(folder, until=None, progress=quiet)
    assert any("[data.police_uk] changed" in words for words in made.notices)
    assert "[data.police_uk] changed" in (made.folder / "report.html").read_text(encoding="utf-8")
    manifest = json.loads((made.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["lock"]["mappings"] == "[data.police_uk] changed"
