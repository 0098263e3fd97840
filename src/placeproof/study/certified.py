"""What the newest recovery certificate says of a run, and what it bars from the headline."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from placeproof.effects.certificate.preparing import Design
from placeproof.effects.rows import IMPUTATION
from placeproof.study.certificate_file import designs, read_certificate, why_stale
from placeproof.study.work import Work, described
from placeproof.tables import estimate

Row = dict[str, object]

NONE_MADE = (
    "Not certified: no recovery certificate was made for this study (placeproof certify makes one)."
)
LIKE_THIS = "simulated studies like this one"


def heed_certificate(work: Work) -> None:
    """
    Show what the certificate says of each headline, and take barred estimators out of it.

    Parameters
    ----------
    work : Work
        The run; estimates are added, and a headline whose estimator is barred stands beside,
        with the reason.
    """
    names = work.headline_outcomes()
    if not names:
        return
    certificate = read_certificate(work.study.folder)
    now = designs(work) if certificate is not None else {}
    rows: list[Row] = []
    barred: dict[str, str] = {}
    for name in names:
        about = dict(described(work, name)) | {"question": "data", "population": LIKE_THIS}
        stale = _why_not(work, name, certificate, now.get(name))
        if certificate is None or stale:
            rows.append(_verdict(about, "not_certified", stale) | {"method": IMPUTATION})
            continue
        told = certificate["outcomes"][name]
        rows += _rows(about, told)
        found = told["estimators"].get(IMPUTATION, {})
        if found.get("verdict") == "barred":
            barred[name] = (
                f"Barred from the headline by the recovery certificate: {found['reason']}"
            )
    work.add(estimate.rows(rows))
    if barred:
        work.estimates = [_without_barred(frame, barred) for frame in work.estimates]


def _why_not(
    work: Work, name: str, certificate: Mapping[str, Any] | None, made: Design | None
) -> str:
    if certificate is None:
        return NONE_MADE
    stale = why_stale(certificate, work, name, made)
    return (
        f"Not certified: the recovery certificate is out of date, because {stale}." if stale else ""
    )


def _without_barred(frame: pl.DataFrame, barred: Mapping[str, str]) -> pl.DataFrame:
    out = (
        (pl.col("role") == "headline")
        & (pl.col("method") == IMPUTATION)
        & pl.col("outcome").is_in(list(barred))
    )
    why = pl.col("outcome").replace_strict(dict(barred), default=None, return_dtype=pl.String)
    both = pl.concat_str([why, pl.col("reason")], separator=" ", ignore_nulls=True)
    return frame.with_columns(
        reason=pl.when(out).then(both).otherwise("reason"),
        role=pl.when(out).then(pl.lit("beside")).otherwise("role"),
    )


def _verdict(about: Row, verdict: str, words: str) -> Row:
    return about | {
        "estimand": "recovery_certificate",
        "unit": "studies",
        "status": "not_supplied",
        "reason": words or None,
        "diagnostics": json.dumps({"verdict": verdict}),
    }


def _rows(about: Row, told: Mapping[str, Any]) -> Iterator[Row]:
    if told["refusal"]:
        words = f"Nothing can be certified: {told['refusal']}"
        yield _verdict(about, "not_certifiable", words) | {"method": IMPUTATION}
        return
    for method, one in told["estimators"].items():
        named = about | {"method": method}
        studies = one["by_rate_ratio"][0]["studies"]
        yield _verdict(named, one["verdict"], one["reason"]) | {
            "status": "estimated",
            "estimate": studies,
            "n": studies,
        }
        for each in one["by_rate_ratio"]:
            yield from _of_ratio(named | {"horizon": f"rate_ratio={each['rate_ratio']:g}"}, each)
    for way, one in told["detectable"].items():
        yield about | {
            "method": IMPUTATION,
            "estimand": "simulated_detectable_rate_ratio",
            "horizon": way,
            "estimate": one["rate_ratio"],
            "lower": one["low"],
            "upper": one["high"],
            "level": 0.99,
            "n": one["studies"],
            "unit": "ratio",
        }


def _of_ratio(named: Row, each: Mapping[str, Any]) -> Iterator[Row]:
    for estimand, key in (("simulated_coverage", "coverage"), ("simulated_found", "found")):
        if key in each:
            share = each[key]
            yield named | {
                "estimand": estimand,
                "estimate": share["share"],
                "lower": share["low"],
                "upper": share["high"],
                "level": 0.99,
                "n": share["studies"],
                "unit": "share",
            }
    if "bias" in each:
        yield named | {
            "estimand": "simulated_bias",
            "estimate": each["bias"],
            "standard_error": each["bias_error"],
            "n": each["studies"],
            "unit": "log ratio",
        }
