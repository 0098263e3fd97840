"""What `plan.toml` says: outcomes, windows, estimators, seed."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from placeproof.definitions import outcomes
from placeproof.errors import SettingsError
from placeproof.study.effect_keys import (
    EFFECT_KEYS,
    CertificatePlan,
    DosePlan,
    ForgePlan,
    NightPatrolsPlan,
    RegistersPlan,
    RobustnessPlan,
    SubgroupsPlan,
    effect_plan,
    wrong_values,
)
from placeproof.study.health_keys import HealthPlan
from placeproof.study.keys import PLAN_KEYS
from placeproof.study.patrol_keys import PATROL_KEYS, PatrolPlan, patrol_plan
from placeproof.study.settings_form import raise_if_any, read_section, read_toml


@dataclass(frozen=True)
class Plan:
    """Every choice that changes an answer, as one flat record."""

    seed: int
    exploratory: bool
    history_from: date
    history_to: date
    selection_from: date
    selection_to: date
    analysis_from: date
    analysis_to: date
    primary: str
    headline_per_question: dict[str, str]
    also: tuple[str, ...]
    negative_controls: tuple[str, ...]
    nte: str
    ring_edges_m: tuple[float, ...]
    comparison_per_hotspot: int
    match_shape_weight: float
    least_events: int
    baseline: str
    outline_rule: str
    false_discovery_rate: float
    largest_part_share: float
    derive: bool
    derive_on: str
    n: int
    side_m: float
    patrols_start: date | None
    period: str
    level: float
    permutations: int
    plausible_effect: float
    few_places_below: int
    event_study_steps: tuple[str, ...]
    event_study_leads: int
    robustness: RobustnessPlan
    certificate: CertificatePlan
    forge: ForgePlan
    registers: RegistersPlan
    subgroups: SubgroupsPlan
    night_patrols: NightPatrolsPlan
    health: HealthPlan
    dose: DosePlan
    patrols: PatrolPlan
    headline_order: tuple[str, ...]
    min_items: int
    min_people_per_area: int
    survey_people: int
    survey_areas: int
    survey_people_per_area: int
    interview_people: int
    interview_areas: int
    people_below: int
    counts_below: int
    round_to: int

    def outcome_ids(self) -> tuple[str, ...]:
        """Every outcome that the plan names, each once, the primary first."""
        named = (
            self.primary,
            *self.headline_per_question.values(),
            *self.also,
            *self.negative_controls,
        )
        return tuple(dict.fromkeys(named))

    def content(self) -> dict[str, Any]:
        """Every choice, and edition and hash of each definition that it names, as JSON has them."""
        known = outcomes()
        content = asdict(self) | {
            "definitions": [known[name].edition_tag for name in self.outcome_ids() if name in known]
        }
        return dict(json.loads(json.dumps(content, default=str)))

    def sha256(self) -> str:
        """Hash of every choice and of the content of every definition that it names."""
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True).encode()).hexdigest()


def read_plan(folder: Path) -> Plan:
    """
    Read `plan.toml`.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    Plan
        Every choice.

    Raises
    ------
    SettingsError
        Naming every fault at once: unknown keys, absent keys, unknown outcomes, windows out of
        order.
    """
    found = read_toml(folder / "plan.toml")
    problems: list[str] = []
    values: dict[str, Any] = {}
    patrols: dict[str, dict[str, Any]] = {}
    strands: dict[str, dict[str, Any]] = {}
    top = {key: value for key, value in found.items() if not isinstance(value, dict)}
    values |= read_section("plan.toml", top, PLAN_KEYS[""], problems)
    for section in found:
        if isinstance(found[section], dict) and section not in PLAN_KEYS:
            problems.append(f"plan.toml has no section [{section}]")
    for section, keys in PLAN_KEYS.items():
        if section:
            where = f"plan.toml, [{section}]"
            read = read_section(where, found.get(section, {}), keys, problems)
            if section in PATROL_KEYS:
                patrols[section] = read
            elif section in EFFECT_KEYS:
                strands[section] = read
            else:
                values |= read
    values.pop("schema", None)
    problems.extend(_contradictions(values))
    problems.extend(_wrong_activities(patrols["patrols"].get("activities")))
    problems.extend(_wrong_accuracies(patrols["crossings"]))
    problems.extend(wrong_values(strands))
    raise_if_any(problems)
    values["patrols"] = patrol_plan(patrols)
    values |= {section: effect_plan(section, read) for section, read in strands.items()}
    for name in ("also", "negative_controls", "event_study_steps", "headline_order"):
        values[name] = tuple(values[name])
    values["ring_edges_m"] = tuple(float(edge) for edge in values["ring_edges_m"])
    return Plan(**values)


def _wrong_activities(activities: object) -> list[str]:
    if not isinstance(activities, dict):
        return []
    where = "plan.toml, [patrols.activities]"
    wrong = [
        f"{where}: {name} = {value!r}, expected a class in quotes"
        for name, value in activities.items()
        if not isinstance(value, str)
    ]
    if wrong or not activities:
        return wrong
    from placeproof.patrols.activities import taxonomy

    try:
        taxonomy(own=activities)
    except SettingsError as error:
        return [f"{where}: {error.message} {error.mend}"]
    return []


def _wrong_accuracies(crossings: dict[str, Any]) -> list[str]:
    default, worst = crossings.get("default_accuracy_m"), crossings.get("worst_accuracy_m")
    if default is None or worst is None or default <= worst:
        return []
    return [
        f"plan.toml, [crossings]: default_accuracy_m {default:g} is worse than worst_accuracy_m "
        f"{worst:g}: every position without an accuracy would be dropped"
    ]


def _begins_after_selection(values: dict[str, Any]) -> bool:
    """Whether the data to match on begin only after hot spots were selected (decision 21)."""
    chosen, first = values.get("selection_to"), values.get("history_from")
    return isinstance(chosen, date) and isinstance(first, date) and first > chosen


def _contradictions(values: dict[str, Any]) -> list[str]:
    problems = []
    known = outcomes()
    headline = values.get("headline_per_question") or {}
    named = [values.get("primary"), *headline.values()]
    named += [*(values.get("also") or ()), *(values.get("negative_controls") or ())]
    for name in dict.fromkeys(name for name in named if isinstance(name, str)):
        if name not in known:
            problems.append(
                f'plan.toml, [outcomes]: no definition is called "{name}"; there are '
                + ", ".join(sorted(known))
            )
    for question, name in headline.items():
        if not isinstance(name, str):
            problems.append(
                f"plan.toml, [outcomes.headline_per_question]: {question} = {name!r}, expected the "
                "id of an outcome in quotes"
            )
        if question not in {"RQ1", "RQ2", "RQ3"}:
            problems.append(
                f"plan.toml, [outcomes.headline_per_question]: {question} has no crime outcome"
            )
    order = ["history_from", "history_to", "selection_from", "selection_to"]
    if _begins_after_selection(values):
        order = [*order[2:], *order[:2]]
    for earlier, later in (*pairwise(order), ("analysis_from", "analysis_to")):
        before, after = values.get(earlier), values.get(later)
        if isinstance(before, date) and isinstance(after, date) and before >= after:
            problems.append(
                f"plan.toml, [windows]: {earlier} {before} is not before {later} {after}"
            )
    edges = values.get("ring_edges_m")
    if isinstance(edges, list) and (len(edges) < 2 or edges[0] != 0 or sorted(set(edges)) != edges):
        problems.append("plan.toml, [places]: ring_edges_m must rise from 0, as [0, 100, 250]")
    if values.get("derive") and not values.get("patrols_start"):
        problems.append(
            "plan.toml, [places]: derive = true needs patrols_start, the first day of patrols"
        )
    return problems
