"""The scan of recording: monthly shares and delays, force-wide, and the steps in them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from placeproof.definitions import category_slug
from placeproof.panel.steps import MOST_STEPS, Step, Yardstick, largest_step, yardstick
from placeproof.tables import estimate

LEAST_SHARE = 0.01
"""Categories below this share of all rows are not scanned: a few rows would look like a step."""
LEAST_ROWS = 20
"""Fewest rows in a month for a share to be formed from it."""
FLAGS = ("domestic", "public_place", "weapon")
BESIDE_MONTHS = 6
"""Months on either side of a step whose shares are shown."""


@dataclass(frozen=True)
class Series:
    """One thing that is recorded month by month, force-wide."""

    series: str
    """Identifier."""
    label: str
    """In words."""
    months: tuple[date, ...]
    share: np.ndarray
    """(T,) share of rows, or hours for delays."""
    rows: np.ndarray
    """(T,) rows that it rests on."""
    kind: str
    """"share" or "hours"."""
    feeds: str

    @property
    def values(self) -> np.ndarray:
        """The series on the scale on which steps add up: log odds, or log hours."""
        if self.kind == "hours":
            return np.log(np.maximum(self.share, 1e-3))
        yes = self.share * self.rows
        made: np.ndarray = np.log((yes + 0.5) / (self.rows - yes + 0.5))
        return made


@dataclass(frozen=True)
class Flag:
    """A step that was found."""

    series: Series
    step: Step
    adjusted: float
    """p-value after Holm's correction for the number of series."""
    registered: str | None = None
    """The registered change at whose month it was looked for; None: at any month."""

    @property
    def month(self) -> date:
        """First month after the step."""
        return self.series.months[self.step.at]


def recording_series(
    *,
    crime: pl.DataFrame | None,
    incident: pl.DataFrame | None,
    before: date | None,
    spans: Sequence[tuple[date, date]],
) -> list[Series]:
    """
    Form every series that says how things are recorded.

    Parameters
    ----------
    crime, incident : tables, or None
        As supplied. Not modified.
    before : date or None
        Only months before this one; None: all.
    spans : sequence of (date, date)
        First and last day of times in which life was otherwise, such as restrictions. Series of
        what kinds of things are recorded leave their months out: what happened then is no step in
        recording. Locations, cancelled rows and delays keep them.

    Returns
    -------
    list of Series
        Missing and default locations, cancelled rows, categories, qualifiers, flags of the
        mapping, delays between happening and recording, and anti-social behaviour against public
        order; each where it can be formed.
    """
    found: list[Series] = []
    for name, table in (("crime", crime), ("incident", incident)):
        if table is None or table.is_empty():
            continue
        rows = table if before is None else table.filter(pl.col("month") < before)
        stands = rows.filter(status="recorded")
        found += _of_locations(name, stands)
        found += _shares(
            name, "cancelled", "that no longer stand", rows, pl.col("status") != "recorded"
        )
        found += _of_categories(name, stands)
    if crime is not None:
        stands = crime.filter(status="recorded")
        stands = stands if before is None else stands.filter(pl.col("month") < before)
        for flag in FLAGS:
            found += _of_flag(flag, stands)
        found += _delays(stands)
        if incident is not None:
            calls = incident.filter(status="recorded")
            calls = calls if before is None else calls.filter(pl.col("month") < before)
            found += _disorder(stands, calls)
    return [_outside(one, spans) for one in found]


_OF_RECORDS = ("-missing", "-default", "-cancelled", "-delay")


def _outside(one: Series, spans: Sequence[tuple[date, date]]) -> Series:
    if one.series.endswith(_OF_RECORDS):
        return one
    kept = np.array(
        [
            not any(first.replace(day=1) <= month <= last for first, last in spans)
            for month in one.months
        ],
        dtype=bool,
    )
    months = tuple(month for month, yes in zip(one.months, kept, strict=True) if yes)
    return replace(one, months=months, share=one.share[kept], rows=one.rows[kept])


