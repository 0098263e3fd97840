"""A claim in words, "ASB down 15.2 % April-September 2024 against 2023", read into its parts."""

import calendar as months_of
import re
from dataclasses import dataclass
from datetime import date, timedelta

from placeproof.definitions import Outcome
from placeproof.errors import InputError

EXAMPLE = '"ASB down 15.2 % April-September 2024 against 2023"'

_DOWN = r"down|fell|falls?|fallen|reduc\w+|decreas\w+|lower|drop\w*|cut|less|fewer|declin\w+"
_UP = r"up|rose|rises?|risen|increas\w+|higher|grew|grown|more|growth"
_AGAINST = re.compile(
    r"\b(?:against|compared (?:with|to)|versus|vs\.?|relative to|than|on) (?:the )?"
    r"(?=(?:same|year|previous|last|a year|\w+ |\d{4}))",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"([-−–+])?\s*(\d+(?:[.,]\d+)?)\s*(?:%|per ?cent\b|pct\b)", re.IGNORECASE)
_MONTHS = {name.lower(): n for n, name in enumerate(months_of.month_name) if n} | {
    name.lower(): n for n, name in enumerate(months_of.month_abbr) if n
} | {"sept": 9}  # fmt: skip
_NAME = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_TO = r"\s*(?:-|–|—|to|until|through|and)\s*"
_YEAR = r"(?:19|20)\d{2}"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"({_NAME})\s+({_YEAR}){_TO}({_NAME})\s+({_YEAR})",
        rf"({_NAME}){_TO}({_NAME})\s+({_YEAR})",
        rf"({_NAME})\s+({_YEAR})",
        rf"\b({_YEAR})\s*/\s*(\d{{2}}|{_YEAR})\b",
        rf"\b({_YEAR})\b",
    )
)
_A_YEAR_EARLIER = re.compile(
    r"same (?:period|months|time|quarter)|year before|year earlier|previous year|last year|"
    r"12 months (?:before|earlier)",
    re.IGNORECASE,
)
_SHORT = {
    "asb": "anti-social behaviour",
    "antisocial": "anti-social",
    "knife crime": "knife",
    "crime": "all crime",
}
_NO_MEANING = {"in", "of", "the", "and", "or", "not", "all", "recorded", "any", "without", "with"}


@dataclass(frozen=True)
class Window:
    """Whole months, the first and the last day of them."""

    first: date
    last: date

    def earlier(self, years: int) -> "Window":
        """The same months some years before."""
        last = date(self.last.year - years, self.last.month, 1)
        return Window(self.first.replace(year=self.first.year - years), _end(last))

    def words(self) -> str:
        """As a person writes it."""
        first, last = (f"{day:%B %Y}" for day in (self.first, self.last))
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True)
class Claim:
    """What is claimed: a change of an outcome between two windows."""

    text: str
    change: float | None
    """As a share: -0.152 for "down 15.2 %"; None: the words give no figure."""
    decimals: int
    """Decimals of the figure in per cent."""
    now: Window
    then: Window


_MONTHS_OF = re.compile(r"(\d{4})-(\d{2})(?:\.\.(\d{4})-(\d{2}))?")


def window_of(text: str | None) -> Window | None:
    """
    Read a window that was typed as months.

    Parameters
    ----------
    text : str or None
        "2024-04..2024-09", or one month.

    Returns
    -------
    Window or None
        None for None.

    Raises
    ------
    InputError
        If it is something else, or runs backwards.
    """
    if text is None:
        return None
    found = _MONTHS_OF.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        first = date(int(found[1]), int(found[2]), 1)
        last = date(int(found[3]), int(found[4]), 1) if found[3] else first
        if last < first:
            raise ValueError
    except ValueError:
        raise InputError(
            f"{text!r} is no window of months.", mend="write it as 2024-04..2024-09"
        ) from None
    return Window(first, _end(last))


def read_claim(text: str, *, now: Window | None, then: Window | None) -> Claim:
    """
    Read the figure and the two windows of a claim.

    Parameters
    ----------
    text : str
        The claim, in English.
    now, then : Window or None
        Windows that the user names; None: they are read from the words.

    Returns
    -------
    Claim
        Without words for the earlier window it is the same months a year before.

    Raises
    ------
    InputError
        If no window can be read, windows overlap, or the figure has no direction.
    """
    parts = _AGAINST.split(text, maxsplit=1)
    said, against = parts[0], parts[1] if len(parts) > 1 else ""
    later = now or _window(said)
    if later is None:
        raise InputError(
            f"no months are named in the claim {text!r}.",
            mend=f"name them, as in {EXAMPLE}, or give --now 2024-04..2024-09",
        )
    earlier = then or _then(against, later)
    if earlier.first <= later.last and later.first <= earlier.last:
        raise InputError(
            f"the claim compares {later.words()} with {earlier.words()}, which overlap.",
            mend="name two windows that share no month",
        )
    change, decimals = _figure(text)
    return Claim(text, change, decimals, later, earlier)


