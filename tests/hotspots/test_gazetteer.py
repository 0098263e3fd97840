"""Places in people's words: sure, unsure, or none."""

import pytest

from placeproof.hotspots.gazetteer import Name, matches

NAMES = [
    Name("Mill Lane", "A"),
    Name("Kestrel End", "B"),
    Name("Mill Lane Car Park", "C"),
    Name("Anvil Lane", "D"),
    Name("The Anvil", "D"),
    Name("Far Quay", None),
]


def told(text: str | None, *, sure: float = 0.8, lead: float = 0.2) -> tuple[str, str | None]:
    found = matches([text], NAMES, least_confidence=sure, least_margin=lead)
    return found.row(0)[:2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kestrel End", ("matched", "B")),
        ("outside the KESTREL END, Northmere", ("matched", "B")),
        ("Kestrle End", ("matched", "B")),  # a slip of the pen
        ("anvil", ("matched", "D")),  # two names of one place do not compete
        ("far quay", ("matched", None)),  # known, and in none of the study's places
        ("lane", ("unknown", None)),  # half a name that others share
        ("the", ("blank", None)),
        ("", ("blank", None)),
        (None, ("blank", None)),
        ("in town, cannot say where", ("unknown", None)),
        ("between Kestrel End and Anvil Lane", ("ambiguous", None)),
        ("Mill Lane Car Park", ("ambiguous", None)),  # it names Mill Lane in full as well
    ],
)
def test_a_text_is_given_a_place_only_where_that_is_sure(
    text: str | None, expected: tuple[str, str | None]
) -> None:
    assert told(text) == expected


def test_a_lower_bar_locates_more_and_a_higher_one_less() -> None:
    assert told("Kestrle End", sure=1.0) == ("unknown", None)
    assert told("kestrel", sure=0.5) == ("matched", "B")


def test_no_word_of_the_text_comes_back() -> None:
    found = matches(["Kestrel End"], NAMES, least_confidence=0.8, least_margin=0.2)
    assert found.columns == ["status", "place_id", "confidence"]


def test_without_names_or_texts_nothing_is_located() -> None:
    assert matches(["x"], [], least_confidence=0.8, least_margin=0.2)["status"].item() == "unknown"
    assert matches([], NAMES, least_confidence=0.8, least_margin=0.2).height == 0
