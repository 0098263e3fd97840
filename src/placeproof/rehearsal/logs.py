"""Logs of the rehearsal: claims, most of them true."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.patrols import TARGET_MINUTES, Patrols
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import write_xlsx

PHANTOM_SHARE = 0.12

LOG_SECTION = """
# What officers wrote down. A log is a claim: some were written for patrols that never were.
[data.logs]
contract = "patrol_log"
files = ["patrols/patrol_logs.xlsx"]
sheet = "Logs"
time_zone = "Europe/London"
[data.logs.columns]
log_id = "Log ID"
hotspot_id = "Hot Spot"
unit_id = "Radio"
started_at = "Start"
ended_at = "End"
activity = "Activity"
officers = "Officers"
engagements = "Engagements"
stops = "Stops"
searches = "Searches"
arrests = "Arrests"
referrals = "Referrals"
asb_powers = "ASB Powers"
intelligence = "Intel"
observations = "Notes"
"""

ON_FOOT = (
    ("Foot patrol", "visible_foot", 0.72),
    ("Foot patrol and visit", "visible_foot", 0.16),
    ("Walkabout with wardens", "partner_patrol", 0.03),
    ("Problem-solving plan", "problem_solving", 0.03),
    ("Plain clothes patrol", "plain_clothes", 0.02),
    ("Misc duties", None, 0.02),
    ("", None, 0.02),
)
DRIVEN = (
    ("Vehicle patrol", "vehicle", 0.85),
    ("Enforcement operation", "enforcement", 0.10),
    ("Foot and vehicle patrol", None, 0.05),
)
"""What a log says was done, the class that it means (None: nobody can say), and how often."""


def write_logs(
    folder: Path,
    hotspots: Sequence[Hotspot],
    patrols: Patrols,
    radios: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """
    Write the logs: most are of patrols that were, one in eight of patrols that never were.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places.
    patrols : Patrols
        What was done.
    radios : array of str
        Pseudonym of the radio of each hot spot's unit.
    rng : Generator
        Source of randomness.
    """
    honest, phantom = _written(patrols, rng)
    chosen = np.flatnonzero(honest | phantom)
    chosen = chosen[np.lexsort((patrols.spot[chosen], patrols.arrived[chosen]))]
    m = len(chosen)
    slip = rng.integers(-3, 4, m).astype("timedelta64[m]")
    start = patrols.arrived[chosen].astype("datetime64[m]") + slip
    end = start + np.maximum(patrols.dwell_s[chosen] // 60, 5).astype(int).astype("timedelta64[m]")
    said, meant = _activities(patrols.on_foot[chosen], rng)
    ids = np.array([spot.hotspot_id for spot in hotspots])
    blank, open_end, nameless = rng.random(m) < 0.1, rng.random(m) < 0.04, rng.random(m) < 0.08
    rows = pl.DataFrame(
        {
            "Log ID": [f"L{i:06d}" for i in range(1, m + 1)],
            "Hot Spot": ids[patrols.spot[chosen]],
            "Unit": np.array([f"U{i:02d}" for i in range(len(ids))])[patrols.spot[chosen]],
            "Radio": radios[patrols.spot[chosen]],
            "Start": start.astype("datetime64[us]"),
            "End": end.astype("datetime64[us]"),
            "Activity": said,
            "Officers": np.where(rng.random(m) < 0.85, 2, 1),
        }
        | {name: rng.poisson(mean, m) for name, mean in _MEANS.items()}
        | {
            "Notes": np.array(
                ["", "All quiet.", "Spoke with door staff.", "Youths moved on.", "Litter reported."]
            )[pick(rng, [0.5, 0.2, 0.1, 0.1, 0.1], m)]
        }
    ).with_columns(
        pl.when(pl.Series(~blank)).then(pl.col("Engagements", "Stops", "Searches")),
        pl.when(pl.Series(~open_end)).then(pl.col("End")),
        pl.when(pl.Series(~nameless)).then(pl.col("Radio")),
        pl.col("Notes", "Activity").replace({"": None}),
    )
    write_xlsx(folder / "patrols" / "patrol_logs.xlsx", {"Logs": rows})
    false = phantom[chosen]
    enough = ~false & (patrols.dwell_s[chosen] >= TARGET_MINUTES * 60)
    whole = ~open_end & (said != "")
    return {
        "logs": m,
        "phantom_share": round(float(false.mean()), 4),
        "phantom": rows.filter(pl.Series(false))["Log ID"].to_list(),
        "activities": {str(name): int((meant == name).sum()) for name in np.unique(meant)},
        "without_end": int(open_end.sum()),
        "of_15_minutes_on_foot_and_completed": int(
            (enough & patrols.on_foot[chosen] & whole).sum()
        ),
    }


_MEANS = {
    "Engagements": 2.2,
    "Stops": 0.25,
    "Searches": 0.10,
    "Arrests": 0.03,
    "Referrals": 0.05,
    "ASB Powers": 0.06,
    "Intel": 0.08,
}


def _written(patrols: Patrols, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which tasks have a log of a patrol that was, and which of one that never was."""
    n = len(patrols.spot)
    honest = patrols.attended & (rng.random(n) < 0.80)
    absent = np.flatnonzero(~patrols.attended)
    wanted = round(honest.sum() * PHANTOM_SHARE / (1 - PHANTOM_SHARE))
    phantom = np.zeros(n, dtype=bool)
    phantom[rng.permutation(absent)[:wanted]] = True
    return honest, phantom


def _activities(on_foot: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What each log says, and the class that it means, as text."""
    said = np.full(len(on_foot), "", dtype=object)
    meant = np.full(len(on_foot), "", dtype=object)
    for mine, words in ((on_foot, ON_FOOT), (~on_foot, DRIVEN)):
        drawn = pick(rng, [share for _, _, share in words], int(mine.sum()))
        said[mine] = np.array([text for text, _, _ in words], dtype=object)[drawn]
        meant[mine] = np.array(
            [name or ("unmapped" if text else "not supplied") for text, name, _ in words],
            dtype=object,
        )[drawn]
    return said.astype(str), meant.astype(str)
