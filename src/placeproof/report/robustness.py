"""Other estimators beside the headline: what each finds, and what it takes for granted."""

import json
from collections.abc import Mapping, Sequence

from placeproof.report import figures
from placeproof.report.document import Block, Figure, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import axis_words, estimates_table, level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import number

HONEST = {
    "honest_relative_magnitudes": (
        "trends part after the start at most {} times as far, from step to step, as they did "
        "before it"
    ),
    "honest_smoothness": (
        "the slope at which trends part changes by at most {} from step to step, on the log scale"
    ),
}
OTHERS: dict[str, tuple[str, str]] = {
    "poisson_two_way_fixed_effects": (
        "Two-way Poisson regression",
        "As the headline, with one effect for all places at all times.",
    ),
    "callaway_santanna": (
        "Callaway and Sant'Anna",
        "Events, not rates, would have changed alike since the one step before each start{}.",
    ),
    "sun_abraham": (
        "Sun and Abraham",
        "The same, by regression; only places never patrolled compare.",
    ),
    "synthetic_did": (
        "Synthetic difference-in-differences",
        "Comparison places and earlier steps, weighted to run alongside, would have gone on so.",
    ),
    "bounded_calibration": (
        "Bounded calibration",
        "Places weighted to the same past would have had the same events later.",
    ),
}
"""Method to its name for a reader, and to what it takes for granted."""

_HEADLINE = "Without patrols, rates would have changed by the same factor since any earlier time."
_EXIT = "As the headline, up to the day on which a place left the list."
_NOTE = (
    " None of these replaces the headline: they say whether it hangs on what the headline takes "
    "for granted. Estimators that work in events are turned into a change by setting the events "
    "that were counted against those less the effect; their effects in events stand behind the "
    "figure."
)


