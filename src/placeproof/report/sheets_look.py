"""What the sheets look like and say in every format: shades, titles, notes."""

from collections.abc import Mapping

from placeproof.report import style
from placeproof.report.sheets_contents import SheetContents
from placeproof.report.sheets_page import Page


def _towards(share: float) -> str:
    """The colour of a hot spot, thinned with paper."""
    parts = zip(_rgb(style.HOT_SPOT), _rgb(style.PAPER), strict=True)
    return "#" + "".join(
        f"{round(share * dark + (1 - share) * light):02X}" for dark, light in parts
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


SHADES: tuple[str, ...] = (style.WASH, *(_towards(share) for share in (0.14, 0.3, 0.5, 0.9)))
"""From no minute to over an hour, in rising darkness: grey paper keeps the order."""


def texts(contents: SheetContents) -> Mapping[str, object]:
    """
    Titles and notes of a sheet.

    Parameters
    ----------
    contents : SheetContents

    Returns
    -------
    mapping
        Name to words, or to the words of a table's head.
    """
    mean = f"Mean of {contents.weeks_shown - 1} weeks before"
    return {
        "stands_out": f"What stands out in the last {contents.weeks_back} weeks",
        "delivered": "Asked for and delivered",
        "measures": ["", "This week", "Week before", mean],
        "not_kept": "Windows that were not kept",
        "windows": ["Window", "Minutes", "What became of it", "Reason given"],
        "of": "of",
        "calendar": f"Minutes patrolled, last {contents.weeks_shown} weeks",
        "calendar_note": "Darker: 1, 16, 31 and 61 minutes or more.  ×: a window was missed.  "
        "–: not supplied.",
        "lengths": f"Length of visits, last {contents.weeks_back} weeks",
        "map": "Where routes came near",
        "bands": "Minutes patrolled this week, by hours",
        "crimes": "Recorded in the hot spot",
        "crimes_head": ["", "This week", "Week before", mean],
        "crimes_note": "Counts of single weeks move by chance: they do not show what patrols do.",
    }


def above(contents: SheetContents, page: Page) -> str:
    """
    Words above a sheet's title.

    Parameters
    ----------
    contents : SheetContents
    page : Page

    Returns
    -------
    str
    """
    known = page.place_id if page.place_id != page.name else ""
    return " · ".join(part for part in (contents.force, page.town, known) if part)


def foot(contents: SheetContents) -> str:
    """
    Words at the foot of every sheet.

    Parameters
    ----------
    contents : SheetContents

    Returns
    -------
    str
    """
    day = contents.cut_off
    return (
        f"Data up to {day.day} {day:%B %Y}. Days run from 06:00 to 05:59. By place and hours only: "
        "no sheet tells units or officers apart. For use inside the force."
    )


def alternatives(contents: SheetContents, page: Page) -> tuple[str, str]:
    """
    Words for those who do not see the drawings.

    Parameters
    ----------
    contents : SheetContents
    page : Page

    Returns
    -------
    (str, str)
        Of the lengths of visits and of the map.
    """
    lengths = (
        f"Bars: number of visits by length in steps of five minutes, with a line at "
        f"{contents.target_minutes:g} minutes. {page.histogram_words}"
    )
    return lengths, f"Map of the outline of {page.name}, north up. {page.drawing_words}"
