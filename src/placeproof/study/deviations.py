"""What was changed after the lock, and which numbers each change touches."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

EFFECTS = ("RQ1", "RQ2", "RQ3", "RQ8", "RQ9", "places")
PATROL_FEEDS = r"\b(?:ping|visit|tasking|delivered|patrol_log|dose|stop_search)\b"
PEOPLE_FEEDS = r"\b(?:response|session|speaker|coded_span)\b"


@dataclass(frozen=True)
class Deviation:
    """One choice that differs from what was locked."""

    key: str
    """As `plan.toml` writes it, with its section where keys are grouped."""
    locked: str
    now: str
    touches: str
    """In words, which numbers."""
    which: pl.Expr
    """Over table `finding`: the numbers that it touches."""
    everything: bool

    def as_dict(self) -> dict[str, str]:
        """The deviation as plain text."""
        return {
            "key": self.key, "locked": self.locked, "now": self.now, "touches": self.touches,
        }  # fmt: skip


@dataclass(frozen=True)
class _Touch:
    words: str
    which: Callable[[Any, Any], pl.Expr]
    everything: bool = False


def _fixed(expression: pl.Expr) -> Callable[[Any, Any], pl.Expr]:
    return lambda _locked, _now: expression


def _outcomes(locked: Any, now: Any) -> pl.Expr:
    return pl.col("outcome").is_in(sorted(_named(locked) ^ _named(now)))


def _named(value: Any) -> set[str]:
    return set(value.values()) if isinstance(value, Mapping) else set(value or ())


_ALL = _Touch("every number", _fixed(pl.lit(value=True)), everything=True)
_NONE = _fixed(pl.lit(value=False))
_BESIDE = _Touch(
    "everything beside the headlines that crime and disorder rest on",
    _fixed(pl.col("question").is_in(EFFECTS) & (pl.col("role") != "headline")),
)
_PATROLS = _Touch(
    "delivery, and whatever rests on patrols as measured",
    _fixed((pl.col("question") == "delivery") | pl.col("feeds").str.contains(PATROL_FEEDS)),
)
_PEOPLE = _Touch(
    "the survey and the interviews", _fixed(pl.col("feeds").str.contains(PEOPLE_FEEDS))
)
_SHOWN = _Touch("no estimate: only what is suppressed and rounded", _NONE)
_GRADES = _Touch("no estimate: only the grades of confidence", _NONE)
_NAMED = _Touch("the outcomes that came or went", _outcomes)

TOUCHES: Mapping[str, _Touch] = {
    "also": _NAMED,
    "negative_controls": _NAMED,
    "headline_per_question": _NAMED,
    "nte": _Touch(
        "night-time and other hours",
        _fixed((pl.col("hours") != "all") | (pl.col("question") == "RQ9")),
    ),
    "permutations": _Touch(
        "placebo permutations",
        _fixed(pl.col("method").str.contains("placebo_permutation")),
    ),
    "event_study_steps": _Touch(
        "the event study", _fixed(pl.col("estimand") == "event_study_rate_ratio")
    ),
    "event_study_leads": _Touch(
        "the event study", _fixed(pl.col("estimand") == "event_study_rate_ratio")
    ),
    "plausible_effect": _GRADES,
    "few_places_below": _GRADES,
    "people_below": _SHOWN,
    "counts_below": _SHOWN,
    "round_to": _SHOWN,
    "headline_order": _PEOPLE,
    "min_items": _PEOPLE,
    "min_people_per_area": _PEOPLE,
    "survey_people": _PEOPLE,
    "survey_areas": _PEOPLE,
    "survey_people_per_area": _PEOPLE,
    "interview_people": _PEOPLE,
    "interview_areas": _PEOPLE,
    "patrols": _PATROLS,
    "robustness": _BESIDE,
    "forge": _BESIDE,
    "health": _Touch("hospital attendances and admissions", _fixed(pl.col("question") == "RQ10")),
    "registers": _BESIDE,
}
"""Key of the plan, or its section, to what a change of it touches; any other key: every number."""


def deviations(locked: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Deviation, ...]:
    """
    List what differs between the plan that was locked and the plan as it stands.

    Parameters
    ----------
    locked, now : mapping
        As `Plan.content` gives them.

    Returns
    -------
    tuple of Deviation
        Sorted by key. A definition whose content moved touches its outcome.
    """
    before, after = _flat(locked), _flat(now)
    made = []
    for key in sorted(set(before) | set(after)):
        was, became = before.get(key), after.get(key)
        if was != became:
            touch = _touch(key)
            made.append(
                Deviation(key, _text(was), _text(became), touch.words, touch.which(was, became),
                          touch.everything)
            )  # fmt: skip
    return tuple(made)


def _touch(key: str) -> _Touch:
    if key.startswith("definitions."):
        name = key.partition(".")[2]
        return _Touch(f"the outcome {name}", _fixed(pl.col("outcome") == name))
    return TOUCHES.get(key) or TOUCHES.get(key.partition(".")[0]) or _ALL


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Keys to values; a strand's record gives one key for each of its own."""
    made: dict[str, Any] = {}
    for key, value in content.items():
        if key == "definitions":
            tags = (str(tag).partition("@") for tag in value)
            made |= {f"definitions.{name}": rest for name, _, rest in tags}
        elif isinstance(value, Mapping) and key != "headline_per_question":
            made |= {f"{key}.{name}": each for name, each in value.items()}
        else:
            made[key] = value
    return made


def _text(value: Any) -> str:
    if value is None:
        return "not there"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def marked(findings: pl.DataFrame, found: tuple[Deviation, ...]) -> pl.DataFrame:
    """
    Stamp the numbers that deviations touch.

    Parameters
    ----------
    findings : table `finding`
        Not modified.
    found : tuple of Deviation
        From `deviations`.

    Returns
    -------
    table `finding`
        `exploratory` names the keys that were changed, for each number that they touch.
    """
    if not found:
        return findings
    said = [pl.when(each.which).then(pl.lit(each.key)) for each in found]
    keys = pl.concat_str(said, separator=", ", ignore_nulls=True)
    words = pl.when(keys != "").then(pl.concat_str(pl.lit("changed after the lock: "), keys))
    return findings.with_columns(exploratory=words)


def touched_numbers(findings: pl.DataFrame, deviation: Deviation) -> int:
    """
    Count the numbers that one deviation touches.

    Parameters
    ----------
    findings : table `finding`
        Not modified.
    deviation : Deviation
        One of them.

    Returns
    -------
    int
        Findings with an estimate.
    """
    return findings.filter(deviation.which, pl.col("status") == "estimated").height
