"""Ten answers: two-sided, each with its reason, degrading exactly where a feed is missing."""

import json
import re
from datetime import date

import polars as pl
import pytest

from placeproof.tables import Answer, Shock
from tests.answers.builder import (
    SUPPLIED,
    answer,
    answers,
    control,
    effect,
    findings,
    share,
    study,
    trend,
)

PLACEHOLDER = re.compile(r"\{[0-9a-f]+:[a-z_]+\}")


def statuses(made: list[dict], **more: object) -> dict[str, str]:
    table = answers(findings(made), **more)
    return dict(zip(table["question"], table["status"], strict=True))


def without(*feeds: str) -> dict[str, str]:
    gone = set(feeds)
    made = [row for row in study() if not gone & set(str(row["feeds"]).split())]
    return statuses(made, supplied={**SUPPLIED, **dict.fromkeys(feeds, False)})


def test_a_whole_study_answers_everything() -> None:
    table = answers(findings(study()))
    assert Answer.is_valid(table)
    assert table["question"].to_list() == [f"RQ{number}" for number in range(1, 11)]
    assert set(table["status"]) == {"answered"}, table.select("question", "status", "because")
    assert set(table["confidence"]) <= {"moderate", "low"}


@pytest.mark.parametrize(
    ("gone", "degraded"),
    [
        (("crime",), {"RQ1": "not answerable", "RQ2": "not answerable", "RQ8": "partly",
                      "RQ9": "partly"}),
        (("incident",), {"RQ3": "not answerable"}),
        (("response",), {**dict.fromkeys(("RQ4", "RQ5", "RQ6", "RQ7"), "partly"), "RQ8": "partly",
                         "RQ9": "partly"}),
        (("session", "turn", "coded_span"), dict.fromkeys(("RQ4", "RQ5", "RQ6", "RQ7"), "partly")),
        (("ed_assault",), {"RQ10": "partly"}),
        (("admission",), {"RQ10": "partly"}),
        (("ed_assault", "admission"), {"RQ10": "not answerable"}),
        (("ping",), {}),
        (("response", "session", "turn", "coded_span"),
         {**dict.fromkeys(("RQ4", "RQ5", "RQ6", "RQ7"), "not answerable"), "RQ8": "partly",
          "RQ9": "partly"}),
    ],
)  # fmt: skip
def test_a_missing_feed_degrades_exactly_its_questions(
    gone: tuple[str, ...], degraded: dict[str, str]
) -> None:
    whole = dict.fromkeys((f"RQ{number}" for number in range(1, 11)), "answered")
    assert without(*gone) == whole | degraded


def test_without_hot_spots_no_effect_is_answerable_and_the_reason_says_so() -> None:
    made = [row for row in study() if "hotspot" not in str(row["feeds"])]
    told = answer(findings(made), "RQ1", supplied=SUPPLIED | {"hotspot": False})
    assert told["status"] == "not answerable"
    assert "hot spots" in told["because"]


def test_without_pings_the_grade_falls_and_says_why() -> None:
    told = answer(findings(study()), "RQ1", supplied=SUPPLIED | {"ping": False})
    assert (told["status"], told["confidence"]) == ("answered", "low")
    assert "dose" in told["grade_reasons"]


def test_harm_is_said_as_plainly_as_benefit() -> None:
    harm = answer(findings([effect(1.2), trend(), control()]), "RQ1")
    benefit = answer(findings([effect(0.8), trend(), control()]), "RQ1")
    assert " rose by " in harm["summary"]
    assert " fell " not in harm["summary"]
    assert harm["status"] == benefit["status"] == "answered"
    assert harm["summary"].replace(" rose by ", " fell by ") == benefit["summary"]


@pytest.mark.parametrize("ratio", [0.95, 1.0, 1.05])
def test_an_interval_that_holds_no_effect_is_never_called_a_change(ratio: float) -> None:
    told = answer(findings([effect(ratio), trend(), control()]), "RQ1")
    assert "no difference that these data can show" in told["summary"]
    assert not re.search(r"\b(fell|rose)\b", told["summary"])
    assert "minimum_detectable_effect" in told["summary"]


def test_an_interval_that_ends_on_no_effect_holds_it() -> None:
    told = answer(findings([effect(0.9, upper=1.0)]), "RQ1")
    assert not re.search(r"\b(fell|rose)\b", told["summary"])


def test_an_estimate_without_an_interval_has_no_direction() -> None:
    told = answer(findings([effect(0.5, lower=None, upper=None, level=None)]), "RQ1")
    assert told["status"] == "partly"
    assert not re.search(r"\b(fell|rose)\b", told["summary"])


