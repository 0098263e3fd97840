"""The keys of `plan.toml` about what stands beside the headline effects, one section a strand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from placeproof.study.settings_form import Key, Sections

ROBUSTNESS = (
    "callaway_santanna",
    "sun_abraham",
    "synthetic_did",
    "bounded_calibration",
    "honest_did",
)
"""Estimators of the robustness set that a plan may name."""

EFFECT_KEYS: Sections = {
    "robustness": (
        Key(
            "methods",
            "texts",
            "estimators that stand beside the headline: " + ", ".join(ROBUSTNESS),
        ),
    ),
}

EFFECT_VALUES = {
    "methods": "[" + ", ".join(f'"{name}"' for name in ROBUSTNESS) + "]",
}
"""What a new plan starts with, by key; a key's name stands in one section only."""


@dataclass(frozen=True, kw_only=True)
class RobustnessPlan:
    """Section [robustness]; `EFFECT_KEYS` says what each means."""

    methods: tuple[str, ...]


RECORDS: Mapping[str, type] = {"robustness": RobustnessPlan}
"""Section to the record that holds it: a field of `Plan` by the same name."""


def effect_plan(section: str, values: Mapping[str, Any]) -> Any:
    """
    Gather what the plan says in one section about effects.

    Parameters
    ----------
    section : str
        One of `EFFECT_KEYS`.
    values : mapping
        Its values, held against their keys already.

    Returns
    -------
    The section's record
        Lists become tuples.
    """
    made = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return RECORDS[section](**made)


def wrong_values(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """
    Say what is wrong with values that have the right kind.

    Parameters
    ----------
    found : mapping
        Sections of `EFFECT_KEYS` as read.

    Returns
    -------
    list of str
        One sentence for each fault.
    """
    known = ", ".join(ROBUSTNESS)
    return [
        f"plan.toml, [robustness]: no estimator is called {name!r}; there are {known}"
        for name in found["robustness"].get("methods") or ()
        if name not in ROBUSTNESS
    ]
