"""The form of settings files: what a key is, and how a TOML file is held against its keys."""

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from placeproof.errors import SettingsError


@dataclass(frozen=True)
class Key:
    """One setting of kind text, day, whole, number, flag, texts, numbers or table."""

    name: str
    kind: str
    meaning: str
    required: bool = True
    default: Any = None
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


Sections = Mapping[str, tuple[Key, ...]]

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "a text in quotes"),
    "day": ((date,), "a day without quotes, as 2021-07-31"),
    "whole": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "flag": ((bool,), "true or false"),
    "texts": ((list,), 'a list of texts, as ["a", "b"]'),
    "numbers": ((list,), "a list of numbers, as [0, 100, 250]"),
    "table": ((dict,), "a table of its own, as [section.name]"),
}


def read_toml(path: Path) -> dict[str, Any]:
    """
    Read one TOML file of a study.

    Parameters
    ----------
    path : Path
        `study.toml` or `plan.toml`.

    Returns
    -------
    dict
        What stands in it, unchecked.

    Raises
    ------
    SettingsError
        If it is missing, is not UTF-8, or is not TOML; the message gives the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path.name} is not in {path.parent}.",
            mend="name the folder of a study, or make one with: placeproof new FOLDER",
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{path.name} cannot be read: {error.strerror}.",
            mend="make it a file that you may read",
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path.name}: byte {error.start + 1} is not UTF-8.", mend="save the file as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{path.name} cannot be read: {error}.",
            mend="look at the line named; texts stand in quotes, days do not",
        ) from None


def read_section(
    where: str, found: object, keys: tuple[Key, ...], problems: list[str]
) -> dict[str, Any]:
    """
    Hold one section against its keys.

    Parameters
    ----------
    where : str
        File and section, as messages name it.
    found : object
        What stands there.
    keys : tuple of Key
        What may stand there.
    problems : list of str
        Every fault found is appended, so that a reader learns of all at once.

    Returns
    -------
    dict
        Key name to value; absent optional keys hold their default.
    """
    if not isinstance(found, Mapping):
        problems.append(f"{where} must be a section, found {found!r}")
        return {}
    names = [key.name for key in keys]
    for name in found:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            problems.append(
                f'{where} has no key "{name}"' + (f'; did you mean "{near[0]}"?' if near else "")
            )
    values: dict[str, Any] = {}
    for key in keys:
        if key.name in found:
            faults = _faults(where, key, found[key.name])
            problems.extend(faults)
            if not faults:
                values[key.name] = found[key.name]
        elif key.required:
            problems.append(f'{where} lacks the key "{key.name}": {key.meaning}')
        else:
            values[key.name] = key.default
    return values


def _faults(where: str, key: Key, value: object) -> list[str]:
    types, expected = _KINDS[key.kind]
    place = f'{where}, key "{key.name}"'
    wrong_type = not isinstance(value, types) or (isinstance(value, bool) != (key.kind == "flag"))
    if wrong_type or isinstance(value, datetime):
        return [f"{place}: found {value!r}, expected {expected}"]
    if key.allowed and value not in key.allowed:
        return [f"{place}: found {value!r}, expected one of {', '.join(key.allowed)}"]
    if key.kind in {"texts", "numbers"} and isinstance(value, list):
        item_types = (str,) if key.kind == "texts" else (int, float)
        if not all(isinstance(item, item_types) and _is_sound(item) for item in value):
            return [f"{place}: found {value!r}, expected {expected}"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not _is_sound(value):
            return [f"{place}: found {value}, expected {expected}"]
        if key.low is not None and value < key.low:
            return [f"{place}: found {value}, expected {key.low:g} or more"]
        if key.high is not None and value > key.high:
            return [f"{place}: found {value}, expected {key.high:g} or less"]
    return []


def _is_sound(item: object) -> bool:
    """Whether an item is what its type says: no flag among numbers, nothing without a value."""
    return not isinstance(item, bool) and not (isinstance(item, float) and not math.isfinite(item))


def raise_if_any(problems: list[str]) -> None:
    """
    Raise one error that names every problem.

    Parameters
    ----------
    problems : list of str
        May be empty: then nothing happens.

    Raises
    ------
    SettingsError
        If there is any problem.
    """
    if problems:
        listed = "\n  - ".join(problems)
        raise SettingsError(
            f"{len(problems)} to mend in the settings:\n  - {listed}",
            mend="change the keys named; docs/reference/settings.md explains each",
        )
