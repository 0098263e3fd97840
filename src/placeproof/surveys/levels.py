"""Levels of each answer by population, and how they differ between groups of people."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from placeproof.surveys.designs import Design
from placeproof.surveys.linearised import Bools, Spread, difference, mean
from placeproof.surveys.measures import MEASURES, SUBGROUPS, Measure

ASSOCIATION = (
    "An association among people who answered at one time; one wave inside hot spots does not "
    "identify an effect of the patrols."
)
"""What every survey estimate has to say about itself."""

Row = dict[str, object]


def levels(design: Design, *, level: float, headline: bool) -> list[Row]:
    """
    Estimate every measure for everyone in one design.

    Parameters
    ----------
    design : Design
    level : float
        Coverage of the intervals.
    headline : bool
        Whether this design carries the questions.

    Returns
    -------
    list of rows for table `estimate`
        A measure that nobody answered gives one row `not_supplied`.
    """
    return [
        _level_row(
            design,
            measure,
            members=design.answered(measure),
            level=level,
            question=measure.question,
            subgroup="all",
            role="headline" if headline and measure.headline else "beside",
        )
        for measure in MEASURES
    ]


def contrasts(design: Design, *, level: float) -> list[Row]:
    """
    Estimate each category of each variable, and its difference from everyone else.

    Parameters
    ----------
    design : Design
    level : float
        Coverage of the intervals.

    Returns
    -------
    list of rows for table `estimate`
        For demography (RQ8) a category is compared with all other categories together; for hours
        of use (RQ9) night-time use with other hours, people of both or unknown hours left out.
        `p_value` stands as it is; `p_value_holm` in the diagnostics is adjusted for all contrasts
        of that question in this design.
    """
    return [
        row
        for question, variables in SUBGROUPS.items()
        for row in _question_contrasts(design, question, variables, level)
    ]


def _question_contrasts(
    design: Design, question: str, variables: Sequence[str], level: float
) -> list[Row]:
    shares, gaps = [], []
    for variable in variables:
        groups = _groups(design, variable)
        for measure in MEASURES:
            if not measure.split:
                continue
            answered = design.answered(measure)
            present = {name: g & answered for name, g in groups.items() if (g & answered).any()}
            for name, members in present.items():
                subgroup = f"{variable}={name}"
                shares.append(
                    _level_row(
                        design,
                        measure,
                        members=members,
                        level=level,
                        question=question,
                        subgroup=subgroup,
                        role="beside",
                    )
                )
                rest = _rest(present, name, question)
                if rest is not None:
                    gap = _gap(design, measure, members, rest, level)
                    gaps.append(_gap_row(design, measure, gap, subgroup, level, question))
    if not shares:
        return [_no_split(design, question, variables)]
    return shares + _adjusted(gaps)


def _groups(design: Design, variable: str) -> dict[str, Bools]:
    categories = np.array(design.category(variable), dtype=object)
    names = sorted({name for name in categories if name is not None})
    if variable == "hours_of_use":
        names = [name for name in ("nte", "other") if name in names]
    return {name: categories == name for name in names}


def _rest(present: Mapping[str, Bools], name: str, question: str) -> Bools | None:
    others = [members for other, members in present.items() if other != name]
    # Two groups give one difference, not the same one twice with its sign turned.
    if not others or (question == "RQ9" and name != "nte"):
        return None
    return np.logical_or.reduce(others)


def _level_row(
    design: Design,
    measure: Measure,
    *,
    members: Bools,
    level: float,
    question: str,
    subgroup: str,
    role: str,
) -> Row:
    row: Row = {
        "question": question,
        "outcome": measure.outcome,
        "outcome_label": measure.label,
        "population": design.label,
        "subgroup": subgroup,
        "estimand": "share" if measure.share else "mean",
        "method": "linearised_cluster_by_area",
        "role": role,
        "unit": measure.unit,
        "feeds": "response consent response_flag",
    }
    if not members.any():
        return row | {"status": "not_supplied", "reason": "Nobody in this group answered it."}
    found = mean(
        design.values(measure),
        weights=design.weights,
        areas=design.areas,
        members=members,
        level=level,
        share=measure.share,
    )
    further: Row = {}
    if subgroup == "all":
        further["item_nonresponse_share"] = _rounded(1 - members.mean())
    return row | _numbers(found, level) | _said(design, found, further)


def _gap(design: Design, measure: Measure, members: Bools, rest: Bools, level: float) -> Spread:
    return difference(
        design.values(measure),
        weights=design.weights,
        areas=design.areas,
        first=members,
        second=rest,
        level=level,
    )


def _gap_row(
    design: Design, measure: Measure, found: Spread, subgroup: str, level: float, question: str
) -> Row:
    kind = "share" if measure.share else "mean"
    against = "other hours" if question == "RQ9" else "everyone else who answered"
    return (
        {
            "question": question,
            "outcome": measure.outcome,
            "outcome_label": measure.label,
            "population": design.label,
            "subgroup": subgroup,
            "estimand": f"difference_in_{kind}s",
            "method": "linearised_cluster_by_area",
            "role": "beside",
            "unit": measure.unit,
            "feeds": "response consent response_flag",
        }
        | _numbers(found, level)
        | _said(design, found, {"compared_with": against, "n_is": "the smaller group"})
    )


def _numbers(found: Spread, level: float) -> Row:
    interval = bool(np.isfinite(found.lower))
    return {
        "estimate": found.estimate,
        "lower": found.lower,
        "upper": found.upper,
        "level": level if interval else None,
        "standard_error": found.standard_error,
        "p_value": found.p_value,
        "n": found.n,
        "n_places": found.n_areas,
        "status": "estimated" if np.isfinite(found.estimate) else "not_identified",
    }


def _said(design: Design, found: Spread, further: Row) -> Row:
    reasons = []
    if not np.isfinite(found.estimate):
        reasons.append("All base weights of this group are zero.")
    elif found.n_areas < 2:
        reasons.append("One area only: no interval can be made with areas as clusters.")
    elif not np.isfinite(found.lower):
        reasons.append("Everyone answered alike, or only one area carries weight: no interval.")
    if design.sampling == "volunteer":
        reasons.append(f"Volunteers ({design.modes}): they stand for nobody but themselves.")
    reasons.append(ASSOCIATION)
    diagnostics = {
        "association_not_impact": True,
        "degrees_of_freedom_rule": "areas with members, minus 1",
        "design_effect": _rounded(found.design_effect),
        "effective_n_kish": _rounded(found.effective_n),
        "modes": design.modes,
        "weighting": design.weighting,
    }
    return {
        "reason": " ".join(reasons),
        "diagnostics": json.dumps(diagnostics | further, sort_keys=True),
    }


def _adjusted(gaps: list[Row]) -> list[Row]:
    """Holm's step-down over the contrasts of one question in one design."""
    p = np.array([row["p_value"] for row in gaps], dtype=float)
    adjusted = holm(p)
    tested = int(np.isfinite(p).sum())
    note = f"One of {tested} contrasts: about 1 in 20 stands out by chance alone."
    for row, value in zip(gaps, adjusted, strict=True):
        diagnostics = json.loads(str(row["diagnostics"]))
        diagnostics |= {"multiplicity": note, "p_value_holm": _rounded(value)}
        row["diagnostics"] = json.dumps(diagnostics, sort_keys=True)
    return gaps


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Adjust p-values for their number by Holm's step-down.

    Parameters
    ----------
    p_values : array
        May hold nan: those are not counted.

    Returns
    -------
    array, same shape
    """
    adjusted = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = p_values[order] * (known.size - np.arange(known.size))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if known.size else steps
    return adjusted


def _no_split(design: Design, question: str, variables: Sequence[str]) -> Row:
    return {
        "question": question,
        "outcome": "survey_" + "_".join(variables),
        "outcome_label": "How answers vary by " + ", ".join(v.replace("_", " ") for v in variables),
        "population": design.label,
        "estimand": "difference_in_shares",
        "method": "linearised_cluster_by_area",
        "role": "beside",
        "unit": "share",
        "status": "not_supplied",
        "reason": "Nobody in this group gave both an answer and " + " or ".join(variables) + ".",
        "feeds": "response consent response_flag",
    }


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
