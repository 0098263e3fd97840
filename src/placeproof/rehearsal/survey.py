"""The community survey of the rehearsal: three populations, five modes, planted answers."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.questionnaire import (
    AGES,
    HOURS,
    ITEMS,
    LANGUAGES,
    MODE_SHARE,
    MODE_SHIFT,
    MODES,
    PLACE_SPREAD,
    PLAIN,
    POPULATIONS,
    SPREAD,
    VALUES,
    YES_NO,
)
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import write_csv, write_xlsx

PEOPLE = 2_080


def write_survey(
    folder: Path, hotspots: Sequence[Hotspot], rng: np.random.Generator
) -> dict[str, Any]:
    """
    Write responses, flags, consents, withdrawals, tallies and margins.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    hotspots : sequence of Hotspot
        The patrolled places; the survey reaches 22 of them.
    rng : Generator
        Source of randomness.

    Returns
    -------
    dict
        How many answered, consented and withdrew, and what was planted in their answers.
    """
    people = _people(hotspots, rng)
    answers, planted = _answers(people, rng)
    consented = np.ones(PEOPLE, dtype=bool)
    consented[rng.permutation(PEOPLE)[:17]] = False
    withdrawn = rng.permutation(np.flatnonzero(consented))[:6]
    headers = {name: header for name, header in PLAIN.items() if name in people.columns}
    table = people.rename(headers).with_columns(
        pl.Series("Consent", np.where(consented, "Yes", "No"))
    )
    table = table.with_columns(**answers).select(
        *PLAIN.values(),
        *(item.column for item in ITEMS.values()),
        *(y[0] for y in YES_NO.values()),
    )
    write_csv(folder / "survey" / "responses.csv", table, encoding="utf-8-sig")
    flagged = _write_flags(folder, people, rng)
    _write_consents(folder, people, consented, withdrawn)
    tallies = _write_tallies(folder, people, rng)
    _write_margins(folder, hotspots, rng)
    eligible = consented.copy()
    eligible[withdrawn] = False
    eligible[flagged] = False
    return {
        "responses": PEOPLE,
        "without_consent": int((~consented).sum()),
        "withdrawn": len(withdrawn),
        "left_out_by_flag": len(flagged),
        "eligible": int(eligible.sum()),
        "areas": people["hotspot_id"].n_unique(),
        "tallies": tallies,
        "mode_shift": MODE_SHIFT,
        "shifts": {name: dict(item.by) for name, item in ITEMS.items()},
        "expected": _expected(people, planted, eligible),
    }


def _people(hotspots: Sequence[Hotspot], rng: np.random.Generator) -> pl.DataFrame:
    n = PEOPLE
    spots = [spot.hotspot_id for spot in hotspots][:22]
    spot = np.array(spots)[np.sort(np.arange(n) % len(spots))]
    population = np.array(POPULATIONS)[pick(rng, [0.45, 0.2, 0.35], n)]
    shares = np.array([np.cumsum(MODE_SHARE[name]) for name in POPULATIONS])
    which = np.array([POPULATIONS.index(name) for name in population])
    mode = np.array(MODES)[(rng.random(n)[:, None] > shares[which]).sum(axis=1).clip(0, 4)]
    day = np.datetime64(date(2023, 5, 1)) + rng.integers(0, 50, n).astype("timedelta64[D]")
    at = day.astype("datetime64[m]") + rng.integers(9 * 60, 22 * 60, n).astype("timedelta64[m]")
    weight = np.where(mode == "fieldworker", np.round(rng.uniform(8, 60, n), 2), np.nan)
    poster = np.where(rng.random(n) < 0.94, spot, np.array(spots)[rng.integers(0, len(spots), n)])
    zone = np.array(list(VALUES["zone"].values()))[pick(rng, [0.5, 0.3, 0.17, 0.03], n)]
    unsaid = rng.random(n) < 0.03
    return pl.DataFrame(
        {
            "response_id": [f"nm-{i:05d}" for i in rng.permutation(90_000)[:n] + 10_000],
            "wave": np.full(n, "2023"),
            "completed_at": at.astype("datetime64[us]"),
            "population": population,
            "mode": mode,
            "language": np.array(LANGUAGES)[pick(rng, [88, 5, 3, 2, 2], n)],
            "hotspot_id": spot,
            "poster_hotspot_id": poster,
            "zone": zone,
            "hours_of_use": np.array(HOURS)[pick(rng, [0.25, 0.5, 0.25], n)],
            "base_weight": weight,
            "age_band": np.array(AGES)[pick(rng, [3, 17, 20, 18, 16, 13, 13], n)],
            "sex": np.array(["Female", "Male"])[pick(rng, [0.51, 0.49], n)],
            "ethnicity": np.array(["White", "Asian", "Black", "Mixed", "Other"])[
                pick(rng, [60, 24, 8, 5, 3], n)
            ],
            "disability": np.array(["No", "Yes"])[pick(rng, [0.81, 0.19], n)],
            "_unsaid": unsaid,
        }
    ).with_columns(
        pl.col("base_weight").fill_nan(None),
        pl.when(pl.col("mode") == "poster").then("poster_hotspot_id"),
    )


def _shift(people: pl.DataFrame, by: Mapping[str, float]) -> np.ndarray:
    total = np.zeros(people.height)
    for column in ("population", "hours_of_use", "age_band", "mode"):
        total += (
            people[column].replace_strict(dict(by), default=0.0, return_dtype=pl.Float64).to_numpy()
        )
    return total


def _answers(
    people: pl.DataFrame, rng: np.random.Generator
) -> tuple[dict[str, pl.Series], dict[str, np.ndarray]]:
    columns: dict[str, pl.Series] = {}
    expected: dict[str, np.ndarray] = {}
    place = people["hotspot_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    person = rng.normal(0, 0.45, people.height)
    for name, item in ITEMS.items():
        centre = item.base + _shift(people, item.by) + _shift(people, MODE_SHIFT)
        centre += rng.normal(0, PLACE_SPREAD, 24)[place]
        spread = SPREAD[item.top]
        latent = centre + spread * (person + np.sqrt(1 - 0.45**2) * rng.normal(0, 1, people.height))
        answer = np.clip(np.round(latent), 1, item.top).astype(int)
        expected[name] = _mean_answer(centre, spread, item.top)
        words = np.array(item.words)[answer - 1] if item.words else answer.astype(str)
        silent = rng.random(people.height) < 0.04
        columns[item.column] = pl.Series(np.where(silent, "", words)).replace({"": None})
    for name, (header, log_odds, by) in YES_NO.items():
        chance = 1 / (1 + np.exp(-(log_odds + _shift(people, by))))
        expected[name] = chance
        yes = np.where(rng.random(people.height) < chance, "Yes", "No")
        silent = rng.random(people.height) < 0.03
        columns[header] = pl.Series(np.where(silent, "", yes)).replace({"": None})
    columns["Q14 When here"] = people["hours_of_use"].replace_strict(VALUES["hours_of_use"])
    columns["Q1 You are"] = people["population"].replace_strict(VALUES["population"])
    unsaid = people["_unsaid"]
    for header in ("Age", "Sex", "Ethnic group"):
        source = {"Age": "age_band", "Sex": "sex", "Ethnic group": "ethnicity"}[header]
        columns[header] = people.select(pl.when(~unsaid).then(pl.col(source))).to_series()
    return columns, expected


def _mean_answer(centre: np.ndarray, spread: float, top: int) -> np.ndarray:
    # The variance of the latent answer is 0.45² + (1 - 0.45²) = 1 times the spread squared.
    from scipy.stats import norm

    above = [1 - norm.cdf((step + 0.5 - centre) / spread) for step in range(1, top)]
    return 1 + np.sum(above, axis=0)


def _expected(
    people: pl.DataFrame, planted: Mapping[str, np.ndarray], eligible: np.ndarray
) -> list[dict[str, Any]]:
    rows = []
    groups = [("all", "all", np.ones(people.height, dtype=bool))]
    groups += [(name, "all", (people["population"] == name).to_numpy()) for name in POPULATIONS]
    groups += [
        (
            name,
            f"hours_of_use={hours}",
            ((people["population"] == name) & (people["hours_of_use"] == hours)).to_numpy(),
        )
        for name in POPULATIONS
        for hours in HOURS
    ]
    groups += [
        (
            name,
            f"age_band={age}",
            ((people["population"] == name) & (people["age_band"] == age)).to_numpy(),
        )
        for name in POPULATIONS
        for age in AGES
    ]
    for population, subgroup, mask in groups:
        chosen = mask & eligible
        for item, means in planted.items():
            rows.append(
                {
                    "item": item,
                    "population": population,
                    "subgroup": subgroup,
                    "people": int(chosen.sum()),
                    "expected_mean": round(float(means[chosen].mean()), 5),
                }
            )
    return rows


def _write_flags(folder: Path, people: pl.DataFrame, rng: np.random.Generator) -> np.ndarray:
    open_modes = np.flatnonzero(people["mode"].is_in(["poster", "link"]).to_numpy())
    flagged = rng.permutation(open_modes)[:45]
    excluded = flagged[:25]
    kinds = [
        ("speed", "Done in 40 seconds"),
        ("straight_line", "The same answer throughout"),
        ("duplicate", "Same answers within a minute"),
    ]
    rows = []
    for number, index in enumerate(flagged.tolist()):
        flag, reason = kinds[number % 3]
        left_out = "Yes" if number < 25 else ("No" if number < 38 else None)
        rows.append(
            {
                "Response": people["response_id"][index],
                "Flag": flag,
                "Reason": reason,
                "Left out": left_out,
            }
        )
    write_csv(folder / "survey" / "flags.csv", pl.DataFrame(rows).sort("Response"))
    return excluded


def _write_consents(
    folder: Path, people: pl.DataFrame, consented: np.ndarray, withdrawn: np.ndarray
) -> None:
    base = people.select(
        pl.col("response_id").alias("Who"),
        pl.lit("response").alias("Kind"),
        pl.lit("survey").alias("Use"),
        pl.Series("Given", np.where(consented, "Yes", "No")),
        pl.col("completed_at").alias("Asked"),
        pl.lit("v2").alias("Sheet"),
    )
    write_csv(folder / "survey" / "consents.csv", base.sort("Who"))
    left = people[withdrawn.tolist()].select(
        pl.col("response_id").alias("Who"),
        pl.lit("response").alias("Kind"),
        (pl.col("completed_at") + pl.duration(days=9)).alias("Received"),
    )
    write_csv(folder / "survey" / "withdrawals.csv", left.sort("Who"))


def _write_tallies(folder: Path, people: pl.DataFrame, rng: np.random.Generator) -> int:
    met = people.filter(pl.col("mode") == "fieldworker").with_columns(
        pl.col("completed_at").dt.truncate("2h").alias("From")
    )
    counted = (
        met.group_by("hotspot_id", "From")
        .agg(pl.len().alias("Completed"))
        .sort("hotspot_id", "From")
    )
    n = counted.height
    refused = rng.poisson(1.6, n)
    asked = counted["Completed"].to_numpy() + refused
    rows = counted.select(
        pl.col("hotspot_id").alias("Place"),
        "From",
        (pl.col("From") + pl.duration(hours=2)).alias("To"),
        pl.Series("Passed", asked * 8 + rng.poisson(60, n)),
        pl.Series("Asked", asked),
        pl.Series("Refused", refused),
        "Completed",
    )
    write_xlsx(folder / "survey" / "tallies.xlsx", {"Tallies": rows})
    return n


def _write_margins(folder: Path, hotspots: Sequence[Hotspot], rng: np.random.Generator) -> None:
    shares: dict[str, dict[str, float]] = {
        "age_band": dict(zip(AGES, (2, 14, 19, 18, 17, 14, 16), strict=True)),
        "sex": {"Female": 50.5, "Male": 49.5},
    }
    rows = []
    for spot in hotspots[:22]:
        total = int(rng.integers(600, 2_400))
        for variable, parts in shares.items():
            for category, share in parts.items():
                rows.append(
                    {
                        "Place": spot.hotspot_id,
                        "Population": "resident",
                        "Variable": variable,
                        "Category": category,
                        "People": round(total * share / 100),
                    }
                )
    write_csv(folder / "survey" / "margins.csv", pl.DataFrame(rows))
