"""The chapters around the findings: summary, background, methods, limitations."""

import polars as pl

from placeproof.report import calendar_figure, certificate, data, deviations, impact, places
from placeproof.report.document import (
    Block,
    Bullets,
    Day,
    Name,
    Paragraph,
    Recorded,
    Section,
    Span,
    Spans,
    Table,
    Text,
)
from placeproof.report.material import Material, Row
from placeproof.report.questions import status_words
from placeproof.report.spans import figure, number, recorded, sentence
from placeproof.report.words import hours_words, people_words


def summary(material: Material) -> Section:
    """Two pages that stand alone: the answer to each question and the headline numbers."""
    blocks: list[Block] = []
    blocks += material.authored("summary")
    blocks.append(_answers_table(material))
    keys = [str(answer["question"]) for answer in material.answers]
    headlines = [row for key in keys for row in material.of(key) if row["role"] == "headline"]
    estimated = [row for row in headlines if row["status"] == "estimated"]
    if estimated:
        blocks.append(_headlines(material, estimated))
    blocks += _without_number(headlines)
    if any(row["question"] in ("RQ1", "RQ2", "RQ3") for row in estimated):
        blocks += impact.reopened(material)
    if not material.rows:
        blocks.append(Paragraph((Text("No finding was released in this run."),)))
    return Section("summary", (Text("Summary"),), tuple(blocks), kind="summary")


def _headlines(material: Material, rows: list[Row]) -> Table:
    body = tuple(
        (
            (Name(f"{row['question']}. {_headline_words(row)}"),),
            (number(row),),
            (number(row, "range"),) if row["lower"] is not None else (),
            (
                *figure(row, "minimum_detectable_effect"),
                *certificate.smallest(material, row),
            ),
            figure(row, "n_places"),
        )
        for row in rows
    )
    head = ("Headline", "Estimate", "Interval", "Smallest detectable", "Places")
    return Table(
        "headline-numbers",
        "Headline numbers",
        head,
        body,
        frozenset({1, 2, 3, 4}),
        stamp=material.tag,
        widths=(0.5, 0.12, 0.15, 0.13, 0.1),
    )


def _headline_words(row: Row) -> str:
    words = str(row["outcome_label"])
    if row["estimand"] == "ratio_of_rate_ratios":
        return f"{words}: night-time hours against other hours"
    if row["hours"] != "all":
        words = f"{words}, {hours_words(row['hours'])}"
    who = people_words(row["population"])[0]
    return words if "hot spot" in who or who == "all" else f"{words}, {who}"


def _without_number(rows: list[Row]) -> list[Block]:
    """Questions without a headline number, in one sentence; never a row of nothing."""
    words = {
        "not_supplied": "not supplied",
        "not_identified": "no effect can be identified",
        "suppressed": "suppressed",
        "masked": "masked until the plan is locked",
    }
    held = {str(row["question"]) for row in rows if row["status"] == "estimated"}
    empty = {str(row["question"]): str(row["status"]) for row in rows}
    told = [(key, status) for key, status in empty.items() if key not in held]
    if not told:
        return []
    spans: list[Span] = [Text("Without a headline number: ")]
    for index, status in enumerate(dict.fromkeys(status for _, status in told)):
        keys = ", ".join(key for key, each in told if each == status)
        spans += [Text("; " if index else ""), Name(keys), Text(f" ({words[status]})")]
    return [Paragraph((*spans, Text(".")), "note")]


def _answers_table(material: Material) -> Table:
    rows: list[tuple[Spans, ...]] = []
    for answer in material.answers:
        words = answer["because"] if answer["status"] == "not answerable" else answer["summary"]
        short = str(words).split("\n\n")[0]
        rows.append(
            (
                (Name(str(answer["question"])), Text(". "), Name(str(answer["title"]))),
                (Text(status_words(answer["status"]), strong=True),),
                sentence(short, material.by_id),
                (Text(str(answer["confidence"])),),
            )
        )
    return Table(
        "answers",
        "Answers to the research questions",
        ("Question", "Status", "Answer", "Confidence"),
        tuple(rows),
        stamp=material.tag,
        widths=(0.24, 0.13, 0.5, 0.13),
    )


def background(material: Material) -> Section:
    """The authors' background."""
    return Section("background", (Text("Background"),), material.authored("background"))


def aims(material: Material) -> Section:
    """Aims and the ten questions."""
    items = tuple(
        (Name(str(answer["question"])), Text(". "), Name(str(answer["title"])))
        for answer in material.answers
    )
    blocks: tuple[Block, ...] = (*material.authored("aims"), Bullets(items))
    return Section("aims", (Text("Aims and questions"),), blocks)


def methods(material: Material) -> Section:
    """Data and methods: what came in, what was kept, and where the places are."""
    return Section(
        "methods",
        (Text("Data and methods"),),
        material.authored("methods"),
        (data.section(material), places.section(material), *_certificate(material)),
    )


def _certificate(material: Material) -> tuple[Section, ...]:
    made = certificate.section(material)
    return (made,) if made else ()


def limitations(material: Material) -> Section:
    """What the data cannot bear: notices, shocks, missing places, and the authors' words."""
    blocks: list[Block] = list(material.authored("limitations"))
    blocks += impact.reopened(material)
    blocks += deviations.blocks(material)
    blocks += calendar_figure.figure(material)
    blocks += _shocks(material)
    notices = material.contents.notices
    if notices.height:
        columns = {"feed": "Feed", "severity": "Severity", "message": "What was noticed"}
        blocks.append(
            recorded(
                notices.filter(pl.col("severity") != "note")
                if "severity" in notices.columns
                else notices,
                identity="warnings",
                caption="What reading the data noticed",
                columns=columns,
                absent="",
            )
        )
    unanswered = tuple(
        (
            Name(f"{answer['question']}"),
            Text(": "),
            *sentence(str(answer["because"]), material.by_id),
        )
        for answer in material.answers
        if answer["status"] != "answered"
    )
    if unanswered:
        blocks.append(Paragraph((Text("Questions that these data do not fully bear:"),)))
        blocks.append(Bullets(unanswered))
    return Section("limitations", (Text("Limitations"),), tuple(blocks))


def _shocks(material: Material) -> list[Block]:
    numbered = data.numbered_shocks(material)
    if not numbered:
        return []
    rows = tuple(
        (
            (Recorded(str(sign), "shocks"), Text(". "), Name(str(row["name"]))),
            (Day(row["starts_on"]),),  # type: ignore[arg-type]
            (Day(row["ends_on"]),) if row["ends_on"] else (Text("goes on"),),  # type: ignore[arg-type]
            (Name(str(row["kind"])),),
        )
        for sign, row in numbered
    )
    head = ("What happened", "From", "To", "Kind")
    caption = "Changes that move counts without moving crime"
    return [Table("shocks", caption, head, rows, widths=(0.46, 0.2, 0.2, 0.14))]


def recommendations(material: Material) -> Section:
    """The authors' recommendations; the program makes none."""
    text = material.authored("recommendations")
    return Section("recommendations", (Text("Recommendations"),), text)
