"""The recovery certificate: do the planned estimators hold in studies like this one?"""

import json
from collections.abc import Sequence

from placeproof.report.document import (
    Block,
    Name,
    Paragraph,
    Reference,
    Section,
    Span,
    Spans,
    Table,
    Text,
)
from placeproof.report.material import Material, Row
from placeproof.report.spans import number
from placeproof.report.words import capital, method_words

VERDICT = "recovery_certificate"
SMALLEST = "simulated_detectable_rate_ratio"
_SAID = {
    "certified": "certified",
    "barred": "barred",
    "not_certifiable": "not certified",
    "not_certified": "not certified",
}
_WHAT = (
    "From the counts before patrols alone, studies were invented that resemble this one in its "
    "places, levels, season, overdispersion, autocorrelation, starts and missing counts, and each "
    "planned estimator was held against the effect that had been put in. Choosing places on their "
    "luck, and rings, are not imitated."
)
_ORDER = (
    "poisson_imputation_jackknife",
    "poisson_imputation_trend_adjusted",
    "poisson_imputation_placebo_permutation",
    "poisson_two_way_fixed_effects",
    "weighted_displacement_difference_quasi_poisson",
)


def section(material: Material) -> Section | None:
    """
    Show how the planned estimators fared in invented studies like this one.

    Parameters
    ----------
    material : Material
        The contents.

    Returns
    -------
    Section or None
        None where no headline was looked for.
    """
    rows = [row for row in material.of("data") if row["estimand"] == VERDICT]
    if not rows:
        return None
    tried = [row for row in rows if row["status"] == "estimated"]
    blocks: list[Block] = []
    if tried:
        blocks += [Paragraph((Text(_WHAT),)), _table(material, tried)]
    blocks += _reasons([row for row in rows if _verdict(row) != "certified"])
    title = (Text("Recovery certificate"),)
    return Section("certificate", title, tuple(blocks))


def smallest(material: Material, headline: Row) -> Spans:
    """
    Give the smallest change that simulations find, to stand beside a headline.

    Parameters
    ----------
    material : Material
        The contents.
    headline : finding
        A headline effect.

    Returns
    -------
    spans
        Nothing where there is no certificate for its outcome and method.
    """
    for row in material.of("data"):
        if (
            row["estimand"] == SMALLEST
            and row["horizon"] == "fall"
            and row["outcome"] == headline["outcome"]
            and row["method"] == headline["method"]
            and row["status"] == "estimated"
        ):
            return (Text("; in simulations "), number(row, "size"))
    return ()


def _verdict(row: Row) -> str:
    told = json.loads(str(row["diagnostics"] or "{}"))
    return str(told.get("verdict", "not_certified"))


def _reasons(rows: Sequence[Row]) -> list[Block]:
    """Why estimators are not certified, each reason once with the outcomes that it touches."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        key = (str(row["reason"] or ""), _of(row) if row["status"] == "estimated" else "")
        told.setdefault(key, []).append(str(row["outcome_label"]))
    return [
        Paragraph(
            (
                Name(
                    ", ".join(dict.fromkeys(labels)) + (f" ({method})" if method else ""),
                    strong=True,
                ),
                Text(": "),
                Name(reason),
            ),
            "note",
        )
        for (reason, method), labels in told.items()
        if reason
    ]


def _of(row: Row) -> str:
    if str(row["method"]).startswith("weighted_displacement"):
        return "weighted displacement difference, without rings"
    return method_words(row)


def _table(material: Material, tried: Sequence[Row]) -> Table:
    body: list[tuple[Spans, ...]] = []
    groups: list[tuple[int, Spans]] = []
    ratios: list[str] = []
    for outcome in dict.fromkeys(str(row["outcome"]) for row in tried):
        own = sorted((row for row in tried if row["outcome"] == outcome), key=_place)
        groups.append((len(body), (Name(str(own[0]["outcome_label"])),)))
        for row in own:
            figures = _figures(material, row)
            ratios += [name for name in figures if name not in ratios]
            body.append(
                (
                    (Name(capital(_of(row))),),
                    (Text(_SAID[_verdict(row)], strong=_verdict(row) == "barred"),),
                    _joined(figures, "simulated_coverage"),
                    _joined(figures, "simulated_found"),
                    _joined(figures, "simulated_bias"),
                    (number(row, "n"),),
                )
            )
    head = ("Estimator", "Verdict", "Interval holds the truth", "An effect is seen",
            "Average error (log)", "Studies")  # fmt: skip
    order = ", ".join(ratios)
    note: Spans = (
        Text("In each cell, in this order, where the true rate ratio is "),
        Name(order),
        Text(
            ". An effect seen where the ratio is 1 is a false alarm; elsewhere it is power. Every "
            "share has its Monte Carlo interval in the "
        ),
        Reference("annex of all findings", "all-data"),
        Text("."),
    )
    return Table(
        "certificate-table", "How the planned estimators fared in studies like this one", head,
        tuple(body), frozenset({2, 3, 4, 5}), note=note, stamp=material.tag,
        widths=(0.27, 0.1, 0.17, 0.17, 0.21, 0.08), groups=tuple(groups),
    )  # fmt: skip


def _place(row: Row) -> tuple[int, str]:
    name = str(row["method"])
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _figures(material: Material, row: Row) -> dict[str, dict[str, Row]]:
    """True rate ratio to the figures of one estimator and outcome; 1 first."""
    found: dict[str, dict[str, Row]] = {}
    for each in material.of("data"):
        kind, _, ratio = str(each["horizon"]).partition("=")
        same = each["outcome"] == row["outcome"] and each["method"] == row["method"]
        if kind == "rate_ratio" and same:
            found.setdefault(ratio, {})[str(each["estimand"])] = each
    return dict(sorted(found.items(), key=lambda item: (item[0] != "1", float(item[0]))))


def _joined(figures: dict[str, dict[str, Row]], estimand: str) -> Spans:
    spans: list[Span] = []
    for each in figures.values():
        if estimand in each:
            spans += [*([Text(" · ")] if spans else []), number(each[estimand])]
    return tuple(spans)
