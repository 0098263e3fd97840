"""Delivery: figures stand in the order of the day, whatever the order of a set."""

from typing import Any

import pytest

from placeproof.report import delivery

BANDS = ("all", "nte:nte-core", "other:nte-core", "band:06-10", "band:10-14", "band:22-02")


def test_figures_of_minutes_stand_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Any] = [
        {"hours": band, "horizon": "2023-04", "outcome": outcome, "outcome_label": outcome,
         "subgroup": "all", "population": delivery.OURS, "method": "sum", "unit": "minutes"}
        for outcome in ("planned_minutes", "delivered_minutes")
        for band in reversed(BANDS)
    ]  # fmt: skip
    monkeypatch.setattr(delivery, "_chart", lambda _material, identity, band, _series: band)
    material: Any = None
    assert tuple(delivery._minutes(material, rows)) == BANDS


def test_minutes_in_rings_stand_beside_those_inside_and_are_nobodys_statement() -> None:
    rings = [
        {"outcome": "ring_minutes", "outcome_label": "Minutes in the ring", "population": name}
        for name in ("ring 100-250 m", "ring 50-100 m", "ring 0-50 m")
    ]
    inside = {"outcome": "delivered_minutes", "outcome_label": "Z", "population": delivery.OURS}
    officers = {"outcome": "person_minutes", "outcome_label": "A", "population": delivery.OURS}
    rows: list[Any] = [officers, *rings, inside]
    assert all(delivery._measured_here(row) for row in rows)
    assert [delivery._measure(row) for row in sorted(rows, key=delivery._place)] == [
        "Z",
        "Minutes in the ring from 0-50 m",
        "Minutes in the ring from 50-100 m",
        "Minutes in the ring from 100-250 m",
        "A",
    ]
    stated: Any = inside | {"population": "hot spots, stated by wardens"}
    assert not delivery._measured_here(stated)
