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
