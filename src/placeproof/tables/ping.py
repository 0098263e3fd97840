"""Contract of table `ping`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    number,
    source_row,
    source_sha256,
    text,
)


class Ping(Table):
    """One row per position report of a device.

    Devices repeat themselves, report late, jump, and are left switched on in the station.
    Identities are pseudonyms.
    """

    table_name: ClassVar[str] = "ping"
    contract_version: ClassVar[int] = 1

    device_id = text("Pseudonym of the device", personal=True)
    at = instant("When the position was taken")
    longitude_deg = number("Longitude, WGS84", unit="degree", low=-180, high=180, personal=True)
    latitude_deg = number("Latitude, WGS84", unit="degree", low=-90, high=90, personal=True)
    accuracy_m = number("Reported accuracy (68 % radius)", unit="m", null="not supplied", low=0)
    speed_m_s = number("Reported speed", unit="m/s", null="not supplied", low=0)
    source_sha256 = source_sha256()
    source_row = source_row()
