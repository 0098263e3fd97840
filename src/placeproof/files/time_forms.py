"""Which forms a column of times can have, with the evidence that settles or leaves it open."""

from dataclasses import dataclass
from itertools import combinations

import polars as pl

MOMENT_FORMS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%dT%H:%M:%S%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%y %H:%M:%S",
    "%m/%d/%y %H:%M:%S",
    "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%m-%d-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%m-%d-%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M",
    "%d %b %Y %H:%M",
    "%d/%m/%Y %I:%M %p",
    "%m/%d/%Y %I:%M %p",
)
DAY_FORMS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%Y%m%d",
)
MONTH_FORMS = ("%Y-%m", "%m/%Y", "%b %Y", "%b-%y")
ALWAYS_READ = frozenset(
    form for form in (*MOMENT_FORMS, *DAY_FORMS, *MONTH_FORMS) if form.startswith("%Y-%m")
) - {"%Y-%m-%d %H:%M:%S%#z", "%Y-%m-%d %H:%M:%S%.f%#z"}
"""ISO 8601 forms, which are read without being named; an offset of hours only is not one."""

_EPOCH_S = (631_152_000, 4_102_444_800)  # 1990 to 2100


@dataclass(frozen=True)
class TimeForms:
    """
    The forms in which every value of a column can be read.

    Parameters
    ----------
    candidates : tuple of str
        Formats that read the most values; one: settled, several: open, none: not a time.
    share : float
        Share of values that they read.
    has_time : bool
        Whether the form holds a time of day.
    has_zone : bool
        Whether the form states its zone (Z, an offset, or seconds since 1970).
    evidence : str
        In words, with a row number and no value.
    """

    candidates: tuple[str, ...]
    share: float
    has_time: bool
    has_zone: bool
    evidence: str


def forms(values: pl.Series, *, first_row: int = 2) -> TimeForms:
    """
    Try every known form on a column of text.

    Parameters
    ----------
    values : Series of String
        In the order of the file; null where blank.
    first_row : int
        Row of the first value, counted as a spreadsheet does.

    Returns
    -------
    TimeForms
        Two candidates where day and month can stand either way round in every value.
    """
    rows = pl.DataFrame({"row": range(first_row, first_row + len(values)), "text": values})
    known = rows.with_columns(pl.col("text").str.strip_chars()).drop_nulls("text")
    if known.is_empty():
        return TimeForms((), 0.0, False, False, "the column is blank")
    epoch = _epoch(known)
    if epoch is not None:
        return epoch
    tried = [
        (kind, form, _reads(known["text"], form, kind))
        for kind, group in (("moment", MOMENT_FORMS), ("day", DAY_FORMS), ("month", MONTH_FORMS))
        for form in group
    ]
    best = max(int(reads.sum()) for _, _, reads in tried)
    if best < 0.5 * known.height:
        return TimeForms((), best / known.height, False, False, "few values look like times")
    fitting = [(kind, form, reads) for kind, form, reads in tried if int(reads.sum()) == best]
    # "…Z" is read by the general offset form as well: the first that fits says it best.
    candidates = _distinct([form for _, form, _ in fitting])
    kinds = {kind for kind, form, _ in fitting if form in candidates}
    return TimeForms(
        candidates=candidates,
        share=best / known.height,
        has_time="moment" in kinds,
        has_zone=any(form.endswith(("Z", "z")) for form in candidates),
        evidence=_evidence(known, tried, candidates),
    )


def _reads(text: pl.Series, form: str, kind: str) -> pl.Series:
    if kind == "moment":
        read = text.str.to_datetime(form, strict=False, time_zone="UTC" if "z" in form else None)
        return read.is_not_null() & read.dt.year().is_between(1950, 2100)
    day = text + "-01" if kind == "month" else text
    read_day = day.str.to_date(form + "-%d" if kind == "month" else form, strict=False)
    return (read_day.is_not_null() & read_day.dt.year().is_between(1900, 2100)).fill_null(False)


def _epoch(known: pl.DataFrame) -> TimeForms | None:
    numbers = known["text"].cast(pl.Float64, strict=False)
    if numbers.null_count():
        return None
    for form, factor in (("epoch_s", 1), ("epoch_ms", 1000)):
        low, high = (bound * factor for bound in _EPOCH_S)
        if bool(numbers.is_between(low, high).all()):
            unit = "milliseconds" if factor == 1000 else "seconds"
            return TimeForms((form,), 1.0, True, True, f"whole numbers of {unit} since 1970")
    return None


def _distinct(candidates: list[str]) -> tuple[str, ...]:
    """Forms that give different times; of forms that agree the first is kept."""
    kept: list[str] = []
    for form in candidates:
        same = [other for other in kept if _order(other) == _order(form)]
        if not same:
            kept.append(form)
    return tuple(kept)


def _order(form: str) -> tuple[str, ...]:
    """The order of year, month and day, which alone decides what a date means."""
    marks = [part[0] for part in form.split("%")[1:]]
    return tuple(mark.lower() for mark in marks if mark in "YymdbB")


def _evidence(
    known: pl.DataFrame, tried: list[tuple[str, str, pl.Series]], candidates: tuple[str, ...]
) -> str:
    if len(candidates) > 1:
        return "day and month can stand either way round in every value: no day is above 12"
    reads = {form: read for _, form, read in tried}
    (chosen,) = candidates
    for one, other in combinations(reads, 2):
        pair = {one, other}
        if chosen in pair and _swapped(one) == other:
            rival = (pair - {chosen}).pop()
            settles = known.filter(reads[chosen] & ~reads[rival])
            if settles.height:
                return (
                    f"{settles.height} values, the first in row {settles['row'][0]}, "
                    f"can only be read this way"
                )
    return "no other known form reads the values"


def _swapped(form: str) -> str:
    return form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def london_gap_rows(values: pl.Series, form: str, *, first_row: int = 2) -> list[int]:
    """
    Rows whose time does not exist in London: the hour skipped when summer time begins.

    Parameters
    ----------
    values : Series of String
        Times without a zone.
    form : str
        Their format.
    first_row : int
        Row of the first value, counted as a spreadsheet does.

    Returns
    -------
    list of int
        Row numbers; any is evidence that the times are not London time.
    """
    local = values.str.strip_chars().str.to_datetime(form, strict=False)
    placed = local.dt.replace_time_zone("Europe/London", ambiguous="earliest", non_existent="null")
    lost = local.is_not_null() & placed.is_null()
    return [int(at) + first_row for at in lost.arg_true()]
