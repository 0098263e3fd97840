"""Reads and writes every format: each row meets its contract or is quarantined with a reason."""

from placeproof.errors import SettingsError
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings

GEO_CONTRACTS = ("hotspot", "place")
GEO_ENDINGS = (".geojson", ".json", ".gpkg", ".shp", ".tab", ".mif", ".kml")
FORMATS = ("auto", "police-uk", "table", "geo", "gpx", "packed")


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Read one feed: every row is kept under its contract or quarantined with the reason.

    Parameters
    ----------
    spec : FeedSpec
        Which files, and how their columns map.
    surroundings : Surroundings
        Force outline, first day and cut-off of the study.

    Returns
    -------
    FeedResult
        Tables, quarantine, receipts, notices and flagged rows. Reads files and changes none.

    Raises
    ------
    InputError
        If a file is missing, unreadable or without the columns that were mapped, or if a choice
        that changes the answer (order of day and month, time zone) is not made.
    SettingsError
        If the section names a format or table that does not exist.
    """
    if spec.format not in FORMATS:
        raise SettingsError(
            f'[data.{spec.name}] has format = "{spec.format}", which is unknown.',
            mend=f"Use one of {', '.join(FORMATS)}.",
        )
    endings = {path.suffix.lower() for path in spec.paths}
    if "police-uk" in (spec.format, spec.contract):
        from placeproof.files.police_uk import read as read_police_uk

        return read_police_uk(spec, surroundings)
    if spec.format == "packed":
        from placeproof.files.packed_feed import read as read_packed

        return read_packed(spec, surroundings)
    if spec.format == "geo" or (
        spec.format == "auto" and spec.contract in GEO_CONTRACTS and endings & set(GEO_ENDINGS)
    ):
        from placeproof.files.geo import read as read_geo

        return read_geo(spec, surroundings)
    if spec.format == "gpx" or spec.contract == "ping":
        from placeproof.files.pings import read as read_pings

        return read_pings(spec, surroundings)
    from placeproof.files.feeds import read as read_table

    return read_table(spec, surroundings)


__all__ = ["FeedResult", "FeedSpec", "Surroundings", "read"]
