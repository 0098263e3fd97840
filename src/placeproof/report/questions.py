"""The findings, question by question: the frame; what each shows stands in a module of its own."""

from collections.abc import Callable, Sequence

from placeproof.report import contrasts, hospital, impact, perceptions
from placeproof.report import findings as parts
from placeproof.report.document import (
    Block,
    Bullets,
    Figure,
    Name,
    Paragraph,
    Section,
    Table,
    Text,
)
from placeproof.report.material import Material, Row
from placeproof.report.spans import sentence

_STATUS = {
    "answered": "Answered",
    "partly": "Partly answered",
    "not answerable": "Not answerable",
}

Part = Callable[[Material, str, Sequence[Row]], list[Block]]

_SHOWN: dict[str, Part] = {
    **dict.fromkeys(("RQ1", "RQ2", "RQ3"), impact.blocks),
    **dict.fromkeys(("RQ4", "RQ5", "RQ6", "RQ7"), perceptions.blocks),
    **dict.fromkeys(("RQ8", "RQ9"), contrasts.blocks),
    "RQ10": hospital.blocks,
}


def section(material: Material) -> Section:
    """Findings by question: answer, grade, the authors' words, figures and tables."""
    children = tuple(_question(material, answer) for answer in material.answers)
    lead = Paragraph(
        (
            Text(
                "Each question is answered, partly answered or not answerable, with the reason. "
                "Every figure links to the finding it comes from."
            ),
        )
    )
    return Section("findings", (Text("Findings by question"),), (lead,), children, kind="questions")


def status_words(status: object) -> str:
    """The status of an answer as a reader sees it."""
    return _STATUS[str(status)]


def _question(material: Material, answer: Row) -> Section:
    key = str(answer["question"])
    rows = material.of(key)
    short, *further = str(answer["summary"]).split("\n\n")
    shown = _shown(material, key, rows)
    if any(isinstance(block, Table | Figure) for block in shown) and key in _REPEATED:
        further = []
    blocks: list[Block] = [
        Paragraph(sentence(short, material.by_id), style="lead"),
        *(Paragraph(sentence(words, material.by_id)) for words in further),
        *_status_of(material, answer),
        *material.authored(key),
        *shown,
    ]
    if shown:
        words = "All methods, groups and months of this question stand in the "
        blocks.append(parts.more(words, key))
    if answer["next_step"]:
        said = sentence(str(answer["next_step"]), material.by_id)
        lead = Text("What would move this answer on: ", strong=True)
        blocks.append(Paragraph((lead, *said)))
    title = (Name(key), Text(". "), Name(str(answer["title"])))
    return Section(key, title, tuple(blocks))


_REPEATED = ("RQ1", "RQ2", "RQ3", "RQ8", "RQ9")
"""Questions whose figures and tables say what the further paragraphs of the answer say."""


def _shown(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    if all(row["status"] == "not_supplied" for row in rows):
        return []
    shown = _SHOWN[key](material, key, rows)
    return [*shown, *(perceptions.interviews(material, key, rows) if key == "RQ3" else [])]


def _status_of(material: Material, answer: Row) -> list[Block]:
    because = str(answer["because"])
    repeated = because in str(answer["summary"])
    status = Text(f"{status_words(answer['status'])}. ", strong=True)
    confidence = Text(f"Confidence: {answer['confidence']}. ", strong=True)
    words = () if repeated else sentence(because, material.by_id)
    reasons = [each for each in material.reasons(answer) if each != because]
    found: list[Block] = [Paragraph((status, confidence, *words))]
    if reasons:
        found.append(Bullets(tuple(sentence(each, material.by_id) for each in reasons)))
    return found
