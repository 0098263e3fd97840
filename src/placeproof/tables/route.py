"""Contract of table `route`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    number,
    shape,
    text,
    whole,
)


class Route(Table):
    """One row per visit that pings draw a line of, safe to show.

    The line is cut to the hot spot and its margin, so that no home or station lies at its ends;
    no device is named.
    """

    table_name: ClassVar[str] = "route"
    contract_version: ClassVar[int] = 1

    hotspot_id = text("Hot spot that was visited")
    arrived_at = instant("First moment inside")
    dwell_s = number("Time inside, as best estimated", unit="s", low=0)
    pings = whole("Moments with a ping on the line", low=1)
    length_m = number("Length of the line", unit="m", low=0)
    line = shape("Line or lines on the British National Grid")
