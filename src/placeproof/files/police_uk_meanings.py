"""What the crime types of data.police.uk say of a row, and what they leave open."""

import re
from collections.abc import Iterable

import polars as pl

ASB = "anti-social-behaviour"
ASB_TYPE = "Anti-social behaviour"
FLAGS = ("violence", "weapon", "robbery", "sexual", "police_generated")

# What a category of data.police.uk says of a row: (slug, violence, weapon, robbery, sexual,
# police_generated). None: it does not say. "Violence and sexual offences" mixes injury, no injury,
# stalking, harassment and sexual offences, and a weapon may stand behind several categories.
CATEGORIES: dict[str, tuple[str, bool | None, bool | None, bool | None, bool | None, bool]] = {
    ASB_TYPE: (ASB, False, None, False, False, False),
    "Bicycle theft": ("bicycle-theft", False, False, False, False, False),
    "Burglary": ("burglary", False, None, False, False, False),
    "Criminal damage and arson": ("criminal-damage-arson", False, None, False, False, False),
    "Drugs": ("drugs", False, False, False, False, True),
    "Other crime": ("other-crime", False, None, False, False, False),
    "Other theft": ("other-theft", False, False, False, False, False),
    "Possession of weapons": ("possession-of-weapons", False, True, False, False, True),
    "Public order": ("public-order", False, None, False, False, False),
    "Robbery": ("robbery", False, None, True, False, False),
    "Shoplifting": ("shoplifting", False, False, False, False, False),
    "Theft from the person": ("theft-from-the-person", False, False, False, False, False),
    "Vehicle crime": ("vehicle-crime", False, False, False, False, False),
    "Violence and sexual offences": ("violent-crime", None, None, False, None, False),
}


def meanings(types: Iterable[str]) -> pl.DataFrame:
    """
    One row per crime type: its slug and flags; a type that is not known says nothing.

    Parameters
    ----------
    types : iterable of str
        Crime types as they stand in the files.
    """
    made = []
    for name in types:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unknown"
        known = CATEGORIES.get(name, (slug, None, None, None, None, None))
        flags = dict(zip(FLAGS, known[1:], strict=True))
        made.append({"crime_type": name, "category": known[0], **flags})
    booleans = dict.fromkeys(FLAGS, pl.Boolean())
    return pl.DataFrame(
        made, schema={"crime_type": pl.String(), "category": pl.String(), **booleans}
    )


def unknown(rows: pl.DataFrame) -> dict[str, int]:
    """
    Crime types that are not known, with the number of their rows.

    Parameters
    ----------
    rows : DataFrame
        With `crime_type`.
    """
    types = rows["crime_type"]
    strange = types.filter(~types.is_in(list(CATEGORIES)))
    return dict(strange.value_counts().sort("crime_type").iter_rows())
