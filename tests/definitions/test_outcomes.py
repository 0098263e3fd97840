"""Presets carry edition and hash, count what they say, and say what they cannot tell."""

import tomllib
from importlib import resources

import polars as pl
import pytest

from placeproof import definitions
from placeproof.definitions.outcome import content_hash
from placeproof.errors import InputError, SettingsError
from placeproof.tables import Crime, Incident

TEXT = resources.files("placeproof.definitions").joinpath("outcomes.toml").read_text("utf-8")
ENTRIES = tomllib.loads(TEXT)["outcome"]
PRESETS = definitions.outcomes()

EXPECTED = set(
    """sv-street-nondom sv-public-u25 sv-broad sv-grip sv-duty-2022 knife-enabled vwi vwoi all-crime
    robbery theft vehicle-crime criminal-damage burglary drugs weapons-possession asb-all
    asb-personal asb-nuisance asb-environmental asb-plus-public-order
    puk-violence-and-sexual-offences puk-robbery puk-weapons puk-asb puk-public-order
    puk-asb-plus-public-order""".split()  # noqa: SIM905
)


def crimes(*rows: dict) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Crime.columns().items()}
    filled = [{"category": "x", "status": "recorded"} | row for row in rows]
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in filled], schema=schema)


def incidents(*rows: dict) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Incident.columns().items()}
    plain = {"category": "ASB", "qualifier": "unknown", "status": "recorded"}
    filled = [plain | row for row in rows]
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in filled], schema=schema)


def counted(outcome: str, crime: pl.DataFrame | None, incident: pl.DataFrame | None = None) -> int:
    return definitions.select(PRESETS[outcome], crime=crime, incident=incident).height


def test_every_named_preset_is_there() -> None:
    assert set(PRESETS) >= EXPECTED


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.id)
def test_rules_read_columns_of_the_contract_only(preset: definitions.Outcome) -> None:
    contracts = {"crime": Crime, "incident": Incident}
    for part in preset.parts:
        columns = contracts[part.source_table].column_names()
        assert set(pl.sql_expr(part.rule).meta.root_names()) <= set(columns)
        assert set(part.needs) <= set(columns)
    assert preset.caution
    assert preset.checked
    assert preset.edition_tag == f"{preset.id}@{preset.edition}:{preset.sha256}"


def test_changing_anything_changes_the_hash_and_layout_does_not() -> None:
    entry = ENTRIES[0]
    whole = content_hash(entry)
    assert PRESETS[entry["id"]].sha256 == whole[:8]
    assert content_hash(dict(reversed(entry.items()))) == whole
    part = entry["part"][0]
    changed = [
        entry | {"part": [part | {"rule": part["rule"] + " AND TRUE"}]},
        entry | {"part": [part | {"needs": part["needs"][1:]}]},
        entry | {"edition": "2"},
        entry | {"caution": ""},
        entry | {"activity": True},
    ]
    assert len({content_hash(other) for other in changed} | {whole}) == 6


def test_hashes_are_all_different_and_ignore_line_ends() -> None:
    assert len({preset.sha256 for preset in PRESETS.values()}) == len(PRESETS)
    windows = definitions.read_outcomes(TEXT.replace("\n", "\r\n"))
    assert {p.edition_tag for p in windows.values()} == {p.edition_tag for p in PRESETS.values()}


def test_the_published_mixture_is_never_called_serious_violence() -> None:
    for preset in PRESETS.values():
        if any("violent-crime" in part.rule for part in preset.parts):
            assert "serious" not in f"{preset.id} {preset.label}".lower()
            assert not preset.id.startswith("sv-")
    names = tomllib.loads(
        resources.files("placeproof.definitions").joinpath("categories.toml").read_text("utf-8")
    )
    mixture = next(c for c in names["category"] if c["slug"] == "violent-crime")
    assert "serious" not in str(mixture).lower()


@pytest.mark.parametrize("change", [{"label": "Serious violence"}, {"id": "sv-public-data"}])
def test_a_preset_that_calls_it_so_is_refused(change: dict) -> None:
    part = '[[outcome.part]]\nsource_table="crime"\nrule="category = \'violent-crime\'"\nneeds=[]'
    entry = {"id": "x", "label": "y"} | change
    text = (
        f'[[outcome]]\nid="{entry["id"]}"\nlabel="{entry["label"]}"\nedition="1"\n'
        f'question="RQ1"\nactivity=false\ncaution="c"\nchecked="c"\nvocabulary="police.uk"\n{part}'
    )
    with pytest.raises(SettingsError, match="serious violence"):
        definitions.read_outcomes(text)


