"""Sentences of the answers: two-sided, with every figure as a placeholder."""

from collections.abc import Sequence

from placeproof.answers.reading import (
    Row,
    direction,
    is_estimated,
    number,
    placeholder,
    too_wide,
)


def paragraphs(*parts: str) -> str:
    """Parts of a summary, the shortest answer first; a summary page prints only the first."""
    return "\n\n".join(part for part in parts if part)


def hours(row: Row) -> str:
    """Hours of a finding in words."""
    kind, _, preset = str(row["hours"]).partition(":")
    if kind == "nte":
        band = {"nte-core": "core ", "nte-wide": "wide ", "nte-late": "late ", "nte-peak": "peak "}
        return f"{band.get(preset, '')}night-time economy hours"
    return "other hours" if kind == "other" else "all hours"


def group(row: Row) -> str:
    """Subgroup of a finding in words."""
    variable, _, category = str(row["subgroup"]).partition("=")
    if variable.startswith("hours"):
        words = {"nte": "night-time economy hours", "other": "other hours"}
        return f"who use the place in {words.get(category, category)}"
    return f"{variable.replace('_', ' ')} {category}" if category else variable


def effect(row: Row) -> str:
    """
    Say what happened to an outcome.

    Parameters
    ----------
    row : finding
        A rate ratio with an estimate.

    Returns
    -------
    str
        "fell by" or "rose by" only when the interval excludes no difference.
    """
    what = f"{row['outcome_label']} in {row['population']}"
    against = "against what places without patrols led to expect"
    found = direction(row)
    if found == "unknown":
        return (
            f"{what}: {placeholder(row, 'estimate')} {against}, without an interval, so that no "
            "direction can be stated."
        )
    if found == "none":
        words = f"{what}: no difference that these data can show, {placeholder(row, 'full')}."
        return words + detectable(row, " A smaller change, in either direction, is not ruled out.")
    words = f"{what} {found} by {placeholder(row, 'size')} {against} "
    return f"{words}({placeholder(row, 'interval')}).{detectable(row, '')}"


def detectable(row: Row, further: str) -> str:
    """The smallest detectable change, where the finding has one."""
    if number(row, "minimum_detectable_effect") is None:
        return ""
    smallest = placeholder(row, "minimum_detectable_effect")
    return f" The smallest detectable change is {smallest}.{further}"


def pointed(row: Row) -> str:
    """A finding in a few words: which way, and its figure."""
    words = {
        "fell": "fell",
        "rose": "rose",
        "none": "no difference that these data can show",
        "unknown": "no direction can be stated",
    }
    return f"{words[direction(row)]}, {placeholder(row, 'full')}"


def rings(rows: Sequence[Row]) -> str:
    """What happened around the hot spots."""
    if not rows:
        return ""
    told = "; ".join(f"{row['population']}: {pointed(row)}" for row in rows)
    return f"Around the hot spots: {told}."


def definitions(rows: Sequence[Row]) -> str:
    """The same effect under the other registered definitions."""
    if not rows:
        return ""
    told = "; ".join(f"{row['outcome_label']}: {pointed(row)}" for row in rows)
    return f"Under the other registered definitions: {told}."


def adjusted(row: Row | None) -> str:
    """The trend-adjusted estimate, which always stands beside the headline."""
    if row is None or not is_estimated(row):
        return ""
    if too_wide(row):
        return " The trend before patrols is too short to adjust for."
    return f" Adjusted for the trend before patrols: {placeholder(row, 'full')}."


def levels(rows: Sequence[Row]) -> str:
    """Levels of a survey or counts of interviews, one after another."""
    told = "; ".join(
        f"{row['outcome_label']}, {row['population']}: {placeholder(row, 'full')}" for row in rows
    )
    return f"{told}."
