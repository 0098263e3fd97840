"""Delivery: what was asked for and what was delivered, before any word of impact."""

from collections.abc import Sequence
from dataclasses import dataclass

from placeproof.report import charts
from placeproof.report import findings as parts
from placeproof.report.document import Block, Figure, Folded, Paragraph, Section, Table, Text
from placeproof.report.findings import alone
from placeproof.report.material import Material, Row
from placeproof.report.words import capital, hours_words, month_of, subgroup_words

OURS = "hot spots"
"""Population of what positions, tasking and logs say; statements of others name who stated them."""


@dataclass(frozen=True)
class Part:
    """A table of the section: measures in the order of reading, by hours."""

    identity: str
    caption: str
    outcomes: tuple[str, ...]
    note: str


PARTS: tuple[Part, ...] = (
    Part(
        "delivered",
        "What was asked for and what was delivered",
        (
            *("planned_minutes", "delivered_minutes", "ring_minutes", "person_minutes"),
            *(
                "additional_presence",
                "visible_presence",
                "visits",
                "visit_length",
                "visits_15_minutes",
            ),
            *("place_days_patrolled", "visits_per_day", "visited_within_2_hours", "intensity"),
        ),
        "Two officers together for ten minutes are ten minutes in the hot spot, and twenty minutes "
        "of officers. Minutes in the rings around hot spots stand beside those inside. A day on "
        "which no device reported is in no figure.",
    ),
    Part(
        "compliance",
        "Whether it was done as planned",
        (
            *("window_cancelled", "window_unobserved", "window_attended", "window_long_enough"),
            *("window_in_time_and_long_enough", "window_on_foot", "window_logged"),
            *("planned_dose", "window_uncertain"),
        ),
        "Every window that was asked for counts, cancelled ones included; logs are never the "
        "denominator. Windows on days on which nothing reported are not failures: they are in no "
        "share but their own.",
    ),
    Part(
        "logs",
        "What logs say, held against positions",
        ("log_matched", "log_phantom", "log_not_observed", "visit_unlogged", "search_agreement"),
        "A log without a visit may be a patrol whose device was off, and a visit without a log may "
        "be officers who were there for something else.",
    ),
    Part(
        "with-people",
        "What officers did with people",
        (
            *("engagements_per_hour", "stops_per_hour", "searches_per_hour", "arrests_per_hour"),
            *("referrals_per_hour", "asb_powers_per_hour", "intelligence_per_hour"),
        ),
        "As logged: a count that a log leaves blank is not zero and is in neither number.",
    ),
)
"""Tables of the section; what none of them names stands folded below."""

ORDER: tuple[str, ...] = tuple(outcome for part in PARTS for outcome in part.outcomes)
_LISTED = ("activity", "window_reason")
_CHARTED = ("planned_minutes", "delivered_minutes")
_PLACES = ("planned_minutes", "delivered_minutes", "planned_dose", "window_attended",
           "window_in_time_and_long_enough")  # fmt: skip


def section(material: Material) -> Section:
    """Tables of measures by hours, a chart of minutes, what was done; the rest folded."""
    found: list[Block] = list(material.authored("delivery"))
    rows = [row for row in material.of("delivery") if not _raw(row)]
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
    found += _path(material)
    whole = [row for row in known if row["horizon"] == "all" and row["subgroup"] == "all"]
    whole.sort(key=_place)
    wide = _pinned(material, whole)
    for part in PARTS:
        held = [row for row in wide if row["outcome"] in part.outcomes and _measured_here(row)]
        if held:
            found.append(_measures(material, part, held))
        if part.identity == "delivered":
            found += _minutes(material, known)
    found += _listed(material, known)
    others = [row for row in wide if not _measured_here(row)]
    if others:
        found.append(_stated(material, others))
    found += _folded(material, known, whole)
    words = "Months of the other measures, and measures without the added interval, stand in the "
    found.append(parts.more(words, "delivery"))
    return Section("delivery", (Text("Delivery"),), tuple(found))


def _path(material: Material) -> list[Block]:
    """How positions became visits, and why so."""
    told = material.contents.manifest.get("positions")
    why = told.get("why") if isinstance(told, dict) else None
    return [Paragraph((Text(str(why)),))] if why else []


def _pinned(material: Material, rows: Sequence[Row]) -> list[Row]:
    """All hours and the pinned night-time hours; bands and other sets stand elsewhere."""
    pinned = str(material.contents.manifest.get("night_time_economy", ""))
    shown = {"all", f"nte:{pinned}", f"other:{pinned}"}
    named = any(str(row["hours"]) == f"nte:{pinned}" for row in rows)
    return [
        row for row in rows
        if (str(row["hours"]) in shown if named else not str(row["hours"]).startswith("band:"))
    ]  # fmt: skip


def _raw(row: Row) -> bool:
    return str(row["method"]).endswith(("_raw", "_borne_out"))


def _measured_here(row: Row) -> bool:
    """In hot spots or in the rings around them, and not stated by others."""
    return row["population"] == OURS or _ring(row) != ""


def _ring(row: Row) -> str:
    """Of a row about a ring, from where to where, as "0-100 m"."""
    population = str(row["population"])
    return population.removeprefix("ring ") if population.startswith("ring ") else ""


def _place(row: Row) -> tuple[int, str, float]:
    name = str(row["outcome"])
    inner = float(_ring(row).partition("-")[0] or 0)
    return (ORDER.index(name) if name in ORDER else len(ORDER), str(row["outcome_label"]), inner)


