"""The row for those who pool studies."""

import math

import polars as pl
import pytest

from placeproof.study.for_pooling import SCHEMA, for_pooling
from tests.answers.builder import effect, findings


def test_a_headline_is_one_row_with_both_logarithms_and_their_errors() -> None:
    told = '{"treated_places": 24, "comparison_places": 48, "degrees_of_freedom": 23}'
    simple = {"estimand": "log_relative_incident_rate_ratio", "role": "robustness",
              "unit": "log ratio", "method": "relative_incident_rate_quasi_poisson",
              "standard_error": 0.09}  # fmt: skip
    made = findings(
        [
            effect(0.8, standard_error=0.05, diagnostics=told),
            effect(-0.2, **simple),
            effect(0.7, role="beside", outcome="another"),
            effect(0.9, question="RQ10", outcome="ed"),
        ]
    )
    rows = for_pooling(made, study="A study")
    assert rows.height == 1
    row = rows.to_dicts()[0]
    assert row["log_ratio"] == pytest.approx(math.log(0.8))
    assert (row["log_ratio_standard_error"], row["degrees_of_freedom"]) == (0.05, 23)
    assert row["log_relative_incident_rate_ratio"] == -0.2
    assert row["log_relative_incident_rate_ratio_standard_error"] == 0.09
    assert (row["treated_places"], row["comparison_places"]) == (24, 48)


def test_nothing_estimated_gives_a_header_and_no_row() -> None:
    rows = for_pooling(findings([effect(0.7, role="beside")]), study="A study")
    assert rows.schema == pl.Schema(SCHEMA)
    assert rows.is_empty()
