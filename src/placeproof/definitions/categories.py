"""Crime categories: one spelling for the words that exports use."""

import re
import tomllib
from functools import cache
from importlib import resources

import polars as pl


@cache
def police_uk_slugs() -> dict[str, str]:
    """
    Give the street-level categories of data.police.uk.

    Returns
    -------
    dict
        Label as published to slug, in alphabetical order. "Violence and sexual offences" is a
        mixture whose slug is "violent-crime".
    """
    return {entry["label"]: entry["slug"] for entry in _entries() if entry.get("police_uk", True)}


def category_slug(category: str) -> str | None:
    """
    Find the slug of a category by any of its known names.

    Parameters
    ----------
    category : str
        A label, a slug or a further name; case, blanks and signs do not matter.

    Returns
    -------
    str or None
        None for a word that is not known.
    """
    return _slug_by_spelling().get(_spelling(category))


def with_slugs(table: pl.DataFrame) -> pl.DataFrame:
    """
    Put slugs in place of categories.

    Parameters
    ----------
    table : DataFrame
        Has a column `category`. Not modified.

    Returns
    -------
    DataFrame
        The same rows; `category` is null where the word is not known.
    """
    found = table["category"].drop_nulls().unique().sort().to_list()
    slugs = {word: category_slug(word) for word in found}
    return table.with_columns(
        pl.col("category").replace_strict(slugs, default=None, return_dtype=pl.String)
        if slugs
        else pl.col("category").cast(pl.String)
    )


def _spelling(category: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", category.lower().replace("&", " and ")).strip()


@cache
def _entries() -> list[dict]:
    text = resources.files("placeproof.definitions").joinpath("categories.toml").read_text("utf-8")
    entries: list[dict] = tomllib.loads(text)["category"]
    return entries


@cache
def _slug_by_spelling() -> dict[str, str]:
    return {
        _spelling(name): entry["slug"]
        for entry in _entries()
        for name in (entry["slug"], entry["label"], *entry["also"])
    }
