"""The keys of `plan.toml` about patrols, and what they become: every one can change an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from placeproof.study.settings_form import Key, Sections

if TYPE_CHECKING:
    from placeproof.patrols.as_planned import PlannedRules
    from placeproof.patrols.crossings import CrossingRules

A_DAY_S, FAR_M = 86_400, 10_000
"""Longer and farther than any of these means: more is a slip of the pen."""

PATROL_KEYS: Sections = {
    "patrols": (
        Key(
            "path",
            "text",
            "how positions become visits. crossings: sorted, cleaned, weighed by accuracy; "
            "order_free: one pass, whatever their order and number",
            allowed=("crossings", "order_free"),
        ),
        Key(
            "longest_gap_s", "number", "silence that ends a visit, in seconds", low=1, high=A_DAY_S
        ),
        Key(
            "shortest_dwell_s",
            "number",
            "shorter visits are dropped, in seconds",
            low=0,
            high=A_DAY_S,
        ),
        Key(
            "log_tolerance_s",
            "number",
            "how far apart a log and a visit may be and still match, in seconds",
            low=0,
            high=A_DAY_S,
        ),
        Key(
            "logged_at_least_s",
            "number",
            "shorter presences need no log, in seconds",
            low=0,
            high=A_DAY_S,
        ),
        Key(
            "silence_s",
            "whole",
            "a device that reports nothing for so long was off or out of reach, in seconds",
            low=1,
            high=A_DAY_S,
        ),
        Key(
            "tasked_by",
            "text",
            "whose presence in a tasked window is additional: anybody's, or the unit's asked",
            allowed=("place", "unit"),
        ),
        Key(
            "vehicle_devices",
            "texts",
            "devices that are vehicles: a radio in one is no second officer",
            required=False,
            default=(),
        ),
        Key(
            "without_gps",
            "texts",
            "who delivers presence that positions cannot show, as delivered_by names them",
            required=False,
            default=(),
        ),
        Key(
            "visible_share",
            "number",
            "share of the time on foot from which a visit is evidence of a visible patrol",
            low=0,
            high=1,
        ),
        Key(
            "target_minutes",
            "number",
            "minutes to hold every window against instead of its own",
            required=False,
            low=1,
            high=1440,
        ),
        Key(
            "activities",
            "table",
            "activity as logged = class of activity, where the shipped list does not know it",
            required=False,
            default={},
        ),
    ),
    "crossings": (
        Key(
            "exit_after_s",
            "number",
            "time outside that ends a visit, in seconds",
            low=0,
            high=A_DAY_S,
        ),
        Key(
            "fastest_m_s",
            "number",
            "faster jumps are no movement, in metres a second",
            low=1,
            high=1000,
        ),
        Key("foot_fastest_m_s", "number", "fastest on foot, in metres a second", low=0, high=1000),
        Key(
            "default_accuracy_m",
            "number",
            "68 per cent radius of positions that give none, in metres",
            required=False,
            low=0,
            high=FAR_M,
        ),
        Key(
            "worst_accuracy_m",
            "number",
            "less accurate positions are dropped, in metres",
            low=1,
            high=FAR_M,
        ),
        Key(
            "smallest_presence",
            "number",
            "probability of being inside from which a position belongs to a visit",
            low=0.01,
            high=1,
        ),
        Key(
            "usual_stay_s",
            "number",
            "how long a device usually stays on one side of a boundary, in seconds; without it "
            "each position is judged by itself",
            required=False,
            low=1,
            high=A_DAY_S,
        ),
        Key(
            "error_lasts_s",
            "number",
            "for how long errors are alike, in seconds",
            low=0.001,
            high=A_DAY_S,
        ),
        Key(
            "still_after_s",
            "number",
            "a device still for longer was left on, in seconds",
            low=1,
            high=A_DAY_S,
        ),
        Key("still_within_m", "number", "what still means, in metres", low=0, high=FAR_M),
    ),
    "routes": (
        Key(
            "margin_m", "number", "how far outside a hot spot a line may be seen", low=0, high=FAR_M
        ),
        Key(
            "lead_s",
            "number",
            "seconds before and after a visit that are drawn",
            low=0,
            high=A_DAY_S,
        ),
        Key("trim_m", "number", "radius taken out around ends inside", low=0, high=FAR_M),
        Key("snap_m", "number", "positions are rounded to multiples of this", low=0.1, high=FAR_M),
        Key("simplify_m", "number", "farthest that a line may stray from them", low=0, high=FAR_M),
        Key("cell_m", "number", "side of a cell, and longest piece of a street", low=1, high=FAR_M),
        Key("reach_m", "number", "how near a patrol passes what it reaches", low=1, high=FAR_M),
    ),
}

PATROL_VALUES = {
    "path": '"crossings"',
    "longest_gap_s": "180",
    "shortest_dwell_s": "0",
    "log_tolerance_s": "900",
    "logged_at_least_s": "300",
    "silence_s": "900",
    "tasked_by": '"place"',
    "vehicle_devices": "[]",
    "without_gps": "[]",
    "visible_share": "0.5",
    "exit_after_s": "120",
    "fastest_m_s": "60",
    "foot_fastest_m_s": "2.5",
    "default_accuracy_m": "10",
    "worst_accuracy_m": "50",
    "smallest_presence": "0.5",
    "usual_stay_s": "300",
    "error_lasts_s": "60",
    "still_after_s": "3600",
    "still_within_m": "30",
    "margin_m": "50",
    "lead_s": "60",
    "trim_m": "25",
    "snap_m": "1",
    "simplify_m": "3",
    "cell_m": "5",
    "reach_m": "15",
}
"""What a new plan starts with; docs/explanation/visits.md says why."""


@dataclass(frozen=True, kw_only=True)
class RouteRules:
    """How lines are drawn and what they reach; all in metres, but `lead_s`."""

    margin_m: float
    lead_s: float
    trim_m: float
    snap_m: float
    simplify_m: float
    cell_m: float
    reach_m: float


@dataclass(frozen=True, kw_only=True)
class PatrolPlan:
    """Every choice about patrols; `PATROL_KEYS` says what each means."""

    path: str
    longest_gap_s: float
    shortest_dwell_s: float
    log_tolerance_s: float
    logged_at_least_s: float
    silence_s: int
    tasked_by: str
    vehicle_devices: tuple[str, ...]
    without_gps: tuple[str, ...]
    visible_share: float
    target_minutes: float | None
    activities: Mapping[str, str]
    crossings: Mapping[str, float | None]
    routes: RouteRules

    @property
    def crossing_rules(self) -> "CrossingRules":
        """The rules of the path by crossings."""
        from placeproof.patrols.crossings import CrossingRules

        return CrossingRules(
            longest_gap_s=self.longest_gap_s,
            shortest_dwell_s=self.shortest_dwell_s,
            **self.crossings,  # type: ignore[arg-type]
        )

    @property
    def planned_rules(self) -> "PlannedRules":
        """The rules of compliance and logs."""
        from placeproof.patrols.as_planned import PlannedRules

        return PlannedRules(
            target_minutes=self.target_minutes,
            visible_share=self.visible_share,
            log_tolerance_s=self.log_tolerance_s,
            logged_at_least_s=self.logged_at_least_s,
            activities=self.activities,
        )


def patrol_plan(sections: Mapping[str, Mapping[str, Any]]) -> PatrolPlan:
    """
    Gather what the plan says of patrols.

    Parameters
    ----------
    sections : mapping
        Sections of `PATROL_KEYS`, held against their keys already.

    Returns
    -------
    PatrolPlan
    """
    values = dict(sections["patrols"])
    for name in ("vehicle_devices", "without_gps"):
        values[name] = tuple(values[name])
    return PatrolPlan(
        **values,
        crossings=dict(sections["crossings"]),
        routes=RouteRules(**sections["routes"]),
    )
