"""The invented ground: six towns of streets in an uninhabited bog, and the busy places in them."""

from dataclasses import dataclass

import numpy as np
import shapely

from placeproof.rehearsal.draws import pick

KINDS = ("nte", "retail", "residential", "transport", "other")
ORIGIN_M = (300_000.0, 945_000.0)
"""Centre of the invented force: empty peat bog in the far north, so nobody can mistake it."""

INFIRMARY_M = (300_037, 944_939)
"""The hospital: a default geocode that no crime takes unless that fault is planted."""

TOWNS: tuple[tuple[str, str, float, float, float, int], ...] = (
    ("Northmere", "NM", 0.0, 0.0, 2_900.0, 34),
    ("Quillbeck", "QB", 9_500.0, 4_200.0, 1_500.0, 10),
    ("Ostersham", "OS", -10_200.0, 3_100.0, 1_500.0, 10),
    ("Fennimoor", "FM", 3_800.0, -10_400.0, 1_500.0, 10),
    ("Tarnwick Hythe", "TH", -7_600.0, -8_300.0, 1_500.0, 10),
    ("Little Yonderby", "LY", -2_500.0, 10_600.0, 1_500.0, 10),
)
"""Name, letters, east and north of the origin (m), radius (m), busy places."""

_FIRST = (
    "Lantern Osier Thimble Marrow Kestrel Pewter Bramble Cinder Harrow Juniper Mallow Nettle "
    "Orrery Parsnip Quince Rushlight Saffron Teasel Umber Vetch Wicket Yarrow Anvil Barley "
    "Candle Damson Ember Fiddle Gorse Hazel Ivory Jackdaw Kelp Linnet Moss "
)
_SECOND = "Row Corner Steps Yard Cross Wynd Parade Market Garth Quay Lane End Arcade Green "


@dataclass(frozen=True)
class City:
    """
    The ground on which a rehearsal plays.

    Parameters
    ----------
    easting_m, northing_m : array, shape (points,)
        Addresses along streets.
    point_town : array, shape (points,)
        Index in `TOWNS`; -1 for farms between the towns.
    outlines : tuple of Polygon
        Busy places, patrolled or not, in metres.
    place_town, place_kind : array, shape (places,)
        Indices in `TOWNS` and `KINDS`.
    place_names : tuple of str
        Invented.
    point_zone : array, shape (points,)
        3 × place, + 1 within 100 m, + 2 within 250 m; then one zone per town, then farms.
    stations : array, shape (towns, 2)
        Police stations, away from all busy places: the default geocodes.
    """

    easting_m: np.ndarray
    northing_m: np.ndarray
    point_town: np.ndarray
    outlines: tuple[shapely.Polygon, ...]
    place_town: np.ndarray
    place_kind: np.ndarray
    place_names: tuple[str, ...]
    point_zone: np.ndarray
    stations: np.ndarray

    @property
    def zones(self) -> int:
        """Zones in all: three per busy place, one per town, one for farms."""
        return 3 * len(self.outlines) + len(TOWNS) + 1


def build_city(rng: np.random.Generator) -> City:
    """
    Lay out towns, streets, addresses and busy places.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    """
    xy, town = _addresses(rng)
    centres, place_town = _centres(rng, xy, town)
    outlines = tuple(_outline(rng, centre) for centre in centres)
    xy, town = _clear_of_fences(xy, town, outlines)
    distance, nearest = _distances(xy, outlines)
    zone = np.where(town >= 0, 3 * len(outlines) + town, 3 * len(outlines) + len(TOWNS))
    band = np.select([distance == 0, distance <= 100, distance <= 250], [0, 1, 2], -1)
    zone = np.where(band >= 0, 3 * nearest + band, zone)
    return City(
        easting_m=xy[:, 0],
        northing_m=xy[:, 1],
        point_town=town,
        outlines=outlines,
        place_town=place_town,
        place_kind=_kinds(rng, centres, place_town),
        place_names=_names(rng, len(outlines)),
        point_zone=zone,
        stations=_stations(xy, town, distance),
    )


