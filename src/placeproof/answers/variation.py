"""RQ8 and RQ9: how answers vary by demography, and by hours of the day."""

from collections.abc import Callable, Sequence

from placeproof.answers import wording
from placeproof.answers.doubts import frame_limits
from placeproof.answers.grading import Grade, lowered
from placeproof.answers.reading import (
    Row,
    diagnostics,
    direction,
    feeds,
    is_estimated,
    is_everyone,
    listed,
    number,
    placeholder,
)
from placeproof.answers.reply import Reply, Study, reasons, unanswerable

_STRANDS: dict[str, frozenset[str]] = {
    "recorded crime and anti-social behaviour": frozenset({"crime", "incident"}),
    "perceptions": frozenset({"response"}),
}
_SHOWN = 6

ASSOCIATED: frozenset[str] = frozenset({"tasked_day_rate_ratio", "tasked_night_rate_ratio"})
"""Days with a patrol against days without, by hours: who chose the days may explain them, so they
stand in the report and not in the answer beside what patrols changed."""

DEMOGRAPHY: frozenset[str] = frozenset(
    {"age_band", "sex", "ethnicity", "victim_age", "victim_age_band", "victim_sex"}
    | {"victim_ethnicity", "disability", "language"}
)
"""Variables of a subgroup that describe people; the others are places, sites or cohorts."""


def by_demography(study: Study) -> Reply:
    """
    Answer how results vary by demography (RQ8).

    Parameters
    ----------
    study : Study
        Findings and what was supplied.

    Returns
    -------
    Reply
        Answered where both recorded crime and perceptions are split by group.
    """

    def is_split(row: Row) -> bool:
        return str(row["subgroup"]).partition("=")[0] in DEMOGRAPHY

    return _varying(
        study,
        "RQ8",
        is_split,
        wording.group,
        absent={
            "recorded crime and anti-social behaviour": "no estimate by age, sex or ethnic "
            "group was made",
            "perceptions": "no survey answers by group may be shown",
        },
        step="Supply records and responses with age, sex and ethnic group.",
    )


def by_hours(study: Study) -> Reply:
    """
    Answer how results vary by hours of the day (RQ9).

    Parameters
    ----------
    study : Study
        Findings and what was supplied.

    Returns
    -------
    Reply
        Answered where both recorded crime and perceptions are split by hours.
    """

    def is_split(row: Row) -> bool:
        return row["hours"] != "all" or str(row["subgroup"]).startswith(("hours", "nte"))

    return _varying(
        study,
        "RQ9",
        is_split,
        lambda row: wording.hours(row) if row["hours"] != "all" else wording.group(row),
        absent={
            "recorded crime and anti-social behaviour": "no estimate by time of day was "
            "made; published records carry no times",
            "perceptions": "no survey answers by hours of use may be shown",
        },
        step="Supply records with times, and ask when people use the place.",
    )


def _varying(
    study: Study,
    question: str,
    is_split: Callable[[Row], bool],
    named: Callable[[Row], str],
    *,
    absent: dict[str, str],
    step: str,
) -> Reply:
    split = [
        row for row in study.rows
        if (is_split(row) or row["question"] == question) and row["horizon"] == "all"
        and str(row["question"]).startswith("RQ") and row["question"] != "RQ10"
        and (row["role"] in ("headline", "beside", "description") or _is_refusal(row))
        and row["unit"] != "events" and row["estimand"] not in ASSOCIATED
    ]  # fmt: skip
    known = [row for row in split if is_estimated(row)]
    strands = {
        name: [row for row in known if feeds(row) & tables] for name, tables in _STRANDS.items()
    }
    missing = [name for name, rows in strands.items() if not rows]
    if not known or len(missing) == len(_STRANDS):
        why = _why(study, missing or list(_STRANDS), absent, split)
        return unanswerable(why, step)
    leading = list(
        dict.fromkeys(
            str(row["outcome"])
            for row in study.rows
            if row["role"] == "headline" and is_everyone(row)
        )
    )
    told = [
        _told(_strand(name, rows), rows, named, leading) for name, rows in strands.items() if rows
    ]
    chosen = [row for _, _, rows in told for row in rows]
    grade = lowered(
        "low",
        "Groups and hours are contrasts within the study, with fewer events or people each: low.",
        frame_limits(study.about),
    )
    if missing:
        status, because = "partly", _why(study, missing, absent, split)
    else:
        unsplit = _unsplit(split, known)
        status, because = "answered", f"Recorded crime and perceptions are both split.{unsplit}"
    return Reply(
        status,
        because,
        wording.paragraphs(
            " ".join(short for short, _, _ in told),
            *(words for _, words, _ in told),
        ),
        Grade(grade.confidence, grade.reasons),
        chosen,
        step if missing else None,
    )


def _strand(name: str, rows: Sequence[Row]) -> str:
    """A strand in words, without disorder where none of its rows rests on incidents."""
    if name.startswith("recorded crime") and not any("incident" in feeds(row) for row in rows):
        return "recorded crime"
    return name


def _unsplit(split: Sequence[Row], known: Sequence[Row]) -> str:
    """Outcomes for which nobody could supply what a split needs, though others are split."""
    done = {row["outcome"] for row in known}
    told = dict.fromkeys(
        f" {row['outcome_label']} is not: {row['reason']}"
        for row in split
        if row["status"] == "not_supplied" and row["reason"] and row["outcome"] not in done
        and feeds(row) & _STRANDS["recorded crime and anti-social behaviour"]
    )  # fmt: skip
    return "".join(told)


