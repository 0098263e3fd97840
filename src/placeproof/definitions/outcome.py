"""Outcome presets: which rows count, under which edition, with which hash."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import polars as pl

from placeproof.definitions.categories import police_uk_slugs
from placeproof.errors import SettingsError

SOURCE_TABLES = ("crime", "incident")
QUESTIONS_WITH_OUTCOMES = ("RQ1", "RQ2", "RQ3")
VOCABULARIES = ("", "police.uk", "ladder")


@dataclass(frozen=True)
class Part:
    """
    What an outcome takes from one table.

    Attributes
    ----------
    source_table : str
        "crime" or "incident".
    rule : str
        Polars SQL expression over the contract columns of the table.
    needs : tuple of str
        Columns without which the rule says nothing.
    """

    source_table: str
    rule: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """
    A registered outcome.

    Attributes
    ----------
    id, edition : str
        Name in `plan.toml`, and which wording of the definition.
    label : str
        The outcome in words for a reader.
    question : str
        "RQ1" serious violence, "RQ2" other crime, "RQ3" anti-social behaviour.
    parts : tuple of Part
        What it takes from each table.
    vocabulary : str
        Which words `category` must hold: "police.uk", "ladder", or "" where no rule reads them.
    caution : str
        What a reader must know before using the number.
    checked : str
        Where the content was checked, and what is still to be.
    activity : bool
        Found by police work, so more patrols raise it: not an outcome of patrols.
    sha256 : str
        First eight characters of the hash of everything above.
    """

    id: str
    edition: str
    label: str
    question: str
    parts: tuple[Part, ...]
    vocabulary: str
    caution: str
    checked: str
    activity: bool
    sha256: str

    @property
    def source_tables(self) -> tuple[str, ...]:
        """Tables that it counts rows of."""
        return tuple(part.source_table for part in self.parts)

    @property
    def rule(self) -> str:
        """The rule in one line; with the table in front where there are two."""
        if len(self.parts) == 1:
            return self.parts[0].rule
        return "; ".join(f"{part.source_table}: {part.rule}" for part in self.parts)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that it needs, of all its tables."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.needs))

    @property
    def edition_tag(self) -> str:
        """What stands beside every result: id@edition:hash."""
        return f"{self.id}@{self.edition}:{self.sha256}"


@cache
def outcomes() -> dict[str, Outcome]:
    """
    Give the outcome presets that ship with Placeproof.

    Returns
    -------
    dict of str to Outcome
        By id, in the order of the file.
    """
    text = resources.files("placeproof.definitions").joinpath("outcomes.toml").read_text("utf-8")
    return read_outcomes(text)


def read_outcomes(text: str) -> dict[str, Outcome]:
    """
    Read outcome presets from TOML.

    Parameters
    ----------
    text : str
        As `outcomes.toml`: one `[[outcome]]` each, with one `[[outcome.part]]` for each table.

    Returns
    -------
    dict of str to Outcome
        By id.

    Raises
    ------
    SettingsError
        If the text is no TOML, a key is missing or not known, an id stands twice, a rule cannot
        be read, or a label calls the data.police.uk mixture serious violence.
    """
    try:
        entries = tomllib.loads(text).get("outcome", [])
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"Outcome definitions are no TOML: {error}.", mend="correct that line."
        ) from None
    presets: dict[str, Outcome] = {}
    for entry in entries:
        preset = _outcome(entry)
        if preset.id in presets:
            raise _refusal(preset.id, "stands twice", "give each definition its own id.")
        presets[preset.id] = preset
    return presets


def _outcome(entry: Mapping[str, Any]) -> Outcome:
    name = str(entry.get("id", "without id"))
    required = {"id", "edition", "label", "question", "activity", "caution", "checked", "part"}
    if missing := sorted(required - set(entry)):
        raise _refusal(name, f"lacks {', '.join(missing)}", "add it.")
    if unknown := sorted(set(entry) - required - {"vocabulary"}):
        raise _refusal(name, f"has {', '.join(unknown)}, which is no key", "remove it.")
    preset = Outcome(
        id=name,
        edition=str(entry["edition"]),
        label=entry["label"],
        question=entry["question"],
        parts=tuple(_part(name, part) for part in entry["part"]),
        vocabulary=entry.get("vocabulary", ""),
        caution=entry["caution"],
        checked=entry["checked"],
        activity=entry["activity"],
        sha256=content_hash(entry)[:8],
    )
    _refuse_unknown_words(preset)
    _refuse_flattering_label(preset)
    return preset


def content_hash(entry: Mapping[str, Any]) -> str:
    """
    Hash a preset by its content.

    Parameters
    ----------
    entry : mapping
        The preset as it stands in the file.

    Returns
    -------
    str
        SHA-256 of the canonical JSON: sorted keys, no blanks, so layout and the order of keys
        do not matter, and any word of the content does.
    """
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _part(name: str, entry: Mapping[str, Any]) -> Part:
    if set(entry) != {"source_table", "rule", "needs"}:
        raise _refusal(name, "has a part without source_table, rule and needs", "write the three.")
    try:
        columns = set(pl.sql_expr(entry["rule"]).meta.root_names())
    except pl.exceptions.PolarsError as error:
        raise _refusal(name, f"has a rule that cannot be read: {error}", "correct it.") from None
    if forgotten := sorted(set(entry["needs"]) - columns):
        raise _refusal(
            name, f"needs {', '.join(forgotten)}, which its rule never reads", "remove it."
        )
    return Part(entry["source_table"], entry["rule"], tuple(entry["needs"]))


def _refuse_unknown_words(preset: Outcome) -> None:
    tables = preset.source_tables
    if not tables or not set(tables) <= set(SOURCE_TABLES) or len(set(tables)) < len(tables):
        raise _refusal(preset.id, "names no table, a wrong one, or one twice", "name each once.")
    if preset.question not in QUESTIONS_WITH_OUTCOMES:
        raise _refusal(preset.id, f"is for {preset.question}", "write RQ1, RQ2 or RQ3.")
    if preset.vocabulary not in VOCABULARIES:
        raise _refusal(preset.id, "has an unknown vocabulary", 'write "police.uk" or "ladder".')


def _refuse_flattering_label(preset: Outcome) -> None:
    mixture = police_uk_slugs()["Violence and sexual offences"]
    words = f"{preset.id} {preset.label}".lower().replace("-", " ")
    serious = "serious violence" in words or preset.id.startswith("sv-")
    if serious and any(mixture in part.rule for part in preset.parts):
        raise _refusal(
            preset.id,
            'calls "Violence and sexual offences" of data.police.uk serious violence',
            "name it for what it is: a mixture.",
        )


def _refusal(name: str, what: str, mend: str) -> SettingsError:
    return SettingsError(f'Outcome definition "{name}" {what}.', mend=mend)