def force_outline() -> shapely.Polygon:
    """The outline of the invented force: a wobbly ring around all six towns."""
    angle = np.linspace(0, 2 * np.pi, 49)[:-1]
    reach = 15_500 + 900 * np.sin(3 * angle) + 500 * np.cos(7 * angle)
    ring = np.column_stack([reach * np.cos(angle), 0.94 * reach * np.sin(angle)])
    return shapely.Polygon(np.round(ring + np.array(ORIGIN_M)))


def areas(outline: shapely.Polygon) -> tuple[np.ndarray, np.ndarray]:
    """
    Cut the force into areas of 1 km in towns and 4 km between them, as the census would.

    Parameters
    ----------
    outline : Polygon
        The force.

    Returns
    -------
    codes, squares : arrays
        Invented codes and their squares, clipped to the force, in reading order.
    """
    discs = shapely.union_all(
        [
            shapely.Point(ORIGIN_M[0] + east, ORIGIN_M[1] + north).buffer(reach)
            for _, _, east, north, reach, _ in TOWNS
        ]
    )
    west, south, east, north = (4_000 * np.floor(b / 4_000) for b in outline.bounds)
    squares = []
    for y in np.arange(south, north + 1, 4_000):
        for x in np.arange(west, east + 1, 4_000):
            big = shapely.box(x, y, x + 4_000, y + 4_000)
            step = 1_000 if big.intersects(discs) else 4_000
            for yy in np.arange(y, y + 4_000, step):
                squares += [
                    shapely.box(xx, yy, xx + step, yy + step)
                    for xx in np.arange(x, x + 4_000, step)
                ]
    clipped = shapely.intersection(np.array(squares), outline)
    clipped = clipped[shapely.area(clipped) > 0]
    return np.array([f"X99{number:05d}" for number in range(1, len(clipped) + 1)]), clipped


def area_codes(easting_m: np.ndarray, northing_m: np.ndarray) -> np.ndarray:
    """
    Look up the area of each point; "" outside the force.

    Parameters
    ----------
    easting_m, northing_m : array
        Points on the British National Grid.
    """
    codes, squares = areas(force_outline())
    points, found = shapely.STRtree(squares).query(
        shapely.points(easting_m, northing_m), predicate="intersects"
    )
    result = np.full(len(easting_m), "", dtype=object)
    result[points[::-1]] = codes[found[::-1]]
    return result


