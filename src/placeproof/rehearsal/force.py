"""Puts a whole invented force together: truth first, then the exports that hide it."""

import json
import shutil
from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from placeproof.errors import OutputError, SettingsError
from placeproof.rehearsal import (
    crimes,
    ground_features,
    health,
    incidents,
    interviews,
    logs,
    patrols,
    positions,
    questionnaire,
    register,
    registers,
    rivals,
    study_files,
    survey,
    truth,
)
from placeproof.rehearsal import (
    faults as planting,
)
from placeproof.rehearsal.choices import (
    COHORT_STARTS,
    DATA_MAY_BEGIN,
    EFFECTS,
    FEEDS,
    HISTORY,
    RECORDING_SHOCK,
    SELECTION,
    SIZES,
    Effect,
    Size,
)
from placeproof.rehearsal.city import KINDS, ORIGIN_M, TOWNS, City, build_city
from placeproof.rehearsal.draws import rng_for
from placeproof.rehearsal.happenings import Events, ceilings, draw, expected
from placeproof.rehearsal.offences import CLASSES
from placeproof.rehearsal.rhythm import DAYS
from placeproof.rehearsal.selection import RULE, Hotspot, select, window


@dataclass(frozen=True)
class World:
    """Everything that is true of one rehearsal, before a single file is written."""

    seed: int
    size: Size
    effect: Effect
    city: City
    hotspots: tuple[Hotspot, ...]
    score: np.ndarray
    rates: np.ndarray
    expected: truth.Expected
    without: Events
    with_patrols: Events
    rivals: rivals.Rivals
    begin: date | None = None

    @property
    def sent(self) -> Events:
        """The events of which the force sends anything."""
        if self.begin is None:
            return self.with_patrols
        return self.with_patrols.where(self.with_patrols.day >= DAYS.index(self.begin))

    def rng(self, step: str) -> np.random.Generator:
        """The randomness of one step."""
        return rng_for(self.seed, step)


def build_world(*, seed: int, size: str, effect: str, begin: date | None = None) -> World:
    """
    Draw the ground, the hot spots and everything that happens, with and without patrols.

    Parameters
    ----------
    seed : int
        Where all randomness starts.
    size : str
        "small" or "full".
    effect : str
        One of `EFFECTS`.
    begin : date or None
        First operating day of the crime and incident exports; None: as far back as there are days.
    """
    planted, extent = EFFECTS[effect], SIZES[size]
    city = build_city(rng_for(seed, "city"))
    rates = expected(city, extent, rng_for(seed, "rates"))
    ceiling = ceilings(planted)
    events = draw(city, rates, ceiling, rng_for(seed, "events"))
    unpatrolled = events.where(events.mark < 1 / ceiling[events.of_class])
    hotspots, score = select(city, unpatrolled, rng_for(seed, "selection"))
    plans = registers.problem_plans(hotspots, rng_for(seed, "problem plans"))
    spans = [(row["Hot Spot"], row["Opened"], row["Closed"]) for row in plans]
    beside = rivals.rivals(planted, hotspots, spans)
    tasked = patrols.tasked_days(hotspots, _plan(seed, planted, hotspots))
    _, happened = truth.happens(city, hotspots, planted, events, ceiling, beside, tasked)
    return World(
        seed=seed,
        size=extent,
        effect=planted,
        city=city,
        hotspots=hotspots,
        score=score,
        rates=rates,
        expected=truth.expectation(city, hotspots, rates, planted, tasked),
        without=unpatrolled,
        with_patrols=events.where(happened),
        rivals=beside,
        begin=begin,
    )


def write_force(
    folder: Path,
    *,
    seed: int,
    size: str,
    effect: str,
    faults: Set[str] = frozenset(),
    without: Set[str] = frozenset(),
    begin: date | None = None,
) -> Path:
    """
    Write a whole invented police force, its study and the truth about it.

    Parameters
    ----------
    folder : Path
        Made new; may exist if it is empty.
    seed : int
        Where all randomness starts: the same call makes the same bytes.
    size : str
        "small" or "full".
    effect : str
        One of `EFFECTS`: "default", "none", "harm", "nte-only", "displacement", "decay",
        "rivals", "days".
    faults : set of str
        Names of `FAULTS`, planted into the crime export one by one.
    without : set of str
        Names of `FEEDS` that are not written.
    begin : date or None
        First operating day of the crime and incident exports, as late as patrols if wanted; None:
        years before them. The truth is the same; the plan's windows follow.

    Returns
    -------
    Path
        `folder`, with `study.toml`, `plan.toml`, `data/`, `text/` and `truth.json`.

    Raises
    ------
    SettingsError
        If a size, effect, fault or feed has no such name, or no data can begin on that day.
    OutputError
        If the folder is not empty or cannot be written.
    """
    _require_known("size", [size], SIZES)
    _require_known("effect", [effect], EFFECTS)
    _require_known("feed", without, FEEDS)
    _require_known("fault", faults, planting.FAULTS)
    _require_begin(begin)
    _require_empty(folder)
    world = build_world(seed=seed, size=size, effect=effect, begin=begin)
    part = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _write(part, world, faults, without)
        if folder.exists():
            folder.rmdir()
        part.replace(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}.",
            mend="name a folder on a disk with room that you may write to",
        ) from error
    return folder


