"""Interviews and groups of the rehearsal: invented people, plain words, planted themes."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import write_csv, write_xlsx

AREAS = 22
ROLES = (
    "door staff",
    "taxi",
    "outreach",
    "student",
    "trader",
    "transport",
    "street pastor",
    "neighbour",
)

THEMES: tuple[tuple[str, str, str, str, float], ...] = (
    ("seen-often", "Sees patrols often", "RQ4", "I see two of them on foot most evenings", 0.45),
    (
        "seen-never",
        "Never sees patrols",
        "RQ4",
        "I have not once seen anybody walk past here",
        0.25,
    ),
    ("works", "Patrols calm the place", "RQ5", "it goes quiet when they turn the corner", 0.35),
    (
        "no-effect",
        "Patrols change nothing",
        "RQ5",
        "nothing is different from the year before",
        0.25,
    ),
    ("moves-on", "Trouble moves elsewhere", "RQ5", "they only go round to the next street", 0.20),
    ("feels-safer", "Feels safer", "RQ6", "I walk home the short way again", 0.35),
    (
        "feels-watched",
        "Feels watched or judged",
        "RQ7",
        "they look at us as if we had done something",
        0.20,
    ),
    (
        "looks-dangerous",
        "Patrols make it look dangerous",
        "RQ6",
        "customers ask what has happened",
        0.15,
    ),
    ("listens", "Officers listen", "RQ7", "the one with the beard always stops to talk", 0.30),
    ("unfair", "Treated unfairly", "RQ7", "it is always the same lads who are stopped", 0.15),
    (
        "night",
        "Only the night matters",
        "RQ9",
        "by day it is fine, it is after eleven that counts",
        0.30,
    ),
    ("drinking", "Drinking in the open", "RQ3", "the benches are full of cans by four", 0.25),
)
"""Code, name, question, words, and the share of people in whose turns it is planted."""
_OPENINGS = ("Well, ", "To be honest, ", "You know, ", "In my view ", "Since last spring ", "")
_CLOSINGS = (
    ", that is how it is.",
    ", and my sister says the same.",
    ", more or less.",
    ".",
    ", at least on Fridays.",
)
_FILLERS = (
    "I have worked by the market for six years.",
    "We open at nine and close when the last bus has gone.",
    "It depends on the weather and on what is on.",
    "I would not say more about that.",
    "The lamps by the passage were broken all winter.",
)
_QUESTIONS = (
    "What have you noticed here of late?",
    "And what do you make of the patrols?",
    "How is it after dark?",
    "Is there anything that you would change?",
)

SECTIONS = """
# Interviews and groups: one workbook for who and when, files for words and codes.
[data.sessions]
contract = "session"
files = ["interviews/sessions.xlsx"]
sheet = "Sessions"
time_zone = "Europe/London"
[data.sessions.columns]
session_id = "Session"
hotspot_id = "Place"
held_at = "Held"
kind = "Kind"
hours = "Hours"

[data.speakers]
contract = "speaker"
files = ["interviews/sessions.xlsx"]
sheet = "Speakers"
[data.speakers.columns]
speaker_id = "Speaker"
session_id = "Session"
population = "Population"
role = "Role"
age_band = "Age"
sex = "Sex"
consent_analysis = "May be analysed"
consent_quotes = "May be quoted"
[data.speakers.values.consent_analysis]
"Yes" = "true"
"No" = "false"
[data.speakers.values.consent_quotes]
"Yes" = "true"
"No" = "false"

[data.turns]
contract = "turn"
files = ["interviews/turns.csv"]
[data.turns.columns]
session_id = "Session"
turn = "Turn"
speaker_id = "Speaker"
started_s = "Second"
words = "Words"

[data.codes]
contract = "code"
files = ["interviews/codebook.csv"]
[data.codes.columns]
code_id = "Code"
parent_id = "Under"
name = "Name"
definition = "Definition"
question = "Question"

