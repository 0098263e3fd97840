"""The keys of `plan.toml` about what stands beside the headline effects, one section a strand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from placeproof.definitions.demography import AGE_BANDS, ETHNIC_GROUPS, SEX_GROUPS
from placeproof.study.health_keys import HEALTH_KEYS, HEALTH_VALUES, HealthPlan
from placeproof.study.settings_form import Key, Sections

ROBUSTNESS = (
    "callaway_santanna",
    "sun_abraham",
    "synthetic_did",
    "bounded_calibration",
    "honest_did",
)
"""Estimators of the robustness set that a plan may name."""

VICTIM_VARIABLES = ("victim_age_band", "victim_sex", "victim_ethnicity")
"""What groups of victims a plan may ask for."""

FORGE_KINDS = ("tessellated", "translated")
"""Kinds of sets of comparison places that a plan may name."""

EFFECT_KEYS: Sections = {
    "robustness": (
        Key(
            "methods",
            "texts",
            "estimators that stand beside the headline: " + ", ".join(ROBUSTNESS),
        ),
        Key(
            "weeks_per_step",
            "whole",
            "weeks that these estimators gather into one step; 13 weeks are 3 months",
            low=1,
            high=104,
        ),
        Key(
            "comparison_of_cohorts",
            "text",
            "callaway_santanna compares a cohort with places never patrolled, or with those not "
            "yet patrolled as well",
            allowed=("never", "not_yet"),
        ),
        Key(
            "calibration_parts",
            "whole",
            "equal parts of the time before patrols whose events calibrated weights match",
            low=1,
            high=52,
        ),
        Key(
            "largest_weight",
            "number",
            "the most that a comparison place may weigh in a calibration: this many times as much "
            "as with even weights",
            low=1,
            high=1000,
        ),
        Key(
            "honest_steps",
            "whole",
            "steps after the start over which honest_did averages the effect",
            low=2,
            high=52,
        ),
        Key(
            "honest_leads",
            "whole",
            "steps before the start by which honest_did judges how trends part, at most",
            low=1,
            high=52,
        ),
        Key(
            "relative_magnitudes",
            "numbers",
            "how far trends may part after the start: times as far as they did before it",
        ),
        Key(
            "smoothness",
            "numbers",
            "how much the slope at which trends part may change from step to step, on the log "
            "scale",
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
    "forge": (
        Key(
            "sets",
            "whole",
            "sets of comparison places under each of which the headline is estimated; 0: none",
            low=0,
            high=1000,
        ),
        Key(
            "kinds",
            "texts",
            "where their candidates come from, in turn: tessellated (tiles of a shifted grid), "
            "translated (the hot spots' own outlines moved to other ground)",
        ),
        Key(
            "features",
            "texts",
            "features of table place_feature that the sets are matched on beside the history",
        ),
        Key(
            "feature_weight",
            "number",
            "0 matches by history alone; 1 counts a standard deviation of a feature as much as "
            "one of the noise of a count",
            low=0,
            high=100,
        ),
        Key(
            "feature_reach_m",
            "number",
            "points of a feature within this distance of a place count there, in metres",
            low=0,
            high=5000,
        ),
        Key(
            "pretended_starts",
            "numbers",
            "periods by which patrols are pretended to have begun earlier, as [4, 13]",
        ),
    ),
    "registers": (
        Key(
            "apart_days",
            "whole",
            "least number of days by which patrols and a rival of the registers must differ in a "
            "place for it to tell the two apart",
            low=1,
            high=3650,
        ),
        Key(
            "scan_false_flags",
            "number",
            "chance that the scan for steps in recording flags anything in a study without one",
            low=0,
            high=0.5,
        ),
        Key(
            "scan_months",
            "whole",
            "fewest months on either side of a step that the scan can see",
            low=2,
            high=60,
        ),
        Key(
            "scan_simulations",
            "whole",
            "series without a step to which each series is held",
            low=99,
            high=100_000,
        ),
        Key(
            "unlocated_odds",
            "number",
            "how many times as often as elsewhere events in patrolled places might lack a "
            "location once patrols began, in the moderate bounds",
            low=1,
            high=100,
        ),
    ),
    "subgroups": (
        Key(
            "victim_variables",
            "texts",
            "by what victims are grouped: " + ", ".join(VICTIM_VARIABLES),
        ),
        Key(
            "least_events_per_group",
            "whole",
            "fewest events of a group in the patrolled places, before and after the start "
            "together, for an effect of its own",
            low=1,
            high=1_000_000,
        ),
        Key("age_bands", "text", "edition of age bands", allowed=tuple(AGE_BANDS)),
        Key("sex_groups", "text", "edition of sex", allowed=tuple(SEX_GROUPS)),
        Key("ethnic_groups", "text", "edition of ethnic groups", allowed=tuple(ETHNIC_GROUPS)),
    ),
    "dose": (
        Key(
            "lag_days",
            "whole",
            "days after a patrol over which what is left of it is followed",
            low=1,
            high=28,
        ),
        Key(
            "washout_days",
            "whole",
            "days without a patrol this soon after one are left out where carry-over is washed out",
            low=1,
            high=28,
        ),
        Key(
            "lot_block",
            "text",
            "stretch of time within which chance allotted the days of a place, where it did",
            allowed=("week", "month"),
        ),
        Key(
            "step_minutes",
            "number",
            "minutes a day for which the slope of the dose is stated",
            low=0.1,
            high=1440,
        ),
        Key(
            "dose_groups",
            "whole",
            "groups of alike dose that are shown beside the slope",
            low=2,
            high=10,
        ),
    ),
    "night_patrols": (
        Key(
            "hours_around_nights",
            "number",
            "how many hours before and after night-time hours are looked at by themselves",
            low=0.5,
            high=6,
        ),
        Key(
            "first_weeks",
            "whole",
            "weeks from a place's first task that say whether it was first tasked at night",
            low=1,
            high=52,
        ),
    ),
    **HEALTH_KEYS,
}

EFFECT_VALUES = {
    "methods": "[" + ", ".join(f'"{name}"' for name in ROBUSTNESS) + "]",
    "weeks_per_step": "13",
    "comparison_of_cohorts": '"not_yet"',
    "calibration_parts": "4",
    "largest_weight": "5.0",
    "honest_steps": "4",
    "honest_leads": "4",
    "relative_magnitudes": "[0.25, 0.5, 1.0]",
    "smoothness": "[0.005, 0.01, 0.02]",
    "studies": "1000",
    "slow_studies": "200",
    "rate_ratios": "[1.0, 0.85, 1.2]",
    "coverage_band": "[0.93, 0.99]",
    "false_alarm_band": "[0.0, 0.07]",
    "largest_bias": "0.05",
    "sets": "50",
    "kinds": "[" + ", ".join(f'"{name}"' for name in FORGE_KINDS) + "]",
    "features": "[]",
    "feature_weight": "1.0",
    "feature_reach_m": "200",
    "pretended_starts": "[13, 26]",
    "apart_days": "56",
    "scan_false_flags": "0.05",
    "scan_months": "4",
    "scan_simulations": "4999",
    "unlocated_odds": "2.0",
    "victim_variables": "[" + ", ".join(f'"{name}"' for name in VICTIM_VARIABLES) + "]",
    "least_events_per_group": "50",
    "age_bands": '"age-8@1"',
    "sex_groups": '"sex-2@1"',
    "ethnic_groups": '"ethnic-5-census-2021@1"',
    "hours_around_nights": "2.0",
    "first_weeks": "4",
    "lag_days": "7",
    "washout_days": "4",
    "lot_block": '"week"',
    "step_minutes": "10",
    "dose_groups": "4",
    **HEALTH_VALUES,
}
"""What a new plan starts with, by key; a key's name stands in one section only."""


