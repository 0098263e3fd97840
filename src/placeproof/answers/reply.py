"""An answer before it becomes a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from placeproof.answers.doubts import Circumstances
from placeproof.answers.grading import Grade
from placeproof.answers.reading import Row


@dataclass(frozen=True)
class Study:
    """What every answer is made from."""

    rows: Sequence[Row]
    supplied: Mapping[str, bool]
    about: Circumstances

    def of(self, question: str) -> list[Row]:
        """Findings of one question, in the order of their table."""
        return [row for row in self.rows if row["question"] == question]

    def has(self, *feeds: str) -> bool:
        """Whether any of these feeds was supplied."""
        return any(self.supplied.get(feed, False) for feed in feeds)


@dataclass(frozen=True)
class Reply:
    """The answer to one question."""

    status: str
    because: str
    summary: str
    grade: Grade
    rows: Sequence[Row] = ()
    next_step: str | None = None


def unanswerable(because: str, next_step: str) -> Reply:
    """A question that these data cannot answer."""
    summary = f"These data cannot answer the question. {because}"
    return Reply("not answerable", because, summary, Grade("none", (because,)), (), next_step)


def reasons(rows: Sequence[Row]) -> str:
    """Why rows have no number, each reason once."""
    told = dict.fromkeys(str(row["reason"]) for row in rows if row["reason"])
    return " ".join(reason if reason.endswith(".") else f"{reason}." for reason in told)
