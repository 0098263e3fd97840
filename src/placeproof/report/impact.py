"""RQ1 to RQ3: the effect, what checks it, its course over time, and what happened around."""

from collections.abc import Sequence
from datetime import date

from placeproof.report import (
    areas,
    certificate,
    cost,
    displacement,
    events,
    figures,
    forge,
    harm,
    registers,
    robustness,
)
from placeproof.report import dose as doses
from placeproof.report import findings as parts
from placeproof.report.document import Block, Day, Figure, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import with_interval
from placeproof.report.material import Material, Row
from placeproof.report.numbers import is_change
from placeproof.report.spans import figure, number
from placeproof.report.words import capital

HEADLINE = "poisson_imputation_jackknife"
ADJUSTED = "poisson_imputation_trend_adjusted"
TOO_WIDE = 9.0
"""Ends of an interval this many times apart (times or divided by three) adjust for nothing."""

_TOO_SHORT = "too short to adjust for"


def blocks(material: Material, key: str, rows: Sequence[Row]) -> list[Block]:
    """
    Show an effect: definitions beside each other, checks, course, rings, negative controls.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ1, RQ2 or RQ3.
    rows : sequence of findings
        The findings of that question.

    Returns
    -------
    list of Block
        What the body of the report shows of them.
    """
    effects = [row for row in rows if row["estimand"] == "rate_ratio" and _overall(row)]
    first = material.headline_outcomes(key)
    effects.sort(key=lambda row: (row["outcome"] not in first, str(row["outcome_label"])))
    main = [row for row in effects if _main(row)]
    place = _place(main)
    spots = [row for row in main if row["population"] == place]
    headlines = [row for row in spots if row["role"] == "headline"]
    found: list[Block] = [*reopened(material), *doses.identified(material, key, rows)]
    found += parts.forest(
        [(str(row["outcome_label"]), row) for row in spots],
        identity=f"{key}-effects",
        title="Change in the hot spots, headline method",
        alt="One line for each outcome, with its interval. An arrow says that the interval goes "
        "on beyond the figure; the table that follows holds the same figures.",
        stamp=material.tag,
    )
    if spots:
        found.append(_checks(material, key, rows, spots))
    found += harm.blocks(material, key, rows)
    found += events.blocks(material, key, rows, headlines)
    found += registers.blocks(material, key, rows, headlines)
    found += areas.blocks(material, key, rows, headlines)
    for index, row in enumerate(row for row in spots if row["outcome"] in first):
        found += _course(material, key, rows, row, index)
        found += _rings(material, key, main, row, index)
        found += displacement.blocks(material, f"{key}-{index}", rows, row)
    found += forge.blocks(material, key, rows, headlines)
    found += robustness.blocks(material, key, rows, headlines)
    found += cost.blocks(material, key, rows)
    found += doses.lasting(material, key, rows)
    found += doses.days(material, key, rows)
    found += doses.minutes(material, key, rows)
    found += _controls(material)
    return found


def _overall(row: Row) -> bool:
    return row["horizon"] == "all" and row["subgroup"] == "all" and row["hours"] == "all"


def _main(row: Row) -> bool:
    return row["role"] in ("headline", "beside") and str(row["method"]) == HEADLINE


def _place(main: Sequence[Row]) -> str:
    headline = [row for row in main if row["role"] == "headline"]
    return str((headline or list(main))[0]["population"]) if main else ""


def first_start(material: Material) -> date | None:
    """The first day of patrols anywhere, from the outlines."""
    places = material.contents.places
    if not places.height:
        return None
    day = places["first_treated"].drop_nulls().min()
    return day if isinstance(day, date) else None


def near_start(material: Material) -> list[Row]:
    """Shocks that begin within two months of the first patrols."""
    shocks, start = material.contents.shocks, first_start(material)
    if shocks is None or start is None:
        return []
    rows = shocks.sort("starts_on", "shock_id").iter_rows(named=True)
    return [row for row in rows if abs((row["starts_on"] - start).days) <= _NEAR_DAYS]


_NEAR_DAYS = 62


