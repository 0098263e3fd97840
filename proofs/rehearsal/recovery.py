"""Whether a whole study finds what was planted in an invented force, from raw exports to answers.

Run from the project's root: python proofs/rehearsal/recovery.py
Writes recovery.json and recovery.md beside this file. Seeds are fixed beforehand; studies that
stand in recovery.json for the same code are not made again, so that a stopped proof goes on.
"""

import argparse
import hashlib
import json
import math
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import polars as pl
from scipy import stats

import placeproof
from placeproof.rehearsal import write_force
from placeproof.study.run import run

COVERED = tuple(range(1, 21))
"""Seeds of the forces whose intervals are judged."""
TRIED = (21, 22, 23)
"""Seeds of the forces of each other effect, of which only the direction is judged."""
VARIANTS = ("none", "harm", "nte-only", "displacement", "decay")
LEAST_RIGHT = 2
"""Of three forces, how many must show the planted direction; none may claim the opposite."""

BAND = (0.93, 0.97)
HEADLINES = {"RQ1": "sv-street-nondom", "RQ2": "all-crime-reported", "RQ3": "asb-all"}
TREATED = "treated hot spots"
RINGS = ("ring 0-100 m", "ring 100-250 m")
IMPUTATION = "poisson_imputation_jackknife"
TREND_ADJUSTED = "poisson_imputation_trend_adjusted"
NOT_OF_THE_RESULT = ("report", "cli.py")
"""Parts of the package that cannot move a number."""

Study = dict[str, Any]
"""`planted`: name of an effect to truth, estimate, lower, upper; `claims`: what answers say."""


