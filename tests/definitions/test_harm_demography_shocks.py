"""Harm by edition, groups by edition, the shocks of the area, and the ten questions."""

from datetime import date

import polars as pl
import pytest

from placeproof import definitions
from placeproof.definitions.demography import AGE_BANDS, ETHNIC_GROUPS, SEX_GROUPS
from placeproof.errors import InputError, SettingsError
from placeproof.tables import Answer, Shock

CRIME = pl.DataFrame(
    {
        "crime_id": ["a", "b", "c", "d", "e", "f"],
        "offence_code": ["8N", "8N", "99", None, "92D", " 34B "],
        "police_generated": [False, None, False, False, True, False],
        "status": ["recorded", "recorded", "recorded", "recorded", "recorded", "recorded"],
    }
)


def index(**weights: float) -> pl.DataFrame:
    return pl.DataFrame({"offence_code": list(weights), "harm": list(weights.values())})


FIRST = definitions.harm_weights(index(**{"8N": 20.0, "34B": 365.0, "92D": 5.0}), "index A")
SECOND = definitions.harm_weights(index(**{"8N": 15.0, "34B": 365.0, "92D": 5.0}), "index B")


def test_two_editions_give_two_labelled_results() -> None:
    one, _ = definitions.harm(CRIME, FIRST)
    two, _ = definitions.harm(CRIME, SECOND)
    assert one["harm"].to_list() == [20, 20, 365]
    assert two["harm"].to_list() == [15, 15, 365]
    assert one["harm_edition"].unique().to_list() == [FIRST.edition_tag]
    assert FIRST.edition_tag.startswith("harm@index A:")
    assert FIRST.edition_tag != SECOND.edition_tag
    renamed = definitions.harm_weights(FIRST.weights.reverse(), "index A")
    assert renamed.edition_tag == FIRST.edition_tag


def test_unknown_codes_are_listed_and_police_work_is_left_out() -> None:
    events, unknown = definitions.harm(CRIME, FIRST)
    assert unknown.rows() == [("99", 1), (None, 1)]
    assert events["crime_id"].to_list() == ["a", "b", "f"]  # e was found by police work


def test_cancelled_crimes_have_no_harm() -> None:
    events, unknown = definitions.harm(CRIME.with_columns(status=pl.lit("cancelled")), FIRST)
    assert events.is_empty()
    assert unknown.is_empty()


@pytest.mark.parametrize(
    ("table", "edition", "said"),
    [
        (index(**{"8N": 1.0}), " ", "no edition"),
        (index(**{"8N": 1.0}).drop("harm"), "x", "no column harm"),
        (index(), "x", "no rows"),
        (index(**{"8N": -1.0}), "x", "below 0"),
        (index(**{"8N": float("nan")}), "x", "no number"),
        (pl.concat([index(**{"8N": 1.0})] * 2), "x", "twice"),
        (index(**{" ": 1.0}), "x", "without an offence code"),
        (pl.DataFrame({"offence_code": ["8N"], "harm": ["much"]}), "x", "no number"),
    ],
)
def test_a_bad_index_is_refused(table: pl.DataFrame, edition: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        definitions.harm_weights(table, edition)


def test_crimes_without_codes_have_no_harm_at_all() -> None:
    with pytest.raises(InputError, match="no crime carries"):
        definitions.harm(CRIME.with_columns(offence_code=pl.lit(None, pl.String)), FIRST)


def test_age_bands_begin_on_their_first_birthday() -> None:
    ages = pl.DataFrame({"age": [0, 17, 18, 24, 25, 34, 35, 74, 75, 120, None, -1]})
    bands = ages.select(definitions.age_band(pl.col("age"), edition="age-8@1")).to_series()
    assert bands.to_list() == [
        *["0-17", "0-17", "18-24", "18-24", "25-34", "25-34", "35-44"],
        *["65-74", "75+", "75+", None, None],
    ]


def test_words_of_sources_fall_into_groups_or_into_none() -> None:
    frame = pl.DataFrame(
        {
            "sex": ["F", " male ", "Unknown", None],
            "ethnic": ["W1", "Asian, Asian British or Asian Welsh", "IC1", "NS"],
        }
    )
    made = frame.select(
        definitions.sex_group(pl.col("sex"), edition="sex-2@1"),
        definitions.ethnic_group(pl.col("ethnic"), edition="ethnic-5-census-2021@1"),
    )
    assert made["sex"].to_list() == ["Female", "Male", None, None]
    assert made["ethnic"].to_list() == [
        *["White", "Asian, Asian British or Asian Welsh", None, None]
    ]


def test_editions_are_named_and_their_labels_reachable() -> None:
    for bands in AGE_BANDS.values():
        assert len(bands.starts) == len(bands.labels)
    for groups in (*SEX_GROUPS.values(), *ETHNIC_GROUPS.values()):
        assert set(groups.spellings.values()) == set(groups.labels)
        assert groups.checked
    with pytest.raises(SettingsError):
        definitions.age_band(pl.col("age"), edition="age-9")


@pytest.mark.shared_data
def test_ethnic_groups_are_those_of_the_census_table(shared_data) -> None:  # type: ignore[no-untyped-def]
    table = pl.read_csv(shared_data / "leicestershire" / "ethnicity21_lsoa21_leics.csv")
    found = {name for name in table["ethnic_group"].unique() if name != "Does not apply"}
    assert found == set(ETHNIC_GROUPS["ethnic-5-census-2021@1"].labels)


def test_shocks_meet_their_contract_and_name_the_reopening() -> None:
    register = Shock.validate(definitions.shocks())
    assert register["shock_id"].is_unique().all()
    reopening = register.filter(kind="reopening")
    assert reopening["starts_on"].to_list() == [date(2021, 7, 19)]
    assert register.filter(shock_id="covid-restrictions")["ends_on"][0] == date(2021, 7, 18)
    unsure = register.filter(shock_id="counting-rules-2023")["name"][0]
    assert "to be checked" in unsure


def test_the_questions_are_the_ten_of_the_contract_and_assume_nothing() -> None:
    allowed = Answer.columns()["question"].metadata["allowed"]  # type: ignore[index]
    assert tuple(definitions.QUESTIONS) == allowed
    for title in definitions.QUESTIONS.values():
        assert title.endswith("?")
        for word in ("reduce", "improve", "benefit", "success", "fall"):
            assert word not in title.lower()
