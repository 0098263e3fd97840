"""Invented offences: codes, what they are, and how each class of event divides into them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

CLASSES = (
    "serious",
    "minor_violence",
    "acquisitive",
    "indoors",
    "burglary",
    "activity",
    "sexual",
    "asb",
)
GROUP = {
    "serious": "serious",
    "minor_violence": "other",
    "acquisitive": "other",
    "indoors": "none",
    "burglary": "none",
    "activity": "activity",
    "sexual": "none",
    "asb": "asb",
}
"""Class to the group of effects that acts on it; indoors, burglary and sexual are never touched."""

RATE_PER_WEEK = {
    "serious": 1.25,
    "minor_violence": 0.45,
    "acquisitive": 1.45,
    "indoors": 0.35,
    "burglary": 0.34,
    "activity": 0.22,
    "sexual": 0.07,
    "asb": 1.70,
}
"""Mean of a busy place, inside its outline."""

ELSEWHERE_PER_WEEK = {
    "serious": 10.0,
    "minor_violence": 8.0,
    "acquisitive": 66.0,
    "indoors": 335.0,
    "burglary": 36.0,
    "activity": 8.0,
    "sexual": 7.0,
    "asb": 50.0,
}
"""All towns and farms together, outside the busy places and their rings."""

OFFENCES: tuple[tuple[str, str, str, str], ...] = (
    ("N01", "Wounding with intent", "Violence with injury", "violence injury"),
    ("N02", "Assault occasioning harm", "Violence with injury", "violence injury"),
    ("N03", "Assault with a blade", "Violence with injury", "violence injury weapon knife"),
    ("N04", "Threat with a weapon", "Weapon offences", "violence weapon"),
    ("N05", "Robbery of a person", "Robbery", "robbery"),
    ("N06", "Robbery with a blade", "Robbery", "robbery weapon knife"),
    ("N10", "Common assault", "Violence without injury", "violence"),
    ("N11", "Harassment", "Violence without injury", "violence"),
    ("N20", "Theft from a person", "Theft", ""),
    ("N21", "Shoplifting", "Theft", ""),
    ("N22", "Other theft", "Theft", ""),
    ("N23", "Bicycle theft", "Theft", ""),
    ("N24", "Theft from a vehicle", "Vehicle crime", ""),
    ("N25", "Criminal damage", "Criminal damage", ""),
    ("N26", "Public order", "Public order", ""),
    ("N30", "Burglary of a dwelling", "Burglary", ""),
    ("N40", "Possession of drugs", "Drugs", "police_generated"),
    ("N41", "Possession of a blade", "Possession of weapons", "weapon knife police_generated"),
    ("N50", "Sexual assault", "Sexual offences", "sexual"),
)
"""Code, label, group in the export's words, and the contract columns that are true of it."""

FLAGS = ("violence", "injury", "weapon", "knife", "robbery", "sexual", "police_generated")


@dataclass(frozen=True)
class Kind:
    """One way in which an event of a class can be recorded."""

    of_class: str
    code: str
    share: float
    where: str
    domestic: bool = False

    @property
    def public_place(self) -> bool:
        """Whether it happened in a public place."""
        return self.where != "Dwelling"


KINDS_OF_EVENT: tuple[Kind, ...] = (
    Kind("serious", "N01", 0.10, "Street"),
    Kind("serious", "N02", 0.52, "Street"),
    Kind("serious", "N03", 0.08, "Street"),
    Kind("serious", "N04", 0.06, "Park"),
    Kind("serious", "N05", 0.18, "Street"),
    Kind("serious", "N06", 0.06, "Street"),
    Kind("minor_violence", "N10", 0.70, "Street"),
    Kind("minor_violence", "N11", 0.30, "Bus station"),
    Kind("acquisitive", "N20", 0.14, "Street"),
    Kind("acquisitive", "N21", 0.26, "Shop"),
    Kind("acquisitive", "N22", 0.16, "Street"),
    Kind("acquisitive", "N23", 0.08, "Street"),
    Kind("acquisitive", "N24", 0.10, "Car park"),
    Kind("acquisitive", "N25", 0.14, "Street"),
    Kind("acquisitive", "N26", 0.12, "Street"),
    Kind("indoors", "N02", 0.36, "Dwelling", domestic=True),
    Kind("indoors", "N01", 0.05, "Dwelling", domestic=True),
    Kind("indoors", "N03", 0.03, "Dwelling"),
    Kind("indoors", "N02", 0.12, "Dwelling"),
    Kind("indoors", "N10", 0.24, "Dwelling", domestic=True),
    Kind("indoors", "N11", 0.12, "Dwelling"),
    Kind("indoors", "N02", 0.08, "Street", domestic=True),
    Kind("burglary", "N30", 1.00, "Dwelling"),
    Kind("activity", "N40", 0.88, "Street"),
    Kind("activity", "N41", 0.12, "Street"),
    Kind("sexual", "N50", 0.40, "Street"),
    Kind("sexual", "N50", 0.60, "Dwelling"),
    Kind("asb", "Personal", 0.28, "Street"),
    Kind("asb", "Nuisance", 0.60, "Street"),
    Kind("asb", "Environmental", 0.12, "Street"),
)


def shares(of_class: str) -> tuple[np.ndarray, np.ndarray]:
    """
    Indices in `KINDS_OF_EVENT` of one class, and their shares, which sum to 1.

    Parameters
    ----------
    of_class : str
        One of `CLASSES`.
    """
    index = [i for i, kind in enumerate(KINDS_OF_EVENT) if kind.of_class == of_class]
    share = np.array([KINDS_OF_EVENT[i].share for i in index])
    return np.array(index), share / share.sum()


def kinds_table() -> pl.DataFrame:
    """One row per kind of crime in contract columns, with its class and share (no disorder)."""
    flags = {code: words.split() for code, _, _, words in OFFENCES}
    rows = [
        {
            "of_class": kind.of_class,
            "share": kind.share,
            "offence_code": kind.code,
            **{flag: flag in flags[kind.code] for flag in FLAGS},
            "domestic": kind.domestic,
            "public_place": kind.public_place,
            "category": next(o[2] for o in OFFENCES if o[0] == kind.code),
        }
        for kind in KINDS_OF_EVENT
        if kind.of_class != "asb"
    ]
    return pl.DataFrame(rows)


HARM_DAYS: dict[str, tuple[float, float]] = {
    "N01": (900, 1100), "N02": (20, 30), "N03": (900, 1000), "N04": (60, 40), "N05": (365, 365),
    "N06": (550, 700), "N10": (1, 2), "N11": (10, 5), "N20": (2, 2), "N21": (1, 1),
    "N22": (2, 1), "N24": (2, 2), "N25": (2, 2), "N26": (1, 1), "N30": (20, 19),
    "N40": (5, 5), "N41": (15, 30), "N50": (350, 500),
}  # fmt: skip
"""Invented days of harm of each offence, in an edition and the one before; bicycles are missing."""


def harm_table() -> pl.DataFrame:
    """An invented harm index in two editions, for `harm_index.csv`."""
    return pl.DataFrame(
        [
            {"Offence Code": code, "Days 2026": new, "Days 2023": old}
            for code, (new, old) in HARM_DAYS.items()
        ]
    )


def code_table() -> pl.DataFrame:
    """The force's own list of offence codes, for `offence_codes.csv`."""
    return pl.DataFrame(
        [
            {"offence_code": code, "description": label, "category": category}
            | {flag: "true" if flag in words.split() else "false" for flag in FLAGS}
            for code, label, category, words in OFFENCES
        ]
    )
