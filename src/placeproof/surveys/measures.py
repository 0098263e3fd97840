"""What is asked, which question of the study it speaks to, and how an answer becomes a number."""

from dataclasses import dataclass

import polars as pl

CONFIDENCE_ITEMS = (
    "confidence_effective",
    "confidence_fair",
    "confidence_engaged",
    "confidence_legitimate",
    "confidence_overall",
)
"""The items of the confidence scale; all run so that a higher answer is more confidence."""


@dataclass(frozen=True)
class Measure:
    """One way to read one item of the questionnaire.

    Attributes
    ----------
    outcome, label : str
        Identifier, and the words for a reader.
    question : str
        Research question.
    column : str
        Column of table `response`, or `confidence_scale`.
    at_least : int or None
        The share of people who answered this or higher; None: the mean, or a share of yes.
    unit : str
        Unit of the estimate.
    headline : bool
        Whether it carries its question and is split by subgroup.
    """

    outcome: str
    label: str
    question: str
    column: str
    unit: str
    at_least: int | None = None
    headline: bool = False
    split: bool = True

    @property
    def share(self) -> bool:
        """Whether the estimate is a share of people."""
        return self.unit == "share"

    @property
    def value(self) -> pl.Expr:
        """The answer as a number; null where there is none."""
        answer = pl.col(self.column)
        return (answer if self.at_least is None else answer >= self.at_least).cast(pl.Float64)


def _confidence(item: str, words: str) -> tuple[Measure, Measure]:
    column = f"confidence_{item}"
    return (
        Measure(column, f"Agree: {words}", "RQ7", column, "share", 4, headline=item == "overall"),
        Measure(f"{column}_mean", f"Mean answer: {words}", "RQ7", column, "scale 1-5", split=False),
    )


MEASURES: tuple[Measure, ...] = (
    Measure(
        "aware_unprompted",
        "Named the patrols before they were mentioned",
        "RQ4",
        "aware_unprompted",
        "share",
        headline=True,
    ),
    Measure(
        "aware_prompted",
        "Knew of the patrols once they were mentioned",
        "RQ4",
        "aware_prompted",
        "share",
    ),
    Measure("patrols_ever_seen", "Have seen patrols at all", "RQ4", "patrols_seen", "share", 2),
    Measure(
        "patrols_seen_mean",
        "How often patrols are seen: 1 never, 6 more than once a day",
        "RQ4",
        "patrols_seen",
        "scale 1-6",
        split=False,
    ),
    Measure(
        "crime_belief_mean",
        "How much crime people believe there is: 1 very little, 5 very much",
        "RQ4",
        "crime_belief",
        "scale 1-5",
    ),
    Measure(
        "patrols_effective",
        "Agree that patrols reduce crime here",
        "RQ5",
        "patrol_effectiveness",
        "share",
        4,
        headline=True,
    ),
    Measure(
        "patrols_effective_mean",
        "Patrols reduce crime here: 1 strongly disagree, 5 strongly agree",
        "RQ5",
        "patrol_effectiveness",
        "scale 1-5",
        split=False,
    ),
    Measure(
        "over_policed", "Agree that the area is over-policed", "RQ5", "over_policed", "share", 4
    ),
    Measure("safe_by_day", "Feel safe by day (3 or 4 of 4)", "RQ6", "safety_day", "share", 3),
    Measure(
        "safe_in_evening",
        "Feel safe in the evening (3 or 4 of 4)",
        "RQ6",
        "safety_evening",
        "share",
        3,
    ),
    Measure(
        "safe_at_night",
        "Feel safe at night (3 or 4 of 4)",
        "RQ6",
        "safety_night",
        "share",
        3,
        headline=True,
    ),
    Measure(
        "asb_worried",
        "Worried about anti-social behaviour (3 or 4 of 4)",
        "RQ6",
        "asb_worry",
        "share",
        3,
    ),
    Measure(
        "asb_worry_mean",
        "Worry about anti-social behaviour: 1 not at all, 4 very",
        "RQ6",
        "asb_worry",
        "scale 1-4",
        split=False,
    ),
    *_confidence("overall", "confidence in the police overall"),
    *_confidence("effective", "police deal with what matters"),
    *_confidence("fair", "police treat everyone fairly"),
    *_confidence("engaged", "police listen"),
    *_confidence("legitimate", "police can be trusted"),
    Measure(
        "confidence_scale",
        "Confidence in the police, mean of the items: 1 least, 5 most",
        "RQ7",
        "confidence_scale",
        "scale 1-5",
    ),
)
"""Every reading of every item, in the order of the questions."""

SUBGROUPS: dict[str, tuple[str, ...]] = {
    "RQ8": ("age_band", "sex", "ethnicity", "disability"),
    "RQ9": ("hours_of_use",),
}
"""Variables by which answers are split, for each question that asks how answers vary."""
