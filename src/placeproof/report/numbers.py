"""How a number of a finding is printed: rounded to what it can bear, with its unit."""

import math
import re
from collections.abc import Callable, Mapping

import polars as pl

NARROW = "\u202f"  # narrow no-break space: thousands, and before a per-cent sign
MINUS = "\u2212"
MARK = "†"
"""Beside a number that was made otherwise than the locked plan says."""
MOST_PER_CENT = 1000.0
"""Beyond this a change in per cent has no meaning to a reader; it reads "over 1 000"."""

WORDS_FOR_STATUS: dict[str, str] = {
    "not_identified": "not identified",
    "not_supplied": "not supplied",
    "suppressed": "suppressed",
    "masked": "masked until the plan is locked",
}
"""What stands where a number would stand; never a zero."""

PLACEHOLDER = re.compile(r"\{([0-9a-f]{6,64}):([a-z_]+)\}")
"""A number in an answer's text: {finding_id:field}."""


def shown(finding: Mapping[str, object], field: str = "estimate") -> str:
    """
    Print one figure of a finding as a reader should see it.

    Parameters
    ----------
    finding : mapping
        One row of table `finding`.
    field : str
        `estimate`, `lower`, `upper`, `range` (the interval's ends), `interval` (with its level),
        `full` (estimate and interval), `size` (the estimate without its sign),
        `minimum_detectable_effect`, `level`, `p_value`, `n`, `n_places`, `n_events`.

    Returns
    -------
    str
        The figure, or in words why there is none. A figure that was made otherwise than the locked
        plan says carries a mark.

    Raises
    ------
    ValueError
        If `field` is not one of those.
    """
    if field not in _FIELDS:
        raise ValueError(f"a finding has no printable field {field!r}")
    status = str(finding["status"])
    least = "minimum_detectable_effect"
    if status != "estimated" and not (field == least and finding[least] is not None):
        return WORDS_FOR_STATUS[status]
    printed = _FIELDS[field](finding)
    return f"{printed}{MARK}" if finding.get("exploratory") else printed


def filled(text: str, findings: pl.DataFrame) -> str:
    """
    Replace every {finding_id:field} of an answer's text by its printed figure.

    Parameters
    ----------
    text : str
        `summary`, `because` or a grade reason of table `answer`.
    findings : table `finding`
        Where the figures are.

    Returns
    -------
    str
        The text as a reader sees it; a finding that is not there reads "not supplied".
    """
    rows = {row["finding_id"]: row for row in findings.iter_rows(named=True)}

    def figure(match: re.Match[str]) -> str:
        row = rows.get(match[1])
        return shown(row, match[2]) if row else WORDS_FOR_STATUS["not_supplied"]

    return PLACEHOLDER.sub(figure, text)


def is_change(finding: Mapping[str, object]) -> bool:
    """Whether the estimate is a rate ratio, which reads as a change in per cent."""
    name, unit = str(finding["estimand"]), str(finding["unit"])
    return (name.endswith("rate_ratio") and unit == "ratio") or unit == "ratio a year"


def no_effect(finding: Mapping[str, object]) -> float:
    """The value of the estimate that means no difference."""
    return 1.0 if str(finding["unit"]).startswith(("ratio", "odds")) else 0.0


def whole(value: float) -> str:
    """Print a count with narrow spaces between thousands."""
    return _signed(f"{abs(round(value)):,}".replace(",", NARROW), round(value) < 0)


def rounded(value: float) -> str:
    """Print a measured quantity with about three figures."""
    size = abs(value)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3
    digits = f"{size:,.{decimals}f}".replace(",", NARROW)
    return _signed(digits, value < 0 and float(digits.replace(NARROW, "")) != 0)


def _signed(digits: str, negative: bool) -> str:
    return f"{MINUS}{digits}" if negative else digits


def _percent(value: float, *, plus: bool = False) -> str:
    percent = value * 100
    if not math.isfinite(percent):
        return "not finite"
    if abs(percent) >= MOST_PER_CENT:
        return f"over {_signed(whole(MOST_PER_CENT), percent < 0)}"
    decimals = 0 if abs(percent) >= 1 or percent == 0 else 1
    digits = f"{abs(percent):.{decimals}f}"
    if float(digits) == 0:
        return "0"
    return _signed(digits, percent < 0) if percent < 0 or not plus else f"+{digits}"


