"""Reads and writes every format: each row meets its contract or is quarantined with a reason."""

from placeproof.errors import SettingsError
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings

GEO_CONTRACTS = ("hotspot", "place")
GEO_ENDINGS = (".geojson", ".json", ".gpkg", ".shp", ".tab", ".mif", ".kml")
FORMATS = ("auto", "police-uk", "table", "geo", "gpx")


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
        from placeproof.files import police_uk

        return police_uk.read(spec, surroundings)
    if spec.format == "geo" or (
        spec.format == "auto" and spec.contract in GEO_CONTRACTS and endings & set(GEO_ENDINGS)
    ):
        from placeproof.files import geo

        return geo.read(spec, surroundings)
    if spec.format == "gpx" or spec.contract == "ping":
        from placeproof.files import pings

        return pings.read(spec, surroundings)
    from placeproof.files import tabular

    return tabular.read(spec, surroundings)


__all__ = ["FeedResult", "FeedSpec", "Surroundings", "read"]