def reopened(material: Material) -> list[Block]:
    """What else happened when patrols began; said wherever an effect is printed."""
    start = first_start(material)
    found: list[Block] = []
    for row in near_start(material):
        what = "reopening" if row["kind"] == "reopening" else "that change"
        subject = (
            Text("Places reopened on ", strong=True)
            if row["kind"] == "reopening"
            else Text("Something else changed on ", strong=True)
        )
        found.append(
            Paragraph(
                (
                    subject,
                    Day(row["starts_on"]),  # type: ignore[arg-type]
                    Text(" ("),
                    Name(str(row["name"])),
                    Text("); the first patrols began on "),
                    Day(start),  # type: ignore[arg-type]
                    Text(
                        f". A before-and-after comparison measures {what}, and so does any "
                        f"estimate whose comparison places did not feel {what} as the hot spots "
                        "did."
                    ),
                ),
                "caution",
            )
        )
    return found


def too_wide(row: Row) -> bool:
    """Whether a ratio's interval is so wide that the figure would mislead."""
    low, high = row["lower"], row["upper"]
    if row["status"] != "estimated":
        return False
    if not isinstance(low, float) or not isinstance(high, float):
        return True
    return low <= 0 or high / low > TOO_WIDE


def adjusted_cell(row: Row) -> Spans:
    """A trend-adjusted estimate, or that the earlier trend is too short to give one."""
    return (Text(_TOO_SHORT),) if too_wide(row) else with_interval(row)


def _checks(material: Material, key: str, rows: Sequence[Row], spots: Sequence[Row]) -> Table:
    place = str(spots[0]["population"])

    def beside(row: Row, method: str, field: str = "") -> Spans:
        for other in rows:
            if (
                other["outcome"] == row["outcome"]
                and str(other["method"]).startswith(method)
                and _overall(other)
                and other["population"] in (place, f"{place} with their rings")
                and (is_change(other) or other["estimand"] == "weighted_displacement_difference")
                and other["estimand"] != "pre_trend_slope"
            ):
                if method == ADJUSTED:
                    return adjusted_cell(other)
                if field:
                    return figure(other, field)
                return with_interval(other)
        return ()

    columns: list[tuple[str, list[Spans]]] = [
        ("Headline", [with_interval(row) for row in spots]),
        ("Adjusted for earlier trend", [beside(row, ADJUSTED) for row in spots]),
        ("Two-way regression", [beside(row, "poisson_two_way") for row in spots]),
        ("Events more or fewer, with rings", [beside(row, "weighted_disp") for row in spots]),
        ("Placebo p", [beside(row, "poisson_imputation_placebo", "p_value") for row in spots]),
        ("Smallest detectable", [_detectable(material, row) for row in spots]),
    ]
    kept = [(head, cells) for head, cells in columns if any(cells)]
    body = tuple(
        ((Name(str(row["outcome_label"])),), *(cells[index] for _, cells in kept))
        for index, row in enumerate(spots)
    )
    head = ("Outcome", *(head for head, _ in kept))
    note = (
        *parts.level_note(spots),
        Text(
            " Placebo p: how often places exchanged at random show as large a change. Events with "
            "rings: the weighted displacement difference, in events over the whole time."
        ),
        *_too_short_note(body),
    )
    return Table(
        f"{key}-checks", "The same effect, checked", head, body,
        frozenset(range(1, len(head))), note=note, stamp=material.tag,
    )  # fmt: skip


def _detectable(material: Material, row: Row) -> Spans:
    told = figure(row, "minimum_detectable_effect")
    return (*told, *certificate.smallest(material, row)) if told else ()


def _too_short_note(body: Sequence[tuple[Spans, ...]]) -> Spans:
    said = any(Text(_TOO_SHORT) in cell for row in body for cell in row)
    words = " Too short to adjust for: the trend before patrols is too short to adjust for it."
    return (Text(words),) if said else ()


