"""Contract of table `visit`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    number,
    one_of,
    text,
    whole,
)


class Visit(Table):
    """One row per visit of a device to a hot spot.

    Measured from pings, time before the first and after the last is not known: dwell is
    measured from below.
    """

    table_name: ClassVar[str] = "visit"
    contract_version: ClassVar[int] = 1

    device_id = text("Pseudonym of the device", personal=True)
    hotspot_id = text("Hot spot that was visited")
    arrived_at = instant("First moment inside")
    left_at = instant("Last moment inside")
    dwell_s = number("Time inside", unit="s", low=0)
    pings = whole("Position reports inside", null="the source gave the visit ready-made", low=1)
    source = one_of("Where the visit comes from", "pings", "delivered")
