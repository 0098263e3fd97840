"""Known shocks: changes that move counts without moving crime, or everywhere at once."""

import hashlib
import tomllib
from importlib import resources

import polars as pl

_COLUMNS: dict[str, pl.DataType] = {
    "shock_id": pl.String(),
    "name": pl.String(),
    "kind": pl.String(),
    "starts_on": pl.Date(),
    "ends_on": pl.Date(),
    "outcomes": pl.String(),
    "source_sha256": pl.String(),
    "source_row": pl.Int64(),
}


def shocks() -> pl.DataFrame:
    """
    Give the shocks of the study area that ship with Placeproof.

    Returns
    -------
    table `shock`
        One row per shock, by first day: recording before 2019, COVID restrictions, the reopening
        of 19 July 2021, the counting rules of 2023. `source_row` is the place in the file, from
        2, as if it had a header. Dates that are still to be checked say so in `name` or in
        `shocks.toml`.
    """
    text = resources.files("placeproof.definitions").joinpath("shocks.toml").read_bytes()
    fingerprint = hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()
    rows = [
        {"ends_on": None, **entry, "source_sha256": fingerprint, "source_row": number}
        for number, entry in enumerate(tomllib.loads(text.decode("utf-8"))["shock"], start=2)
    ]
    kept = [{name: row[name] for name in _COLUMNS} for row in rows]
    return pl.DataFrame(kept, schema=_COLUMNS).sort("starts_on", "shock_id")
