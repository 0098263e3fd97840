"""What else was done, what moved recording, and where unlocated events could have been."""

from collections.abc import Mapping, Sequence
from datetime import date

from placeproof.report.document import Block, Day, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import alone, level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.spans import figure, number
from placeproof.report.words import capital, hours_words, month_of, plain

JOINT = "poisson_imputation_joint"
TWO_WAY = "poisson_two_way_joint"
USUAL = "poisson_imputation_jackknife"

_TOLD_APART = (
    " Each factor holds the others: what patrols did where and while nothing else was at work, and "
    "what the other did beside patrols. It takes for granted that each multiplies what is there, "
    "and lasts as long as it is at work."
)
_UNLOCATED = (
    " In proportion: unlocated events lie where located ones do. Fewer, more: in patrolled places, "
    "once patrols began, events lack a location less often, or more often, than elsewhere by the "
    "factor that the plan names. Lowest, highest: all of them lie where they move the estimate "
    "most, which nobody believes, and little is possible beyond. Tips at: how many times as often "
    "as elsewhere they would have to lack a location for no change to be left."
)


def blocks(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> list[Block]:
    """
    Show patrols and rivals told apart, patrols around changes of recording, and location bounds.

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
        Tables; nothing where no register names anything and every event has a location.
    """
    found: list[Block] = []
    for made in (
        _rivals(material, key, rows, headlines),
        _changes(material, key, rows, headlines),
        _bounds(material, key, rows, headlines),
    ):
        found += [made] if made else []
    return found


def _mine(rows: Sequence[Row], headline: Row) -> list[Row]:
    return [
        row
        for row in rows
        if row["outcome"] == headline["outcome"] and row["role"] == "robustness"
        and row["subgroup"] == headline["subgroup"]
    ]  # fmt: skip


def _rivals(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> Table | None:
    body: list[tuple[Spans, ...]] = []
    groups: list[tuple[int, Spans]] = []
    why: dict[str, None] = {}
    for headline in headlines:
        mine = _mine(rows, headline)
        joint = [row for row in mine if row["method"] == JOINT]
        if not joint:
            continue
        beside = {_about(row): row for row in mine if row["method"] == TWO_WAY}
        groups.append((len(body), (Name(str(headline["outcome_label"])),)))
        body.append(((Text("Patrols, headline"),), with_interval(headline), ()))
        joint.sort(key=lambda row: (row["hours"] != "all", str(row["hours"]), _rank(row)))
        for row in joint:
            other = beside.get(_about(row))
            body.append((_what(row), with_interval(row), with_interval(other) if other else ()))
            if row["hours"] == "all" and row["reason"]:
                why[f"{capital(str(row['population']))}: {row['reason']}"] = None
        same = [row for row in mine if row["method"] == USUAL
                and str(row["horizon"]).startswith("term=") and row["hours"] == "all"]  # fmt: skip
        for row in same:
            what = (Name(capital(str(row["population"]))), Text(", with it against before it"))
            body.append((what, with_interval(row), ()))
        for row in mine:
            words = _WITHOUT.get(str(row["horizon"]))
            if words and row["estimand"] == "rate_ratio":
                body.append(((Text(words),), with_interval(row), ()))
    if not body:
        return None
    told: Spans = tuple(Name(f" {words}") for words in why)
    return Table(
        f"{key}-rivals", "Patrols and what else was done, told apart",
        ("What did it", "By imputation", "By two-way regression"), tuple(body),
        frozenset({1, 2}), note=(*level_note(headlines), Text(_TOLD_APART), *told),
        stamp=material.tag, widths=(0.48, 0.26, 0.26),
        groups=tuple(groups) if len(groups) > 1 else (),
    )  # fmt: skip


_WITHOUT = {
    "without=rivals": "Patrols, without places and periods that any of it touched",
    "without=events": "Patrols, without periods with a registered event",
}


def _about(row: Row) -> tuple[str, str]:
    return str(row["horizon"]), str(row["hours"])


def _rank(row: Row) -> tuple[bool, str]:
    return row["horizon"] != "term=patrols", str(row["population"]).casefold()


def _what(row: Row) -> Spans:
    hours = () if row["hours"] == "all" else (Name(f", {hours_words(row['hours'])}"),)
    if row["horizon"] == "term=patrols":
        return (Text("Patrols, the rest held"), *hours)
    name = str(row["population"]).removeprefix("places with ")
    return (Name(capital(name)), Text(", patrols held"), *hours)


def _changes(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> Table | None:
    """Patrols before and since each lasting change of recording."""
    shocks = material.contents.shocks
    names = {} if shocks is None else dict(shocks.select("shock_id", "name").iter_rows())
    body: list[tuple[Spans, ...]] = []
    groups: list[tuple[int, Spans]] = []
    for headline in headlines:
        found: dict[str, dict[str, Row]] = {}
        for row in _mine(rows, headline):
            side, _, change = str(row["horizon"]).partition("=")
            if side in ("until", "since"):
                ratio = row["estimand"] == "ratio_of_rate_ratios"
                found.setdefault(change, {})["ratio" if ratio else side] = row
        if found:
            groups.append((len(body), (Name(str(headline["outcome_label"])),)))
        for change, sides in sorted(found.items()):
            cells = [with_interval(sides[side]) if side in sides else ()
                     for side in ("until", "since", "ratio")]  # fmt: skip
            body.append(((Name(str(names.get(change, plain(change)))),), *cells))
    if not body:
        return None
    note = (
        *level_note(headlines),
        Text(
            " A change that moves every place alike is taken up by the comparison places. Where "
            "patrols seem to do more or less since then, recording may be part of it."
        ),
    )
    return Table(
        f"{key}-changes", "Patrols before and since each change of recording",
        ("Change of recording", "Before it", "Since", "Since against before"), tuple(body),
        frozenset({1, 2, 3}), note=note, stamp=material.tag, widths=(0.34, 0.22, 0.22, 0.22),
        groups=tuple(groups) if len(groups) > 1 else (),
    )  # fmt: skip


_BOUNDS = ("lowest", "fewer", "proportional", "more", "highest")


def _bounds(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> Table | None:
    body: list[tuple[Spans, ...]] = []
    why: dict[str, None] = {}
    for headline in headlines:
        mine = [row for row in _mine(rows, headline) if str(row["method"]).endswith("_unlocated")]
        by = {str(row["horizon"]).removeprefix("unlocated="): row for row in mine}
        if "proportional" not in by:
            continue
        tips = by.get("all")
        if tips is not None and tips["status"] != "estimated" and tips["reason"]:
            why[f"{headline['outcome_label']}: {tips['reason']}"] = None
        cells = [with_interval(by[name]) if name in by else () for name in _BOUNDS]
        last = figure(tips, "estimate") or (Text("never"),) if tips is not None else ()
        body.append(((Name(str(headline["outcome_label"])),), *cells, last))
    if not body:
        return None
    head = ("Outcome", "Lowest", "Fewer", "In proportion", "More", "Highest", "Tips at")
    told: Spans = tuple(Name(f" {words}") for words in why)
    return Table(
        f"{key}-unlocated", "The same effect, wherever events without a location lay", head,
        tuple(body), frozenset(range(1, 7)), widths=(0.24, 0.13, 0.13, 0.14, 0.13, 0.15, 0.08),
        note=(*level_note(headlines), Text(_UNLOCATED), *told), stamp=material.tag,
    )  # fmt: skip


def steps(material: Material) -> list[Mapping[str, object]]:
    """
    List the months with a step in recording as if each were a registered event.

    Parameters
    ----------
    material : Material
        The contents.

    Returns
    -------
    list of mapping
        `shock_id`, `name`, `starts_on`, `ends_on` (None), in the order of time.
    """
    found: dict[date, list[str]] = {}
    for row in material.of("data"):
        month = month_of(str(row["horizon"]))
        if row["estimand"] == "step_in_recording" and month:
            found.setdefault(month, []).append(str(row["outcome_label"]))
    return [
        {
            "shock_id": f"step-{month:%Y-%m}",
            "name": f"Step found in recording: {labels[0]}"
            + (f", and {len(labels) - 1} more" if len(labels) > 1 else ""),
            "starts_on": month,
            "ends_on": None,
        }
        for month, labels in sorted(found.items())
    ]


def scan(material: Material) -> list[Block]:
    """
    Show what the scan of recording looked at and which steps it found.

    Parameters
    ----------
    material : Material
        The contents.

    Returns
    -------
    list of Block
        A sentence, and a table where there are steps; nothing where nothing was scanned.
    """
    rows = [row for row in material.of("data") if str(row["outcome"]).startswith("recording")]
    scanned = [row for row in rows if row["estimand"] == "series_scanned"]
    if not scanned:
        return []
    marks = sorted(
        (row for row in rows if row["estimand"] == "step_in_recording"),
        key=lambda row: (str(row["horizon"]), str(row["outcome_label"])),
    )
    lead: Spans = (
        Text("Before any effect was estimated, "),
        number(scanned[0]),
        Text(" monthly series of how things are recorded were scanned for steps: "),
        Text("these were found." if marks else "none was found."),
    )
    found: list[Block] = [Paragraph(lead)]
    if not marks:
        return found
    levels = {(str(row["outcome"]), str(row["horizon"]), str(row["estimand"])): row for row in rows}
    body = []
    for row in marks:
        at = str(row["outcome"]), str(row["horizon"])
        sides = [levels.get((*at, name)) for name in ("level_before_step", "level_after_step")]
        month = month_of(at[1])
        body.append(
            (
                (Name(str(row["outcome_label"])),),
                (Day(month),) if month else (),
                *(alone(side) if side else () for side in sides),
                alone(row),
                figure(row, "p_value"),
            )
        )
    head = ("What is recorded", "From", "Before", "After", "Times", "p")
    note = (
        Text(
            "Before and after: in the half-year on either side. Times: odds after over odds "
            "before, or hours over hours, with trend and season held. The p is corrected for the "
            "number of series. A month may be off by one or two. Effects are estimated without "
            "the months around each step as well."
        ),
    )
    table = Table(
        "recording-steps", "Steps in how things are recorded", head, tuple(body),
        frozenset({2, 3, 4, 5}), note=note, stamp=material.tag,
        widths=(0.4, 0.2, 0.1, 0.1, 0.1, 0.1),
    )  # fmt: skip
    return [*found, table]
