"""One row for each headline effect, for those who pool studies."""

import json
import math
from collections.abc import Mapping

import polars as pl

SCHEMA: dict[str, type[pl.DataType]] = {
    "study": pl.String,
    "outcome": pl.String,
    "outcome_label": pl.String,
    "definition": pl.String,
    "window_start": pl.Date,
    "window_end": pl.Date,
    "treated_places": pl.Int64,
    "comparison_places": pl.Int64,
    "log_ratio": pl.Float64,
    "log_ratio_standard_error": pl.Float64,
    "degrees_of_freedom": pl.Int64,
    "log_relative_incident_rate_ratio": pl.Float64,
    "log_relative_incident_rate_ratio_standard_error": pl.Float64,
}
_SAME = ("outcome", "population", "subgroup", "hours")


def for_pooling(findings: pl.DataFrame, *, study: str) -> pl.DataFrame:
    """
    Give the headline effects in the form in which meta-analyses take them.

    Parameters
    ----------
    findings : table `finding`
        Released ones. Not modified.
    study : str
        Name of the study.

    Returns
    -------
    DataFrame
        One row per headline outcome with an estimate in the hot spots: logarithm of the rate ratio
        by the headline's estimator with its jackknife error, and of after over before in treated
        over comparison places (relative incident rate ratio) with its overdispersed error. Null
        where there is none.
    """
    rows = findings.filter(
        pl.col("question").is_in(["RQ1", "RQ2", "RQ3"]),
        estimand="rate_ratio", role="headline", status="estimated", subgroup="all", hours="all",
        horizon="all", population="treated hot spots",
    ).sort("question", "outcome")  # fmt: skip
    plain = findings.filter(estimand="log_relative_incident_rate_ratio", status="estimated")
    simple = {tuple(row[name] for name in _SAME): row for row in plain.to_dicts()}
    made = [
        _row(row, simple.get(tuple(row[name] for name in _SAME)), study) for row in rows.to_dicts()
    ]
    return pl.DataFrame(made, schema=SCHEMA)


def _row(
    row: Mapping[str, object], simple: Mapping[str, object] | None, study: str
) -> dict[str, object]:
    told = json.loads(str(row["diagnostics"]))
    ratio = row["estimate"]
    assert isinstance(ratio, float)
    return {
        "study": study,
        "outcome": row["outcome"],
        "outcome_label": row["outcome_label"],
        "definition": row["definition_edition"],
        "window_start": row["window_start"],
        "window_end": row["window_end"],
        "treated_places": told.get("treated_places"),
        "comparison_places": told.get("comparison_places"),
        "log_ratio": math.log(ratio) if ratio > 0 else None,
        "log_ratio_standard_error": row["standard_error"],
        "degrees_of_freedom": told.get("degrees_of_freedom"),
        "log_relative_incident_rate_ratio": simple["estimate"] if simple else None,
        "log_relative_incident_rate_ratio_standard_error": simple["standard_error"]
        if simple
        else None,
    }
