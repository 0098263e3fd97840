"""RQ4 to RQ7: what people said, by who they are; volunteers apart."""

from collections.abc import Sequence

from placeproof.report import charts
from placeproof.report import findings as parts
from placeproof.report.document import Block, Figure, Folded, Spans, Table, Text
from placeproof.report.material import Material, Row
from placeproof.report.words import capital, people_words

POPULATIONS = ("residents", "businesses", "users of the place")


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show levels by population: one chart, one table; volunteers and interviews apart.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ4 to RQ7.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        What the body of the report shows of them.
    """
    levels = [row for row in rows if _is_level(row) and "response" in str(row["feeds"])]
    first = material.headline_outcomes(key)
    levels.sort(key=lambda row: (row["outcome"] not in first, str(row["outcome_label"])))
    shares = [row for row in levels if row["unit"] == "share"]
    drawn = [row for row in shares if not _volunteer(row)]
    found: list[Block] = []
    found += _chart(material, key, drawn)
    if drawn:
        found.append(_table(material, f"{key}-levels", "Levels by population", drawn))
    volunteers = [row for row in shares if _volunteer(row)]
    if volunteers:
        note: Spans = (Text("Volunteers chose to answer; they stand for nobody but themselves."),)
        caption = "Volunteers, apart"
        found.append(_table(material, f"{key}-volunteers", caption, volunteers, note))
    scales = [row for row in levels if row["unit"] != "share" and not _volunteer(row)]
    tables: list[Block] = []
    for index, unit in enumerate(dict.fromkeys(str(row["unit"]) for row in scales)):
        same = [row for row in scales if row["unit"] == unit]
        caption = f"Averages, {unit}"
        tables.append(_table(material, f"{key}-averages-{index}", caption, same))
    if tables:
        found.append(Folded("Averages on the scales of the questionnaire", tuple(tables), False))
    found += interviews(material, key, rows)
    return found


def _is_level(row: Row) -> bool:
    return (
        row["estimand"] in ("share", "mean")
        and row["horizon"] == "all"
        and row["subgroup"] == "all"
        and row["hours"] == "all"
    )


def _volunteer(row: Row) -> bool:
    return "volunteer" in str(row["population"])


def _who(row: Row) -> str:
    return people_words(row["population"])[0]


def _columns(rows: Sequence[Row]) -> list[str]:
    others = sorted({_who(row) for row in rows} - set(POPULATIONS))
    return [*POPULATIONS, *others]


def _table(
    material: Material, identity: str, caption: str, rows: Sequence[Row], note: Spans = ()
) -> Table:
    return parts.pivot(
        rows,
        identity=identity,
        caption=caption,
        corner="Item",
        down=lambda row: str(row["outcome_label"]),
        across=_who,
        columns=_columns(rows),
        stamp=material.tag,
        note=(*parts.level_note(rows), *([Text(" ")] if note else []), *note),
    )


def _chart(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    shown = [row for row in rows if row["status"] == "estimated"]
    if len(shown) < 2:
        return []
    items = list(dict.fromkeys(str(row["outcome_label"]) for row in shown))
    order = {name: index for index, name in enumerate(_columns(shown))}
    shown.sort(key=lambda row: (items.index(str(row["outcome_label"])), order[_who(row)]))
    spec = charts.groups(
        [(str(row["outcome_label"]), capital(_who(row)), row) for row in shown],
        axis="Per cent",
        whole=True,
    )
    title = "What people said, by population"
    table = parts.estimates_table(
        shown, identity=f"{key}-said-table", caption=title, by=("outcome", "population"),
        stamp=material.tag,
    )  # fmt: skip
    alt = "A point with its interval for each item and population, from nought to a hundred per "
    alt += "cent; the table that follows holds the same figures."
    return [Figure(f"{key}-said", title, alt, spec=spec, data=table, stamp=material.tag)]


def interviews(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """People who raised a theme in interviews, and their share; counts nobody else."""
    themes = [
        row
        for row in rows
        if "turn" in str(row["feeds"]).split() or str(row["outcome"]).startswith("theme")
    ]
    themes = [row for row in themes if row["subgroup"] == "all" and row["horizon"] == "all"]
    if not themes:
        return []
    heads = {"people": "people who raised it", "share": "share of those asked"}
    return [
        parts.pivot(
            themes,
            identity=f"{key}-themes",
            caption="Themes of the interviews",
            corner="Theme",
            down=lambda row: str(row["outcome_label"]),
            across=lambda row: heads.get(str(row["unit"]), str(row["unit"])),
            columns=list(heads.values()),
            stamp=material.tag,
            note=(Text("How widely a theme was raised; it says nothing of people in general."),),
        )
    ]
