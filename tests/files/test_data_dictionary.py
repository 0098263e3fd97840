"""The committed data dictionary is the one that the contracts make."""

from pathlib import Path

import pytest

from placeproof.files import data_dictionary
from placeproof.tables import TABLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "data-dictionary.md"


def test_the_committed_page_is_what_the_contracts_make() -> None:
    made = data_dictionary.markdown()
    assert PAGE.read_text(encoding="utf-8") == made, (
        "docs/reference/data-dictionary.md is out of date: run "
        "python -m placeproof.files.data_dictionary docs/reference/data-dictionary.md"
    )


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_says_type_and_meaning_and_what_null_means(name: str) -> None:
    section = data_dictionary.section(TABLES[name])
    for column_name, column in TABLES[name].columns().items():
        (row,) = [line for line in section.splitlines() if line.startswith(f"| `{column_name}` |")]
        cells = [cell.strip() for cell in row.replace("\\|", "").strip("|").split("|")]
        assert len(cells) == 7
        assert cells[1], "no type"
        assert cells[3] == column.description
        assert (cells[5] == "never null") == (not column.nullable)
        assert (cells[6] == "yes") == column.metadata["personal"]


def test_closed_lists_and_ranges_are_printed() -> None:
    section = data_dictionary.section(TABLES["response"])
    assert "`poster`, `link`, `fieldworker`, `kiosk`, `paper`" in section
    assert "1 to 4" in section


def test_what_is_wrong_with_the_source_is_printed() -> None:
    assert "A log is a claim" in data_dictionary.section(TABLES["patrol_log"])


def test_the_page_can_be_written_from_the_command_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert data_dictionary._main([str(page)]) == 0
    assert page.read_bytes() == data_dictionary.markdown().encode()
    assert data_dictionary._main([]) == 2
