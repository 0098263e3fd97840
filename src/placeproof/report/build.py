"""Contents to document: the order of the report, in the manner of a government evaluation."""

from placeproof.report import annexes, chapters, delivery, questions
from placeproof.report.contents import ReportContents
from placeproof.report.document import Day, Document, Name, Section, Spans, Text
from placeproof.report.material import Material


def document(contents: ReportContents) -> Document:
    """
    Lay out the whole report.

    Parameters
    ----------
    contents : ReportContents
        What one run found.

    Returns
    -------
    Document
        The same tree for every format.
    """
    material = Material(contents)
    study = contents.study
    sections: tuple[Section, ...] = (
        chapters.summary(material),
        chapters.background(material),
        chapters.aims(material),
        chapters.methods(material),
        delivery.section(material),
        questions.section(material),
        chapters.limitations(material),
        chapters.recommendations(material),
        annexes.section(material),
    )
    return Document(
        title=study.name,
        force=study.force,
        authors=study.authors,
        facts=_facts(contents),
        stamp=material.stamp,
        cut_off=study.cut_off,
        sections=sections,
    )


def _facts(contents: ReportContents) -> tuple[tuple[str, Spans], ...]:
    study = contents.study
    facts: list[tuple[str, Spans]] = [
        ("Period", (Day(study.start), Text(" to "), Day(study.cut_off))),
        ("Data cut-off", (Day(study.cut_off),)),
    ]
    if study.authors:
        facts.append(("Authors", (Name(", ".join(study.authors)),)))
    if study.sponsor:
        facts.append(("Sponsor", (Name(study.sponsor),)))
    if study.contact:
        facts.append(("Contact", (Name(study.contact),)))
    return tuple(facts)