def _figure(text: str) -> tuple[float | None, int]:
    found = _PERCENT.search(text)
    if found is None:
        return None, 0
    figure = found[2].replace(",", ".")
    decimals = len(figure.partition(".")[2])
    down = bool(re.search(rf"\b(?:{_DOWN})\b", text, re.IGNORECASE)) or found[1] in {"-", "−", "–"}
    up = bool(re.search(rf"\b(?:{_UP})\b", text, re.IGNORECASE)) or found[1] == "+"
    if down == up:
        raise InputError(
            f"the claim {text!r} does not say whether {found[0].strip()} is a fall or a rise.",
            mend=f"write down or up before the figure, as in {EXAMPLE}",
        )
    return float(figure) / 100 * (-1 if down else 1), decimals


def _window(words: str) -> Window | None:
    for kind, form in enumerate(_FORMS):
        found = form.search(words)
        if found:
            return _of_form(kind, found)
    return None


def _of_form(kind: int, found: re.Match[str]) -> Window:
    if kind == 0:
        return _span(found[1], int(found[2]), found[3], int(found[4]))
    if kind == 1:
        first, last = _month(found[1]), _month(found[2])
        return _span(found[1], int(found[3]) - (first > last), found[2], int(found[3]))
    if kind == 2:
        return _span(found[1], int(found[2]), found[1], int(found[2]))
    year = int(found[1])
    if kind == 3:
        return Window(date(year, 4, 1), date(year + 1, 3, 31))
    return Window(date(year, 1, 1), date(year, 12, 31))


def _then(words: str, later: Window) -> Window:
    if not words or _A_YEAR_EARLIER.search(words):
        return later.earlier(1)
    found = _window(words)
    if found is None:
        return later.earlier(1)
    whole_year = found.first.month == 1 and found.last.month == 12
    if whole_year and found.first.year == found.last.year and later.last.year > found.first.year:
        # "against 2023" beside months of 2024 means the same months of 2023.
        return later.earlier(later.last.year - found.first.year)
    return found


def _month(name: str) -> int:
    return _MONTHS[name.lower().rstrip(".")]


def _span(first: str, first_year: int, last: str, last_year: int) -> Window:
    start, end = date(first_year, _month(first), 1), date(last_year, _month(last), 1)
    if end < start:
        raise InputError(
            f"the claim names months from {start:%B %Y} to {end:%B %Y}, which run backwards.",
            mend="name the earlier month first",
        )
    return Window(start, _end(end))


def _end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def meant_outcome(text: str, known: list[Outcome], *, primary_first: list[str]) -> Outcome:
    """
    Find the outcome that a claim speaks of.

    Parameters
    ----------
    text : str
        The claim.
    known : list of Outcome
        Outcomes that were counted.
    primary_first : list of str
        Ids in the order in which ties are settled: those of the plan's headlines first.

    Returns
    -------
    Outcome
        The one whose label shares most words with the claim; among those one that the claim names
        in full, then the first in order.

    Raises
    ------
    InputError
        If no outcome shares a word with the claim.
    """
    said = text.lower()
    for short, words in _SHORT.items():
        said = re.sub(rf"\b{short}\b", words, said)
    spoken = _words(said)
    order = {name: place for place, name in enumerate(primary_first)}

    def fit(outcome: Outcome) -> tuple[int, bool, int]:
        words = _words(outcome.label.lower())
        shared = len(words & spoken)
        return shared, shared == len(words), -order.get(outcome.id, len(order))

    exact = [o for o in known if re.search(rf"\b{re.escape(o.id)}\b", said)]
    best = exact[0] if exact else max(known, key=fit, default=None)
    if best is None or (not exact and not fit(best)[0]):
        names = "; ".join(f"{outcome.id} ({outcome.label})" for outcome in known)
        raise InputError(
            f"no counted outcome is named in the claim {text!r}. Counted were: {names}.",
            mend="name one of them with --outcome",
        )
    return best


def _words(text: str) -> set[str]:
    text = text.replace("(data.police.uk)", "")
    found = (_singular(word) for word in re.findall(r"[a-z]+(?:-[a-z]+)*", text))
    return {word for word in found if word not in _NO_MEANING}


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
