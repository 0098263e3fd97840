"""Every key of `study.toml` and `plan.toml`: meaning, kind, and whether it must be there.

The reader, the commented templates and the manual's page of settings are all made from here.
"""

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

STUDY_KEYS: Sections = {
    "": (Key("schema", "whole", "edition of this file's form", low=1, high=1),),
    "study": (
        Key("name", "text", "name of the study, as the report's title gives it"),
        Key("force", "text", "police force"),
        Key("authors", "texts", "who answers for the report", required=False, default=()),
        Key("sponsor", "text", "who pays", required=False, default=""),
        Key("contact", "text", "whom readers may write to", required=False, default=""),
        Key("start", "day", "first day of the study's data"),
        Key("cut_off", "day", "last day of the study's data; later rows are quarantined"),
        Key("area", "text", "outline of the study area, a file in data/", required=False),
        Key("area_crs", "text", "its CRS where the file names none", required=False),
        Key(
            "outcomes_public",
            "flag",
            "whether outcomes were public before the plan was locked",
            required=False,
            default=False,
        ),
    ),
    "lsoa": (
        Key("file", "text", "outlines of the LSOAs, a file in data/", required=False),
        Key("code", "text", "its column of codes", required=False),
        Key("name", "text", "its column of names", required=False),
        Key("crs", "text", "its CRS where the file names none", required=False),
    ),
    "harm": (
        Key("file", "text", "harm index that you supply, a table in data/", required=False),
        Key("edition", "text", "its name and edition; stands beside every result", required=False),
        Key("code", "text", "its column of offence codes", required=False, default="offence_code"),
        Key("weight", "text", "its column of weights", required=False, default="harm"),
    ),
}

FEED_KEYS: tuple[Key, ...] = (
    Key("contract", "text", "canonical table that the files hold", required=False),
    Key(
        "format",
        "text",
        "how the files are laid out",
        required=False,
        default="auto",
        allowed=("auto", "police-uk", "table", "geo", "gpx", "packed"),
    ),
    Key("files", "texts", "file names or patterns in data/"),
    Key("time_format", "text", "form of the times, as strptime knows it", required=False),
    Key("date_format", "text", "form of the dates, as strptime knows it", required=False),
    Key("time_zone", "text", "zone of the times: Europe/London or UTC", required=False),
    Key("crs", "text", "EPSG:27700 or EPSG:4326", required=False),
    Key("encoding", "text", "utf-8, cp1252, utf-16", required=False),
    Key("separator", "text", "what separates columns", required=False),
    Key("sheet", "text", "sheet of a workbook", required=False),
    Key("extract_date", "text", "pattern that finds the extract's day in its name", required=False),
    Key("offences", "text", "table of offence codes, a file in data/", required=False),
    Key("default_locations", "text", "table of default geocodes, a file in data/", required=False),
    Key("corrections", "texts", "files in corrections/", required=False, default=()),
    Key("columns", "table", "canonical column = the file's own header", required=False, default={}),
    Key(
        "values",
        "table",
        "by canonical column: source value = canonical value",
        required=False,
        default={},
    ),
    Key(
        "constants",
        "table",
        "canonical column = the same value in each row",
        required=False,
        default={},
    ),
)

