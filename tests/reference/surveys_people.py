"""Writes surveys_people.csv: invented people for the references of the survey room."""

from pathlib import Path

import numpy as np
import polars as pl

rng = np.random.default_rng(20210719)
people = 400
area = rng.integers(0, 12, people)
lean = rng.normal(0, 0.6, 12)[area]
yes = (rng.random(people) < 1 / (1 + np.exp(-lean))).astype(int)
trait = rng.normal(lean, 1)
items = np.clip(np.round(3 + trait[:, None] + rng.normal(0, 0.8, (people, 3))), 1, 5).astype(int)
# Group c lives in three areas only, so its degrees of freedom are not those of the design.
group = np.where((area < 3) & (rng.random(people) < 0.5), "c", rng.choice(["a", "b"], people))


def holed(values: np.ndarray, share: float) -> list[int | None]:
    """Values with some answers missing."""
    gone = rng.random(people) < share
    return [None if blank else int(value) for value, blank in zip(values, gone, strict=True)]


pl.DataFrame(
    {
        "area": [f"H{number:02d}" for number in area],
        "group": group,
        "weight": np.round(rng.gamma(3, 1, people), 3),
        "yes": holed(yes, 0.05),
        "score": holed(items[:, 0], 0.08),
        "item1": holed(items[:, 0], 0.04),
        "item2": holed(items[:, 1], 0.04),
        "item3": holed(items[:, 2], 0.04),
    }
).write_csv(Path(__file__).with_name("surveys_people.csv"))