[data.coded_spans]
contract = "coded_span"
files = ["interviews/coded_spans.csv"]
[data.coded_spans.columns]
session_id = "Session"
turn = "Turn"
code_id = "Code"
coder_id = "Coder"
start = "Start"
end = "End"
round = "Round"
"""


def write_interviews(
    folder: Path, hotspots: Sequence[Hotspot], rng: np.random.Generator
) -> dict[str, Any]:
    """
    Write sessions, speakers, turns, code book and what two coders marked.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places; people are heard in 22 of them.
    rng : Generator
        Source of randomness.

    Returns
    -------
    dict
        People, sessions, areas, and in how many people's words each theme was planted.
    """
    sessions, speakers, turns, spans = _sessions(hotspots, rng)
    write_xlsx(
        folder / "interviews" / "sessions.xlsx", {"Sessions": sessions, "Speakers": speakers}
    )
    write_csv(folder / "interviews" / "turns.csv", turns)
    write_csv(folder / "interviews" / "codebook.csv", _codebook())
    write_csv(folder / "interviews" / "coded_spans.csv", _coded(spans, rng))
    planted = spans.group_by("Code").agg(pl.col("Speaker").n_unique()).sort("Code")
    return {
        "sessions": sessions.height,
        "groups": int((sessions["Kind"] == "group").sum()),
        "people": speakers.height,
        "people_without_consent": int((speakers["May be analysed"] == "No").sum()),
        "areas": sessions["Place"].n_unique(),
        "turns": turns.height,
        "people_by_theme": dict(planted.iter_rows()),
    }


def _sessions(
    hotspots: Sequence[Hotspot], rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    places = [spot.hotspot_id for spot in hotspots][:AREAS]
    sessions: list[dict[str, Any]] = []
    speakers: list[dict[str, Any]] = []
    turns: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    plan = [(place, kind) for place in places for kind in ("individual", "individual", "group")]
    for number, (place, kind) in enumerate(plan, start=1):
        session = f"S{number:03d}"
        day = np.datetime64(date(2023, 5, 2)) + int(rng.integers(0, 45))
        at = day.astype("datetime64[m]") + np.timedelta64(int(rng.integers(10, 19)) * 60, "m")
        hours = ("nte", "other", "both")[int(pick(rng, [0.3, 0.4, 0.3], 1)[0])]
        sessions.append(
            {"Session": session, "Place": place, "Held": at.item(), "Kind": kind, "Hours": hours}
        )
        heard = 1 if kind == "individual" else 8
        people = [_speaker(session, i, rng) for i in range(1, heard + 1)]
        speakers += people
        _talk(session, [str(person["Speaker"]) for person in people], turns, spans, rng)
    return tuple(
        pl.DataFrame(rows, infer_schema_length=None) for rows in (sessions, speakers, turns, spans)
    )  # type: ignore[return-value]


def _speaker(session: str, number: int, rng: np.random.Generator) -> dict[str, Any]:
    population = ("resident", "business", "user")[int(pick(rng, [0.45, 0.3, 0.25], 1)[0])]
    ages = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
    return {
        "Speaker": f"{session}-P{number}",
        "Session": session,
        "Population": population,
        "Role": ROLES[int(rng.integers(0, len(ROLES)))],
        "Age": ages[int(rng.integers(0, len(ages)))],
        "Sex": ("Female", "Male")[int(rng.integers(0, 2))],
        "May be analysed": "Yes" if rng.random() > 0.012 else "No",
        "May be quoted": "Yes" if rng.random() > 0.2 else "No",
    }


def _talk(
    session: str,
    speakers: Sequence[str],
    turns: list[dict[str, Any]],
    spans: list[dict[str, Any]],
    rng: np.random.Generator,
) -> None:
    second, number = 0, 0

    def say(speaker: str | None, words: str) -> int:
        nonlocal second, number
        number += 1
        turns.append(
            {
                "Session": session,
                "Turn": number,
                "Speaker": speaker,
                "Second": second,
                "Words": words,
            }
        )
        second += 4 + len(words) // 12
        return number

    waiting = {
        speaker: [theme for theme in THEMES if rng.random() < theme[4]] for speaker in speakers
    }
    for question in _QUESTIONS:
        say(None, question)
        for speaker in speakers:
            opening = _OPENINGS[int(rng.integers(0, len(_OPENINGS)))]
            closing = _CLOSINGS[int(rng.integers(0, len(_CLOSINGS)))]
            if not waiting[speaker]:
                if rng.random() < 0.5:
                    say(speaker, _FILLERS[int(rng.integers(0, len(_FILLERS)))])
                continue
            code, _, _, phrase, _ = waiting[speaker].pop(0)
            turn = say(speaker, opening + phrase + closing)
            start = len(opening)
            spans.append(
                {
                    "Session": session,
                    "Turn": turn,
                    "Speaker": speaker,
                    "Code": code,
                    "Start": start,
                    "End": start + len(phrase),
                }
            )


def _codebook() -> pl.DataFrame:
    roots = [
        {"Code": code, "Under": None, "Name": name, "Definition": meaning, "Question": question}
        for code, name, meaning, question in (
            ("noticing", "Noticing patrols", "Whether and how patrols are noticed", "RQ4"),
            ("judging", "Judging patrols", "What people think patrols do", None),
            ("place", "The place itself", "What the place is like", None),
        )
    ]
    under = {"RQ4": "noticing", "RQ3": "place", "RQ9": "place"}
    leaves = [
        {
            "Code": code,
            "Under": under.get(question, "judging"),
            "Name": name,
            "Definition": f"As in: {phrase}",
            "Question": question,
        }
        for code, name, question, phrase, _ in THEMES
    ]
    return pl.DataFrame([*roots, *leaves], infer_schema_length=None)


def _coded(spans: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    codes = [theme[0] for theme in THEMES]
    first = spans.with_columns(pl.lit("coder-a").alias("Coder"))
    n = spans.height
    other = np.array(codes)[rng.integers(0, len(codes), n)]
    slip = rng.random(n) < 0.10
    second = spans.with_columns(
        pl.lit("coder-b").alias("Coder"),
        pl.when(pl.Series(slip)).then(pl.Series(other)).otherwise("Code").alias("Code"),
        (pl.col("End") - pl.Series(rng.integers(0, 4, n))).alias("End"),
    ).filter(pl.Series((rng.random(n) > 0.05) & (np.arange(n) % 2 == 0)))
    columns = ["Session", "Turn", "Code", "Coder", "Start", "End", "Round"]
    both = pl.concat([first, second]).with_columns(pl.lit("1").alias("Round"))
    return both.select(columns).sort("Session", "Turn", "Coder", "Start", "Code")