HEAD = '[[outcome]]\nid="x"\nedition="1"\nlabel="l"\nquestion="RQ1"\nactivity=false\ncaution="c"\n'
PART = '[[outcome.part]]\nsource_table="crime"\nrule="robbery"\nneeds=["robbery"]\n'
GOOD = HEAD + 'checked="c"\n' + PART


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[outcome", "no TOML"),
        (HEAD + PART, "lacks checked"),
        (GOOD.replace('checked="c"', 'checked="c"\ncolour="red"'), "colour"),
        (GOOD + GOOD, "stands twice"),
        (GOOD.replace("RQ1", "RQ4"), "RQ4"),
        (GOOD.replace('"crime"', '"ping"'), "names no table"),
        (GOOD.replace('"robbery"\nneeds', '"robbery AND ("\nneeds'), "cannot be read"),
        (GOOD.replace('["robbery"]', '["injury"]'), "never reads"),
        (HEAD + 'checked="c"\nvocabulary="mine"\n' + PART, "vocabulary"),
    ],
)
def test_a_bad_definition_is_refused(text: str, said: str) -> None:
    assert list(definitions.read_outcomes(GOOD)) == ["x"]
    with pytest.raises(SettingsError, match=said):
        definitions.read_outcomes(text)


STREET = {
    "violence": True,
    "injury": True,
    "robbery": False,
    "weapon": False,
    "domestic": False,
    "public_place": True,
    "police_generated": False,
}


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, 1),
        ({"injury": False}, 0),
        ({"violence": False, "injury": False, "robbery": True}, 1),
        ({"injury": False, "weapon": True}, 1),
        ({"injury": False, "weapon": True, "police_generated": True}, 0),
        ({"domestic": True}, 0),
        ({"public_place": False}, 0),
        ({"injury": None, "robbery": True}, 1),  # true whatever the injury was
        ({"injury": None, "public_place": False}, 0),  # false whatever the injury was
        ({"police_generated": None}, 1),  # asked of weapon offences only
        ({"status": "cancelled"}, 0),
        ({"status": "transferred"}, 0),
    ],
)
def test_the_primary_outcome_row_by_row(change: dict, counts: int) -> None:
    table = crimes(STREET, STREET | change)
    assert counted("sv-street-nondom", table) == 1 + counts
    preset = PRESETS["sv-street-nondom"]
    assert definitions.unknown_share(preset, crime=table, incident=None) == 0


def test_rows_that_cannot_be_told_are_not_counted_but_reported() -> None:
    preset = PRESETS["sv-street-nondom"]
    table = crimes(STREET, STREET, STREET | {"domestic": None}, STREET | {"domestic": True})
    assert definitions.supplied(preset, table, None) is None
    assert definitions.select(preset, crime=table, incident=None).height == 2
    assert definitions.unknown_share(preset, crime=table, incident=None) == 0.25


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "no crime table"),
        (crimes(), "no rows"),
        (crimes(STREET | {"status": "cancelled"}), "no rows"),
        (crimes(STREET | {"domestic": None}), "column domestic"),
        (crimes(STREET, *[STREET | {"domestic": None}] * 2), "more than the 1"),
    ],
)
def test_why_an_outcome_cannot_be_counted(table: pl.DataFrame | None, said: str) -> None:
    preset = PRESETS["sv-street-nondom"]
    assert said in str(definitions.supplied(preset, table, None))
    with pytest.raises(InputError, match="cannot be counted"):
        definitions.select(preset, crime=table, incident=None)
    with pytest.raises(InputError):
        definitions.unknown_share(preset, crime=table, incident=None)


def test_under_25_by_victim_or_suspect() -> None:
    base = STREET | {"victim_age": 40, "suspect_age": 40}
    table = crimes(
        base | {"victim_age": 24},
        base | {"victim_age": None, "suspect_age": 24},
        base | {"victim_age": 25},
        base | {"victim_age": None},
    )
    assert counted("sv-public-u25", table) == 2
    assert definitions.unknown_share(PRESETS["sv-public-u25"], crime=table, incident=None) == 0.25


