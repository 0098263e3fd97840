"""Who counts: consent, withdrawal, a person's decision, once each."""

import polars as pl
import pytest

from placeproof.surveys.eligible import STEPS, judged

from .conftest import response


def steps(frame: pl.DataFrame, **tables: pl.DataFrame | None) -> dict[str, int]:
    given = {"consent": None, "withdrawal": None, "response_flag": None} | tables
    counts = judged(frame, **given).group_by("step").len()
    return dict(counts.iter_rows())


def test_each_reason_is_counted_and_they_sum(responses, consents, flags, withdrawals) -> None:
    frame = responses(
        [
            response(1),
            response(2, consent_survey=False),
            response(3),
            response(4),
            response(5),
            response(6),
            response(6) | {"source_row": 99},
            response(7, safety_day=1),
            response(7, safety_day=2) | {"source_row": 98},
            response(8),
        ]
    )
    found = steps(
        frame,
        consent=consents([(3, "survey", False, 9), (1, "survey", True, 9)]),
        withdrawal=withdrawals([4]),
        response_flag=flags([(5, True), (8, None), (1, False)]),
    )
    assert found == {
        "no_consent": 2,
        "withdrawn": 1,
        "excluded": 1,
        "repeated": 1,
        "conflicting": 2,
        "eligible": 3,
    }
    assert set(found) == set(STEPS)


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([], True),
        ([(1, "survey", True, 9)], True),
        ([(1, "survey", True, 9), (1, "survey", False, 10)], False),
        ([(1, "survey", False, 9), (1, "survey", True, 10)], True),
        ([(1, "survey", False, 9), (1, "survey", True, 9)], False),
        ([(1, "survey", False, None), (1, "survey", True, 10)], False),
        ([(1, "survey", False, 9), (1, "survey", True, None)], False),
        (
            [(1, "survey", False, None), (1, "survey", False, 9), (1, "survey", True, 10)],
            False,
        ),
        ([(1, "quotes", False, 9)], True),
        ([(1, "analysis", False, 9), (1, "survey", True, 10)], False),
    ],
)
def test_the_later_consent_holds_and_doubt_refuses(rows, counts, responses, consents) -> None:
    found = steps(responses([response(1)]), consent=consents(rows))
    assert found == {"eligible" if counts else "no_consent": 1}


def test_order_of_rows_changes_nothing(responses, consents) -> None:
    frame = responses([response(n % 5, source_row=n + 2) for n in range(15)])
    one = judged(frame, consent=None, withdrawal=None, response_flag=None)
    two = judged(
        frame.sample(fraction=1, shuffle=True, seed=1),
        consent=None,
        withdrawal=None,
        response_flag=None,
    )
    assert one.equals(two)
    assert one.filter(pl.col("step") == "eligible").height == 5
