"""Places in people's words: matched to the names that a study knows, or left without a place."""

import difflib
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

ALIKE = 0.8
"""Words less alike than this (1: the same letters) are different words, and no spelling mistake."""
SHORTEST_MISSPELT = 4
"""Shorter words have to be the same."""

_LITTLE_WORDS = frozenset(
    {
        "a", "an", "and", "at", "behind", "by", "close", "from", "in", "inside", "into", "near",
        "next", "nr", "of", "off", "on", "opposite", "our", "outside", "the", "to", "was",
    }
)  # fmt: skip
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Name:
    """One name that people use, and where it lies."""

    words: str
    place_id: str | None
    """The place that holds it; None: in none of the study's places."""


def matches(
    texts: Sequence[str | None],
    names: Sequence[Name],
    *,
    least_confidence: float,
    least_margin: float,
) -> pl.DataFrame:
    """
    Say which name each text speaks of, where that is sure enough.

    The confidence of a name is the share of its words that the text holds, each word weighing more
    the fewer names hold it, and a misspelt word less than a right one: "Mill Lane car park" says
    little by "lane" and much by "mill". A text that speaks of two places is sure of neither.

    Parameters
    ----------
    texts : sequence of str or None
        Places in people's own words.
    names : sequence of Name
        What the study knows. Several names may lie in one place.
    least_confidence : float
        Least confidence, from 0 to 1, with which a text is given a place.
    least_margin : float
        By how much the best name must lead the best name of any other place.

    Returns
    -------
    DataFrame
        One row per text, in their order, without the text: `status` (matched, ambiguous, unknown,
        blank), `place_id` (of a matched name; null: it lies in none of the study's places),
        `confidence` of the best name.
    """
    weights = _weights(names)
    known = [(_words(name.words), name.place_id) for name in names]
    spelt: dict[str, dict[str, float]] = {}
    told: dict[str, tuple[str, str | None, float]] = {}
    for text in dict.fromkeys(text for text in texts if text is not None):
        told[text] = _best(
            _words(text), known, weights, spelt, sure=least_confidence, lead=least_margin
        )
    rows = [("blank", None, 0.0) if text is None else told[text] for text in texts]
    schema = {"status": pl.String, "place_id": pl.String, "confidence": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _words(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", text.replace("'", "").replace("\u2019", "")).casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    found = dict.fromkeys(_WORD.findall(letters))
    return tuple(word for word in found if word not in _LITTLE_WORDS)


def _weights(names: Sequence[Name]) -> dict[str, float]:
    """How much each word tells: the logarithm of how few names hold it."""
    places: dict[str, set[str]] = {}
    for name in names:
        for word in _words(name.words):
            places.setdefault(word, set()).add(name.words)
    every = len({name.words for name in names})
    return {word: math.log(1 + every / len(held)) for word, held in places.items()}


def _best(
    words: Sequence[str],
    known: Sequence[tuple[tuple[str, ...], str | None]],
    weights: Mapping[str, float],
    spelt: dict[str, dict[str, float]],
    *,
    sure: float,
    lead: float,
) -> tuple[str, str | None, float]:
    if not words:
        return ("blank", None, 0.0)
    alike: dict[str, float] = {}
    for word in words:
        if word not in spelt:
            spelt[word] = _alike(word, weights)
        for other, degree in spelt[word].items():
            alike[other] = max(alike.get(other, 0.0), degree)
    scores: dict[tuple[bool, str | None, tuple[str, ...]], float] = {}
    for name, place in known:
        total = sum(weights[word] for word in name)
        if total > 0:
            # Names in no place are places of their own: each competes with all others.
            key = (place is None, place, name if place is None else ())
            score = sum(weights[word] * alike.get(word, 0.0) for word in name) / total
            scores[key] = max(scores.get(key, 0.0), score)
    ordered = sorted(scores.items(), key=lambda part: (-part[1], str(part[0])))
    if not ordered or ordered[0][1] < sure:
        return ("unknown", None, ordered[0][1] if ordered else 0.0)
    (_, place, _), confidence = ordered[0]
    if len(ordered) > 1 and confidence - ordered[1][1] < lead:
        return ("ambiguous", None, confidence)
    return ("matched", place, confidence)


def _alike(word: str, vocabulary: Mapping[str, float]) -> dict[str, float]:
    """Known words that a word may be, with how alike they are."""
    if word in vocabulary:
        return {word: 1.0}
    if len(word) < SHORTEST_MISSPELT:
        return {}
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(word)
    found = {}
    for other in vocabulary:
        if len(other) < SHORTEST_MISSPELT or abs(len(other) - len(word)) > 2:
            continue
        matcher.set_seq1(other)
        if matcher.quick_ratio() >= ALIKE and (degree := matcher.ratio()) >= ALIKE:
            found[other] = degree
    return found