def _shares(
    table: str, name: str, words: str, rows: pl.DataFrame, is_so: pl.Expr, feeds: str | None = None
) -> list[Series]:
    monthly = (
        rows.group_by("month")
        .agg(yes=is_so.sum().cast(pl.Float64), n=pl.len().cast(pl.Float64))
        .filter(pl.col("n") >= LEAST_ROWS)
        .sort("month")
    )
    if monthly.is_empty() or not 0 < float(monthly["yes"].sum()) < float(monthly["n"].sum()):
        return []
    label = {"crime": "Crimes", "incident": "Incidents"}.get(table, table)
    return [
        Series(
            f"{table}-{name}", f"{label} {words}", tuple(monthly["month"].to_list()),
            (monthly["yes"] / monthly["n"]).to_numpy(), monthly["n"].to_numpy(), "share",
            feeds or table,
        )
    ]  # fmt: skip


def _of_locations(table: str, rows: pl.DataFrame) -> list[Series]:
    return [
        *_shares(table, "missing", "without a location", rows, pl.col("easting_m").is_null()),
        *_shares(table, "default", "at a default location", rows,
                 pl.col("location_quality") == "default"),
    ]  # fmt: skip


def _of_categories(table: str, rows: pl.DataFrame) -> list[Series]:
    column = "category" if table == "crime" else "qualifier"
    counts = rows.group_by(column).len().sort(column)
    found: list[Series] = []
    for value, n in counts.iter_rows():
        if value is None or not LEAST_SHARE <= n / rows.height < 1 - LEAST_SHARE:
            continue
        words = f"in the category {value}" if column == "category" else f"qualified as {value}"
        name = re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-")
        found += _shares(table, f"{column}-{name}", words, rows, pl.col(column) == value)
    return found


def _of_flag(flag: str, rows: pl.DataFrame) -> list[Series]:
    known = rows.filter(pl.col(flag).is_not_null())
    words = f"marked as {flag.replace('_', ' ')}"
    return _shares("crime", f"flag-{flag}", words, known, pl.col(flag)) if known.height else []


def _delays(rows: pl.DataFrame) -> list[Series]:
    hours = (pl.col("recorded_at") - pl.col("occurred_to")).dt.total_seconds() / 3600
    monthly = (
        rows.select("month", hours=hours)
        .filter(pl.col("hours") >= 0)
        .group_by("month")
        .agg(hours=pl.col("hours").median(), n=pl.len().cast(pl.Float64))
        .filter(pl.col("n") >= LEAST_ROWS)
        .sort("month")
    )
    if monthly.is_empty() or float(monthly["hours"].max()) <= 0:  # type: ignore[arg-type]
        return []
    return [
        Series(
            "crime-delay", "Hours until a crime is recorded, in the middle of the month's crimes",
            tuple(monthly["month"].to_list()), monthly["hours"].to_numpy(),
            monthly["n"].to_numpy(), "hours", "crime",
        )
    ]  # fmt: skip


def _disorder(crime: pl.DataFrame, incident: pl.DataFrame) -> list[Series]:
    """Anti-social behaviour against what it is re-classified to and from."""
    shared = set(incident["month"].unique()) & set(crime["month"].unique())
    calls = incident.filter(pl.col("month").is_in(sorted(shared)))
    slugs = {value: category_slug(str(value)) for value in crime["category"].unique().to_list()}
    order = [value for value, slug in slugs.items() if slug == "public-order"]
    minor = pl.col("violence") & ~pl.col("injury")
    pairs = [
        ("order", "public order", pl.col("category").is_in(order)),
        ("violence", "violence without injury", minor.fill_null(value=False)),
    ]
    found: list[Series] = []
    for name, words, rule in pairs:
        chosen = crime.filter(rule, pl.col("month").is_in(sorted(shared)))
        both = pl.concat(
            [
                calls.select("month", asb=pl.lit(value=True)),
                chosen.select("month", asb=pl.lit(value=False)),
            ]
        )
        made = _shares("crime", name, "", both, pl.col("asb"), feeds="crime incident")
        label = f"Anti-social behaviour among it and {words} together"
        found += [replace(one, series=f"asb-or-{name}", label=label) for one in made]
    return found