PLAN_KEYS: Sections = {
    "": (
        Key("schema", "whole", "edition of this file's form", low=1, high=1),
        Key("seed", "whole", "where all randomness starts", low=0),
        Key("exploratory", "flag", "true stamps every number exploratory and needs no lock"),
    ),
    "windows": (
        Key(
            "history_from", "day", "first day of the history on which comparison places are matched"
        ),
        Key("history_to", "day", "its last day: before the selection window"),
        Key("selection_from", "day", "first day of the data on which hot spots were chosen"),
        Key("selection_to", "day", "its last day"),
        Key("analysis_from", "day", "first day of the panel"),
        Key("analysis_to", "day", "last day of the panel"),
    ),
    "outcomes": (
        Key("primary", "text", "the one outcome that the study stands on"),
        Key("headline_per_question", "table", "RQ1, RQ2, RQ3 = outcome"),
        Key(
            "also",
            "texts",
            "other outcomes and definitions shown beside",
            required=False,
            default=(),
        ),
        Key("negative_controls", "texts", "outcomes that street patrols should not move"),
    ),
    "hours": (
        Key(
            "nte",
            "text",
            "core night-time economy hours",
            allowed=("nte-core", "nte-wide", "nte-late", "nte-peak"),
        ),
    ),
    "places": (
        Key("ring_edges_m", "numbers", "edges of the rings around a hot spot, from 0, in metres"),
        Key(
            "comparison_per_hotspot",
            "whole",
            "comparison places matched to each hot spot",
            low=1,
            high=10,
        ),
        Key(
            "match_shape_weight",
            "number",
            "0 matches histories by level alone, 1 counts their shape as much",
            low=0,
            high=10,
        ),
        Key(
            "least_events",
            "whole",
            "candidate places with fewer events in the history are left out; low, or luck selects",
            low=0,
        ),
        Key(
            "baseline",
            "text",
            "unused: a baseline of periods that neither chose hot spots nor matched places; "
            "all: every period before patrols",
            allowed=("unused", "all"),
        ),
        Key(
            "outline_rule",
            "text",
            "which outline of a re-drawn hot spot counts an event",
            allowed=("first", "at_event"),
        ),
        Key(
            "false_discovery_rate",
            "number",
            "of cells called significant where hot spots are delineated",
            low=0.0001,
            high=0.5,
        ),
        Key(
            "largest_part_share",
            "number",
            "delineated places with more of their events in one sixteenth are passed over; 1: none",
            low=0.05,
            high=1,
        ),
        Key("derive", "flag", "true: delineate hot spots from crime, false: read them from a file"),
        Key("derive_on", "text", "outcome on which places are delineated"),
        Key("n", "whole", "hot spots to delineate where derive is true", low=1, high=500),
        Key("side_m", "number", "longest side of a delineated place, in metres", low=25, high=2000),
        Key(
            "patrols_start",
            "day",
            "first day of patrols in delineated hot spots",
            required=False,
        ),
    ),
    "effects": (
        Key("period", "text", "length of the panel's periods", allowed=("week", "month")),
        Key("level", "number", "coverage of intervals", low=0.5, high=0.999),
        Key("permutations", "whole", "placebo permutations", low=0, high=100_000),
        Key(
            "plausible_effect",
            "number",
            "largest change, as a share, that there is reason to expect (0.25: 25 per cent)",
            low=0.01,
            high=0.99,
        ),
        Key("few_places_below", "whole", "fewer treated places than this are few", low=2),
        Key("event_study_steps", "texts", "steps of the event study: month, quarter, year"),
        Key("event_study_leads", "whole", "steps before the start that it shows", low=0, high=60),
    ),
    "patrols": (
        Key("longest_gap_s", "number", "silence that ends a visit, in seconds", low=1),
        Key("shortest_dwell_s", "number", "shorter visits are dropped, in seconds", low=0),
        Key(
            "log_tolerance_s",
            "number",
            "how far apart a log and a visit may be and still match, in seconds",
            low=0,
        ),
    ),
    "survey": (
        Key(
            "headline_order",
            "texts",
            "populations in the order in which one carries the headline",
        ),
        Key("min_items", "whole", "items of a scale that a person must have answered", low=1),
        Key(
            "min_people_per_area",
            "whole",
            "areas with fewer answers are left out when areas are compared",
            low=1,
        ),
    ),
    "targets": (
        Key("survey_people", "whole", "people to survey", low=0),
        Key("survey_areas", "whole", "areas to survey in", low=0),
        Key("survey_people_per_area", "whole", "people to survey in each area", low=0),
        Key("interview_people", "whole", "people to hear in interviews and groups", low=0),
        Key("interview_areas", "whole", "areas to hear people in", low=0),
    ),
    "disclosure": (
        Key("people_below", "whole", "fewer respondents than this are suppressed", low=0),
        Key("counts_below", "whole", "smaller counts than this are suppressed", low=0),
        Key("round_to", "whole", "counts are rounded to a multiple of this", low=1),
    ),
}

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
