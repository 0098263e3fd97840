"""Who was where, and when: from stretches of presence to minutes by place, day and hours."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placeproof.patrols.hours import Clock, paired
from placeproof.patrols.stretches import Moments

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Spans:
    """
    Stretches of time in places, with a weight: tasked windows, or officers as stated.

    Attributes
    ----------
    place : array of int
        Index of the place.
    starts, ends : array of int
        Microseconds since 1970 (UTC).
    weight : array of float
    """

    place: Indices
    starts: Moments
    ends: Moments
    weight: Numbers

    @staticmethod
    def none() -> "Spans":
        """No stretch at all."""
        moments = np.zeros(0, dtype=np.int64)
        return Spans(moments, moments, moments, np.zeros(0))


@dataclass(frozen=True)
class Presence:
    """
    One entry per stay of a device, a unit or a partner in a place.

    Attributes
    ----------
    place : array of int
        Index of the place.
    starts, ends : array of int
        Microseconds since 1970 (UTC).
    people : array of float
        Officers that the stay stands for; 0 for a vehicle, NaN where not known.
    vehicles : array of float
        1 for a vehicle: it has at least one officer, who may carry a device, too.
    visible : array of float
        Share of the stay on foot and outside premises; NaN where speed is not known.
    variance : array of float
        Variance of the error of its length, in square seconds; infinite where not known.
    """

    place: Indices
    starts: Moments
    ends: Moments
    people: Numbers
    vehicles: Numbers
    visible: Numbers
    variance: Numbers


@dataclass(frozen=True)
class Measured:
    """
    Presence by place, operating day and hours: arrays of that shape, in seconds.

    Attributes
    ----------
    patrol, person, person_of_devices : array of float
        Seconds in which somebody was there; of everybody; of everybody that devices show.
    people_unknown, visible_unknown : array of float
        Seconds in which they cannot be said.
    visible, tasked : array of float
        Patrol-seconds on foot and outside; in tasked windows.
    variance : array of float
        Of the error of `patrol`, in square seconds; infinite where not known.
    visits, visit_seconds : array of float
        Visits that began in these hours, devices together being one; their whole length.
    longest_gap : array of float
        Longest time without anybody; NaN where the hours have no length on that day.
    """

    patrol: Numbers
    person: Numbers
    person_of_devices: Numbers
    people_unknown: Numbers
    visible: Numbers
    visible_unknown: Numbers
    tasked: Numbers
    variance: Numbers
    visits: Numbers
    visit_seconds: Numbers
    longest_gap: Numbers


@dataclass(frozen=True)
class Joined:
    """Stays that overlap in a place, joined: nobody is counted twice. Sorted, disjoint."""

    place: Indices
    starts: Moments
    ends: Moments
    start_variance: Numbers = field(repr=False)
    end_variance: Numbers = field(repr=False)


def joined(presence: Presence) -> Joined:
    """
    Join the stays that overlap or touch in a place, whoever was there.

    Parameters
    ----------
    presence : Presence

    Returns
    -------
    Joined
        An error of length is taken as one of two ends, half each; a joined stay has the first end
        of the stay that begins first and the last end of the one that ends last.
    """
    order = np.lexsort((-presence.variance, -presence.ends, presence.starts, presence.place))
    place, starts, ends = (
        values[order] for values in (presence.place, presence.starts, presence.ends)
    )
    variance = presence.variance[order]
    if not len(order):
        return Joined(place, starts, ends, variance, variance)
    low, width = _frame(starts, ends)
    reach = np.maximum.accumulate(place * width + (ends - low))
    begins = np.r_[True, (place[1:] * width + (starts[1:] - low)) > reach[:-1]]
    group = np.cumsum(begins) - 1
    last = np.lexsort((variance, ends, group))
    stops = np.r_[group[1:] != group[:-1], True]
    return Joined(
        place[begins], starts[begins], ends[last][stops], variance[begins], variance[last][stops]
    )


def measured(
    presence: Presence, *, places: int, clock: Clock, tasked: Spans, officers: Spans
) -> Measured:
    """
    Count presence by place, operating day and hours; what crosses a boundary is split exactly.

    Parameters
    ----------
    presence : Presence
    places : int
        Number of places; indices lie below it.
    clock : Clock
        Days and hours.
    tasked : Spans
        Stretches in which presence is what tasking asked for.
    officers : Spans
        Officers that logs or tasks state, as weights. They count while somebody is there.

    Returns
    -------
    Measured
    """
    one = joined(presence)
    shape = (places, clock.days, len(clock.hours))
    parts = _segments(presence, tasked, officers)
    segment, cell, spent = clock.cut(parts["starts"], parts["ends"])
    where = parts["place"][segment] * clock.days + clock.day[cell]
    seconds = spent / 1e6

    def summed(name: str) -> Numbers:
        return _by_hours(where, cell, seconds * parts[name][segment], clock, shape)

    variance = sum(
        _at_moment(one.place, edge, value / 2, clock, shape)
        for edge, value in (
            (one.starts, one.start_variance),
            (np.maximum(one.ends - 1, one.starts), one.end_variance),
        )
    )
    lengths = (one.ends - one.starts) / 1e6
    return Measured(
        patrol=summed("present"),
        person=summed("people"),
        person_of_devices=summed("devices"),
        people_unknown=summed("people_unknown"),
        visible=summed("visible"),
        visible_unknown=summed("visible_unknown"),
        tasked=summed("tasked"),
        variance=np.asarray(variance),
        visits=_at_moment(one.place, one.starts, np.ones(len(one.starts)), clock, shape),
        visit_seconds=_at_moment(one.place, one.starts, lengths, clock, shape),
        longest_gap=_longest_gaps(one, clock, shape),
    )


def _frame(*times: Moments) -> tuple[int, int]:
    """Earliest moment, and a width by which places are set side by side on one line of time."""
    low = min((int(values.min()) for values in times if values.size), default=0)
    high = max((int(values.max()) for values in times if values.size), default=0)
    return low, high - low + 1


def _segments(presence: Presence, tasked: Spans, officers: Spans) -> dict[str, NDArray[Any]]:
    """Cut presence wherever anybody comes or goes, or a window or statement begins or ends."""
    spans = (presence, tasked, officers)
    low, width = _frame(*(values for span in spans for values in (span.starts, span.ends)))
    firsts = [span.place * width + (span.starts - low) for span in spans]
    lasts = [span.place * width + (span.ends - low) for span in spans]
    cuts = np.unique(np.concatenate([*firsts, *lasts]))
    begun = [np.searchsorted(cuts, values) for values in firsts]
    over = [np.searchsorted(cuts, values) for values in lasts]

    def running(index: int, weight: Numbers) -> Numbers:
        # Each amount is there from its first cut to its last; amounts are whole, so sums are exact.
        size = len(cuts) + 1
        change = np.bincount(begun[index], weight, size) - np.bincount(over[index], weight, size)
        return np.cumsum(change, dtype=np.float64)[: max(len(cuts) - 1, 0)]

    known = np.nan_to_num(presence.people)
    people = np.maximum(running(0, known), running(0, presence.vehicles))
    lacking = running(0, np.isnan(presence.people).astype(np.float64)) > 0
    there = running(0, np.ones(len(presence.starts))) > 0
    visible, dark = _most_visible(presence.visible, begun[0], over[0], len(people))
    everybody = np.maximum(people, running(2, officers.weight))
    keep = np.flatnonzero(there & (np.diff(cuts) > 0))
    values = {
        "present": np.ones(len(people)),
        "people": everybody,
        "devices": people,
        "people_unknown": lacking.astype(np.float64),
        "visible": visible,
        "visible_unknown": dark,
        "tasked": (running(1, tasked.weight) > 0).astype(np.float64),
    }
    place = cuts[:-1] // width
    starts = cuts[:-1] - place * width + low
    return {name: value[keep] for name, value in values.items()} | {
        "place": place[keep],
        "starts": starts[keep],
        "ends": (starts + np.diff(cuts))[keep],
    }


def _most_visible(
    visible: Numbers, begun: Indices, over: Indices, segments: int
) -> tuple[Numbers, Numbers]:
    """Largest visible share of those present in each segment, and whether any is not known."""
    stay, segment = paired(begun, over - 1)
    share = np.zeros(segments)
    np.maximum.at(share, segment, np.nan_to_num(visible[stay]))
    dark = np.bincount(segment, np.isnan(visible[stay]), segments) > 0
    return share, dark.astype(np.float64)


def _by_hours(
    where: Indices, cell: Indices, amount: Numbers, clock: Clock, shape: tuple[int, int, int]
) -> Numbers:
    """Add amounts up by place and day, once for each of the hours to which their cell belongs."""
    size = shape[0] * shape[1]
    parts: list[Numbers] = []
    for held in clock.member:
        inside = held[cell]
        parts.append(np.bincount(where[inside], amount[inside], size).astype(np.float64))
    return np.stack(parts, axis=1).reshape(shape)


def _at_moment(
    place: Indices, at: Moments, amount: Numbers, clock: Clock, shape: tuple[int, int, int]
) -> Numbers:
    cell = clock.cell_of(at)
    kept = cell >= 0
    where = place[kept] * clock.days + clock.day[cell[kept]]
    return _by_hours(where, cell[kept], amount[kept], clock, shape)


def _longest_gaps(stays: Joined, clock: Clock, shape: tuple[int, int, int]) -> Numbers:
    found = np.full(shape, np.nan)
    for index in range(shape[2]):
        opens, closes, day = clock.runs(index)
        if not len(opens):
            continue
        gaps = _gaps_by_run(stays, opens, closes, shape[0])
        first_of_day = np.flatnonzero(np.r_[True, day[1:] != day[:-1]])
        found[:, day[first_of_day], index] = np.maximum.reduceat(gaps, first_of_day, axis=1)
    return found / 1e6


def _gaps_by_run(stays: Joined, opens: Moments, closes: Moments, places: int) -> Numbers:
    """Longest time without anybody in each place and stretch of hours, in microseconds."""
    runs = len(opens)
    gaps = np.tile((closes - opens).astype(np.float64), places)
    first = np.searchsorted(closes, stays.starts, side="right")
    # A stay without length still breaks the gap in which it lies.
    last = np.searchsorted(opens, np.maximum(stays.ends, stays.starts + 1), side="left") - 1
    stay, run = paired(first, last)
    if not len(stay):
        return gaps.reshape(places, runs)
    group = stays.place[stay] * runs + run
    came = np.maximum(stays.starts[stay], opens[run])
    went = np.minimum(stays.ends[stay], closes[run])
    new = np.r_[True, group[1:] != group[:-1]]
    before = came - np.where(new, opens[run], np.r_[0, went[:-1]])
    final = np.r_[new[1:], True]
    gaps[group] = 0
    np.maximum.at(gaps, group, before)
    np.maximum.at(gaps, group[final], (closes[run] - went)[final])
    return gaps.reshape(places, runs)