@dataclass(frozen=True, kw_only=True)
class RobustnessPlan:
    """Section [robustness]; `EFFECT_KEYS` says what each means."""

    methods: tuple[str, ...]
    weeks_per_step: int
    comparison_of_cohorts: str
    calibration_parts: int
    largest_weight: float
    honest_steps: int
    honest_leads: int
    relative_magnitudes: tuple[float, ...]
    smoothness: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class CertificatePlan:
    """Section [certificate]; `EFFECT_KEYS` says what each means."""

    studies: int
    slow_studies: int
    rate_ratios: tuple[float, ...]
    coverage_band: tuple[float, ...]
    false_alarm_band: tuple[float, ...]
    largest_bias: float


@dataclass(frozen=True, kw_only=True)
class ForgePlan:
    """Section [forge]; `EFFECT_KEYS` says what each means."""

    sets: int
    kinds: tuple[str, ...]
    features: tuple[str, ...]
    feature_weight: float
    feature_reach_m: float
    pretended_starts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RegistersPlan:
    """Section [registers]; `EFFECT_KEYS` says what each means."""

    apart_days: int
    scan_false_flags: float
    scan_months: int
    scan_simulations: int
    unlocated_odds: float


@dataclass(frozen=True, kw_only=True)
class SubgroupsPlan:
    """Section [subgroups]; `EFFECT_KEYS` says what each means."""

    victim_variables: tuple[str, ...]
    least_events_per_group: int
    age_bands: str
    sex_groups: str
    ethnic_groups: str