def blocks(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> list[Block]:
    """
    Show what other estimators find of each headline effect.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ1, RQ2 or RQ3.
    rows : sequence of findings
        The findings of that question.
    headlines : sequence of findings
        Its headline effects in the hot spots.

    Returns
    -------
    list of Block
        For each headline a figure and a table; nothing where the plan names no other estimator.
    """
    found: list[Block] = []
    for index, headline in enumerate(headlines):
        mine = [row for row in rows if all(row[name] == headline[name] for name in _SAME)]
        ratios = [row for row in mine if row["estimand"] == "rate_ratio"]
        of = {str(row["method"]): row for row in ratios if row["horizon"] == "all"}
        if not any(method in of for method in OTHERS if method != "poisson_two_way_fixed_effects"):
            continue
        lines = _lines(headline, of, ratios)
        events = [row for row in mine if row["estimand"] == "events_changed_per_step"]
        found += _figure(material, f"{key}-others-{index}", headline, lines, events)
        found.append(_table(material, f"{key}-others-{index}-table", headline, lines))
        found += _departures(mine, of)
    return found


_SAME = ("outcome", "population", "hours", "subgroup")


def _lines(
    headline: Row, of: Mapping[str, Row], ratios: Sequence[Row]
) -> list[tuple[str, Row, str]]:
    """Name, finding, what it takes for granted; the headline first."""
    lines = [("Headline", headline, _HEADLINE)]
    for method, (name, words) in OTHERS.items():
        row = of.get(method)
        if row is not None:
            told = json.loads(str(row["diagnostics"] or "{}"))
            also = " also in places patrolled later"
            more = f",{also}" if told.get("comparison_of_cohorts") == "not_yet" else ""
            lines.append((name, row, words.format(more)))
    exits = [row for row in ratios if row["horizon"] == "without=after-exit"]
    return lines + [("Headline, censored at exit", row, _EXIT) for row in exits[:1]]


def _figure(
    material: Material,
    identity: str,
    headline: Row,
    lines: Sequence[tuple[str, Row, str]],
    events: Sequence[Row],
) -> list[Block]:
    drawn = [(name, row) for name, row, _ in lines if row["status"] == "estimated"]
    if len(drawn) < 2 or headline["status"] != "estimated":
        return []
    spec = figures.intervals(drawn, axis=axis_words(headline))
    title = f"The headline and other estimators: {headline['outcome_label']}"
    rows = [*(row for _, row in drawn), *(row for row in events if row["status"] == "estimated")]
    data = estimates_table(
        rows, identity=f"{identity}-data", caption=title, by=("estimand", "method"),
        stamp=material.tag,
    )  # fmt: skip
    alt = (
        "One line for each estimator with its interval; the headline is the diamond at the top. "
        "The table that follows holds the same figures and what each estimator takes for granted."
    )
    return [
        Figure(identity, title, alt, spec=_marked(spec), data=data, stamp=material.tag),
    ]


PARTS = ("headline", "other estimator")


def _marked(spec: dict[str, object]) -> dict[str, object]:
    """Tell the headline, which stands first, from the others by its shape."""
    values = spec["data"]["values"]  # type: ignore[index]
    for order, point in enumerate(values):
        point["part"] = PARTS[min(order, 1)]
    shape = {
        "field": "part", "type": "nominal",
        "scale": {"domain": list(PARTS), "range": ["diamond", "circle"]},
        "legend": {"title": None, "symbolOpacity": 1, "orient": "top"},
    }  # fmt: skip
    for layer in spec["layer"]:  # type: ignore[attr-defined]
        if "shape" in layer.get("encoding", {}):
            layer["encoding"]["shape"] = shape
            layer["encoding"]["size"] = {
                "field": "part", "type": "nominal", "legend": None,
                "scale": {"domain": list(PARTS), "range": [260, 100]},
            }  # fmt: skip
    return spec


def _table(
    material: Material,
    identity: str,
    headline: Row,
    lines: Sequence[tuple[str, Row, str]],
) -> Table:
    body = tuple(((Text(name),), with_interval(row), (Text(words),)) for name, row, words in lines)
    why = tuple(
        Name(f" {name}: {str(row['reason']).rstrip('.')}.")
        for name, row, _ in lines
        if row["reason"] and name != lines[0][0]
    )
    return Table(
        identity, f"What other estimators find: {headline['outcome_label']}",
        ("Estimator", "Change", "What it takes for granted"), body, frozenset({1}),
        note=(*level_note([row for _, row, _ in lines]), Text(_NOTE), *why),
        stamp=material.tag, widths=(0.26, 0.2, 0.54),
    )  # fmt: skip


def _departures(mine: Sequence[Row], of: Mapping[str, Row]) -> list[Block]:
    """How far trends may part before the effect is no longer seen, in sentences."""
    lead = Text("If trends parted after the start (HonestDiD). ", strong=True)
    refused = of.get("honest_did")
    if refused is not None:
        reason = str(refused["reason"] or "").rstrip(".")
        return [Paragraph((lead, Name(f"Not bounded: {reason}."),), "note")]  # fmt: skip
    said: list[Spans] = []
    for method, words in HONEST.items():
        bounds = [row for row in mine if row["method"] == method]
        broken = [row for row in bounds if row["estimand"] == "breakdown_value"]
        plain = [row for row in bounds if str(row["horizon"]).endswith("=0")]
        if broken and plain:
            said.append(_one_departure(broken[0], plain[0], words))
    if not said:
        return []
    told = json.loads(str(next(r for r in mine if r["method"] in HONEST)["diagnostics"] or "{}"))
    steps = [step for step in told.get("steps_since_the_start", []) if step >= 0]
    about = Text(
        f"Mean effect over the first {len(steps)} steps after the start, each against the one step "
        "before it, which is less sharp than the headline. "
    )
    return [Paragraph((lead, about, *(span for spans in said for span in spans)), "note")]


def _one_departure(broken: Row, plain: Row, words: str) -> Spans:
    told = json.loads(str(broken["diagnostics"] or "{}"))
    if not told.get("seen_without_departure"):
        where = (
            "Where trends do not part at all"
            if broken["method"] == "honest_relative_magnitudes"
            else "Where they part in a straight line"
        )
        return (
            Text(f"{where} it is "), *with_interval(plain),
            Text(", so that already without a departure no effect is not ruled out. "),
        )  # fmt: skip
    before, after = words.split("{}")
    largest = " at the least, the largest that was tried" if broken["reason"] else ""
    return (
        Text(f"An effect is still seen where {before}"), number(broken),
        Text(f"{after}{largest}; where they do not part otherwise it is "), *with_interval(plain),
        Text(". "),
    )  # fmt: skip
