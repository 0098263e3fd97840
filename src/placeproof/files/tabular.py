"""Reads any table (CSV, gz, XLSX, Parquet) into a canonical table by the mapping of its feed."""

from placeproof.files.feed import FeedResult, FeedSpec, Surroundings


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Read the files of one feed into the table that its contract names.

    Parameters
    ----------
    spec : FeedSpec
        Which files, and how their columns map.
    surroundings : Surroundings
        Force outline, first day and cut-off of the study.
    """
    raise NotImplementedError
