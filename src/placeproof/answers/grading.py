"""How far an answer can be trusted: set by the design, lowered by each failed check."""

from collections.abc import Sequence
from dataclasses import dataclass

from placeproof.answers.doubts import Circumstances, Failed, doubts_about, frame_limits
from placeproof.answers.reading import (
    Row,
    diagnostics,
    feeds,
    number,
    placeholder,
)

GRADES: tuple[str, ...] = ("none", "low", "moderate", "high")
"""From the least to the most."""


@dataclass(frozen=True)
class Grade:
    """The grade with what set and lowered it."""

    confidence: str
    reasons: tuple[str, ...]


def lowered(start: str, why: str, failed: Sequence[Failed]) -> Grade:
    """
    Lower a grade by one step for each failed check.

    Parameters
    ----------
    start : str
        Grade that the design sets.
    why : str
        The design in words.
    failed : sequence of Failed
        Checks that failed.

    Returns
    -------
    Grade
        Limits alone never lower below low; threats to validity may.
    """
    limits = sum(not check.threatens for check in failed)
    threats = len(failed) - limits
    level = GRADES.index(start)
    level = max(min(level, 1), level - limits)
    level = max(0, level - threats)
    return Grade(GRADES[level], (why, *(check.reason for check in failed)))


def design_of(headline: Row) -> tuple[str, str]:
    """The grade that the design of a headline effect sets, with its reason."""
    method = str(headline["method"])
    if diagnostics(headline).get("design") == "randomised" or method.startswith("randomis"):
        return "high", "Patrols were allotted at random: the design sets high."
    if method == "before_after" or headline["role"] == "not_impact":
        return "low", "Before against after alone: the design sets low, and it is not impact."
    return (
        "moderate",
        "Patrolled places are compared over time with places that were not patrolled; nothing was "
        "allotted at random: the design sets moderate.",
    )


def effect_grade(headline: Row, rows: Sequence[Row], about: Circumstances) -> Grade:
    """
    Grade a headline effect.

    Parameters
    ----------
    headline : finding
        The effect.
    rows : sequence of findings
        Every finding of the study: negative controls and bounds may stand at other questions.
    about : Circumstances
        What the checks need to know.

    Returns
    -------
    Grade
        Reasons in words, figures as placeholders.
    """
    start, why = design_of(headline)
    return lowered(start, why, doubts_about(headline, rows, about))


def survey_grade(rows: Sequence[Row], about: Circumstances) -> Grade:
    """
    Grade the levels that a survey gives.

    Parameters
    ----------
    rows : sequence of findings
        Estimated levels that carry the answer, the survey's own first.
    about : Circumstances
        What the checks need to know.

    Returns
    -------
    Grade
        Moderate where fieldworkers chose whom to ask and weights exist, low otherwise.
    """
    survey = [row for row in rows if "response" in feeds(row)]
    if not survey:
        return lowered("low", "What people said in interviews counts nobody else.", ())
    drawn = [row for row in survey if "volunteer" not in str(row["population"])]
    weighted = [row for row in drawn if diagnostics(row).get("weighting") != "unweighted"]
    if weighted:
        start, why = "moderate", "Fieldworkers chose whom to ask, with weights: moderate."
    elif drawn:
        start, why = "low", "Nobody has a weight, so levels stand for those who answered: low."
    else:
        start, why = "low", "Volunteers alone answered; they stand for themselves: low."
    failed = frame_limits(about)
    chosen = (weighted or drawn or survey)[0]
    places = number(chosen, "n_places")
    if places is not None and places < about.few_places_below:
        reason = f"It rests on few areas: {placeholder(chosen, 'n_places')}."
        failed.append(Failed(reason, threatens=False))
    return lowered(start, why, failed)


def worst(grades: Sequence[Grade]) -> str:
    """The lowest of several grades; none without any."""
    return min((grade.confidence for grade in grades), key=GRADES.index, default="none")