def _addresses(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    parts, towns = [], []
    for index, (_, _, east, north, reach, _) in enumerate(TOWNS):
        turn, phase = rng.uniform(0, np.pi / 2), rng.uniform(0, 2 * np.pi, 4)
        local = _street_points(reach, phase)
        cos, sin = np.cos(turn), np.sin(turn)
        spun = local @ np.array([[cos, sin], [-sin, cos]])
        parts.append(spun + rng.normal(0, 1.5, spun.shape) + np.array([east, north]))
        towns.append(np.full(len(spun), index))
    farms = rng.uniform(-13_000, 13_000, (1_500, 2))
    farms = farms[np.hypot(farms[:, 0], farms[:, 1] / 0.94) < 13_000]
    for _, _, east, north, reach, _ in TOWNS:
        farms = farms[np.hypot(farms[:, 0] - east, farms[:, 1] - north) > reach + 400]
    parts.append(farms)
    towns.append(np.full(len(farms), -1))
    return np.round(np.concatenate(parts) + np.array(ORIGIN_M)), np.concatenate(towns)


def _street_points(reach_m: float, phase: np.ndarray) -> np.ndarray:
    along = np.arange(-reach_m, reach_m, 27.0)
    lines = np.arange(-reach_m, reach_m, 92.0)
    a, b = (grid.ravel() for grid in np.meshgrid(along, lines))
    bend = 24 * np.sin(a / 310 + phase[0]) + 11 * np.sin(a / 97 + b / 400 + phase[1])
    sway = 30 * np.sin(a / 270 + phase[2]) + 9 * np.sin(a / 120 + b / 350 + phase[3])
    points = np.concatenate([np.column_stack([a, b + bend]), np.column_stack([b + sway, a])])
    return points[np.hypot(points[:, 0], points[:, 1]) < reach_m]


def _centres(
    rng: np.random.Generator, xy: np.ndarray, town: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    centres: list[np.ndarray] = []
    towns: list[int] = []
    for index, (_, _, east, north, reach, wanted) in enumerate(TOWNS):
        middle = np.array(ORIGIN_M) + np.array([east, north])
        here = xy[town == index]
        out = np.hypot(*(here - middle).T) / reach
        order = np.argsort(out + rng.gumbel(0, 0.25, len(here)), kind="stable")
        chosen: list[np.ndarray] = []
        for point in here[order][out[order] < 0.88]:
            if all(np.hypot(*(point - other)) >= 460 for other in chosen):
                chosen.append(point)
            if len(chosen) == wanted:
                break
        centres += chosen
        towns += [index] * len(chosen)
    return np.array(centres), np.array(towns)


def _outline(rng: np.random.Generator, centre: np.ndarray) -> shapely.Polygon:
    corners = int(rng.integers(7, 11))
    angle = (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners
    reach = rng.uniform(76, 98, corners)
    ring = centre + np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
    return shapely.Polygon(np.round(ring))


def _distances(
    xy: np.ndarray, outlines: tuple[shapely.Polygon, ...]
) -> tuple[np.ndarray, np.ndarray]:
    points = shapely.points(xy)
    which, nearest = shapely.STRtree(outlines).query_nearest(points, all_matches=False)
    order = np.argsort(which, kind="stable")
    nearest = nearest[order]
    return shapely.distance(points, np.array(outlines)[nearest]), nearest


def _clear_of_fences(
    xy: np.ndarray, town: np.ndarray, outlines: tuple[shapely.Polygon, ...]
) -> tuple[np.ndarray, np.ndarray]:
    # No address stands where a re-drawn outline might pass, or on the edge of a ring: so the
    # truth is the same whichever version of an outline counts.
    distance, nearest = _distances(xy, outlines)
    fence = shapely.distance(shapely.points(xy), shapely.boundary(np.array(outlines))[nearest])
    inside = distance == 0
    kept = np.where(inside, fence > 5, distance > 18)
    kept &= (np.abs(distance - 100) > 16) & (np.abs(distance - 250) > 16)
    return xy[kept], town[kept]


def _kinds(rng: np.random.Generator, centres: np.ndarray, place_town: np.ndarray) -> np.ndarray:
    middle = np.array(ORIGIN_M) + np.array([[t[2], t[3]] for t in TOWNS])[place_town]
    out = np.hypot(*(centres - middle).T) / np.array([t[4] for t in TOWNS])[place_town]
    central = pick(rng, [0.40, 0.28, 0.12, 0.12, 0.08], len(centres))
    outer = pick(rng, [0.20, 0.22, 0.34, 0.10, 0.14], len(centres))
    return np.where(out < 0.4, central, outer)


def _names(rng: np.random.Generator, n: int) -> tuple[str, ...]:
    pairs = [f"{first} {second}" for first in _FIRST.split() for second in _SECOND.split()]
    return tuple(pairs[i] for i in rng.permutation(len(pairs))[:n])


def _stations(xy: np.ndarray, town: np.ndarray, distance: np.ndarray) -> np.ndarray:
    found = []
    for index, (_, _, east, north, reach, _) in enumerate(TOWNS):
        middle = np.array(ORIGIN_M) + np.array([east, north])
        near = (town == index) & (np.hypot(*(xy - middle).T) < 0.75 * reach)
        # Beside an address, not on it: what is placed there did not happen there.
        found.append(xy[near][np.argmax(distance[near])] + np.array([7.0, 5.0]))
    return np.array(found)
