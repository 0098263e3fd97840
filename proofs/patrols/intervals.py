"""Which usual interval, added to each visit, mends the time that pings do not show.

`python proofs/patrols/intervals.py` invents stays of known length in one place, pings that come
regularly or not, of which some are lost, and compares four additions: nothing, the mean gap, the
median gap, and what the path `order_free` adds: the gap in which a random moment lies
(Σ gap² / Σ gap), of gaps in whole seconds, at most 1.5 usual intervals. Keeps `intervals.json` and
`intervals.md`; ends with 1 if, at up to a ping a minute, the minutes are wrong by more than 2 %
beyond their Monte Carlo error with a longest gap of 3.5 intervals, or of 2.5 where pings do not
both jitter and get lost (2.5 % where they do), or if the usual interval is wrong by more than a
twentieth.
"""

import json
import sys
from pathlib import Path

import numpy as np

from placeproof.patrols.cadence import unseen_s, usual_interval_s

HERE = Path(__file__).resolve().parent
STAYS = 20_000
SEED = 20242
LARGEST_BIAS, LARGEST_WITH_BOTH, LARGEST_OF_INTERVAL = 0.02, 0.025, 0.05


def bias(
    interval_s: float, lost: float, jitter: float, gaps: float, rng: np.random.Generator
) -> dict[str, float]:
    """Share of the true minutes by which each estimate is wrong; stays last 12 minutes or so."""
    longest = max(90.0, gaps * interval_s)
    truth, seen, visits = np.zeros(STAYS), np.zeros(STAYS), np.zeros(STAYS)
    found, whole_seconds = [], []
    for n in range(STAYS):
        truth[n] = rng.gamma(4, 180)
        at = (np.arange(-2, truth[n] / interval_s + 3) + rng.random()) * interval_s
        at = np.sort(at + rng.normal(0, jitter * interval_s, len(at)))
        at = at[(at >= 0) & (at <= truth[n]) & (rng.random(len(at)) >= lost)]
        if not len(at):
            continue
        gap = np.diff(at)
        visits[n] = 1 + (gap > longest).sum()
        found.append(gap[gap <= longest])
        seen[n] = found[-1].sum()
        whole_seconds.append(np.diff(np.floor(at).astype(int))[gap <= longest])
    gap = np.concatenate(found)
    often = np.bincount(np.concatenate(whole_seconds))[None].astype(float)
    often[0, 0] = 0
    usual = usual_interval_s(often)
    added = {
        "raw": 0.0,
        "mean": float(gap.mean()),
        "median": float(np.median(gap)),
        "order_free": float(unseen_s(often, usual)[0][0]),
    }
    whole = truth.sum()
    result = {name: float((seen + visits * s).sum() / whole - 1) for name, s in added.items()}
    errors = seen + visits * added["order_free"] - truth
    result["standard_error"] = float(errors.std() * np.sqrt(STAYS) / whole)
    result["usual_interval_s"] = float(usual[0])
    return result


def main() -> int:
    """Simulate every case, keep, judge."""
    rows = []
    for number, (interval_s, lost, jitter, gaps) in enumerate(
        (interval_s, lost, jitter, gaps)
        for interval_s in (5, 10, 30, 60, 120, 300)
        for lost, jitter in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.2), (0.1, 0.2))
        for gaps in (1.5, 2.5, 3.5)
    ):
        rng = np.random.default_rng([SEED, number])
        found = bias(interval_s, lost, jitter, gaps, rng)
        rows.append(
            {"interval_s": interval_s, "lost": lost, "jitter": jitter, "longest_gap": gaps}
            | {name: round(value, 4) for name, value in found.items()}
        )
    (HERE / "intervals.json").write_text(
        json.dumps({"seed": SEED, "stays": STAYS, "rows": rows}, indent=1) + "\n", encoding="utf-8"
    )
    (HERE / "intervals.md").write_text(page(rows), encoding="utf-8")
    print(page(rows))
    wrong = [row for row in rows if row["interval_s"] <= 60 and broken(row)]
    print(*wrong, sep="\n")
    return int(bool(wrong))


def broken(row: dict[str, float]) -> bool:
    """Whether a promise is not kept."""
    with_both = row["lost"] and row["jitter"] and row["longest_gap"] < 3
    beyond = abs(row["order_free"]) - 2.576 * row["standard_error"]
    return row["longest_gap"] > 2 and (
        beyond > (LARGEST_WITH_BOTH if with_both else LARGEST_BIAS)
        or abs(row["usual_interval_s"] / row["interval_s"] - 1) > LARGEST_OF_INTERVAL
    )


def page(rows: list[dict[str, float]]) -> str:
    """The table as Markdown."""
    lines = [
        "# The interval that is added to a visit",
        "",
        f"{STAYS:,} invented stays of 12 minutes on average in each row, positions without error. "
        "Bias of the minutes with four additions, of which `order_free` is what `dwell_s` of that "
        "path holds; the last column is its `interval_s`. The longest gap is in intervals, at "
        "least 90 s.",
        "",
        "| ping every | lost | jitter | longest gap | raw | + mean | + median | `order_free` "
        "| usual interval |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        shares = (row[name] for name in ("raw", "mean", "median", "order_free"))
        lines.append(
            f"| {row['interval_s']} s | {row['lost']:.0%} | {row['jitter']:.0%} | "
            f"{row['longest_gap']} | "
            + " | ".join(f"{100 * s:+.1f} %" for s in shares)
            + f" | {row['usual_interval_s']:.1f} s |"
        )
    return "\n".join([*lines, "", "Made by `python proofs/patrols/intervals.py`.", ""])


if __name__ == "__main__":
    sys.exit(main())
