"""The contents of a report, indexed once so that the sections can ask for what they need."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from placeproof.report import markdown
from placeproof.report.contents import ReportContents
from placeproof.report.document import Block, Invitation, Name, Text

Row = Mapping[str, object]
_QUESTIONS = [f"RQ{number}" for number in range(1, 11)]


@dataclass(frozen=True)
class Material:
    """What sections read: rows by question, by identity, the authors' words, the stamp."""

    contents: ReportContents

    @property
    def stamp(self) -> str:
        """Words that stand at the head and on every page, or ""."""
        study = self.contents.study
        return study.stamp or ("exploratory" if study.exploratory else "")

    @property
    def tag(self) -> str:
        """The stamp in a word or two, for the captions of tables and figures of numbers.

        Where only some numbers deviate from the plan, each carries its own mark instead.
        """
        return "" if self.stamp.startswith("Deviates") else short_stamp(self.stamp)

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """Every finding by its identity."""
        return {str(row["finding_id"]): row for row in self.rows}

    @cached_property
    def rows(self) -> list[Row]:
        """Every finding in the order of its table."""
        return list(self.contents.findings.iter_rows(named=True))

    @cached_property
    def answers(self) -> list[Row]:
        """The answers in the order of the questions."""
        rows = self.contents.answers.iter_rows(named=True)
        return sorted(rows, key=lambda row: _QUESTIONS.index(str(row["question"])))

    @cached_property
    def _by_question(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(str(row["question"]), []).append(row)
        return found

    def of(self, question: str) -> list[Row]:
        """The findings of one question, or of delivery, places or data."""
        return self._by_question.get(question, [])

    def headline_outcomes(self, question: str) -> frozenset[str]:
        """Outcomes with a headline in a question."""
        rows = self.of(question)
        return frozenset(str(row["outcome"]) for row in rows if row["role"] == "headline")

    def ids(self, answer: Row) -> Sequence[str]:
        """The findings that carry an answer."""
        return [str(identity) for identity in json.loads(str(answer["finding_ids"]))]

    def reasons(self, answer: Row) -> Sequence[str]:
        """What set and lowered the grade of an answer."""
        return [str(reason) for reason in json.loads(str(answer["grade_reasons"]))]

    def authored(self, key: str) -> tuple[Block, ...]:
        """The authors' own words at their place, or an invitation to write them."""
        text = self.contents.texts.get(key, "").strip()
        if text:
            return markdown.blocks(text)
        words = Text("The authors may write here: ")
        return (Invitation((words, Name(f"text/{key}.md", code=True))),)


def short_stamp(stamp: str) -> str:
    """The first words of a stamp, up to its first mark: "exploratory"."""
    first = re.split(r"[:.;,(]", stamp, maxsplit=1)[0].strip().lower()
    return " ".join(first.split()[:4])
