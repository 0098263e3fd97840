"""A finding's identity is descriptive; its value's identity follows the inputs."""

import hashlib
import json

import pytest

from placeproof.answers import from_estimates
from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.tables import Finding
from placeproof.tables.estimate import rows
from tests.answers.builder import INPUTS, effect, findings, study


def test_a_whole_study_meets_the_contract() -> None:
    found = findings(study())
    assert Finding.is_valid(found)
    assert found["finding_id"].n_unique() == found.height == len(study())


def test_the_identity_is_the_hash_of_the_descriptive_keys_and_of_no_data() -> None:
    first, second = findings([effect(0.8)]), findings([effect(1.3, n=7)])
    assert first["finding_id"].to_list() == second["finding_id"].to_list()
    row = first.row(0, named=True)
    keys = {name: None if row[name] is None else str(row[name]) for name in DESCRIPTIVE_KEYS}
    by_hand = json.dumps(keys, sort_keys=True, separators=(",", ":"))
    assert row["finding_id"] == hashlib.sha256(by_hand.encode()).hexdigest()[:12]


KEYS = (
    "question",
    "outcome",
    "definition_edition",
    "population",
    "subgroup",
    "hours",
    "horizon",
    "window_start",
    "window_end",
    "estimand",
    "method",
)


@pytest.mark.parametrize("key", KEYS)
def test_every_descriptive_key_makes_another_finding(key: str) -> None:
    from datetime import date

    other = {"question": "RQ2", "window_start": date(2019, 1, 1), "window_end": date(2023, 1, 1)}
    changed = effect(0.8) | {key: other.get(key, "something else")}
    assert findings([effect(0.8)])["finding_id"][0] != findings([changed])["finding_id"][0]


def test_the_value_changes_with_the_inputs_it_rests_on_and_no_others() -> None:
    estimates = rows([effect(0.8)])
    base = from_estimates(estimates, inputs=INPUTS)
    moved = from_estimates(estimates, inputs=INPUTS | {"crime": ["f" * 64]})
    elsewhere = from_estimates(estimates, inputs=INPUTS | {"response": ["f" * 64]})
    assert base["finding_id"].to_list() == moved["finding_id"].to_list()
    assert base["value_id"].to_list() != moved["value_id"].to_list()
    assert base["value_id"].to_list() == elsewhere["value_id"].to_list()
    assert json.loads(base["inputs"][0]) == sorted(INPUTS["crime"] + INPUTS["hotspot"])


def test_twins_are_refused_and_named() -> None:
    with pytest.raises(ValueError, match="outcome-RQ1"):
        from_estimates(rows([effect(0.8), effect(0.9)]), inputs=INPUTS)


def test_no_estimate_makes_no_finding() -> None:
    assert from_estimates(rows([]), inputs={}).height == 0
