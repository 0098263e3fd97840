"""Settings: every fault of a file is told at once, with its key and what it may hold."""

import re
from datetime import date
from pathlib import Path

import pytest

from placeproof.errors import LockError, SettingsError
from placeproof.study.lock import lock_state, write_lock
from placeproof.study.plan import read_plan
from placeproof.study.settings import find_folder, read_study
from placeproof.study.template import new_study, settings_page
from tests.study.conftest import STUDY, make_study, plan

ROOT = Path(__file__).resolve().parents[2]


def test_a_new_study_can_be_read_at_once(tmp_path: Path) -> None:
    new_study(tmp_path / "fresh")
    assert read_plan(tmp_path / "fresh").primary == "sv-street-nondom"
    with pytest.raises(SettingsError, match="names no files"):
        read_study(tmp_path / "fresh")


def test_new_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SettingsError, match="not empty"):
        new_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    make_study(tmp_path / "s")
    text = STUDY.replace("cut_off = 2021-12-31", 'cutoff = "tomorrow"').replace(
        'format = "police-uk"', 'format = "police-uk"\nencodng = "utf-8"'
    )
    (tmp_path / "s" / "study.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_study(tmp_path / "s")
    message = str(caught.value)
    assert 'no key "cutoff"; did you mean "cut_off"?' in message
    assert 'lacks the key "cut_off"' in message
    assert 'did you mean "encoding"?' in message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("seed", '"one"', "expected a whole number"),
        ("level", "1.5", "expected 0.999 or less"),
        ("exploratory", "1", "expected true or false"),
        ("period", '"day"', "expected one of week, month"),
        ("primary", '"sv"', 'no definition is called "sv"'),
        ("history_from", "2022-01-01", "is not before history_to"),
        ("ring_edges_m", "[100, 250]", "must rise from 0"),
        ("analysis_from", "2020-01-01T00:00:00", "expected a day without quotes"),
        ("default_accuracy_m", "51", "is worse than worst_accuracy_m"),
        ("longest_gap_s", "1e300", "expected 86400 or less"),
        ("silence_s", "99999999999999999999", "expected 86400 or less"),
        ("lead_s", "1e12", "expected 86400 or less"),
        ("margin_m", "1e9", "expected 10000 or less"),
    ],
)
def test_a_wrong_choice_is_named(tmp_path: Path, key: str, value: str, expected: str) -> None:
    (tmp_path / "plan.toml").write_text(plan(**{key: value}))
    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_plan(tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("target_minutes = 0", "expected 1 or more"),
        ('activities = { "Walkabout" = "strolling" }', 'class "strolling", which does not exist'),
        ('activities = { "Walkabout" = 1 }', "expected a class in quotes"),
    ],
)
def test_a_wrong_choice_about_patrols_is_named_before_any_file_is_read(
    tmp_path: Path, line: str, expected: str
) -> None:
    (tmp_path / "plan.toml").write_text(plan().replace("[patrols]", f"[patrols]\n{line}"))
    with pytest.raises(SettingsError, match=re.escape(expected)) as caught:
        read_plan(tmp_path)
    assert "plan.toml, [patrols" in str(caught.value)


def test_a_choice_left_out_is_not_guessed(tmp_path: Path) -> None:
    lines = [line for line in plan().splitlines() if not line.startswith("baseline =")]
    (tmp_path / "plan.toml").write_text("\n".join(lines))
    with pytest.raises(SettingsError, match=r'lacks the key "baseline"'):
        read_plan(tmp_path)


def test_broken_toml_gives_its_line(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("schema = 1\nseed = = 2\n")
    with pytest.raises(SettingsError, match="line 2"):
        read_plan(tmp_path)


def test_a_folder_that_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holds no study.toml"):
        find_folder(tmp_path)


def test_lock_states(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(plan())
    assert (
        lock_state(tmp_path, read_plan(tmp_path), outcomes_public=False, mappings={}).state
        == "exploratory"
    )
    with pytest.raises(LockError, match="never locked"):
        write_lock(tmp_path, read_plan(tmp_path), mappings={}, on=date(2026, 1, 2))
    path.write_text(plan(exploratory="false"))
    fixed = read_plan(tmp_path)
    assert not lock_state(tmp_path, fixed, outcomes_public=False, mappings={}).outcomes_visible
    write_lock(tmp_path, fixed, mappings={}, on=date(2026, 1, 2))
    assert lock_state(tmp_path, fixed, outcomes_public=False, mappings={}).stamp == ""
    assert "partly known" in lock_state(tmp_path, fixed, outcomes_public=True, mappings={}).stamp
    path.write_text(plan(exploratory="false", level="0.9"))
    changed = lock_state(tmp_path, read_plan(tmp_path), outcomes_public=False, mappings={})
    assert changed.state == "changed"
    assert "plan.toml was changed after the plan was locked on 2026-01-02" in changed.stamp
    with pytest.raises(LockError, match="Another plan was locked"):
        write_lock(tmp_path, read_plan(tmp_path), mappings={}, on=date(2026, 1, 3))


def test_adding_a_code_to_a_definition_changes_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from placeproof.study import plan as module

    (tmp_path / "plan.toml").write_text(plan())
    before = read_plan(tmp_path).sha256()
    known = module.outcomes()
    changed = dict(known) | {"puk-robbery": replace(known["puk-robbery"], edition="2099")}
    monkeypatch.setattr(module, "outcomes", lambda: changed)
    assert read_plan(tmp_path).sha256() != before


def test_the_page_of_settings_is_true() -> None:
    page = ROOT / "docs" / "reference" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings_page(), (
        "make it anew: python -c 'from placeproof.study.template import settings_page; "
        'print(settings_page(), end="")\' > docs/reference/settings.md'
    )