def _course(
    material: Material, key: str, rows: Sequence[Row], headline: Row, index: int
) -> list[Block]:
    same = [
        row
        for row in rows
        if row["outcome"] == headline["outcome"] and row["population"] == headline["population"]
    ]
    studied = [row for row in same if row["estimand"] == "event_study_rate_ratio"]
    step = _step(studied)
    chosen = sorted(
        (row for row in studied if str(row["horizon"]).startswith(f"{step}=")),
        key=lambda row: figures.position(str(row["horizon"])) or 0,
    )
    drawn = [row for row in chosen if row["status"] == "estimated"]
    found: list[Block] = []
    if len(drawn) >= 3:
        title = f"{capital(step)} by {step} before and after the first patrols"
        title = f"{title}: {headline['outcome_label']}"
        table = parts.estimates_table(
            drawn, identity=f"{key}-course-{index}-table", caption=title, by=("horizon",),
            stamp=material.tag,
        )  # fmt: skip
        spec = figures.event_study(
            drawn, axis="Change, per cent", along=f"{capital(step)}s since the first patrols"
        )
        found.append(
            Figure(
                f"{key}-course-{index}",
                title,
                "Change in each period with its interval, with lines at no change and at the start "
                "of patrols. Periods before the start should lie around no change.",
                spec=spec,
                data=table,
                stamp=material.tag,
                note=() if any(_before(row) for row in drawn) else (Text(_NOTHING_BEFORE),),
            )
        )
    slopes = [row for row in same if row["estimand"] == "pre_trend_slope"]
    for row in slopes[:1]:
        if too_wide(row):
            words = "The time before patrols is too short to show a drift of the places."
            found.append(Paragraph((Text(words),)))
            continue
        said: Spans = (Text("Drift before patrols began: "), *with_interval(row))
        if row["p_value"] is not None and row["status"] == "estimated":
            said = (*said, Text("; p "), number(row, "p_value"))
        found.append(Paragraph((*said, Text(". Without a drift this lies around nought."))))
    return found


_NOTHING_BEFORE = (
    "No period before patrols could be estimated: whether the places moved together is not seen."
)


def _before(row: Row) -> bool:
    at = figures.position(str(row["horizon"]))
    return at is not None and at < 0


def _step(rows: Sequence[Row]) -> str:
    """The coarsest step with enough periods on either side to be read."""
    for step in ("quarter", "month", "week", "year"):
        at = [
            place
            for row in rows
            if str(row["horizon"]).startswith(f"{step}=") and row["status"] == "estimated"
            if (place := figures.position(str(row["horizon"]))) is not None
        ]
        if sum(place < 0 for place in at) >= 3 and sum(place >= 0 for place in at) >= 3:
            return step
    for step in ("month", "quarter", "week", "year"):
        if any(str(row["horizon"]).startswith(f"{step}=") for row in rows):
            return step
    return "month"


def _rings(
    material: Material, key: str, main: Sequence[Row], headline: Row, index: int
) -> list[Block]:
    chosen = [row for row in main if row["outcome"] == headline["outcome"]]
    if not any(str(row["population"]).startswith("ring") for row in chosen):
        return []
    chosen.sort(key=lambda row: str(row["population"]).startswith("ring"))
    return list(
        parts.forest(
            [(capital(str(row["population"])), row) for row in chosen],
            identity=f"{key}-rings-{index}",
            title=f"In the hot spots and around them: {headline['outcome_label']}",
            alt="Change in the hot spots and in the rings around them, with intervals. Above no "
            "change in the rings speaks for crime that moved, below for an effect that spread.",
            stamp=material.tag,
        )
    )


def _controls(material: Material) -> list[Block]:
    controls = [
        row
        for row in material.rows
        if row["role"] == "negative_control" and _overall(row)
        and row["estimand"] == "rate_ratio" and row["method"] == HEADLINE
    ]  # fmt: skip
    if not controls:
        return []
    spans: list[Spans] = [
        (Text("Negative controls, which patrols should not move: ", strong=True),)
    ]
    for index, row in enumerate(controls):
        comma = (Text("; "),) if index else ()
        spans.append((*comma, Name(str(row["outcome_label"])), Text(": "), *with_interval(row)))
    return [Paragraph((*(span for group in spans for span in group), Text(".")))]
