"""Small cells do not leave; what does leave is rounded, and nothing beside it betrays them."""

import pytest

from placeproof.answers import release
from placeproof.tables import Finding
from tests.answers.builder import effect, findings, share, study


def released(row: dict, **more: int) -> dict:
    return release(findings([row]), **more).row(0, named=True)


def count(value: float, **more: object) -> dict:
    return share(
        "RQ1", estimand="count", unit="crimes", estimate=value, lower=None, upper=None, level=None,
        n=None, n_events=value, feeds="crime", population="hotspot=H01",
    ) | more  # fmt: skip


@pytest.mark.parametrize(("n", "status"), [(9, "suppressed"), (10, "estimated"), (0, "suppressed")])
def test_a_cell_needs_ten_people(n: int, status: str) -> None:
    assert released(share("RQ4", n=n))["status"] == status


def test_a_count_of_people_is_a_cell_too() -> None:
    row = share("RQ4", estimand="people", unit="people", estimate=3.0, n=40, feeds="turn session")
    assert released(row)["status"] == "suppressed"
    assert released(row | {"question": "data"})["status"] == "suppressed"


@pytest.mark.parametrize(("n", "told"), [(9, None), (10, 10)])
def test_roles_heard_in_a_place_do_not_tell_its_few_people(n: int, told: int | None) -> None:
    row = share("data", estimand="count", unit="roles", estimate=6.0, n=n, feeds="session speaker")
    made = released(row)
    assert (made["status"], made["estimate"], made["n"]) == ("estimated", 6.0, told)


@pytest.mark.parametrize(
    ("value", "shown"), [(4.0, None), (5.0, 5.0), (7.0, 5.0), (8.0, 10.0), (12.5, 15.0)]
)
def test_police_counts_of_small_places_round_to_five(value: float, shown: float | None) -> None:
    row = released(count(value))
    assert row["estimate"] == shown
    assert row["n_events"] == shown


def test_totals_of_the_force_and_rows_read_stay_exact() -> None:
    assert released(count(12_347.0, population="force area"))["estimate"] == 12_347.0
    assert released(count(3.0, question="data", unit="rows", population="rows"))["estimate"] == 3.0
    assert released(count(12_347.0, population="force area", subgroup="sex=f"))["estimate"] == 12345


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, 0.0), (1.0, None), (7.0, None), (8.0, 10.0), (121.0, 120.0)]
)
def test_admissions_from_one_to_seven_never_leave(value: float, shown: float | None) -> None:
    row = count(value, unit="admissions", feeds="admission", population="force area")
    assert released(row)["estimate"] == shown


def test_a_ratio_on_four_events_is_suppressed() -> None:
    assert released(effect(0.5, n_events=4.0))["status"] == "suppressed"
    assert released(effect(0.5, n_events=62.0))["n_events"] == 60.0


def test_a_negative_difference_of_counts_is_no_small_count() -> None:
    row = effect(-3.0, estimand="events_prevented", unit="events", lower=-20.0, upper=14.0)
    assert released(row)["estimate"] == -5.0


def test_nothing_beside_a_suppressed_number_betrays_it() -> None:
    row = released(share("RQ4", n=3, diagnostics='{"observed": 2}', p_value=0.2))
    names = ("estimate", "lower", "upper", "level", "standard_error", "p_value", "n", "n_events")
    assert all(row[name] is None for name in names)
    assert row["diagnostics"] == "{}"
    assert row["reason"]


def test_exact_counts_leave_the_diagnostics_of_small_places() -> None:
    row = released(effect(0.9, diagnostics='{"observed_events": 613, "scale": "log"}'))
    assert row["diagnostics"] == '{"scale": "log"}'


def test_thresholds_are_settings_and_a_second_release_changes_nothing() -> None:
    assert released(share("RQ4", n=12), people_below=20)["status"] == "suppressed"
    with pytest.raises(ValueError, match="at least 1"):
        released(share("RQ4"), counts_below=0)
    once = release(findings(study()))
    assert once.equals(release(once))
    assert Finding.is_valid(once)