def scan(
    series: Sequence[Series],
    *,
    registered: Mapping[str, date],
    false_flags: float,
    shortest: int,
    simulations: int,
    rng: np.random.Generator,
) -> list[Flag]:
    """
    Find steps in any of some series, with one chance of a false flag for all of them together.

    Parameters
    ----------
    series : sequence of Series
        From `recording_series`.
    registered : mapping of str to date
        Identifier and first month of changes that somebody knows of: there each series is asked
        whether it shows, which smaller steps do than those that come at an unknown month.
    false_flags : float
        Chance that anything is flagged where no series has a step (Holm's correction); once for
        unknown months, and once for each registered change.
    shortest : int
        Fewest months on either side of a step.
    simulations : int
        Series without a step to which each is held; raised where there are so many series that
        none could ever be flagged.
    rng : numpy.random.Generator
        Source of those series.

    Returns
    -------
    list of Flag
        By month, then by series; each month of a series once.
    """
    kept = [one for one in series if scannable(one, shortest=shortest)]
    if not kept:
        return []
    made = max(simulations, int(np.ceil(2 * len(kept) / false_flags)))
    entropy = int(rng.integers(2**63))
    look = _Look(kept, false_flags, shortest, made, entropy)
    flags = _looked_for(look, None, None)
    for flag in list(flags):
        flags += _further(look, flag)
    for name, month in sorted(registered.items()):
        flags += [
            flag
            for flag in _looked_for(look, name, month)
            if (flag.series.series, flag.month)
            not in {(known.series.series, known.month) for known in flags}
        ]
    return sorted(flags, key=lambda flag: (flag.month, flag.series.series))


@dataclass(frozen=True)
class _Look:
    """What is the same for every series of one scan."""

    series: Sequence[Series]
    false_flags: float
    shortest: int
    simulations: int
    entropy: int

    def against(
        self, one: Series, *, known: tuple[int, ...] = (), only: int | None = None
    ) -> Yardstick:
        """Series without a step, the same for all series of the same months."""
        words = [len(one.months), one.months[0].toordinal(), len(known), *known, only or 0]
        return yardstick(
            list(one.months), shortest=self.shortest, simulations=self.simulations,
            rng=np.random.default_rng([self.entropy, *words]), known=known, only=only,
        )  # fmt: skip


def _looked_for(look: _Look, name: str | None, month: date | None) -> list[Flag]:
    """Steps at any month, or at one month that somebody knows of."""
    known: dict[tuple[date, ...], Yardstick] = {}
    found: list[tuple[Series, Step]] = []
    for one in look.series:
        if month is not None and month not in one.months:
            continue
        if one.months not in known:
            only = None if month is None else one.months.index(month)
            known[one.months] = look.against(one, only=only)
        step = largest_step(one.values, known[one.months])
        if step is not None:
            found.append((one, step))
    adjusted = _holm([step.p_value for _, step in found])
    return [
        Flag(one, step, p, name)
        for (one, step), p in zip(found, adjusted, strict=True)
        if p <= look.false_flags
    ]


def scannable(one: Series, *, shortest: int) -> bool:
    """
    Say whether a series is long enough to hold a step.

    Parameters
    ----------
    one : Series
        Any.
    shortest : int
        Fewest months on either side of a step.

    Returns
    -------
    bool
        At least a year, and twice the shortest side with four months to spare.
    """
    return len(one.months) >= max(12, 2 * shortest + 4)


