"""RQ4 to RQ7: levels and contrasts between groups, and never an impact."""

from collections.abc import Sequence

from placeproof.answers import wording
from placeproof.answers.grading import Grade, survey_grade
from placeproof.answers.reading import Row, feeds, is_estimated, is_everyone
from placeproof.answers.reply import Reply, Study, reasons, unanswerable

INTERVIEWS = ("session", "turn", "coded_span")
_LEVELS = frozenset({"share", "mean", "people", "count", "sessions"})
_MOST_LEVELS = 8
_BOUNDARY = (
    "One wave of a survey gives levels, contrasts between groups and an association with dose; it "
    "does not identify an effect of the patrols."
)


def reply(study: Study, question: str) -> Reply:
    """
    Answer a question of perception by levels.

    Parameters
    ----------
    study : Study
        Findings and what was supplied.
    question : str
        RQ4 to RQ7.

    Returns
    -------
    Reply
        Answered where a survey gives levels and interviews say what stands behind them.
    """
    rows = [row for row in study.of(question) if is_everyone(row) and row["estimand"] in _LEVELS]
    known = [row for row in rows if is_estimated(row)]
    survey = [row for row in known if "response" in feeds(row)]
    heard = [row for row in known if feeds(row) & set(INTERVIEWS)]
    if not known:
        return _nothing(study, rows)
    chosen = _chosen(survey) or _chosen(heard)
    status, because, step = _status(study, survey, heard)
    return Reply(
        status,
        because,
        f"{wording.levels(chosen)} These are levels, not effects.",
        survey_grade(chosen, study.about),
        chosen,
        step,
    )


def _chosen(rows: Sequence[Row]) -> list[Row]:
    headlines = [row for row in rows if row["role"] == "headline"]
    return list(headlines or rows)[:_MOST_LEVELS]


def _status(
    study: Study, survey: Sequence[Row], heard: Sequence[Row]
) -> tuple[str, str, str | None]:
    if not survey:
        return (
            "partly",
            f"Interviews say what people think, not how many think so: {_absent(study)}",
            "Supply survey responses.",
        )
    if all("volunteer" in str(row["population"]) for row in survey):
        return (
            "partly",
            f"Only volunteers answered; they stand for nobody but themselves. {_BOUNDARY}",
            "Meet people in the places by a counted sample.",
        )
    if not heard:
        lacking, step = _unheard(study)
        return "partly", f"{_BOUNDARY} {lacking}, so nothing says why people answer so.", step
    return "answered", _BOUNDARY, None


def _unheard(study: Study) -> tuple[str, str]:
    if study.has(*INTERVIEWS):
        return (
            "Interviews were supplied, but no theme of this question can be counted in them",
            "Supply sessions, speakers, turns and their coding to themes of this question.",
        )
    return "No interviews were supplied", "Supply interviews or groups."


def _absent(study: Study) -> str:
    if study.has("response"):
        return "the survey has no level that may be shown."
    return "no survey responses were supplied."


def _nothing(study: Study, rows: Sequence[Row]) -> Reply:
    if any(row["status"] == "suppressed" for row in rows):
        because = "Every cell holds fewer people than may be released."
        summary = f"No level can be shown. {because}"
        return Reply(
            "not answerable", because, summary, Grade("none", (because,)), (), "Ask more people."
        )
    if not study.has("response", *INTERVIEWS):
        return unanswerable(
            "Neither survey responses nor interviews were supplied.", "Supply survey responses."
        )
    told = reasons(rows) or "Nobody answered the items that it needs."
    return unanswerable(told, "Ask the items of this question.")
