"""Every name that an estimate or a table carries is in the glossary, once, in order."""

import ast
import re
from pathlib import Path

from placeproof.tables import TABLES

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = re.split(r"^## ", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), flags=re.M)[1:]
TERMS = {
    section.splitlines()[0]: re.findall(r"^- (?:\*\*(.+?)\*\*|`(.+?)`):", section, flags=re.M)
    for section in SECTIONS
}
NAMES = {title: [bold or code for bold, code in found] for title, found in TERMS.items()}

NAMED_IN_THE_DESIGN = {
    "Estimands": """rate_ratio events_prevented weighted_displacement_difference
        event_study_rate_ratio pre_trend_slope top_share gini_corrected count share mean minutes
        people sessions missing_location_share""",
    "Methods": """poisson_imputation_jackknife poisson_imputation_trend_adjusted
        poisson_two_way_fixed_effects weighted_displacement_difference_quasi_poisson
        before_after""",
}


def written_as(key: str) -> set[str]:
    """Names that the code writes into this column as plain text beside its key."""
    found: set[str] = set()
    for path in sorted((ROOT / "src" / "placeproof").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                for name, value in zip(node.keys, node.values, strict=True):
                    if isinstance(name, ast.Constant) and name.value == key:
                        found |= plain_texts(value)
    return found


def plain_texts(value: ast.expr) -> set[str]:
    if isinstance(value, ast.IfExp):
        return plain_texts(value.body) | plain_texts(value.orelse)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return {value.value}
    return set()


def test_names_that_the_design_fixes_are_defined() -> None:
    for section, names in NAMED_IN_THE_DESIGN.items():
        assert set(names.split()) <= set(NAMES[section])


def test_names_that_the_code_writes_are_defined() -> None:
    for section, key in (("Estimands", "estimand"), ("Methods", "method")):
        missing = written_as(key) - set(NAMES[section])
        assert not missing, f"add to {section} in GLOSSARY.md: {', '.join(sorted(missing))}"


def test_every_table_is_defined() -> None:
    assert set(NAMES["Tables"]) == set(TABLES)


def test_each_term_stands_once_in_its_section_and_in_order() -> None:
    for title, names in NAMES.items():
        assert names, title
        assert names == sorted(names, key=str.lower), f"{title} is out of order"
        assert len(set(names)) == len(names)


def test_every_line_of_a_section_is_a_term_with_a_definition() -> None:
    for section in SECTIONS:
        for line in section.splitlines()[1:]:
            if line.startswith("-"):
                assert re.match(r"- (\*\*.+?\*\*|`.+?`): \S.+\.$", line), line
