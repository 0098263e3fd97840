"""The scan of recording: R's statistic, rare false flags, planted steps found with their month."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from placeproof.panel import steps
from placeproof.panel.scan import Series, _holm, recording_series, scan, scan_rows, scannable

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
MONTHS = [date(2019 + (3 + k) // 12, (3 + k) % 12 + 1, 1) for k in range(51)]


def named(n: int, seed: int, *, series: str = "one", months: list[date] | None = None) -> Series:
    rng = np.random.default_rng(seed)
    share = 1 / (1 + np.exp(1.5 + rng.normal(0, 0.05, n)))
    when = tuple((months or MONTHS)[:n])
    return Series(series, series.title(), when, share, np.full(n, 2000.0), "share", "crime")


def test_largest_f_agrees_with_r() -> None:
    table = pl.read_csv(REFERENCE / "panel_steps.csv", comment_prefix="#")
    says = dict(zip(table["name"], table["value"].cast(pl.Float64), strict=True))
    y = np.array([says[f"y{k:02d}"] for k in range(1, 41)])
    against = steps.yardstick(
        MONTHS[:40], shortest=4, simulations=200, rng=np.random.default_rng(1)
    )
    made = steps.largest_step(y, against)
    assert made is not None
    assert made.statistic == pytest.approx(says["supremum_f"], rel=1e-8)
    assert made.at == says["position"]
    assert made.size == pytest.approx(says["size"], rel=1e-8)
    left = steps._left(y[None], against.smooth, np.array([made.at]))
    assert steps._autocorrelation(left)[0] == pytest.approx(says["autocorrelation"], abs=1e-8)


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_false_flags_are_rare_with_trend_season_and_autocorrelation(rho: float) -> None:
    rng = np.random.default_rng(7)
    against = steps.yardstick(MONTHS, shortest=4, simulations=999, rng=rng)
    found = 0
    for _ in range(300):
        noise = rng.standard_normal(51)
        for t in range(1, 51):
            noise[t] = rho * noise[t - 1] + np.sqrt(1 - rho**2) * noise[t]
        made = steps.largest_step(
            noise + 0.03 * np.arange(51) + np.cos(np.arange(51) / 6 * np.pi), against
        )
        assert made is not None
        found += made.p_value <= 0.05
    assert found / 300 <= 0.09  # 5 %, and the upper end of a 99 % Monte Carlo interval


def test_a_planted_step_is_found_with_its_month_and_size() -> None:
    for at in (6, 20, 46):
        one = named(51, 3)
        odds = one.share / (1 - one.share) * np.where(np.arange(51) >= at, 1.5, 1.0)
        series = [
            *(named(51, seed, series=f"quiet{seed}") for seed in range(4, 14)),
            Series("one", "One", one.months, odds / (1 + odds), one.rows, "share", "crime"),
        ]
        flags = scan(series, registered={}, false_flags=0.05, shortest=4, simulations=999,
                     rng=np.random.default_rng(1))  # fmt: skip
        assert [(flag.series.series, flag.step.at) for flag in flags] == [("one", at)]
        rows = scan_rows(series, flags, shortest=4)
        step = rows.filter(estimand="step_in_recording").row(0, named=True)
        assert step["horizon"] == f"{MONTHS[at]:%Y-%m}"
        assert step["estimate"] == pytest.approx(1.5, rel=0.1)
        assert rows.filter(estimand="series_scanned")["estimate"].item() == 11


def test_two_steps_in_one_series_are_both_found() -> None:
    one = named(51, 5)
    odds = one.share / (1 - one.share)
    odds = odds * np.where(np.arange(51) >= 15, 1.6, 1.0) * np.where(np.arange(51) >= 35, 0.6, 1.0)
    both = Series("one", "One", one.months, odds / (1 + odds), one.rows, "share", "crime")
    flags = scan([both], registered={}, false_flags=0.05, shortest=4, simulations=999,
                 rng=np.random.default_rng(1))  # fmt: skip
    assert sorted(flag.step.at for flag in flags) == [15, 35]


def test_a_registered_change_is_looked_for_at_its_month_where_smaller_steps_show() -> None:
    at, shown, unknown = 46, 0, 0
    for seed in range(20):
        one = named(51, seed)
        odds = one.share / (1 - one.share) * np.where(np.arange(51) >= at, 1.2, 1.0)
        series = [
            Series("one", "One", one.months, odds / (1 + odds), one.rows, "share", "crime"),
            *(named(51, seed + 100 * k, series=f"quiet{k}") for k in range(1, 10)),
        ]
        flags = scan(series, registered={"S3": MONTHS[at]}, false_flags=0.05, shortest=4,
                     simulations=999, rng=np.random.default_rng(seed))  # fmt: skip
        mine = [flag for flag in flags if flag.series.series == "one" and flag.step.at == at]
        assert len(mine) <= 1
        shown += bool(mine)
        unknown += bool(mine) and mine[0].registered is None
    assert shown >= 15
    assert unknown < shown


def test_the_same_seed_gives_the_same_flags_and_short_series_are_named() -> None:
    series = [named(51, 3), named(9, 4, series="short")]
    assert not scannable(series[1], shortest=4)
    made = [
        scan(
            series,
            registered={},
            false_flags=0.5,
            shortest=4,
            simulations=199,
            rng=np.random.default_rng(2),
        )
        for _ in range(2)
    ]
    assert [f.adjusted for f in made[0]] == [f.adjusted for f in made[1]]
    row = scan_rows(series, [], shortest=4).row(0, named=True)
    assert (row["estimate"], row["reason"]) == (1.0, "Too short to be scanned: Short.")
    assert scan([], registered={}, false_flags=0.05, shortest=4, simulations=199,
                rng=np.random.default_rng(1)) == []  # fmt: skip


def test_p_values_are_corrected_as_r_does() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert _holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert _holm([0.5, 0.9]) == [1.0, 1.0]


def test_a_constant_series_is_no_step() -> None:
    flat = Series(
        "flat", "Flat", tuple(MONTHS), np.full(51, 0.2), np.full(51, 100.0), "share", "crime"
    )
    assert scan([flat], registered={}, false_flags=0.05, shortest=4, simulations=199,
                rng=np.random.default_rng(1)) == []  # fmt: skip


def crimes(months: list[date], per_month: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for k, month in enumerate(months):
        for j in range(per_month):
            at = datetime(month.year, month.month, 1 + j % 27, tzinfo=UTC)
            rows.append(
                {
                    "month": month,
                    "occurred_to": at,
                    "recorded_at": at + timedelta(hours=float(rng.exponential(5) * (1 + (k > 20)))),
                    "easting_m": None if rng.random() < (0.3 if k < 12 else 0.03) else 1.0,
                    "location_quality": "exact",
                    "status": "recorded",
                    "category": ["Theft", "Public order"][j % 2],
                    "domestic": j % 3 == 0, "public_place": j % 5 == 0, "weapon": None,
                    "violence": j % 4 == 0, "injury": False,
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"weapon": pl.Boolean})


def test_series_are_formed_from_what_is_there_and_restrictions_are_left_out_of_the_mix() -> None:
    table = crimes(MONTHS[:30])
    incident = table.with_columns(qualifier=pl.Series(["personal", "nuisance"] * 3000))
    made = recording_series(
        crime=table, incident=incident, before=None,
        spans=[(date(2020, 3, 23), date(2020, 6, 30))],
    )  # fmt: skip
    by = {one.series: one for one in made}
    assert {"crime-missing", "crime-delay", "crime-category-public-order", "asb-or-order",
            "asb-or-violence", "incident-qualifier-personal",
            "crime-flag-domestic"} <= set(by)  # fmt: skip
    assert "crime-flag-weapon" not in by
    assert len(by["crime-missing"].months) == 30
    assert len(by["crime-category-theft"].months) == 26
    assert by["crime-missing"].share[0] == pytest.approx(
        table.filter(month=MONTHS[0])["easting_m"].null_count() / 200
    )
    masked = recording_series(crime=table, incident=None, before=date(2020, 1, 1), spans=[])
    assert all(max(one.months) < date(2020, 1, 1) for one in masked)
    flags = scan(
        made,
        registered={},
        false_flags=0.05,
        shortest=4,
        simulations=999,
        rng=np.random.default_rng(1),
    )
    assert ("crime-missing", 12) in {(flag.series.series, flag.step.at) for flag in flags}
    assert recording_series(crime=None, incident=None, before=None, spans=[]) == []
