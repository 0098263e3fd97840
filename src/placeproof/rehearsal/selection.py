"""Which busy places become hot spots: chosen on noisy counts, with starts, versions and names."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import shapely

from placeproof.rehearsal.choices import COHORT_STARTS, REGISTER_DAY, SELECTION
from placeproof.rehearsal.city import KINDS, ORIGIN_M, TOWNS, City
from placeproof.rehearsal.happenings import Events
from placeproof.rehearsal.offences import CLASSES
from placeproof.rehearsal.rhythm import DAYS

WANTED = (11, 3, 3, 3, 2, 2)
"""Hot spots per town: 24 in six towns."""
RULE = (
    "Most recorded serious violence plus half of all anti-social behaviour in the selection "
    "window, adjusted by the judgement of local sergeants"
)


@dataclass(frozen=True)
class Hotspot:
    """
    One hot spot of the rehearsal.

    Parameters
    ----------
    hotspot_id, name, town, kind : str
        As the register gives them.
    place : int
        Index of the busy place.
    cohort : int
        Wave of starts, from 1.
    first_treated : date
        First operating day of patrols.
    versions : tuple
        (valid_from, valid_to or None, outline in metres) in order.
    """

    hotspot_id: str
    name: str
    town: str
    kind: str
    place: int
    cohort: int
    first_treated: date
    versions: tuple[tuple[date, date | None, shapely.Polygon], ...]


def window(first: date, last: date) -> np.ndarray:
    """
    Which days of the rehearsal lie in a window, both ends counted.

    Parameters
    ----------
    first, last : date
        Operating days.
    """
    return np.array([first <= day <= last for day in DAYS])


def select(
    city: City, without_patrols: Events, rng: np.random.Generator
) -> tuple[tuple[Hotspot, ...], np.ndarray]:
    """
    Choose 24 hot spots on what was recorded in the selection window, noise and all.

    Parameters
    ----------
    city : City
        The ground.
    without_patrols : Events
        What happens without patrols.
    rng : Generator
        Source of randomness.

    Returns
    -------
    hotspots, score
        The hot spots, and the recorded score of every busy place in the window.
    """
    score = _recorded_score(city, without_patrols)
    judged = np.log(score + 1) + rng.normal(0, 0.30, len(score))
    chosen = [
        int(place)
        for town, wanted in enumerate(WANTED)
        for place in sorted(np.flatnonzero(city.place_town == town), key=lambda p: -judged[p])[
            :wanted
        ]
    ]
    cohorts = _cohorts(city, chosen)
    redrawn = set(rng.permutation(len(chosen))[:5].tolist())
    hotspots = []
    for number, place in enumerate(chosen):
        town = TOWNS[city.place_town[place]]
        start = COHORT_STARTS[cohorts[number] - 1]
        hotspots.append(
            Hotspot(
                hotspot_id=f"{town[1]}{number + 1:02d}",
                name=city.place_names[place],
                town=town[0],
                kind=KINDS[city.place_kind[place]],
                place=place,
                cohort=cohorts[number],
                first_treated=start,
                versions=_versions(city, place, start, number in redrawn, rng),
            )
        )
    return tuple(hotspots), score


def _recorded_score(city: City, events: Events) -> np.ndarray:
    inside = 3 * np.arange(len(city.outlines))
    chosen = window(*SELECTION)[events.day]
    zone = city.point_zone[events.point]
    total = np.zeros(len(inside))
    for name, weight in (("serious", 1.0), ("asb", 0.5)):
        mine = chosen & (events.of_class == CLASSES.index(name))
        total += weight * np.bincount(zone[mine], minlength=city.zones)[inside]
    return total


def _cohorts(city: City, chosen: list[int]) -> list[int]:
    # The city centre starts first, then the rest of the city with one town, then two and two.
    centres = [np.array(shapely.centroid(city.outlines[p]).coords[0]) for p in chosen]
    out = [float(np.hypot(*(centre - np.array(ORIGIN_M)))) for centre in centres]
    in_city = [i for i, p in enumerate(chosen) if city.place_town[p] == 0]
    first = set(sorted(in_city, key=lambda i: out[i])[:8])
    later = {0: 2, 1: 2, 2: 3, 3: 3, 4: 4, 5: 4}
    return [1 if i in first else later[int(city.place_town[p])] for i, p in enumerate(chosen)]


def _versions(
    city: City, place: int, start: date, redrawn: bool, rng: np.random.Generator
) -> tuple[tuple[date, date | None, shapely.Polygon], ...]:
    outline = city.outlines[place]
    if not redrawn:
        return ((REGISTER_DAY, None, outline),)
    change = start + timedelta(int(rng.integers(90, 200)))
    return (
        (REGISTER_DAY, change - timedelta(1), outline),
        (change, None, _redrawn(city, outline, rng)),
    )


def _redrawn(city: City, outline: shapely.Polygon, rng: np.random.Generator) -> shapely.Polygon:
    # Other corners, the same addresses: truth does not hang on the version that counts.
    points = shapely.points(city.easting_m, city.northing_m)
    inside = shapely.contains(outline, points)
    corners = np.array(outline.exterior.coords)[:-1]
    for reach in (14.0, 10.0, 7.0, 5.0, 4.0):
        for _ in range(40):
            moved = np.round(corners + rng.uniform(-reach, reach, corners.shape))
            drawn = shapely.Polygon(moved)
            same = drawn.is_valid and (shapely.intersects(drawn, points) == inside).all()
            if same and not drawn.equals(outline):
                return drawn
    return shapely.Polygon(
        np.round(np.array(outline.buffer(2, join_style="mitre").exterior.coords)[:-1])
    )