def _measure(row: Row) -> str:
    if ring := _ring(row):
        return f"{row['outcome_label']} from {ring}"
    source = str(row["population"]).partition(", stated by ")[2]
    return f"{row['outcome_label']}, {source}" if source else str(row["outcome_label"])


def _hours_of(rows: Sequence[Row]) -> list[str]:
    names = sorted({str(row["hours"]) for row in rows} - {"all"}, key=lambda name: name[:1] == "o")
    return ["all hours", *(hours_words(name) for name in names)]


def _measures(material: Material, part: Part, rows: Sequence[Row]) -> Table:
    hours = _hours_of(rows)
    return parts.pivot(
        rows,
        identity=part.identity,
        caption=part.caption,
        corner="Measure",
        down=_measure,
        across=lambda row: hours_words(row["hours"]),
        columns=hours,
        stamp=material.tag,
        cell=alone,
        note=(Text(part.note),),
        widths=(0.52, *(0.48 / len(hours) for _ in hours)),
    )


def _listed(material: Material, rows: Sequence[Row]) -> list[Block]:
    """What was done, and why windows fell short: shares of one whole, the largest first."""
    found: list[Block] = []
    for outcome, caption, corner, words in (
        ("activity", "What was done, as logged", "Activity", lambda row: str(row["outcome_label"])),
        (
            "window_reason",
            "Why windows were cancelled, missed or too short",
            "Reason given",
            lambda row: capital(str(row["subgroup"]).partition("=")[2]),
        ),
    ):
        held = [row for row in rows if row["outcome"] == outcome and row["horizon"] == "all"]
        held.sort(key=lambda row: (-float(str(row["estimate"] or 0)), str(row["subgroup"])))
        if held:
            found.append(
                parts.pivot(
                    held,
                    identity=f"list-{outcome}",
                    caption=caption,
                    corner=corner,
                    down=words,
                    across=lambda row: "share",
                    columns=["share"],
                    stamp=material.tag,
                    cell=alone,
                    widths=(0.75, 0.25),
                )
            )
    return found


def _stated(material: Material, rows: Sequence[Row]) -> Table:
    hours = _hours_of(rows)
    return parts.pivot(
        rows,
        identity="stated",
        caption="What others stated, never added to what positions measure",
        corner="Measure",
        down=_measure,
        across=lambda row: hours_words(row["hours"]),
        columns=hours,
        stamp=material.tag,
        cell=alone,
        widths=(0.62, *(0.38 / len(hours) for _ in hours)),
    )


def _folded(material: Material, rows: Sequence[Row], whole: Sequence[Row]) -> list[Block]:
    """By hot spot, by bands of the day, and the measures that no table above names."""
    split = [
        row for row in rows
        if row["horizon"] == "all" and row["hours"] == "all" and row["outcome"] in _PLACES
        and str(row["subgroup"]).startswith("hotspot=") and row["population"] == OURS
    ]  # fmt: skip
    found: list[Block] = []
    if split:
        found.append(Folded("Delivery by hot spot", (_by_place(material, split),), printed=False))
    bands = [row for row in whole if str(row["hours"]).startswith("band:")
             and row["outcome"] in ORDER and row["population"] == OURS]  # fmt: skip
    if bands:
        table = _across_hours(material, bands, "delivered-by-band", "Delivery by time of day")
        found.append(Folded("Delivery by time of day", (table,), printed=False))
    rest = [row for row in _pinned(material, whole)
            if row["outcome"] not in (*ORDER, *_LISTED) and row["population"] == OURS]  # fmt: skip
    if rest:
        table = _across_hours(material, rest, "delivered-further", "Further measures of delivery")
        found.append(Folded("Further measures of delivery", (table,), printed=False))
    return found


def _across_hours(material: Material, rows: Sequence[Row], identity: str, caption: str) -> Table:
    hours = list(dict.fromkeys(hours_words(row["hours"]) for row in _by_hours(rows)))
    return parts.pivot(
        rows, identity=identity, caption=caption, corner="Measure", down=_measure,
        across=lambda row: hours_words(row["hours"]), columns=hours, stamp=material.tag,
        cell=alone,
    )  # fmt: skip


def _by_hours(rows: Sequence[Row]) -> list[Row]:
    """Rows in the order of the operating day: all, night, other, bands from 06:00 on."""

    def place(row: Row) -> tuple[int, int, str]:
        kind, _, words = str(row["hours"]).partition(":")
        order = ("all", "nte", "other", "band")
        first = (int(words[:2]) - 6) % 24 if kind == "band" else 0
        return (order.index(kind) if kind in order else len(order), first, words)

    return sorted(rows, key=place)


def _minutes(material: Material, rows: Sequence[Row]) -> list[Block]:
    """Planned beside delivered by month: one figure for each band of hours that both have."""
    monthly = [
        row for row in rows
        if month_of(str(row["horizon"])) and row["outcome"] in _CHARTED
        and row["subgroup"] == "all" and row["population"] == OURS
    ]  # fmt: skip
    found: list[Block] = []
    bands = list(dict.fromkeys(str(row["hours"]) for row in _by_hours(monthly)))
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
    ordered = sorted(rows, key=lambda row: _PLACES.index(str(row["outcome"])))
    names = list(dict.fromkeys(str(row["outcome_label"]) for row in ordered))
    return parts.pivot(
        sorted(rows, key=lambda row: str(row["subgroup"])),
        identity="delivered-by-place",
        caption="Delivery by hot spot",
        corner="Hot spot",
        down=lambda row: capital(subgroup_words(row["subgroup"])),
        across=lambda row: str(row["outcome_label"]),
        columns=names,
        stamp=material.tag,
        cell=alone,
    )