def _is_refusal(row: Row) -> bool:
    """Whether a row says that no set of hours can be told from the others, for want of times."""
    return row["hours"] == "nte" and row["status"] == "not_identified"


def _why(study: Study, missing: Sequence[str], absent: dict[str, str], split: Sequence[Row]) -> str:
    told = []
    for name in missing:
        tables = _STRANDS[name]
        if not study.has(*tables):
            told.append(f"{name}: not supplied")
        else:
            rows = [row for row in split if feeds(row) & tables]
            told.append(f"{name}: {reasons(rows).rstrip('.') or absent[name]}")
    return f"Not split: {'; '.join(told)}."


def _told(
    name: str, rows: Sequence[Row], named: Callable[[Row], str], leading: Sequence[str]
) -> tuple[str, str, Sequence[Row]]:
    """One strand: in short, at length, and the findings it speaks of."""
    ratios = [row for row in rows if _is_of_hours(row)]
    if ratios:
        return _ratios_told(name, ratios, rows, named, leading)
    contrasts = [row for row in rows if _is_contrast(row)]
    if contrasts:
        return _contrasts_told(name, contrasts, named)
    first = _same_as_first(rows, leading)
    label = f"{first[0]['outcome_label']}, {first[0]['population']}"
    words = "; ".join(f"{named(row)}: {_pointed(row)}" for row in first)
    long = f"In {name}, {label}: {words}."
    if first[0]["unit"] != "ratio":
        return f"In {name}, levels of {label} are given by group.", long, first
    sides = {
        "fell": "fell in",
        "rose": "rose in",
        "none": "no difference that these data can show in",
        "unknown": "no direction can be stated in",
    }
    found = [
        f"{words} {listed([named(row) for row in first if direction(row) == side])}"
        for side, words in sides.items()
        if any(direction(row) == side for row in first)
    ]
    return f"In {name}, {label}: {'; '.join(found)}.", long, first


def _ratios_told(
    name: str,
    ratios: Sequence[Row],
    rows: Sequence[Row],
    named: Callable[[Row], str],
    leading: Sequence[str],
) -> tuple[str, str, Sequence[Row]]:
    """Core hours against the other hours of the same places, and each of them alone."""
    row = min(ratios, key=lambda row: (_rank(row, leading), row["role"] != "headline"))
    words = {
        "fell": "the change in core hours lies below that in the other hours",
        "rose": "the change in core hours lies above that in the other hours",
        "none": "no difference between core hours and other hours that these data can show",
        "unknown": "no interval, so that core hours and other hours cannot be compared",
    }
    label = f"{row['outcome_label']} in {row['population']}"
    short = f"{label}: {words[direction(row)]} (one to the other: {placeholder(row, 'full')})."
    each = [
        other
        for other in rows
        if other["hours"] != "all"
        and other["outcome"] == row["outcome"]
        and other["population"] == row["population"]
        and other["unit"] == "ratio"
    ]
    long = "; ".join(f"{named(other)}: {_pointed(other)}" for other in each)
    return short, f"{label}: {long}." if each else "", [row, *each]


def _contrasts_told(
    name: str, contrasts: Sequence[Row], named: Callable[[Row], str]
) -> tuple[str, str, Sequence[Row]]:
    drawn = [row for row in contrasts if "volunteer" not in str(row["population"])]
    contrasts = drawn or contrasts
    standing = sorted(filter(_stands_out, contrasts), key=_chance)[:_SHOWN]
    if not standing:
        short = (
            f"In {name} no difference between groups that these data can show, after allowing "
            "for the number of contrasts."
        )
        return short, "", contrasts[:_SHOWN]
    words = "; ".join(
        f"{row['outcome_label']}, {row['population']}, {named(row)}: "
        f"{placeholder(row, 'full')} against the others"
        for row in standing
    )
    short = f"In {name} some groups differ from the others; the question's own page names them."
    return short, f"In {name}, groups that differ: {words}.", standing


def _pointed(row: Row) -> str:
    return wording.pointed(row) if row["unit"] == "ratio" else placeholder(row, "full")


def _same_as_first(rows: Sequence[Row], leading: Sequence[str]) -> list[Row]:
    order = sorted(rows, key=lambda row: (_rank(row, leading), row["role"] != "headline"))
    first = order[0]
    keys = ("outcome", "population", "estimand", "method")
    return [row for row in rows if all(row[key] == first[key] for key in keys)][: 2 * _SHOWN]


def _rank(row: Row, leading: Sequence[str]) -> int:
    """Where an outcome stands among the headlines, which stand in the order of the questions."""
    return leading.index(row["outcome"]) if row["outcome"] in leading else len(leading)


def _is_of_hours(row: Row) -> bool:
    """Whether hours of the day are compared, and not groups of people."""
    return str(row["estimand"]).startswith("ratio_of") and row["subgroup"] == "all"


def _is_contrast(row: Row) -> bool:
    """Whether one group of people is compared with the others."""
    estimand = str(row["estimand"])
    return estimand.startswith(("difference_in", "ratio_of")) and not _is_of_hours(row)


def _chance(row: Row) -> float:
    adjusted = diagnostics(row).get("p_value_holm")
    return float(adjusted) if isinstance(adjusted, int | float) else 1.0


def _stands_out(row: Row) -> bool:
    adjusted = diagnostics(row).get("p_value_holm")
    level = number(row, "level")
    if isinstance(adjusted, int | float):
        return adjusted < 1 - (level if level is not None else 0.95)
    return direction(row) in ("fell", "rose")