def _value(finding: Mapping[str, object], value: object, *, unit: bool) -> str:
    if not isinstance(value, int | float):
        return "none"
    name = str(finding["unit"])
    per_cent = f"{NARROW}%" if unit else ""
    if name == "ratio a year" and unit:
        per_cent += " a year"
    if is_change(finding):
        return _percent(value - 1, plus=True) + per_cent
    if name == "share" and str(finding["estimand"]).startswith("difference"):
        return _percent(value, plus=True) + (f"{NARROW}points" if unit else "")
    if name == "share":
        return _percent(value) + per_cent
    if name == "GBP":
        return _pounds(value)
    if name in _COUNTED and (value == round(value) or abs(value) >= 10):
        return whole(value)
    words = f"{NARROW}{name}" if unit and name in _WRITTEN else ""
    return rounded(value) + words


def _pounds(value: float) -> str:
    digits = whole(abs(value)) if abs(value) >= 10 else f"{abs(value):.2f}"
    return _signed(f"£{digits}", value < 0)


_COUNTED = {
    "count", "crimes", "incidents", "events", "people", "sessions", "rows", "respondents", "visits",
    "attendances", "admissions", "places", "files", "tasks", "logs", "responses", "areas",
    "cells", "roles", "windows", "devices", "searches", "days", "weeks", "months",
}  # fmt: skip
_WRITTEN = {"minutes", "hours", "min", "m", "m2", "km"}


def _range(finding: Mapping[str, object]) -> str:
    if finding["lower"] is None or finding["upper"] is None:
        return "no interval"
    low = _value(finding, finding["lower"], unit=False)
    return f"{low} to {_value(finding, finding['upper'], unit=False)}"


def _interval(finding: Mapping[str, object]) -> str:
    if finding["lower"] is None or finding["upper"] is None:
        return "no interval"
    level = f"{_level(finding)} " if finding["level"] is not None else ""
    return f"{level}interval {_range(finding)}"


def _full(finding: Mapping[str, object]) -> str:
    estimate = _value(finding, finding["estimate"], unit=True)
    if finding["lower"] is None or finding["upper"] is None:
        return estimate
    return f"{estimate} ({_interval(finding)})"


def _size(finding: Mapping[str, object]) -> str:
    estimate = finding["estimate"]
    if is_change(finding) and isinstance(estimate, int | float):
        return _percent(abs(estimate - 1)) + f"{NARROW}%"
    return _value(finding, estimate, unit=True).lstrip(MINUS)


def _detectable(finding: Mapping[str, object]) -> str:
    value = finding["minimum_detectable_effect"]
    if is_change(finding) and isinstance(value, int | float):
        return _percent(abs(value - 1)) + f"{NARROW}%"
    return _value(finding, value, unit=True).lstrip(MINUS)


def _level(finding: Mapping[str, object]) -> str:
    level = finding["level"]
    return f"{_percent(level)}{NARROW}%" if isinstance(level, float) else "no level"


def _p_value(finding: Mapping[str, object]) -> str:
    value = finding["p_value"]
    if not isinstance(value, float):
        return "none"
    return "below 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.01 else f"{value:.2f}"


def _count_of(name: str) -> Callable[[Mapping[str, object]], str]:
    def count(finding: Mapping[str, object]) -> str:
        value = finding[name]
        return whole(value) if isinstance(value, int | float) else "none"

    return count


def _end(name: str) -> Callable[[Mapping[str, object]], str]:
    return lambda finding: _value(finding, finding[name], unit=True)


_FIELDS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "estimate": _end("estimate"),
    "lower": _end("lower"),
    "upper": _end("upper"),
    "interval": _interval,
    "range": _range,
    "full": _full,
    "size": _size,
    "minimum_detectable_effect": _detectable,
    "level": _level,
    "p_value": _p_value,
    "n": _count_of("n"),
    "n_places": _count_of("n_places"),
    "n_events": _count_of("n_events"),
}
