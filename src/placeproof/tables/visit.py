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

    `seen_s` is what pings show and is measured from below; `dwell_s` adds what they do not show.
    Ready-made visits are taken at their word.
    """

    table_name: ClassVar[str] = "visit"
    contract_version: ClassVar[int] = 2

    device_id = text("Pseudonym of the device", personal=True)
    hotspot_id = text("Hot spot that was visited")
    arrived_at = instant("First moment inside")
    left_at = instant("Last moment inside")
    seen_s = number("Time between the first and the last ping inside", unit="s", low=0)
    dwell_s = number("Time inside, as best estimated", unit="s", low=0)
    dwell_sd_s = number(
        "Standard deviation of the error of the time inside", unit="s", null="not known", low=0
    )
    visible_s = number(
        "Time inside on foot and outside premises", unit="s", null="speed is not known", low=0
    )
    interval_s = number(
        "Usual time between pings of the device", unit="s", null="ready-made, or not known", low=0
    )
    pings = whole("Moments with a ping inside", null="ready-made, or not counted", low=1)
    source = one_of("Where the visit comes from", "pings", "delivered")
    method = one_of("How it was made", "order_free", "crossings", "ready_made")
