"""Demographic groups, so that crime, survey and interviews are split in the same way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from placeproof.errors import SettingsError

_Edition = TypeVar("_Edition")


@dataclass(frozen=True)
class Bands:
    """
    One edition of age bands.

    Attributes
    ----------
    edition : str
        Name of the edition, for the label of a result.
    starts : tuple of int
        Youngest age of each band, rising.
    labels : tuple of str
        Label of each band, in the order of age.
    checked : str
        Where it was checked, and what is still to be.
    """

    edition: str
    starts: tuple[int, ...]
    labels: tuple[str, ...]
    checked: str


AGE_BANDS: dict[str, Bands] = {
    "age-8@1": Bands(
        "age-8@1",
        (0, 18, 25, 35, 45, 55, 65, 75),
        ("0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+"),
        "to be checked against the current harmonised standard",
    ),
    "age-under-25@1": Bands(
        "age-under-25@1", (0, 25), ("0-24", "25+"), "the cut of the early local scope"
    ),
}
"""Editions of age bands by name."""


@dataclass(frozen=True)
class Groups:
    """
    One edition of groups, with the words of sources that belong to each.

    Attributes
    ----------
    edition : str
        Name of the edition, for the label of a result.
    labels : tuple of str
        Groups, in the order of a table.
    spellings : mapping of str to str
        Word of a source, in lower case, to group.
    checked : str
        Where it was checked, and what is still to be.
    """

    edition: str
    labels: tuple[str, ...]
    spellings: Mapping[str, str]
    checked: str


_ASIAN = "Asian, Asian British or Asian Welsh"
_BLACK = "Black, Black British, Black Welsh, Caribbean or African"
_MIXED = "Mixed or Multiple ethnic groups"
_WHITE = "White"
_OTHER = "Other ethnic group"


def _spellings(groups: Mapping[str, str]) -> dict[str, str]:
    words = {word.strip(): group for group, text in groups.items() for word in text.split("|")}
    return words | {group.lower(): group for group in groups}


SEX_GROUPS: dict[str, Groups] = {
    "sex-2@1": Groups(
        "sex-2@1",
        ("Female", "Male"),
        _spellings({"Female": "f|female|woman", "Male": "m|male|man"}),
        "to be checked against the current harmonised standard",
    )
}
"""Editions of sex by name; any other word, or none, has no group."""

ETHNIC_GROUPS: dict[str, Groups] = {
    "ethnic-5-census-2021@1": Groups(
        "ethnic-5-census-2021@1",
        (_ASIAN, _BLACK, _MIXED, _WHITE, _OTHER),
        _spellings(
            {
                _ASIAN: "asian|asian or asian british|asian / asian british|a1|a2|a3|a4|a9|indian"
                "|pakistani|bangladeshi|chinese",
                _BLACK: "black|black or black british|b1|b2|b9|caribbean|african",
                _MIXED: "mixed|mixed or multiple|m1|m2|m3|m9",
                _WHITE: "white|w1|w2|w3|w9",
                _OTHER: "other|o2|o9|arab",
            }
        ),
        "names of the five groups as in the Census 2021 table of ethnic group by small area; the "
        "self-defined codes (W1 and so on) are from professional knowledge and to be checked. "
        "Codes of appearance given by officers (IC1 and so on) are not mapped: they are no "
        "self-definition. O1 is Chinese in one edition of the codes and something else in "
        "another, so it has no group",
    )
}
"""Editions of ethnic group by name; a word that is not listed has no group."""


def age_band(age: pl.Expr, *, edition: str) -> pl.Expr:
    """
    Put ages into bands.

    Parameters
    ----------
    age : expression of whole years
        Null stays null; so does an age below 0.
    edition : str
        A key of `AGE_BANDS`.

    Returns
    -------
    expression of String

    Raises
    ------
    SettingsError
        If the edition is not known.
    """
    bands = _edition(AGE_BANDS, edition)
    band = pl.lit(None, dtype=pl.String)
    for youngest, label in zip(bands.starts, bands.labels, strict=True):
        band = pl.when(age >= youngest).then(pl.lit(label)).otherwise(band)
    return band.alias("age_band")


def sex_group(sex: pl.Expr, *, edition: str) -> pl.Expr:
    """
    Bring recorded sex to one spelling.

    Parameters
    ----------
    sex : expression of String
        As recorded; case and outer blanks do not matter.
    edition : str
        A key of `SEX_GROUPS`.

    Returns
    -------
    expression of String
        Null where the source's word belongs to no group.

    Raises
    ------
    SettingsError
        If the edition is not known.
    """
    return _group(sex, _edition(SEX_GROUPS, edition))


def ethnic_group(ethnicity: pl.Expr, *, edition: str) -> pl.Expr:
    """
    Bring recorded ethnic groups to the five of the Census.

    Parameters
    ----------
    ethnicity : expression of String
        As the person defines it; case and outer blanks do not matter.
    edition : str
        A key of `ETHNIC_GROUPS`.

    Returns
    -------
    expression of String
        Null where the source's word belongs to no group: not stated, or given by an officer.

    Raises
    ------
    SettingsError
        If the edition is not known.
    """
    return _group(ethnicity, _edition(ETHNIC_GROUPS, edition))


def _group(words: pl.Expr, groups: Groups) -> pl.Expr:
    plain = words.str.strip_chars().str.to_lowercase()
    return plain.replace_strict(dict(groups.spellings), default=None, return_dtype=pl.String)


def _edition(editions: Mapping[str, _Edition], edition: str) -> _Edition:
    if edition not in editions:
        raise SettingsError(
            f'"{edition}" is no registered edition.', mend=f"write one of {', '.join(editions)}."
        )
    return editions[edition]
