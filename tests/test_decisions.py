"""Decision notes: file names, numbers and headings agree, and each note has its four parts."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "decisions"
NOTES = sorted(FOLDER.glob("*.md"))
PARTS = ["Context", "Decision", "Consequences", "What would change our mind"]


def test_there_are_notes_and_no_number_stands_twice() -> None:
    numbers = [path.name[:4] for path in NOTES]
    assert numbers[:5] == ["0001", "0002", "0003", "0004", "0005"]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.name)
def test_a_note_is_named_numbered_and_divided_alike(path: Path) -> None:
    name = re.fullmatch(r"(\d{4})-([a-z0-9]+(?:-[a-z0-9]+)*)\.md", path.name)
    assert name, f"{path.name}: write four digits and a slug, as 0001-rooms-and-arrows.md"
    lines = path.read_text(encoding="utf-8").splitlines()
    heading = re.fullmatch(r"# (\d+)\. (.+)", lines[0])
    assert heading, f"{path.name}: the first line is '# number. title'"
    assert int(heading[1]) == int(name[1])
    words = set(re.findall(r"[a-z0-9]+", heading[2].lower()))
    common = {word for word in name[2].split("-") if len(word) > 3} & words
    assert common, f"{path.name}: file name and heading have no word in common"
    assert [line[3:] for line in lines if line.startswith("## ")] == PARTS
