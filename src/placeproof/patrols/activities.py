"""What officers did: every logged activity in exactly one class, or in the list of the unmapped."""

import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

import polars as pl

from placeproof.errors import SettingsError


@dataclass(frozen=True)
class Pattern:
    """Words that an activity has and lacks; a word that ends in * is a beginning."""

    has: tuple[str, ...]
    lacks: tuple[str, ...]

    def holds(self, words: frozenset[str]) -> bool:
        """Whether all words of `has` and none of `lacks` are among `words`."""
        return all(_among(word, words) for word in self.has) and not any(
            _among(word, words) for word in self.lacks
        )


@dataclass(frozen=True)
class ActivityClass:
    """A class of activities, with the spellings and patterns that lead to it."""

    id: str
    label: str
    visible: bool
    names: frozenset[str]
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True)
class Taxonomy:
    """
    The classes of activities in one edition, with the user's own lines.

    Parameters
    ----------
    id, edition : str
        Which taxonomy.
    classes : tuple of ActivityClass
        In the order of the file.
    own : mapping
        Spelling to class, as the user says; goes before names and patterns.
    sha256 : str
        Of the file and the user's lines.
    """

    id: str
    edition: str
    classes: tuple[ActivityClass, ...]
    own: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""

    @property
    def edition_tag(self) -> str:
        """Name, edition and hash, as results carry it."""
        return f"{self.id}@{self.edition}:{self.sha256[:8]}"

    @property
    def visible(self) -> frozenset[str]:
        """Classes that are evidence of a visible patrol on foot."""
        return frozenset(each.id for each in self.classes if each.visible)

    def class_of(self, activity: str) -> str | None:
        """The one class of an activity; None where none or more than one holds."""
        spelling = _spelling(activity)
        if spelling in self.own:
            return self.own[spelling]
        named = [each.id for each in self.classes if spelling in each.names]
        if named:
            return named[0]
        words = frozenset(spelling.split())
        held = [each.id for each in self.classes if any(p.holds(words) for p in each.patterns)]
        return held[0] if len(held) == 1 else None


def taxonomy(*, own: Mapping[str, str]) -> Taxonomy:
    """
    Give the classes that ship with Placeproof, with the lines that a user adds.

    Parameters
    ----------
    own : mapping
        Activity as logged to the id of its class; goes before every shipped rule. Empty: none.

    Returns
    -------
    Taxonomy

    Raises
    ------
    SettingsError
        If a line names a class that does not exist, or two lines spell the same activity and name
        different classes.
    """
    text = resources.files("placeproof.patrols").joinpath("activities.toml").read_text("utf-8")
    return read_taxonomy(text, own=own)


def read_taxonomy(text: str, *, own: Mapping[str, str]) -> Taxonomy:
    """
    Read a taxonomy from the text of its TOML file.

    Parameters
    ----------
    text : str
        As `activities.toml` explains.
    own : mapping
        As for `taxonomy`.

    Returns
    -------
    Taxonomy

    Raises
    ------
    SettingsError
        If the text is no such TOML, if a name stands in two classes, or as for `taxonomy`.
    """
    try:
        content = tomllib.loads(text)
        classes = tuple(_class(entry) for entry in content["class"])
        identity, edition = str(content["id"]), str(content["edition"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SettingsError(
            f"The classes of activities cannot be read: {error}.",
            mend="write them as activities.toml explains: id, edition and [[class]] entries",
        ) from error
    twice = [n for n, k in Counter(name for c in classes for name in c.names).items() if k > 1]
    if twice:
        raise SettingsError(
            f'The activity "{sorted(twice)[0]}" stands in two classes.',
            mend="leave it in one of them",
        )
    lines = _own_lines(own, [each.id for each in classes])
    hashed = text.replace("\r\n", "\n") + json.dumps(lines, sort_keys=True)
    digest = hashlib.sha256(hashed.encode()).hexdigest()
    return Taxonomy(identity, edition, classes, lines, digest)


def with_classes(table: pl.DataFrame, classes: Taxonomy) -> pl.DataFrame:
    """
    Say of each row to which class its activity belongs.

    Parameters
    ----------
    table : DataFrame
        With a column `activity`: table `patrol_log`, `delivered` or `tasking`. Not modified.
    classes : Taxonomy

    Returns
    -------
    DataFrame
        The same rows with `activity_class` (null: not supplied, or not mapped) and `visible`
        (null where the class is).
    """
    texts = table["activity"].drop_nulls().unique().sort().to_list()
    found = {text: classes.class_of(text) for text in texts}
    named = pl.col("activity").replace_strict(found, default=None, return_dtype=pl.String)
    known = table.with_columns(activity_class=named if found else pl.lit(None, dtype=pl.String))
    seen = pl.col("activity_class").is_in(sorted(classes.visible))
    return known.with_columns(visible=pl.when(pl.col("activity_class").is_not_null()).then(seen))


def unmapped(classed: pl.DataFrame) -> pl.DataFrame:
    """
    List the activities that no class holds, most frequent first.

    Parameters
    ----------
    classed : DataFrame
        As `with_classes` gives it.

    Returns
    -------
    DataFrame
        `activity`, `rows`. Rows without an activity are not among them: they are not supplied.
    """
    lost = pl.col("activity").is_not_null() & pl.col("activity_class").is_null()
    return (
        classed.filter(lost)
        .group_by("activity")
        .agg(rows=pl.len().cast(pl.Int64))
        .sort("rows", "activity", descending=[True, False])
    )


def _class(entry: Mapping[str, object]) -> ActivityClass:
    patterns = entry.get("patterns", [])
    names = entry.get("names", [])
    if not isinstance(patterns, list) or not isinstance(names, list):
        raise TypeError("names and patterns are lists")
    return ActivityClass(
        id=str(entry["id"]),
        label=str(entry["label"]),
        visible=bool(entry["visible"]),
        names=frozenset(_spelling(str(name)) for name in names),
        patterns=tuple(Pattern(tuple(each["has"]), tuple(each["lacks"])) for each in patterns),
    )


def _own_lines(own: Mapping[str, str], known: list[str]) -> dict[str, str]:
    lines: dict[str, str] = {}
    for activity, name in sorted(own.items()):
        if name not in known:
            raise SettingsError(
                f'The activity "{activity}" is put in class "{name}", which does not exist.',
                mend=f"choose from {', '.join(known)}",
            )
        if lines.setdefault(_spelling(activity), name) != name:
            raise SettingsError(
                f'The activity "{activity}" is put in two classes.', mend="leave one line of it"
            )
    return lines


def _spelling(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower().replace("&", " and ")).strip()


def _among(word: str, words: frozenset[str]) -> bool:
    if word.endswith("*"):
        return any(each.startswith(word[:-1]) for each in words)
    return word in words