def _write(folder: Path, world: World, faults: Set[str], without: Set[str]) -> None:
    data = folder / "data"
    data.mkdir()
    register.write_ground(data)
    register.write_candidates(data, world.city, world.hotspots)
    crimes.write_default_locations(data, world.city)
    sections: list[str] = []
    written: dict[str, Any] = {}
    for name, write in _FEED_WRITERS.items():
        if name not in without:
            section, facts = write(data, world)
            sections.append(section)
            written[name] = facts
    planted = []
    if faults and "crimes" not in without:
        planted = planting.plant(data, sorted(faults), world.rng("faults"))
    study_files.write_settings(
        folder, seed=world.seed, sections=sections, permutations=199, begin=world.begin
    )
    study_files.write_readme(
        folder,
        seed=world.seed,
        size=world.size.name,
        effect=world.effect.name,
        faults=sorted(faults),
    )
    known = _truth(world) | {"feeds": written, "without": sorted(without), "faults": planted}
    (folder / "truth.json").write_text(
        json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _crime_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = crimes.write_crimes(data, world.city, world.sent, world.rng("crimes"))
    return crimes.CRIME_SECTION + crimes.HARM_SECTION, facts


def _incident_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = incidents.write_incidents(data, world.city, world.sent, world.rng("incidents"))
    return incidents.INCIDENT_SECTION, facts


def _hotspot_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    register.write_hotspots(data, world.hotspots)
    return register.SECTIONS, {"hotspots": len(world.hotspots)}


def _patrols(world: World) -> patrols.Patrols:
    return _plan(world.seed, world.effect, world.hotspots)


def _plan(seed: int, effect: Effect, hotspots: tuple[Hotspot, ...]) -> patrols.Patrols:
    rng = rng_for(seed, "patrols")
    return patrols.plan_patrols(hotspots, rng, lots_from=effect.lots_from)


def _radios(world: World) -> np.ndarray:
    return patrols.radio_names(world.hotspots, world.rng("radio names"))


def _tasking_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = patrols.write_tasking(data, world.hotspots, _patrols(world), _radios(world))
    return patrols.TASKING_SECTION, facts


def _ping_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = positions.write_pings(
        data,
        world.city,
        world.hotspots,
        _patrols(world),
        _radios(world),
        world.size,
        world.rng("pings"),
    )
    return positions.PING_SECTIONS, facts


def _delivered_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = patrols.write_delivered(data, world.hotspots, world.rng("delivered"))
    return patrols.DELIVERED_SECTION, facts


def _log_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = logs.write_logs(
        data, world.hotspots, _patrols(world), _radios(world), world.rng("logs")
    )
    return logs.LOG_SECTION, facts


def _ed_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = health.write_ed(data, world.city, world.hotspots, world.with_patrols, world.rng("ed"))
    return health.ED_SECTION, facts


def _admission_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    return health.ADMISSION_SECTION, health.write_admissions(data, world.rng("admissions"))


def _outreach_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    return registers.OUTREACH_SECTION, registers.write_outreach(
        data, world.hotspots, world.effect.outreach
    )


def _plan_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    plans = registers.problem_plans(world.hotspots, world.rng("problem plans"))
    facts = registers.write_problem_plans(data, plans, world.effect.plans)
    return registers.PLAN_SECTION, facts


def _event_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    return registers.EVENT_SECTION, registers.write_events(data)


def _shock_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    return registers.SHOCK_SECTION, registers.write_shocks(data)


def _cost_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = registers.write_cost(data, world.hotspots, world.rng("cost"))
    return registers.COST_SECTION, facts


def _survey_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    return questionnaire.section(), survey.write_survey(data, world.hotspots, world.rng("survey"))


def _interview_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = interviews.write_interviews(data, world.hotspots, world.rng("interviews"))
    return interviews.SECTIONS, facts


def _feature_feed(data: Path, world: World) -> tuple[str, dict[str, Any]]:
    facts = ground_features.write_features(data, world.city, world.rng("features"))
    return ground_features.FEATURE_SECTION, facts


_FEED_WRITERS = {
    "crimes": _crime_feed,
    "incidents": _incident_feed,
    "hotspots": _hotspot_feed,
    "tasking": _tasking_feed,
    "pings": _ping_feed,
    "delivered": _delivered_feed,
    "logs": _log_feed,
    "outreach": _outreach_feed,
    "ed": _ed_feed,
    "admissions": _admission_feed,
    "problem_plans": _plan_feed,
    "events": _event_feed,
    "shocks": _shock_feed,
    "cost": _cost_feed,
    "survey": _survey_feed,
    "interviews": _interview_feed,
    "features": _feature_feed,
}


def _truth(world: World) -> dict[str, Any]:
    ratios = truth.ratios(world.expected, world.hotspots)
    return {
        "says": "Everything here is invented. Expected counts are of what happened, before some "
        "locations went missing; a rate ratio is expected with patrols over expected without.",
        "seed": world.seed,
        "size": world.size.name,
        "effect": {
            "name": world.effect.name,
            "says": world.effect.says,
            "inside": {
                f"{group}, {hours}": ratio
                for (group, hours), ratio in sorted(world.effect.inside.items())
            },
            "ring 0-100 m": world.effect.ring_0_100,
            "ring 100-250 m": world.effect.ring_100_250,
            "half_life_weeks": world.effect.half_life_weeks,
            "tasked_day": list(world.effect.tasked_day),
        },
        "starts": {f"cohort={i}": str(day) for i, day in enumerate(COHORT_STARTS, start=1)},
        "data_begin": str(world.begin or DAYS[0]),
        "recording_shock": str(RECORDING_SHOCK),
        "rivals": rivals.truths(
            world.rivals,
            world.city,
            world.hotspots,
            world.expected.with_patrols,
            {name: truth.class_weights(name) for name in truth.OUTCOMES},
        ),
        "effects": [row for row in ratios if row["subgroup"] == "all"],
        "rate_ratios": [row for row in ratios if row["subgroup"] != "all"],
        "realised": _realised(world),
        "selection": _selection(world),
        "places": _places(world),
    }


def _realised(world: World) -> list[dict[str, Any]]:
    target, band = truth.targets(world.city, world.hotspots)
    rows = []
    for name in truth.OUTCOMES:
        mine = truth.kinds_of(name)
        for ring, label in enumerate(truth.BANDS):
            counts = []
            for events in (world.without, world.with_patrols):
                spot = target[events.point]
                near = (spot >= 0) & (band[events.point] == ring) & mine[events.kind]
                counts.append(int(world.expected.treated[spot[near], events.day[near]].sum()))
            rows.append(
                {
                    "outcome": name,
                    "population": "treated hot spots" if ring == 0 else label,
                    "without": counts[0],
                    "with": counts[1],
                }
            )
    return rows


def _selection(world: World) -> dict[str, Any]:
    inside = 3 * np.array([spot.place for spot in world.hotspots])
    days = window(*SELECTION)
    serious, asb = CLASSES.index("serious"), CLASSES.index("asb")
    promised = world.rates[serious][inside][:, days].sum()
    promised += 0.5 * world.rates[asb][inside][:, days].sum()
    recorded = world.score[[spot.place for spot in world.hotspots]].sum()
    return {
        "rule": RULE,
        "history": [str(day) for day in HISTORY],
        "window": [str(day) for day in SELECTION],
        "recorded_over_expected": round(float(recorded / promised), 4),
        "note": "above 1: the chosen places were lucky to be counted, and will fall back unaided",
    }


def _places(world: World) -> list[dict[str, Any]]:
    chosen = {spot.place: spot for spot in world.hotspots}
    rows = []
    for place, outline in enumerate(world.city.outlines):
        spot = chosen.get(place)
        rows.append(
            {
                "place": f"B{place:02d}",
                "hotspot_id": spot.hotspot_id if spot else None,
                "name": world.city.place_names[place],
                "town": TOWNS[int(world.city.place_town[place])][0],
                "kind": KINDS[int(world.city.place_kind[place])],
                "cohort": spot.cohort if spot else None,
                "first_treated": str(spot.first_treated) if spot else None,
                "versions": len(spot.versions) if spot else 0,
                "easting_m": round(outline.centroid.x, 1),
                "northing_m": round(outline.centroid.y, 1),
            }
        )
    return rows


def _require_known(what: str, names: object, allowed: object) -> None:
    listed = list(allowed)  # type: ignore[call-overload]
    for name in sorted(names):  # type: ignore[call-overload]
        if name not in listed:
            raise SettingsError(
                f"There is no {what} called {name!r} in a rehearsal.",
                mend=f"choose from {', '.join(listed)}",
            )


def _require_begin(begin: date | None) -> None:
    first, last = DATA_MAY_BEGIN
    if begin is not None and not first <= begin <= last:
        raise SettingsError(
            f"The data of a rehearsal cannot begin on {begin}.",
            mend=f"leave it out, or name a day from {first} to {last}",
        )


def _require_empty(folder: Path) -> None:
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise OutputError(
            f"{folder} already holds something.", mend="name a new folder, or empty this one"
        )


__all__ = ["ORIGIN_M", "World", "build_world", "write_force"]
