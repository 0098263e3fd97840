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
    "certificate": (
        Key("studies", "whole", "simulated studies for each true rate ratio", low=2, high=100_000),
        Key("slow_studies", "whole", "the same for slow estimators", low=2, high=100_000),
        Key(
            "rate_ratios",
            "numbers",
            "true rate ratios that are tried; 1, where patrols change nothing, always is",
        ),
        Key(
            "coverage_band",
            "numbers",
            "shares of intervals that hold the truth from which and up to which an estimator may "
            "carry a headline",
        ),
        Key(
            "false_alarm_band",
            "numbers",
            "shares of studies without effect in which it may see one",
        ),
        Key(
            "largest_bias",
            "number",
            "largest average error, on the log scale, with which it may do so",
            low=0,
            high=1,
        ),
    ),
}

EFFECT_VALUES = {
    "methods": "[" + ", ".join(f'"{name}"' for name in ROBUSTNESS) + "]",
    "studies": "1000",
    "slow_studies": "200",
    "rate_ratios": "[1.0, 0.85, 1.2]",
    "coverage_band": "[0.93, 0.99]",
    "false_alarm_band": "[0.0, 0.07]",
    "largest_bias": "0.05",
}
"""What a new plan starts with, by key; a key's name stands in one section only."""


@dataclass(frozen=True, kw_only=True)
class RobustnessPlan:
    """Section [robustness]; `EFFECT_KEYS` says what each means."""

    methods: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CertificatePlan:
    """Section [certificate]; `EFFECT_KEYS` says what each means."""

    studies: int
    slow_studies: int
    rate_ratios: tuple[float, ...]
    coverage_band: tuple[float, ...]
    false_alarm_band: tuple[float, ...]
    largest_bias: float


RECORDS: Mapping[str, type] = {"robustness": RobustnessPlan, "certificate": CertificatePlan}
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
    ] + _wrong_certificate(found["certificate"])


def _wrong_certificate(section: Mapping[str, Any]) -> list[str]:
    where = "plan.toml, [certificate]"
    wrong = [
        f"{where}: {name} = {band}, expected two shares from 0 to 1, the smaller first"
        for name in ("coverage_band", "false_alarm_band")
        if (band := section.get(name)) is not None
        and (len(band) != 2 or not 0 <= band[0] < band[1] <= 1)
    ]
    ratios = section.get("rate_ratios")
    if ratios is not None and not all(0.05 <= ratio <= 20 for ratio in ratios):
        wrong.append(f"{where}: rate_ratios = {ratios}, expected ratios from 0.05 to 20")
    return wrong
