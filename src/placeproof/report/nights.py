"""Results under every registered set of night-time hours, the one that the plan pins marked."""

import json
from collections.abc import Sequence

from placeproof.report.document import Block, Name, Spans, Table, Text
from placeproof.report.findings import alone, level_note, pivot, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.words import capital, hours_words

_NOTE = (
    " No set of hours is agreed on: the plan pins one, and the answer rests on it alone. The last "
    "column is the change in one divided by the change in the other."
)


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show events, effects and patrol minutes under each set of hours.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ9.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        A table of the headline outcomes and one of patrol minutes; nothing where no record has a
        time of day, because the answer says so.
    """
    tallies = [row for row in rows if row["estimand"] == "count" and row["unit"] == "events"]
    presets = _presets(material, tallies)
    if len(presets) < 2:
        return []
    found: list[Block] = [_effects(material, key, rows, tallies, presets)]
    minutes = _minutes(material, key, presets)
    return [*found, *_times(material, key, rows), *([minutes] if minutes else [])]


def _preset(row: Row) -> tuple[str, str]:
    """Whether a row is about the hours or the others, and of which set: ("nte", "nte-core")."""
    kind, _, preset = str(row["hours"]).partition(":")
    return kind, preset


def _presets(material: Material, tallies: Sequence[Row]) -> dict[str, Spans]:
    """Each set of hours in words, the pinned one first and marked."""
    pinned = material.contents.manifest.get("night_time_economy")
    found: dict[str, Spans] = {}
    for row in sorted(tallies, key=lambda row: (_preset(row)[1] != pinned, str(row["hours"]))):
        kind, preset = _preset(row)
        hours = json.loads(str(row["diagnostics"] or "{}")).get("hours")
        words: Spans = (Name(str(hours or capital(hours_words(row["hours"])))),)
        mark = (Text(" (pinned)", strong=True),) if preset == pinned else ()
        if kind == "nte":
            found.setdefault(preset, (*words, *mark))
    return found


def _effects(
    material: Material,
    key: str,
    rows: Sequence[Row],
    tallies: Sequence[Row],
    presets: dict[str, Spans],
) -> Table:
    pinned = next(iter(presets))
    by: dict[tuple[str, str, str, str], Row] = {}
    for row in rows:
        if row["population"] != "treated hot spots" or row["subgroup"] != "all":
            continue
        if row["horizon"] != "all":
            continue
        kind, preset = _preset(row)
        if row["estimand"] == "ratio_of_rate_ratios" and kind == "all":
            kind, preset = "nte", pinned
        by.setdefault((str(row["outcome"]), str(row["estimand"]), kind, preset), row)
    outcomes = list(dict.fromkeys(str(row["outcome"]) for row in tallies))
    order = [key for answer in material.answers for key in _headlines(material, answer)]
    outcomes.sort(key=lambda name: (order.index(name) if name in order else len(order), name))
    body: list[tuple[Spans, ...]] = []
    groups: list[tuple[int, Spans]] = []
    shown: list[Row] = []
    for outcome in outcomes:
        label = next(row["outcome_label"] for row in tallies if row["outcome"] == outcome)
        groups.append((len(body), (Name(str(label)),)))
        for preset, words in presets.items():
            ratios = [
                by.get((outcome, estimand, kind, preset))
                for estimand, kind in (
                    ("rate_ratio", "nte"), ("rate_ratio", "other"), ("ratio_of_rate_ratios", "nte"),
                )
            ]  # fmt: skip
            shown += [row for row in ratios if row]
            count = by.get((outcome, "count", "nte", preset))
            cells = (with_interval(row) if row else () for row in ratios)
            body.append((words, alone(count) if count else (), *cells))
    head = ("Night-time hours", "Events in them", "Change in them", "Change in the others",
            "One against the other")  # fmt: skip
    return Table(
        f"{key}-nights", "The same under every registered set of night-time hours", head,
        tuple(body), frozenset({1, 2, 3, 4}), note=(*level_note(shown), Text(_NOTE)),
        stamp=material.tag, widths=(0.32, 0.11, 0.19, 0.19, 0.19), groups=tuple(groups),
    )  # fmt: skip


_PLACED = {
    "all": "Spread over their window",
    "times=start": "At its start",
    "times=middle": "In its middle",
}
_TIMES = (
    " Night-time hours against the others, with events of uncertain time placed in three ways. The "
    "answer rests on the first: every second of the window is equally likely."
)


def _times(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """The contrast of the pinned hours by where events of uncertain time are put."""
    moved = [
        row
        for row in rows
        if row["estimand"] == "ratio_of_rate_ratios" and str(row["horizon"]).startswith("times=")
    ]
    if not moved:
        return []
    outcomes = {row["outcome"] for row in moved}
    held = [
        row
        for row in rows
        if row["estimand"] == "ratio_of_rate_ratios" and row["horizon"] == "all"
        and row["hours"] == "all" and row["subgroup"] == "all" and row["outcome"] in outcomes
    ]  # fmt: skip
    return [
        pivot(
            [*held, *moved], identity=f"{key}-times", caption="Where uncertain times are placed",
            corner="Outcome", down=lambda row: str(row["outcome_label"]),
            across=lambda row: _PLACED[str(row["horizon"])], columns=list(_PLACED.values()),
            stamp=material.tag, note=(*level_note(moved), Text(_TIMES)),
            widths=(0.34, 0.22, 0.22, 0.22),
        )
    ]  # fmt: skip


def _headlines(material: Material, answer: Row) -> list[str]:
    return sorted(material.headline_outcomes(str(answer["question"])))


def _minutes(material: Material, key: str, presets: dict[str, Spans]) -> Table | None:
    rows = {
        _preset(row): row
        for row in material.of("delivery")
        if row["outcome"] == "delivered_minutes" and row["horizon"] == "all"
        and row["subgroup"] == "all" and row["population"] == "hot spots"
        and str(row["method"]).startswith("pings") and not str(row["method"]).endswith("_raw")
    }  # fmt: skip
    body = tuple(
        (words, alone(rows["nte", preset]), alone(rows["other", preset]))
        for preset, words in presets.items()
        if ("nte", preset) in rows and ("other", preset) in rows
    )
    if len(body) < 2:
        return None
    head = ("Night-time hours", "In them", "In the other hours")
    return Table(
        f"{key}-nights-minutes", "Patrol minutes delivered under the same sets of hours", head,
        body, frozenset({1, 2}), stamp=material.tag, widths=(0.56, 0.22, 0.22),
    )  # fmt: skip
