"""What a finding says: its direction, whether it holds no effect, which rows go together."""

import json
from collections.abc import Iterable, Mapping, Sequence

Row = Mapping[str, object]

QUESTIONS: tuple[str, ...] = tuple(f"RQ{number}" for number in range(1, 11))
"""The research questions in the order of the report."""


def number(row: Row, name: str) -> float | None:
    """A figure of a row, or None."""
    value = row[name]
    return float(value) if isinstance(value, int | float) else None


def is_estimated(row: Row) -> bool:
    """Whether the row has a number."""
    return row["status"] == "estimated"


def is_ratio(row: Row) -> bool:
    """Whether no effect is 1 (a ratio) and not 0 (a difference)."""
    return str(row["unit"]).startswith("ratio")


def is_effect(row: Row) -> bool:
    """Whether the row is a rate ratio over a whole window."""
    return row["estimand"] == "rate_ratio" and row["horizon"] == "all"


def is_everyone(row: Row) -> bool:
    """Whether the row speaks of everybody at all hours over the whole window."""
    return row["subgroup"] == "all" and row["hours"] == "all" and row["horizon"] == "all"


def is_ring(row: Row) -> bool:
    """Whether the row speaks of a ring around the hot spots."""
    return str(row["population"]).startswith("ring")


def direction(row: Row) -> str:
    """
    Say which way a finding points.

    Parameters
    ----------
    row : finding
        With an estimate.

    Returns
    -------
    str
        "fell" or "rose" only when the whole interval lies on one side of no effect; "none" when
        it holds no effect (its ends included); "unknown" without an interval.
    """
    lower, upper = number(row, "lower"), number(row, "upper")
    if not is_estimated(row) or lower is None or upper is None:
        return "unknown"
    nothing = 1.0 if is_ratio(row) else 0.0
    if upper < nothing:
        return "fell"
    return "rose" if lower > nothing else "none"


def diagnostics(row: Row) -> dict[str, object]:
    """Further figures of a finding."""
    told = json.loads(str(row["diagnostics"]))
    return told if isinstance(told, dict) else {}


def feeds(row: Row) -> frozenset[str]:
    """Canonical tables that a finding rests on."""
    return frozenset(str(row["feeds"]).split())


def placeholder(row: Row, field: str) -> str:
    """The place of a figure in a text: {finding_id:field}."""
    return f"{{{row['finding_id']}:{field}}}"


def listed(words: Sequence[str]) -> str:
    """Words in a row: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def identities(rows: Iterable[Row]) -> str:
    """JSON list of the findings, each once, in order."""
    return json.dumps(list(dict.fromkeys(str(row["finding_id"]) for row in rows)))


TOO_WIDE = 9.0
"""Ends of an interval of a ratio this many times apart, times or divided by three, say nothing."""


def too_wide(row: Row) -> bool:
    """
    Say whether the interval of a ratio is so wide that its estimate would mislead.

    Parameters
    ----------
    row : finding
        A ratio with an estimate.

    Returns
    -------
    bool
        True without an interval as well.
    """
    low, high = number(row, "lower"), number(row, "upper")
    return low is None or high is None or low <= 0 or high / low > TOO_WIDE
