"""Delivery: what was asked for and what was delivered, before any word of impact."""

from collections.abc import Sequence

from placeproof.report import charts
from placeproof.report import findings as parts
from placeproof.report.document import Block, Figure, Folded, Paragraph, Section, Table, Text
from placeproof.report.findings import alone
from placeproof.report.material import Material, Row
from placeproof.report.words import capital, hours_words, month_of, subgroup_words

ORDER: tuple[str, ...] = (
    "planned_minutes",
    "delivered_minutes",
    "planned_dose",
    "window_attended",
    "window_long_enough",
    "window_cancelled",
    "window_unobserved",
    "visits",
    "device_minutes",
    "visits_5_minutes",
    "visits_10_minutes",
    "visits_15_minutes",
    "log_matched",
    "stated_over_measured",
    "device_days_without_pings",
)
"""Measures of delivery in the order of reading: asked for, delivered, kept, visits, checks."""


def section(material: Material) -> Section:
    """One table of measures by hours and one chart of minutes; the rest folded."""
    found: list[Block] = list(material.authored("delivery"))
    rows = [row for row in material.of("delivery") if not _raw(row)]
    rows = [row for row in rows if row["role"] != "robustness"]
    known = [row for row in rows if row["status"] != "not_supplied"]
    if not known:
        found.append(
            Paragraph(
                (
                    Text(
                        "Delivery was not supplied: no position reports, ready-made visits, "
                        "tasking or logs. What the patrols did is not known, and no estimate "
                        "below can tell a weak dose from a weak effect."
                    ),
                )
            )
        )
        return Section("delivery", (Text("Delivery"),), tuple(found))
    whole = [row for row in known if row["horizon"] == "all" and row["subgroup"] == "all"]
    whole.sort(key=lambda row: _place(row))
    if whole:
        found.append(_measures(material, whole))
    found += _minutes(material, known)
    split = [
        row for row in known
        if row["horizon"] == "all" and row["subgroup"] != "all" and row["hours"] == "all"
    ]  # fmt: skip
    if split:
        found.append(Folded("Delivery in parts", (_by_place(material, split),), printed=False))
    words = "Months of the other measures, and measures without the added interval, stand in the "
    found.append(parts.more(words, "delivery"))
    return Section("delivery", (Text("Delivery"),), tuple(found))


def _raw(row: Row) -> bool:
    return str(row["method"]).endswith("_raw")


def _place(row: Row) -> tuple[int, str]:
    name = str(row["outcome"])
    return (ORDER.index(name) if name in ORDER else len(ORDER), str(row["outcome_label"]))


def _measure(row: Row) -> str:
    source = str(row["population"]).partition(", stated by ")[2]
    return f"{row['outcome_label']}, {source}" if source else str(row["outcome_label"])


def _measures(material: Material, rows: Sequence[Row]) -> Table:
    hours = sorted({str(row["hours"]) for row in rows} - {"all"}, key=lambda name: name[:1] == "o")
    return parts.pivot(
        rows,
        identity="delivered",
        caption="What was asked for and what was delivered",
        corner="Measure",
        down=_measure,
        across=lambda row: hours_words(row["hours"]),
        columns=["all hours", *(hours_words(name) for name in hours)],
        stamp=material.tag,
        cell=alone,
        note=(
            Text(
                "Measured by positions, with one interval between positions added to each visit "
                "for time that they do not show. Cancelled windows stay in the denominator."
            ),
        ),
        widths=(0.52, *(0.48 / (1 + len(hours)) for _ in range(1 + len(hours)))),
    )


def _minutes(material: Material, rows: Sequence[Row]) -> list[Block]:
    """Planned beside delivered by month: one figure for each band of hours that both have."""
    monthly = [
        row for row in rows
        if month_of(str(row["horizon"])) and row["unit"] == "minutes" and row["subgroup"] == "all"
        and ", stated by " not in str(row["population"])
    ]  # fmt: skip
    found: list[Block] = []
    bands = sorted({str(row["hours"]) for row in monthly}, key=lambda name: name != "all")
    for index, band in enumerate(bands):
        lines = [row for row in monthly if row["hours"] == band]
        names = list(dict.fromkeys(_measure(row) for row in sorted(lines, key=_place)))
        if band != "all" and len(names) < 2:
            continue
        series = [(_short(lines, name), [row for row in lines if _measure(row) == name])
                  for name in names]  # fmt: skip
        found.append(_chart(material, f"delivery-minutes-{index}", band, series))
    return found


_SHORT = {"planned_minutes": "asked for", "delivered_minutes": "delivered"}


def _short(rows: Sequence[Row], name: str = "") -> str:
    """A measure in a word or two, for a legend."""
    row = next(row for row in rows if not name or _measure(row) == name)
    return _SHORT.get(str(row["outcome"]), _measure(row))


def _chart(
    material: Material, identity: str, band: str, series: Sequence[tuple[str, Sequence[Row]]]
) -> Figure:
    title = f"Minutes by month, {hours_words(band)}"
    rows = [row for _, lines in series for row in lines]
    rows.sort(key=lambda row: str(row["horizon"]))
    names = [name for name, _ in series]
    table = parts.pivot(
        rows, identity=f"{identity}-table", caption=title, corner="Month",
        down=lambda row: parts.label(row, "horizon"), across=lambda row: _short([row]),
        columns=names,
        stamp=material.tag, cell=alone,
    )  # fmt: skip
    return Figure(
        identity,
        title,
        "Minutes in each month, asked for and delivered as lines of their own where both are "
        "known. A month without a figure is a gap; the table that follows holds the same figures.",
        spec=charts.monthly(series, axis="Minutes", kind="hot spot"),
        data=table,
        stamp=material.tag,
    )


def _by_place(material: Material, rows: Sequence[Row]) -> Table:
    chosen = [
        row for row in rows if row["outcome"] in ORDER[:5] and "stated" not in str(row["method"])
    ]
    names = [str(row["outcome_label"]) for row in sorted(chosen, key=_place)]
    return parts.pivot(
        sorted(chosen, key=lambda row: str(row["subgroup"])),
        identity="delivered-by-place",
        caption="Delivery by hot spot",
        corner="Hot spot",
        down=lambda row: capital(subgroup_words(row["subgroup"])),
        across=lambda row: str(row["outcome_label"]),
        columns=list(dict.fromkeys(names)),
        stamp=material.tag,
        cell=alone,
    )
