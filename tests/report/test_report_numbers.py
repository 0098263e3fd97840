"""How figures are printed: never more exact than they are, and never a zero for what is absent."""

import pytest

from placeproof.report.numbers import filled, no_effect, shown
from tests.answers.builder import effect, findings, share


def row(made: dict) -> dict:
    return findings([made]).row(0, named=True)


@pytest.mark.parametrize(
    ("ratio", "lower", "upper", "words"),
    [
        (0.88, 0.80, 0.97, "−12 % (95 % interval −20 to −3)"),
        (1.2, 1.05, 1.37, "+20 % (95 % interval +5 to +37)"),
        (1.0, 0.9, 1.1, "0 % (95 % interval −10 to +10)"),
        (0.9, 0.8, 0.997, "−10 % (95 % interval −20 to −0.3)"),
        (3.0, 0.5, 400.0, "+200 % (95 % interval −50 to over 1 000)"),
    ],
)
def test_ratios_read_as_changes(ratio: float, lower: float, upper: float, words: str) -> None:
    printed = shown(row(effect(ratio, lower=lower, upper=upper)), "full")
    assert printed.replace("\u202f", " ") == words


def test_sizes_and_detectable_changes_have_no_sign() -> None:
    made = row(effect(0.88, minimum_detectable_effect=0.85))
    assert shown(made, "size").replace("\u202f", " ") == "12 %"
    assert shown(made, "minimum_detectable_effect").replace("\u202f", " ") == "15 %"


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (12847.0, "crimes", "12 847"),
        (0.413, "share", "41 %"),
        (0.004, "share", "0.4 %"),
        (13.42, "minutes", "13.4"),
        (-3.2, "crimes", "−3.20"),
        (3.456, "scale 1-5", "3.46"),
        (0.0, "crimes", "0"),
    ],
)
def test_levels_keep_about_three_figures(value: float, unit: str, words: str) -> None:
    printed = shown(row(share("RQ4", value, unit=unit, lower=None, upper=None, level=None)))
    assert printed.replace("\u202f", " ").removesuffix(" minutes") == words


def test_differences_of_shares_are_points() -> None:
    made = row(share("RQ8", -0.27, estimand="difference_in_shares"))
    assert shown(made).replace("\u202f", " ") == "−27 points"


@pytest.mark.parametrize("status", ["suppressed", "not_supplied", "not_identified", "masked"])
def test_what_is_absent_is_said_in_words(status: str) -> None:
    made = row(share("RQ4", status=status, estimate=None, lower=None, upper=None))
    for field in ("estimate", "full", "n", "size", "interval"):
        assert not any(letter.isdigit() for letter in shown(made, field))


def test_an_unknown_field_is_refused_and_an_unknown_finding_is_said() -> None:
    with pytest.raises(ValueError, match="no printable field"):
        shown(row(effect(0.9)), "colour")
    assert filled("{abcdef012345:estimate}", findings([])) == "not supplied"


def test_no_effect_is_one_for_ratios_and_nought_for_differences() -> None:
    assert no_effect(row(effect(0.9))) == 1.0
    assert no_effect(row(effect(1.0, unit="ratio a year"))) == 1.0
    assert no_effect(row(share("RQ8", estimand="difference_in_shares"))) == 0.0