def _further(look: _Look, first: Flag) -> list[Flag]:
    """Steps beside those that are known already, each held to series with the known ones."""
    one, known = first.series, [first.step.at]
    found: list[Flag] = []
    while len(known) < MOST_STEPS:
        step = largest_step(one.values, look.against(one, known=tuple(known)))
        if step is None or step.p_value * len(look.series) > look.false_flags:
            break
        p = max(first.adjusted, min(1.0, step.p_value * len(look.series)))
        found.append(Flag(one, step, p))
        known.append(step.at)
    return found


def _holm(p_values: Sequence[float]) -> list[float]:
    order = np.argsort(p_values, kind="stable")
    adjusted, worst = np.ones(len(p_values)), 0.0
    for rank, at in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = worst
    return [float(p) for p in adjusted]


def scan_rows(series: Sequence[Series], flags: Sequence[Flag], *, shortest: int) -> pl.DataFrame:
    """
    Write down what was scanned and which steps were found.

    Parameters
    ----------
    series : sequence of Series
        All that could be formed.
    flags : sequence of Flag
        What `scan` found in them.
    shortest : int
        Fewest months on either side of a step.

    Returns
    -------
    table `estimate`
        Question `data`, outcome "recording": how many series were scanned; for each step
        `step_in_recording` (odds after over odds before, or hours over hours, trend and season
        held; its p-value corrected for the number of series; horizon the first month after it)
        and the level in the months before and after, `level_before_step` and `level_after_step`.
    """
    kept = [one for one in series if scannable(one, shortest=shortest)]
    short = [one.label for one in series if not scannable(one, shortest=shortest)]
    base: dict[str, object] = {"question": "data", "role": "description"}
    rows: list[dict[str, object]] = [
        base
        | {
            "outcome": "recording",
            "outcome_label": "How crimes and incidents are recorded",
            "population": "series",
            "estimand": "series_scanned",
            "method": "count",
            "estimate": float(len(kept)),
            "n": len(kept),
            "unit": "series",
            "feeds": " ".join(sorted({word for one in series for word in one.feeds.split()}))
            or "crime",
            "reason": f"Too short to be scanned: {'; '.join(short)}." if short else None,
            "status": "estimated",
        }
    ]
    for flag in flags:
        rows += _flag_rows(base, flag)
    return estimate.rows(rows)


def _flag_rows(base: Mapping[str, object], flag: Flag) -> list[dict[str, object]]:
    one, at = flag.series, flag.step.at
    named = {
        **base,
        "outcome": f"recording:{one.series}",
        "outcome_label": one.label,
        "population": "records",
        "horizon": f"{flag.month:%Y-%m}",
        "method": "f_test_at_registered_month" if flag.registered else "supremum_f_test",
        "window_start": one.months[0],
        "window_end": one.months[-1],
        "n": int(one.rows.sum()),
        "feeds": one.feeds,
    }
    told = {
        "scale": "log odds" if one.kind == "share" else "log hours",
        "f_statistic": round(flag.step.statistic, 6),
        "registered": flag.registered,
        "months": len(one.months),
    }
    rows: list[dict[str, object]] = [
        {
            **named,
            "estimand": "step_in_recording",
            "unit": "ratio of odds" if one.kind == "share" else "ratio of hours",
            "estimate": float(np.exp(flag.step.size)),
            "p_value": flag.adjusted,
            "diagnostics": json.dumps(told, sort_keys=True),
        }
    ]
    sides = (("level_before_step", slice(max(0, at - BESIDE_MONTHS), at)),
             ("level_after_step", slice(at, at + BESIDE_MONTHS)))  # fmt: skip
    for estimand, side in sides:
        weight = one.rows[side]
        rows.append(
            {
                **named,
                "estimand": estimand,
                "method": "count",
                "estimate": float((one.share[side] * weight).sum() / weight.sum()),
                "n": int(weight.sum()),
                "unit": "share" if one.kind == "share" else "hours",
            }
        )
    return rows