CHECKS = {
    "negative control": ([control(1.4)], {}, "none"),
    "drifting apart": ([trend(p_value=0.01)], {}, "low"),
    "little power": ([trend(diagnostics='{"power_against_that_slope": 0.2}')], {}, "low"),
    "estimate is another": (
        [effect(1.4, role="beside", method="poisson_imputation_trend_adjusted")], {}, "low",
    ),
    "without a location": (
        [effect(1.05, role="robustness", method="poisson_imputation_unlocated",
                horizon="unlocated=more")], {}, "low",
    ),
    "exploratory": ([], {"exploratory": True}, "low"),
    "Retrospective": ([], {"retrospective": True}, "low"),
    "few places": ([], {"few_places_below": 40}, "low"),
    "reason to expect": ([], {"plausible_effect": 0.02}, "low"),
    "dose": ([], {"supplied": {**SUPPLIED, "ping": False}}, "low"),
}  # fmt: skip


@pytest.mark.parametrize("words", CHECKS)
def test_each_failed_check_lowers_the_grade_and_says_so(words: str) -> None:
    more, settings, _ = CHECKS[words]
    replaced = {(row["estimand"], row["method"], row["role"]) for row in more}
    made = [effect(0.8), trend(), control()]
    made = [row for row in made if (row["estimand"], row["method"], row["role"]) not in replaced]
    found = findings(made + more)
    sound = answer(findings([effect(0.8), trend(), control()]), "RQ1")
    told = answer(found, "RQ1", **settings)
    assert sound["confidence"] == "moderate"
    assert told["confidence"] == "low"
    assert words in told["grade_reasons"]


STARTED = date(2021, 7, 26)


def registered(starts_on: date = date(2021, 7, 19), **more: object) -> pl.DataFrame:
    row = {"shock_id": "E1", "name": "Clubs reopen", "kind": "reopening", "starts_on": starts_on}
    row |= {"ends_on": None, "outcomes": "*", "source_sha256": "0" * 64, "source_row": 2}
    schema = {name: column.dtype for name, column in Shock.columns().items()}
    return Shock.validate(pl.DataFrame([row | more], schema=schema), cast=True)


def again(ratio: float, change: float, *, error: float = 0.02) -> list[dict]:
    return [
        effect(ratio, role="robustness", horizon="without=E1"),
        effect(change, role="robustness", horizon="without=E1", error=error,
               estimand="change_in_rate_ratio"),
    ]  # fmt: skip


def beside_the_start(
    shocks: pl.DataFrame, *more: dict, start: date | None = STARTED, **settings: object
) -> dict:
    made = findings([effect(0.8), trend(), control(), *more])
    return answer(made, "RQ1", shocks=shocks, first_start=start, **settings)


@pytest.mark.parametrize("starts_on", [date(2021, 5, 25), date(2021, 7, 26), date(2021, 9, 26)])
def test_an_event_beside_the_first_start_lowers_the_grade_and_is_told(starts_on: date) -> None:
    told = beside_the_start(registered(starts_on))
    assert told["confidence"] == "low"
    assert (
        "Places reopened within two months of the first patrols (Clubs reopen)"
        in (told["grade_reasons"])
    )
    other = beside_the_start(registered(starts_on, kind="recording"))
    assert "Something else changed within two months" in other["grade_reasons"]


@pytest.mark.parametrize(
    "told",
    [
        {"shocks": registered(date(2021, 5, 24))},
        {"shocks": registered(date(2021, 9, 27))},
        {"shocks": registered(), "start": None},
        {"shocks": registered(outcomes="outcome-RQ2 asb")},
    ],
)
def test_an_event_elsewhere_lowers_nothing(told: dict) -> None:
    assert beside_the_start(**told)["confidence"] == "moderate"


def test_an_event_that_touches_the_outcome_by_name_lowers_it() -> None:
    assert beside_the_start(registered(outcomes="asb outcome-RQ1"))["confidence"] == "low"


@pytest.mark.parametrize(
    ("ratio", "change", "confidence", "words"),
    [
        (0.81, 1.01, "low", "says the same"),
        # It moved by more than chance, and still says that crime fell: it may fade with time.
        (0.86, 1.075, "low", "says the same"),
        (1.0, 1.25, "none", "would say something else"),
        (1.2, 1.5, "none", "would say something else"),
    ],
)
def test_the_estimate_without_the_event_decides_how_far_it_threatens(
    ratio: float, change: float, confidence: str, words: str
) -> None:
    # Limits alone stop at low; a threat goes on from there.
    told = beside_the_start(registered(), *again(ratio, change), exploratory=True)
    assert told["confidence"] == confidence
    assert words in told["grade_reasons"]