def code_sha256() -> str:
    """Hash the code and definitions that a result rests on."""
    package = Path(placeproof.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*"), key=lambda path: path.as_posix()):
        name = path.relative_to(package)
        if path.suffix in (".py", ".toml") and name.parts[0] not in NOT_OF_THE_RESULT:
            digest.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def one_study(effect: str, seed: int, code: str) -> Study:
    """Write a force, evaluate it up to the answers, and hold these against what was planted."""
    if code_sha256() != code:
        raise SystemExit("The code was changed while the proof ran: run it again.")
    with tempfile.TemporaryDirectory() as made:
        folder = write_force(Path(made) / "force", seed=seed, size="small", effect=effect)
        written = (folder / "truth.json").read_bytes()
        done = run(folder, until="answers", progress=lambda *_: None)
        findings = pl.read_parquet(done.folder / "tables" / "finding.parquet")
        answers = json.loads((done.folder / "answers.json").read_text(encoding="utf-8"))["answers"]
    return {
        "truth_sha256": hashlib.sha256(written).hexdigest()[:16],
        "planted": dict(compared(json.loads(written), findings)),
        "claims": {row["question"]: claim(row["summary"]) for row in answers[:3]},
        "status": {row["question"]: row["status"] for row in answers[:3]},
    }


def claim(summary: str) -> str:
    """Say which way an answer points: its first effect is the headline."""
    first = summary.partition(".")[0]
    said = [word for word in ("rose", "fell", "no difference") if f" {word} " in f"{first} "]
    return said[0] if len(said) == 1 else "unclear"


def compared(truth: Mapping[str, Any], findings: pl.DataFrame) -> Iterator[tuple[str, list[float]]]:
    """Pair every planted effect with its estimate, where there is one."""
    estimated = findings.filter(pl.col("status") == "estimated", pl.col("lower").is_not_null())
    keys = ("outcome", "population", "hours", "subgroup", "horizon", "estimand", "method")
    table = {tuple(row[key] for key in keys): row for row in estimated.iter_rows(named=True)}
    for name, ratio, key in planted(truth):
        if key in table:
            row = table[key]
            yield name, [round(x, 5) for x in (ratio, row["estimate"], row["lower"], row["upper"])]


def planted(truth: Mapping[str, Any]) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """Name every planted effect, with its ratio and the identity of the finding to compare."""
    inside: dict[tuple[str, str], float] = {}
    for row in truth["effects"]:
        where = (row["outcome"], row["population"], row["hours"])
        name, ratio = " | ".join(where), row["rate_ratio"]
        yield name, ratio, (*where, "all", "all", "rate_ratio", IMPUTATION)
        if row["hours"] == "all":
            adjusted = (*where, "all", "all", "rate_ratio", TREND_ADJUSTED)
            yield f"{name} | trend adjusted", ratio, adjusted
        if row["population"] == TREATED:
            inside[row["outcome"], row["hours"].partition(":")[0]] = ratio
    for outcome in HEADLINES.values():
        ratio = inside[outcome, "nte"] / inside[outcome, "other"]
        key = (outcome, TREATED, "all", "all", "all", "ratio_of_rate_ratios", IMPUTATION)
        yield f"{outcome} | {TREATED} | night over other hours", ratio, key
    yield from _parts(truth)


def _parts(truth: Mapping[str, Any]) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    for row in truth["rate_ratios"]:
        kind = row["subgroup"].partition("=")[0]
        where = (row["outcome"], row["population"], row["hours"])
        if row["outcome"] not in HEADLINES.values() or where[1:] != (TREATED, "all"):
            continue
        name, ratio = f"{row['outcome']} | {row['subgroup']}", row["rate_ratio"]
        if kind == "quarter":
            key = (*where, "all", row["subgroup"], "event_study_rate_ratio", IMPUTATION)
            yield name, ratio, key
        elif kind == "cohort":
            start = truth["starts"][row["subgroup"]]
            yield name, ratio, (*where, f"cohort={start}", "all", "rate_ratio", IMPUTATION)


def holds(effect: Sequence[float]) -> bool:
    """Whether an interval holds the truth."""
    ratio, _, lower, upper = effect
    return lower <= ratio <= upper


def headline(question: str, *, population: str = TREATED) -> str:
    """Name of the headline effect of a question, or of the same effect in a ring."""
    return f"{HEADLINES[question]} | {population} | all"


GROUPS: Mapping[str, Callable[[str], bool]] = {
    "headlines, night hours and other hours": lambda name: (
        _of_headline(name) and TREATED in name and ":nte-core" in name
    ),
    "headlines, night over other hours": lambda name: "night over other" in name,
    "headlines, rings": lambda name: _of_headline(name) and "ring" in name and _plain(name),
    "headlines, adjusted for the trend before patrols": lambda name: (
        _of_headline(name) and TREATED in name and "trend adjusted" in name
    ),
    "headlines, by quarter since the start": lambda name: "quarter=" in name,
    "headlines, by cohort": lambda name: "cohort=" in name,
    "other outcomes, inside and in rings": lambda name: (
        not _of_headline(name) and not name.startswith("burglary") and _plain(name)
    ),
    "negative control (burglary, nothing planted)": lambda name: (
        name == f"burglary | {TREATED} | all"
    ),
}
"""Planted effects that share a line of the report; effects of one force are not independent."""


def _of_headline(name: str) -> bool:
    return name.partition(" | ")[0] in HEADLINES.values()


def _plain(name: str) -> bool:
    return "trend adjusted" not in name and "night over other" not in name and "=" not in name


def share_interval(hits: float, n: int) -> tuple[float, float]:
    """
    Give the exact 99 % Monte Carlo interval of a share.

    `hits` may be a fraction: effects of one force count as one, as if they went together.
    """
    low = float(stats.beta.ppf(0.005, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(stats.beta.ppf(0.995, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def line(studies: Sequence[Study], belongs: Callable[[str], bool]) -> dict[str, float] | None:
    """Sum up how one group of planted effects was recovered over the forces."""
    shares, errors, reaches = [], [], []
    for study in studies:
        mine = [effect for name, effect in study["planted"].items() if belongs(name)]
        if mine:
            shares.append(statistics.fmean(holds(effect) for effect in mine))
            errors.append(statistics.fmean(math.log(one[1] / one[0]) for one in mine))
            reaches.append(statistics.fmean(math.log(one[3] / one[2]) / 2 for one in mine))
    if not shares:
        return None
    low, high = share_interval(sum(shares), len(shares))
    spread = statistics.stdev(errors) / math.sqrt(len(errors)) if len(errors) > 1 else math.nan
    return {
        "forces": len(shares),
        "held": round(sum(shares), 2),
        "share": round(statistics.fmean(shares), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "bias_log": round(statistics.fmean(errors), 4),
        "bias_error": round(spread, 4),
        "half_width_log": round(statistics.fmean(reaches), 4),
    }


def lines(studies: Sequence[Study]) -> dict[str, dict[str, float]]:
    """Sum up every group, the three headlines first."""
    groups = {headline(q): (lambda name, q=q: name == headline(q)) for q in HEADLINES}
    found = {name: line(studies, belongs) for name, belongs in (groups | dict(GROUPS)).items()}
    return {name: one for name, one in found.items() if one is not None}


def right(effect: str, study: Study) -> bool:
    """Whether a force of another effect shows the direction that was planted."""
    at, claims = study["planted"], study["claims"]
    if effect == "none":
        return claims["RQ1"] == "no difference"
    if effect == "harm":
        return claims["RQ1"] == "rose"
    if effect == "nte-only":
        return at[f"{HEADLINES['RQ1']} | {TREATED} | night over other hours"][1] < 1
    if effect == "displacement":
        near = at[headline("RQ2", population=RINGS[0])]
        return near[1] > 1 and holds(near)
    first, late = (at[f"{HEADLINES['RQ1']} | quarter={quarter}"] for quarter in (0, 4))
    return first[1] < late[1] and first[1] < 1


def opposite(effect: str, study: Study) -> bool:
    """Whether an answer claims what was not planted."""
    if effect == "none":
        return False
    return study["claims"]["RQ1"] == ("fell" if effect == "harm" else "rose")


RIGHT = {
    "none": "RQ1 claims no change",
    "harm": "RQ1 says that it rose",
    "nte-only": "RQ1 changes more at night than at other hours",
    "displacement": "RQ2 rises in the first 100 m, and the interval holds the planted ratio",
    "decay": "RQ1 falls more in the first quarter than in the fifth",
}


def failures(results: Mapping[str, Study]) -> list[str]:
    """Say what was not recovered."""
    wrong = []
    summed = lines([results[f"default/{seed}"] for seed in COVERED if f"default/{seed}" in results])
    for question in HEADLINES:
        one = summed[headline(question)]
        if one["high"] < BAND[0] or one["low"] > BAND[1]:
            wrong.append(f"{question}: {one['held']:g} of {one['forces']} intervals hold the truth")
    for effect in VARIANTS:
        made = [results[f"{effect}/{s}"] for s in TRIED if f"{effect}/{s}" in results]
        enough = min(LEAST_RIGHT, len(made))
        if sum(right(effect, study) for study in made) < enough:
            wrong.append(f"{effect}: not in {enough} of {len(made)} forces: {RIGHT[effect]}")
        if any(opposite(effect, study) for study in made):
            wrong.append(f"{effect}: an answer claims the opposite of what was planted")
    return wrong


def page(results: Mapping[str, Study], code: str) -> str:
    """Lay the results out as Markdown."""
    studies = [results[f"default/{seed}"] for seed in COVERED if f"default/{seed}" in results]
    told = [
        "# What was planted, and what a whole study found",
        "",
        f"Made by `python proofs/rehearsal/recovery.py` with Placeproof {placeproof.__version__},",
        f'code `{code}`. Each force is written by `write_force(size="small")` and evaluated from',
        "its raw exports to the answers. Seeds were fixed beforehand: "
        f"{COVERED[0]} to {COVERED[-1]} with the default",
        f"effect, {', '.join(map(str, TRIED))} with each other effect. Intervals claim 95 %.",
        "",
        f"## Intervals that hold the planted effect, {len(studies)} forces",
        "",
        "A headline fails only if its 99 % Monte Carlo interval lies outside 93–97 %. Lines of",
        "several effects count a force once, as the mean over its effects, which go together.",
        "Error is the mean of log(estimate / truth), with its standard error.",
        "",
        "| effect | held | share (99 % Monte Carlo) | error (log) | half width (log) |",
        "|---|---|---|---|---|",
    ]
    for name, one in lines(studies).items():
        told.append(
            f"| {name.replace(' | ', ', ')} | {one['held']:g} of {one['forces']} | "
            f"{100 * one['share']:.1f} % ({100 * one['low']:.0f}–{100 * one['high']:.0f}) | "
            f"{one['bias_log']:+.3f} ± {one['bias_error']:.3f} | {one['half_width_log']:.3f} |"
        )
    told += ["", *_table_of_headlines(results), "", *_table_of_variants(results)]
    wrong = failures(results)
    told += ["", "## Verdict", "", *([f"- {one}" for one in wrong] or ["Nothing failed."])]
    return "\n".join(told) + "\n"


def _table_of_headlines(results: Mapping[str, Study]) -> list[str]:
    told = [
        "## Headline effects of each force (rate ratio: planted, estimate and 95 % interval)",
        "",
        "| seed | " + " | ".join(f"{q}, {name}" for q, name in HEADLINES.items()) + " |",
        "|---|---|---|---|",
    ]
    for seed in COVERED:
        if f"default/{seed}" in results:
            at = results[f"default/{seed}"]["planted"]
            cells = [_cell(at[headline(question)]) for question in HEADLINES]
            told.append(f"| {seed} | {' | '.join(cells)} |")
    return told


def _cell(effect: Sequence[float]) -> str:
    ratio, estimate, lower, upper = effect
    missed = "" if holds(effect) else " **missed**"
    return f"{ratio:.3f}: {estimate:.3f} ({lower:.3f}–{upper:.3f}){missed}"


def _table_of_variants(results: Mapping[str, Study]) -> list[str]:
    told = [
        "## Other effects",
        "",
        "| effect | seed | RQ1 says | RQ2 says | RQ3 says | RQ1 | asked | shown |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for effect in VARIANTS:
        for seed in TRIED:
            if study := results.get(f"{effect}/{seed}"):
                said = " | ".join(study["claims"][question] for question in HEADLINES)
                cell = _cell(study["planted"][headline("RQ1")])
                shown = "yes" if right(effect, study) else "no"
                told.append(f"| {effect} | {seed} | {said} | {cell} | {RIGHT[effect]} | {shown} |")
    return told


def known(path: Path, code: str) -> dict[str, Study]:
    """Read the studies that were made with the same code."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(content["studies"]) if content.get("code_sha256") == code else {}


def keep(into: Path, results: Mapping[str, Study], code: str) -> None:
    """Write what is known so far: one planted effect on each line of the JSON."""
    content = {
        "version": placeproof.__version__,
        "code_sha256": code,
        "columns": ["planted", "estimate", "lower", "upper"],
        "studies": results,
    }
    text = json.dumps(content, indent=1, sort_keys=True)
    text = text.replace("[\n     ", "[").replace(",\n     ", ", ").replace("\n    ]", "]")
    path = into / "recovery.json"
    fresh = path.with_suffix(".json.new")
    fresh.write_text(text + "\n", encoding="utf-8", newline="\n")
    fresh.replace(path)


def main() -> int:
    """Make every study that is not known yet, write the results, and fail where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forces", type=int, default=len(COVERED), help="how many seeds of each")
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parent)
    options = parser.parse_args()
    wanted = [("default", seed) for seed in COVERED[: options.forces]]
    wanted += [(effect, seed) for effect in VARIANTS for seed in TRIED[: options.forces]]
    code = code_sha256()
    results = known(options.into / "recovery.json", code)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as workers:
        for number, (effect, seed) in enumerate(wanted, start=1):
            name, began = f"{effect}/{seed}", perf_counter()
            if name not in results:
                results[name] = workers.submit(one_study, effect, seed, code).result()
                keep(options.into, results, code)
                at = _cell(results[name]["planted"][headline("RQ1")])
                spent = perf_counter() - began
                print(f"{number}/{len(wanted)} {name}: RQ1 {at}, {spent:.0f} s", flush=True)
    told = page(results, code)
    (options.into / "recovery.md").write_text(told, encoding="utf-8", newline="\n")
    print(told)
    return 1 if failures(results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
