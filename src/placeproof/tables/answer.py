"""Contract of table `answer`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    one_of,
    text,
)


class Answer(Table):
    """One row per research question.

    A question is answered, partly answered, or not answerable with the reason; no template
    assumes benefit.
    """

    table_name: ClassVar[str] = "answer"
    contract_version: ClassVar[int] = 1

    question = one_of(
        "Research question", "RQ1", "RQ2", "RQ3", "RQ4", "RQ5", "RQ6", "RQ7", "RQ8", "RQ9", "RQ10"
    )
    title = text("The question in words")
    status = one_of("How far it is answered", "answered", "partly", "not answerable")
    because = text("Why that status, in one or two sentences")
    summary = text("The answer in words, with placeholders {finding_id:field} for every number")
    confidence = one_of("Confidence grade", "high", "moderate", "low", "none")
    grade_reasons = text("JSON list of what set and lowered the grade")
    finding_ids = text("JSON list of the findings that carry the answer")
    next_step = text("What would move the answer on", null="nothing is missing")