@dataclass(frozen=True, kw_only=True)
class DosePlan:
    """Section [dose]; `EFFECT_KEYS` says what each means."""

    lag_days: int
    washout_days: int
    lot_block: str
    step_minutes: float
    dose_groups: int


@dataclass(frozen=True, kw_only=True)
class NightPatrolsPlan:
    """Section [night_patrols]; `EFFECT_KEYS` says what each means."""

    hours_around_nights: float
    first_weeks: int


RECORDS: Mapping[str, type] = {
    "robustness": RobustnessPlan,
    "certificate": CertificatePlan,
    "forge": ForgePlan,
    "registers": RegistersPlan,
    "subgroups": SubgroupsPlan,
    "night_patrols": NightPatrolsPlan,
    "health": HealthPlan,
    "dose": DosePlan,
}
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
    ] + [
        *_wrong_sizes(found["robustness"]),
        *_wrong_certificate(found["certificate"]),
        *_wrong_forge(found["forge"]),
        *_wrong_variables(found["subgroups"]),
    ]


def _wrong_variables(section: Mapping[str, Any]) -> list[str]:
    known = ", ".join(VICTIM_VARIABLES)
    return [
        f"plan.toml, [subgroups]: victims are not grouped by {name!r}, but by {known}"
        for name in section.get("victim_variables") or ()
        if name not in VICTIM_VARIABLES
    ]


def _wrong_sizes(section: Mapping[str, Any]) -> list[str]:
    return [
        f"plan.toml, [robustness]: {name} = {sizes}, expected sizes of 0 or more, one at least"
        for name in ("relative_magnitudes", "smoothness")
        if (sizes := section.get(name)) is not None and not (sizes and min(sizes) >= 0)
    ]


def _wrong_forge(section: Mapping[str, Any]) -> list[str]:
    where, known = "plan.toml, [forge]", ", ".join(FORGE_KINDS)
    wrong = [
        f"{where}: no kind of set is called {name!r}; there are {known}"
        for name in section.get("kinds") or ()
        if name not in FORGE_KINDS
    ]
    if section.get("sets") and section.get("kinds") == []:
        wrong.append(f"{where}: sets are wanted, and no kind of set is named; there are {known}")
    starts = section.get("pretended_starts") or ()
    if not all(isinstance(start, int) and start > 0 for start in starts):
        wrong.append(f"{where}: pretended_starts = {starts}, expected whole numbers above 0")
    return wrong


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
