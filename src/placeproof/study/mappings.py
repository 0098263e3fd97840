"""What in `study.toml` decides what a row means, hashed, so that a lock can hold it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from placeproof.study.settings_form import read_toml

MEANING: dict[str, tuple[str, ...]] = {
    "study": ("start", "outcomes_public", "area_crs"),
    "lsoa": ("code", "crs"),
    "harm": ("edition", "code", "weight", "unit", "other_edition", "other_weight"),
    "costs": ("hour_gbp", "hour_edition", "edition", "outcome", "gbp"),
    "premises": (),
    "gazetteer": (),
    "streets": ("crs",),
    "data": (
        "contract", "format", "columns", "values", "constants", "time_format", "date_format",
        "time_zone", "crs",
    ),
}  # fmt: skip
"""Keys that decide what is counted as what. How bytes are read, file lists, names, corrections and
the cut-off move on while a study runs, and stand in the manifest."""

BESIDE: dict[str, tuple[str, ...]] = {
    "study": ("area",),
    "lsoa": ("file",),
    "harm": ("file", "other_file"),
    "costs": ("file",),
    "premises": ("file",),
    "gazetteer": ("file",),
    "streets": ("file",),
    "data": ("offences", "default_locations"),
}
"""Keys that name a file in data/ whose content decides meaning: codes, weights, outlines."""

_SILENT: dict[str, object] = {"outcomes_public": False, "format": "auto"}
"""What an absent key means; any other one that is absent, empty or "" says nothing."""


def meanings(folder: Path) -> dict[str, str]:
    """
    Hash every part of `study.toml` that decides what a row means.

    Parameters
    ----------
    folder : Path
        The study's folder. Files of data need not be there yet.

    Returns
    -------
    dict of str to str
        Section as `study.toml` writes it ("[data.crimes]") to its contract and the SHA-256 of its
        meaning ("crime:…"); a section that says nothing is left out.

    Raises
    ------
    SettingsError
        If `study.toml` cannot be read.
    """
    found = read_toml(folder / "study.toml")
    parts = {f"[{name}]": (name, found.get(name)) for name in MEANING if name != "data"}
    data = found.get("data")
    feeds = data if isinstance(data, Mapping) else {}
    parts |= {f"[data.{name}]": ("data", section) for name, section in feeds.items()}
    made = {name: _meaning(folder, kind, section) for name, (kind, section) in parts.items()}
    return {
        name: f"{_contract(name, told)}:{_sha256(told)}"
        for name, told in sorted(made.items())
        if told
    }


def tables_of(meaning: str) -> frozenset[str]:
    """
    Say which canonical tables a section fills.

    Parameters
    ----------
    meaning : str
        As `meanings` writes it.

    Returns
    -------
    frozenset of str
        Of a section that is no feed its own name.
    """
    contract = meaning.partition(":")[0]
    return frozenset({"crime", "incident"}) if contract == POLICE_UK else frozenset({contract})


POLICE_UK = "police-uk"


def _contract(name: str, told: Mapping[str, Any]) -> str:
    if not name.startswith("[data."):
        return name.strip("[]")
    return POLICE_UK if told.get("format") == POLICE_UK else str(told.get("contract", "none"))


def _meaning(folder: Path, kind: str, section: object) -> dict[str, Any]:
    if not isinstance(section, Mapping):
        return {}
    told = {key: section[key] for key in MEANING[kind] if key in section}
    told |= {key: _content(folder, section[key]) for key in BESIDE[kind] if section.get(key)}
    return {
        key: value
        for key, value in told.items()
        if value not in (None, "", {}, []) and value != _SILENT.get(key)
    }


def _content(folder: Path, name: object) -> list[str]:
    """Hash of a file and of the parts of a format that is made of several files."""
    path = folder / "data" / str(name)
    files = [part for part in path.parent.glob("*") if part.stem == path.stem and part.is_file()]
    # A file has one meaning whatever ends its lines.
    return [
        part.suffix + _sha256(part.read_bytes().replace(b"\r\n", b"\n").hex())
        for part in sorted(files)
    ] or ["not there"]


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