def test_a_wider_interval_alone_is_no_other_conclusion() -> None:
    wide = effect(0.82, error=0.2, role="robustness", horizon="without=E1")
    shift = again(0.8, 1.02, error=0.1)[1]
    told = beside_the_start(registered(), wide, shift, exploratory=True)
    assert told["confidence"] == "low"


def test_hours_under_other_rules_never_carry_the_answer() -> None:
    core = [effect(0.8, question="RQ9", hours=hours, role="beside")
            for hours in ("nte:nte-core", "other:nte-core")]  # fmt: skip
    core.append(effect(0.9, question="RQ9", estimand="ratio_of_rate_ratios"))
    more = [
        effect(0.3, question="RQ9", hours=f"{name}:nte-late", role="robustness", estimand=estimand)
        for name in ("nte", "other")
        for estimand in ("rate_ratio", "ratio_of_rate_ratios")
    ]
    tally = {"question": "RQ9", "role": "description", "estimand": "count", "method": "count",
             "unit": "events", "lower": None, "upper": None, "level": None}  # fmt: skip
    more.append(effect(900.0, hours="nte:nte-core", **tally))
    assert answer(findings(core + more), "RQ9") == answer(findings(core), "RQ9")
    assert answer(findings(more), "RQ9")["status"] == "not answerable"


def test_records_without_times_give_that_reason_once() -> None:
    why = "The records carry no time of day."
    row = effect(1.0, question="RQ9", hours="nte", role="robustness", status="not_identified",
                 reason=why, estimate=None, estimand="ratio_of_rate_ratios")  # fmt: skip
    told = answer(findings([effect(0.8), row]), "RQ9")
    assert told["status"] == "not answerable"
    assert told["because"].count(why.rstrip(".")) == 1


def test_limits_alone_never_lower_to_none_but_threats_do() -> None:
    made = [effect(0.8, outcome="puk-robbery")]
    limits = answer(findings(made), "RQ1", exploratory=True, retrospective=True)
    assert limits["confidence"] == "low"
    threats = [effect(0.8), trend(p_value=0.001), control(1.5)]
    told = answer(findings(threats), "RQ1")
    assert told["confidence"] == "none"
    assert "no conclusion" in told["summary"]


def test_a_published_category_is_never_more_than_a_part() -> None:
    made = [effect(0.8, outcome="puk-violence-and-sexual-offences"), control()]
    told = answer(findings(made), "RQ1")
    assert told["status"] == "partly"
    assert "serious violence" in told["because"]


def test_before_and_after_alone_is_never_an_answer() -> None:
    made = [effect(0.6, role="not_impact", method="before_after")]
    told = answer(findings(made), "RQ1")
    assert told["status"] == "partly"
    assert told["confidence"] == "none"
    assert "not impact" in told["summary"]


def test_masked_outcomes_wait_for_the_lock() -> None:
    made = [effect(0.8, status="masked", estimate=None)]
    assert "locked" in answer(findings(made), "RQ1")["because"]


def test_perceptions_are_levels_and_never_effects() -> None:
    for number in range(4, 8):
        told = answer(findings(study()), f"RQ{number}")
        assert "not effects" in told["summary"]
        assert not re.search(r"\bimpact|fell|rose\b", told["summary"])


def test_volunteers_alone_answer_in_part_and_all_suppressed_not_at_all() -> None:
    volunteers = [share("RQ4", population="residents, volunteers")]
    assert answer(findings(volunteers), "RQ4")["status"] == "partly"
    hidden = [share("RQ4", status="suppressed", estimate=None, lower=None, upper=None)]
    told = answer(findings(hidden), "RQ4")
    assert told["status"] == "not answerable"
    assert "released" in told["because"]


def test_core_hours_against_other_hours_is_two_sided() -> None:
    for ratio, word in ((0.6, "below"), (1.6, "above"), (1.0, "no difference")):
        made = [effect(ratio, question="RQ9", estimand="ratio_of_rate_ratios")]
        assert word in answer(findings(made), "RQ9")["summary"]


