"""Faults that real exports have, planted into the crime export one by one, each noted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from placeproof.rehearsal.city import INFIRMARY_M, ORIGIN_M

Rows = list[list[str]]
Planter = Callable[[Rows, dict[str, int], list[int], np.random.Generator], tuple[list[int], str]]
"""Takes the cells of a file below its header, where columns stand, and which rows may be changed;
changes some; gives rows (header = 1) and column."""

FAULTS = (
    "wrong-dates",
    "swapped-coordinates",
    "default-geocodes",
    "duplicate-ids",
    "unknown-codes",
    "mixed-encodings",
    "future-dates",
    "end-before-start",
    "blank-keys",
    "out-of-force",
    "text-in-numbers",
    "truncated-last-line",
    "repeated-header",
    "wrong-crs",
)
"""Every fault that can be planted; each goes into a file of its own."""

EXPLAINED = {
    "wrong-dates": "days and months that no calendar has",
    "swapped-coordinates": "easting and northing in each other's columns",
    "default-geocodes": "crimes placed on the infirmary because nobody knew where",
    "duplicate-ids": "one crime number for two different crimes of one extract",
    "unknown-codes": "offence codes that the code table does not hold",
    "mixed-encodings": "cp1252 letters in a UTF-8 file",
    "future-dates": "crimes dated years after the extract",
    "end-before-start": "a crime that ends before it starts",
    "blank-keys": "rows without a crime number",
    "out-of-force": "points far outside the force",
    "text-in-numbers": "words where numbers are meant",
    "truncated-last-line": "the last line breaks off",
    "repeated-header": "the header stands again in the middle",
    "wrong-crs": "a whole file in longitude and latitude",
}


def plant(folder: Path, faults: Sequence[str], rng: np.random.Generator) -> list[dict[str, Any]]:
    """
    Plant faults into the crime export that lies in `folder`.

    Parameters
    ----------
    folder : Path
        The study's `data`, with `crimes/` written.
    faults : sequence of str
        Some of `FAULTS`; each is planted into a file of its own, the same for a fault always.
    rng : Generator
        Source of randomness.

    Returns
    -------
    list of dict
        Fault, file (relative to `data`), rows as a spreadsheet counts them, column, and in words
        what was done.
    """
    every = sorted((folder / "crimes").glob("crimes_*.csv"))
    files = every[6:]
    planted = []
    for number, fault in enumerate(FAULTS):
        if fault not in faults:
            continue
        path = files[2 * number]
        near = every[every.index(path) - 2 : every.index(path)] + every[every.index(path) + 1 :]
        rows, column = _plant_one(path, fault, _ids(near), rng)
        planted.append(
            {
                "fault": fault,
                "file": path.relative_to(folder).as_posix(),
                "rows": rows,
                "column": column,
                "says": EXPLAINED[fault],
            }
        )
    return planted


def _ids(paths: Sequence[Path]) -> set[str]:
    lines = (line for path in paths for line in path.read_bytes().splitlines())
    return {line.split(b",", 1)[0].decode("ascii", "replace") for line in lines}


def _plant_one(
    path: Path, fault: str, elsewhere: set[str], rng: np.random.Generator
) -> tuple[list[int], str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    header, rows = lines[0].split(","), [line.split(",") for line in lines[1:]]
    if fault in _ON_BYTES:
        data, hit = _ON_BYTES[fault](lines, rng)
        path.write_bytes(data)
        return hit, "Outcome" if fault == "mixed-encodings" else ""
    place = {name: index for index, name in enumerate(header)}
    # Only rows of which no other extract holds a version, or a later one would hide the fault.
    alone = [i for i, row in enumerate(rows) if row[0] not in elsewhere]
    hit, column = _ON_CELLS[fault](rows, place, alone, rng)
    text = "\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
    return hit, column


def _some(rows: Rows, column: int, alone: list[int], n: int, rng: np.random.Generator) -> list[int]:
    full = [i for i in alone if rows[i][column]]
    return sorted(int(full[i]) for i in rng.permutation(len(full))[:n])


def _set(column: str, n: int, change: Callable[[str, int], str]) -> Planter:
    def planter(
        rows: Rows, place: dict[str, int], alone: list[int], rng: np.random.Generator
    ) -> tuple[list[int], str]:
        hit = _some(rows, place[column], alone, n, rng)
        for count, i in enumerate(hit):
            rows[i][place[column]] = change(rows[i][place[column]], count)
        return [i + 2 for i in hit], column

    return planter


def _swap(
    rows: Rows, place: dict[str, int], alone: list[int], rng: np.random.Generator
) -> tuple[list[int], str]:
    hit = _some(rows, place["Grid E"], alone, 9, rng)
    for i in hit:
        row = rows[i]
        row[place["Grid E"]], row[place["Grid N"]] = row[place["Grid N"]], row[place["Grid E"]]
    return [i + 2 for i in hit], "Grid E"


def _default(
    rows: Rows, place: dict[str, int], alone: list[int], rng: np.random.Generator
) -> tuple[list[int], str]:
    hit = _some(rows, place["Grid E"], alone, len(rows) // 40, rng)
    for i in hit:
        rows[i][place["Grid E"]] = str(INFIRMARY_M[0])
        rows[i][place["Grid N"]] = str(INFIRMARY_M[1])
    return [i + 2 for i in hit], "Grid E"


def _duplicate(
    rows: Rows, place: dict[str, int], alone: list[int], rng: np.random.Generator
) -> tuple[list[int], str]:
    column = place["Crime Number"]
    pairs = sorted(set(alone) & {i + 1 for i in alone})
    hit = _some(rows, column, pairs, 8, rng)
    for i in hit:
        rows[i][column] = rows[i - 1][column]
    return [i + 2 for i in hit], "Crime Number"


def _backwards(
    rows: Rows, place: dict[str, int], alone: list[int], rng: np.random.Generator
) -> tuple[list[int], str]:
    hit = _some(rows, place["Committed From"], alone, 8, rng)
    for i in hit:
        start = rows[i][place["Committed From"]]
        year = int(start[6:10]) - 1
        rows[i][place["Committed To"]] = f"{start[:6]}{year}{start[10:]}".replace("29/02", "28/02")
    return [i + 2 for i in hit], "Committed To"


def _outside(
    rows: Rows, place: dict[str, int], alone: list[int], rng: np.random.Generator
) -> tuple[list[int], str]:
    hit = _some(rows, place["Grid E"], alone, 8, rng)
    for count, i in enumerate(hit):
        rows[i][place["Grid E"]] = str(int(ORIGIN_M[0] + 46_000 + 900 * count))
        rows[i][place["Grid N"]] = str(int(ORIGIN_M[1] - 90_000))
    return [i + 2 for i in hit], "Grid E"


def _degrees(
    rows: Rows, place: dict[str, int], alone: list[int], rng: np.random.Generator
) -> tuple[list[int], str]:
    from placeproof.rehearsal.sheets import degrees

    hit = [i for i, row in enumerate(rows) if row[place["Grid E"]]]
    east = np.array([float(rows[i][place["Grid E"]]) for i in hit])
    north = np.array([float(rows[i][place["Grid N"]]) for i in hit])
    longitude, latitude = degrees(east, north)
    for i, x, y in zip(hit, longitude.tolist(), latitude.tolist(), strict=True):
        rows[i][place["Grid E"]], rows[i][place["Grid N"]] = f"{x:.6f}", f"{y:.6f}"
    return [i + 2 for i in hit], "Grid E"


_ON_CELLS: dict[str, Planter] = {
    "wrong-dates": _set(
        "Committed From", 10, lambda cell, n: f"{31 + n % 3}/1{3 + n % 3}{cell[5:]}"
    ),
    "swapped-coordinates": _swap,
    "default-geocodes": _default,
    "duplicate-ids": _duplicate,
    "unknown-codes": _set("Offence Code", 7, lambda cell, n: f"Z9{n}"),
    "future-dates": _set("Committed To", 6, lambda cell, n: f"{cell[:6]}{2_031 + n}{cell[10:]}"),
    "end-before-start": _backwards,
    "blank-keys": _set("Crime Number", 8, lambda cell, n: ""),
    "out-of-force": _outside,
    "text-in-numbers": _set("Grid E", 9, lambda cell, n: ("unknown", "n/k", "see log")[n % 3]),
    "wrong-crs": _degrees,
}


def _mixed(lines: list[str], rng: np.random.Generator) -> tuple[bytes, list[int]]:
    hit = sorted((rng.permutation(len(lines) - 1)[:6] + 1).tolist())
    data = [line.encode("utf-8") for line in lines]
    for i in hit:
        head, _, _ = lines[i].rpartition(",")
        data[i] = head.encode("utf-8") + ",Café owner’s word".encode("cp1252")
    other = next(i for i in range(1, len(lines)) if i not in hit)
    head, _, _ = lines[other].rpartition(",")
    data[other] = head.encode("utf-8") + ",Café closed".encode()
    return b"\n".join(data) + b"\n", [i + 1 for i in hit]


def _truncated(lines: list[str], rng: np.random.Generator) -> tuple[bytes, list[int]]:
    cut = ",".join(lines[-1].split(",")[:6])[:-2]
    return "\n".join([*lines[:-1], cut]).encode("utf-8"), [len(lines)]


def _repeated(lines: list[str], rng: np.random.Generator) -> tuple[bytes, list[int]]:
    at = sorted((rng.permutation(len(lines) - 20)[:2] + 10).tolist())
    whole = list(lines)
    for shift, i in enumerate(at):
        whole.insert(i + shift, lines[0])
    return ("\n".join(whole) + "\n").encode("utf-8"), [i + shift + 1 for shift, i in enumerate(at)]


_ON_BYTES: dict[str, Callable[[list[str], np.random.Generator], tuple[bytes, list[int]]]] = {
    "mixed-encodings": _mixed,
    "truncated-last-line": _truncated,
    "repeated-header": _repeated,
}

__all__ = ["EXPLAINED", "FAULTS", "plant"]