def test_violence_with_and_without_injury_part_all_violence() -> None:
    table = crimes(
        *[{"violence": True, "injury": i} for i in (True, True, False)], {"violence": False}
    )
    assert counted("vwi", table) + counted("vwoi", table) == 3


def test_categories_by_label_slug_or_further_name() -> None:
    words = ["Burglary", "burglary", " BURGLARY ", "Theft", "Violence with injury", "Bicycle theft"]
    table = crimes(*[{"category": word} for word in words])
    assert counted("burglary", table) == 3
    assert counted("theft", table) == 2
    # "Theft" does not say which kind, so it may be of a bicycle
    preset = PRESETS["bicycle-theft"]
    assert definitions.unknown_share(preset, crime=table, incident=None) == pytest.approx(1 / 6)
    assert "not one of data.police.uk" in str(
        definitions.supplied(PRESETS["puk-burglary"], table, None)
    )


def test_categories_in_unknown_words_are_not_zero_burglaries() -> None:
    table = crimes({"category": "Einbruch"})
    assert definitions.supplied(PRESETS["burglary"], table, None) is not None


def test_asb_with_public_order_needs_both_tables_and_keeps_exact_repeats() -> None:
    asb = incidents({"category": "Anti-social behaviour"}, {"category": "Anti-social behaviour"})
    crime = crimes({"category": "Public order"}, {"category": "Robbery"})
    for name in ("puk-asb-plus-public-order", "asb-plus-public-order"):
        events = definitions.select(PRESETS[name], crime=crime, incident=asb)
        assert events["source_table"].to_list() == ["incident", "incident", "crime"]
        assert events["event_row"].to_list() == [0, 1, 2]
        assert "no crime table" in str(definitions.supplied(PRESETS[name], None, asb))
    assert counted("puk-asb", None, asb) == 2


def test_linked_duplicates_collapse_and_unknown_kinds_are_unknown() -> None:
    asb = incidents(
        {"incident_id": "1", "qualifier": "personal"},
        {"incident_id": "2", "qualifier": "personal", "duplicate_of": "1"},
        {"incident_id": "3", "qualifier": "nuisance"},
        {"incident_id": "4"},
    )
    assert counted("asb-all", None, asb) == 3
    assert counted("asb-personal", None, asb) == 1
    assert definitions.unknown_share(PRESETS["asb-personal"], crime=None, incident=asb) == 0.25


def test_selected_events_have_one_shape_whatever_the_table() -> None:
    crime = crimes(STREET | {"victim_age": 20})
    asb = incidents({})
    one = definitions.select(PRESETS["sv-street-nondom"], crime=crime, incident=None)
    two = definitions.select(PRESETS["asb-all"], crime=None, incident=asb)
    assert one.schema == two.schema
    assert one["weight"].to_list() == [1.0]
    assert one["victim_age"].to_list() == [20]


def test_activity_is_marked() -> None:
    activity = {name for name, preset in PRESETS.items() if preset.activity}
    assert activity == {"drugs", "weapons-possession", "puk-weapons", "puk-drugs"}


def test_public_labels_have_the_fourteen_slugs() -> None:
    slugs = definitions.police_uk_slugs()
    assert len(slugs) == len(set(slugs.values())) == 14
    assert slugs["Violence and sexual offences"] == "violent-crime"
    for label, slug in slugs.items():
        assert definitions.category_slug(label) == definitions.category_slug(slug) == slug
    assert definitions.category_slug("Einbruch") is None


@pytest.mark.shared_data
def test_the_labels_are_those_of_the_published_files(shared_data) -> None:  # type: ignore[no-untyped-def]
    import zipfile

    archive = zipfile.ZipFile(
        shared_data / "leicestershire" / "police-uk-leicestershire-2019-12-to-2022-10.zip"
    )
    name = sorted(n for n in archive.namelist() if n.endswith("street.csv"))[0]
    found = pl.read_csv(archive.read(name), columns=["Crime type"])["Crime type"].unique()
    assert set(found) == set(definitions.police_uk_slugs())