def test_groups_of_victims_are_compared_in_the_words_of_groups() -> None:
    def victims(ratio: float, holm: float, sex: str = "Female") -> dict:
        return effect(
            ratio, question="RQ8", role="beside", estimand="ratio_of_rate_ratios",
            subgroup=f"victim_sex={sex}", diagnostics=f'{{"p_value_holm": {holm}}}',
        )  # fmt: skip

    person = effect(0.9, question="RQ8", role="beside", subgroup="victim_sex=Female")
    said = share("RQ8", role="beside", subgroup="age_band=16-24")
    refused = effect(
        0.9, question="RQ8", outcome="asb", outcome_label="Disorder", role="beside",
        subgroup="victims", feeds="incident hotspot", status="not_supplied", estimate=None,
        reason="Incidents carry no victim.",
    )  # fmt: skip
    apart = answer(findings([person, victims(0.6, 0.01), said, refused]), "RQ8")
    assert apart["status"] == "answered"
    assert "Disorder is not: Incidents carry no victim." in apart["because"]
    assert "In recorded crime some groups differ from the others" in apart["summary"]
    assert "victim sex Female" in apart["summary"]
    alike = answer(findings([person, victims(0.6, 0.2), said]), "RQ8")
    assert "In recorded crime no difference between groups" in alike["summary"]
    for told in (apart, alike):
        assert "core hours" not in told["summary"]
    alone = answer(findings([person, victims(0.6, 0.2)]), "RQ8")
    assert alone["status"] == "partly"


def test_numbers_stand_only_in_placeholders() -> None:
    table = answers(findings(study()), exploratory=True)
    labels = [f"RQ{number}" for number in range(10, 0, -1)] + ["16-24", "25-49"]
    for row in table.iter_rows(named=True):
        texts = [row["summary"], row["because"], row["next_step"] or ""]
        for text in texts + json.loads(row["grade_reasons"]):
            bare = PLACEHOLDER.sub("", text)
            for label in labels:
                bare = bare.replace(label, "")
            assert not re.search(r"\d", bare), bare


def test_every_finding_that_is_named_is_there() -> None:
    found = findings(study())
    known = set(found["finding_id"])
    for row in answers(found).iter_rows(named=True):
        named = set(re.findall(r"\{([0-9a-f]+):", row["summary"]))
        assert named <= known
        assert set(json.loads(row["finding_ids"])) <= known
        assert named <= set(json.loads(row["finding_ids"])) | {
            row["finding_id"] for row in found.iter_rows(named=True)
        }


def test_no_findings_at_all_give_ten_reasons() -> None:
    table = answers(findings([]), supplied={})
    assert set(table["status"]) == {"not answerable"}
    assert table["because"].str.len_chars().min() > 10


def test_the_order_of_findings_changes_nothing() -> None:
    found = findings(study())
    assert answers(found).equals(answers(found.clone()))


def test_no_template_assumes_benefit() -> None:
    from pathlib import Path

    import placeproof.answers as room

    words = re.compile(r"\b(improv|succe|benefi|reduced|reductions?|effective in)\w*", re.I)
    for file in Path(room.__file__).parent.glob("*.py"):
        for literal in re.findall(r'"([^"\n]*)"', file.read_text(encoding="utf-8")):
            assert not words.search(literal), f"{file.name}: {literal}"


def test_titles_come_from_the_definitions() -> None:
    from placeproof.definitions.questions import QUESTIONS

    table = answers(findings([]), supplied={})
    assert dict(table.select("question", "title").iter_rows()) == QUESTIONS
    assert isinstance(table, pl.DataFrame)


@pytest.mark.parametrize(("ratio", "word"), [(1.2, " rose by "), (0.8, " fell by ")])
def test_harm_is_said_in_either_direction_by_each_edition(ratio: float, word: str) -> None:
    made = [
        effect(
            ratio, question="RQ2", outcome="harm-all-crime-reported", estimand="harm_rate_ratio",
            outcome_label=f"Harm of all crime, {edition}", role="beside",
            definition_edition=f"harm@{edition}:abc",
        )
        for edition in ("edition 1", "edition 2")
    ]  # fmt: skip
    told = answer(findings([*study(), *made]), "RQ2")["summary"].partition("\n\n")[0]
    for edition in ("edition 1", "edition 2"):
        assert f"Harm of all crime, {edition} in treated hot spots{word}" in told


def test_harm_without_an_index_is_not_known() -> None:
    row = effect(1.0, question="RQ2", outcome="harm-all-crime-reported", role="beside",
                 estimand="harm_rate_ratio", estimate=None, lower=None, upper=None,
                 status="not_supplied", reason="No harm index was supplied.")  # fmt: skip
    told = answer(findings([*study(), row]), "RQ2")["summary"]
    assert "Harm is not known: No harm index was supplied." in told


def test_an_effect_on_attendances_without_bounds_does_not_answer() -> None:
    bare = [row for row in study() if not str(row.get("horizon", "")).startswith("unlocated=")]
    assert answer(findings(bare), "RQ10")["status"] == "partly"
    whole = answer(findings(study()), "RQ10")
    assert whole["status"] == "answered"
    assert "If attendances without a place lie as the others do" in whole["summary"]
