"""Groups of respondents that are never mixed, each with its weights and its areas as clusters."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from placeproof.surveys.linearised import Bools, Floats, Ints
from placeproof.surveys.measures import Measure

POPULATIONS = {"resident": "residents", "business": "businesses", "user": "users of the place"}
"""Population of table `response`, and what readers call it."""

SAMPLING = {
    "fieldworker": ("fieldworker",),
    "volunteer": ("poster", "link", "kiosk", "paper"),
}
"""How people came to answer, and the modes that belong to it. Fieldworkers chose whom to ask;
everyone else chose to answer."""

_SAMPLING_LABEL = {"fieldworker": "met by fieldworkers", "volunteer": "volunteers"}


@dataclass(frozen=True)
class Design:
    """People of one population who came to answer in one way.

    Attributes
    ----------
    population, label : str
        As in table `response`, and in words.
    sampling : str
        fieldworker or volunteer.
    people : DataFrame
        Table `response` of these people, with `confidence_scale`.
    weights : array, shape (people,)
        Base weights where every one of these people has one, otherwise 1.
    weighting : str
        weighted, unweighted, or unweighted volunteers.
    areas : array of int, shape (people,)
        Number of the area of each.
    modes : str
        Modes that occur, separated by blanks.
    """

    population: str
    label: str
    sampling: str
    people: pl.DataFrame
    weights: Floats
    weighting: str
    areas: Ints
    modes: str

    def values(self, measure: Measure) -> Floats:
        """Answers as numbers, nan where there is none."""
        return self.people.select(measure.value.alias("value"))["value"].to_numpy().astype(float)

    def answered(self, measure: Measure) -> Bools:
        """Who answered."""
        return ~np.isnan(self.values(measure))

    def category(self, variable: str) -> list[str | None]:
        """Category of each person."""
        return self.people[variable].to_list()


def designs(people: pl.DataFrame) -> list[Design]:
    """
    Split people into groups that are analysed apart: by population, and by how they were reached.

    Parameters
    ----------
    people : table `response` with `confidence_scale`
        Eligible people who speak of an area of the study. Not modified.

    Returns
    -------
    list of Design
        Only groups that hold somebody: residents, businesses, users; fieldworkers first.
    """
    return [
        _design(group, population, sampling)
        for population in POPULATIONS
        for sampling, modes in SAMPLING.items()
        if not (
            group := people.filter(pl.col("population") == population, pl.col("mode").is_in(modes))
        ).is_empty()
    ]


def _design(group: pl.DataFrame, population: str, sampling: str) -> Design:
    weighted = group["base_weight"].null_count() == 0
    weighting = "weighted" if weighted else "unweighted"
    if not weighted and sampling == "volunteer":
        weighting = "unweighted volunteers"
    return Design(
        population=population,
        label=f"{POPULATIONS[population]}, {_SAMPLING_LABEL[sampling]}",
        sampling=sampling,
        people=group,
        weights=group["base_weight"].to_numpy() if weighted else np.ones(group.height),
        weighting=weighting,
        areas=group["hotspot_id"].rank("dense").cast(pl.Int64).to_numpy(),
        modes=" ".join(sorted(group["mode"].unique())),
    )
