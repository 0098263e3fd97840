"""Reads the stop-and-search files of a data.police.uk archive."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from placeproof.files import archives, sheets, tabular
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings

_COLUMNS = {
    "at": "Date",
    "longitude_deg": "Longitude",
    "latitude_deg": "Latitude",
    "search_type": "Type",
    "object_of_search": "Object of search",
    "outcome": "Outcome",
    "gender": "Gender",
    "age_band": "Age range",
    "self_defined_ethnicity": "Self-defined ethnicity",
}


def read(
    spec: FeedSpec, surroundings: Surroundings, searches: Sequence[tuple[archives.Member, str]]
) -> FeedResult:
    """
    Read monthly files of stops and searches.

    Parameters
    ----------
    spec : FeedSpec
        The feed of the archive; its mapping is not used, these columns are known.
    surroundings : Surroundings
        Force outline, first day and cut-off of the study.
    searches : sequence of (Member, str)
        Files and their months, as 2020-01.

    Returns
    -------
    FeedResult
        Table stop_search; points are snapped as all points of data.police.uk are.
    """
    files = []
    for member, month in searches:
        read_file = sheets.text_sheet(member.content(), shown=member.shown, separator=",")
        rows = read_file.rows.with_columns(pl.lit(month).alias("month"))
        files.append(
            replace(
                read_file,
                rows=rows,
                archive_sha256=member.archive_sha256,
                headers=(*read_file.headers, "month"),
            )
        )
    own = FeedSpec(
        name=spec.name,
        contract="stop_search",
        format="table",
        paths=(),
        columns=_COLUMNS,
        constants={"location_quality": "snapped"},
        time_zone="UTC",
        crs="EPSG:4326",
    )
    return tabular.from_sheets(own, surroundings, files)
