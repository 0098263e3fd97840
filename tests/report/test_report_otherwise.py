"""How the report shows the headline made otherwise: without events, under other night hours."""

import json
from datetime import date

import polars as pl
import pytest

from placeproof.answers import from_estimates, release
from placeproof.report import build
from placeproof.report.document import Document, Name, Number, Paragraph, Table, _spans, walk
from placeproof.tables import Shock
from placeproof.tables.estimate import rows
from tests.report import invented
from tests.report.test_report_edited import MACHINE, words

SERIOUS = ("sv-street-nondom", "Serious violence in public places, not domestic")
HOURS = {"nte-core": "Weekend nights", "nte-wide": "Every evening", "nte-late": "Late nights"}


def register(*names: str) -> pl.DataFrame:
    made = [
        {"shock_id": f"E{k}", "name": name, "kind": "recording", "starts_on": date(2019 + k, 1, 1),
         "ends_on": date(2019 + k, 6, 30) if k else None, "outcomes": "*",
         "source_sha256": "0" * 64, "source_row": k + 2}
        for k, name in enumerate(names)
    ]  # fmt: skip
    schema = {name: column.dtype for name, column in Shock.columns().items()}
    return Shock.validate(pl.DataFrame(made, schema=schema), cast=True)


def without(event: int, ratio: float | None, **more: object) -> list[dict]:
    base = {"role": "robustness", "horizon": f"without=E{event}"}
    if ratio is None:
        refused = {"estimate": None, "status": "not_identified", **more}
        return [{**invented.effect("RQ1", *SERIOUS, 1.0, **base), **refused}]
    change = invented.effect("RQ1", *SERIOUS, 1.07, **base, estimand="change_in_rate_ratio")
    return [invented.effect("RQ1", *SERIOUS, ratio, **base), change]


def nights(*presets: str) -> list[dict]:
    made = []
    for k, preset in enumerate(presets):
        told = json.dumps({"hours": HOURS[preset], "pinned": not k}, sort_keys=True)
        role = "robustness" if k else "description"
        for name in ("nte", "other"):
            row = invented.effect("RQ9", *SERIOUS, 1.0, hours=f"{name}:{preset}", role=role)
            row |= {"estimand": "count", "method": "count", "unit": "events", "diagnostics": told}
            made.append(row | {"estimate": 700.0 + 10 * k, "lower": None, "upper": None,
                               "minimum_detectable_effect": None})  # fmt: skip
            kind = "robustness" if k else "beside"
            made.append(invented.effect("RQ9", *SERIOUS, 0.8, hours=f"{name}:{preset}", role=kind))
        hours = f"nte:{preset}" if k else "all"
        made.append(
            invented.effect("RQ9", *SERIOUS, 0.9 + k / 100, hours=hours, role=role,
                            estimand="ratio_of_rate_ratios")
        )  # fmt: skip
        for name in ("nte", "other"):
            made.append(
                invented.level("delivery", "delivered_minutes", "Minutes of somebody there",
                               400.0 + k, "minutes", population="hot spots", feeds="ping hotspot",
                               hours=f"{name}:{preset}", role=role,
                               method="pings_occupied_with_interval")
            )  # fmt: skip
    return made


def document(more: list[dict], **given: object) -> Document:
    base = invented._crime() + invented._survey() + invented._rest()
    base = [row for row in base if row["question"] != "RQ9" and "delivered" not in row["outcome"]]
    found = release(from_estimates(rows(base + more), inputs=invented.INPUTS))
    return build.document(invented.contents(findings=found, **given))


def table(made: Document, identity: str) -> Table | None:
    for top in made.sections:
        for section in walk(top):
            for block in section.blocks:
                if isinstance(block, Table) and block.identity == identity:
                    return block
    return None


def said(cell: tuple) -> str:
    return " ".join(getattr(span, "words", str(getattr(span, "day", ""))) for span in cell)


@pytest.fixture(scope="module")
def otherwise() -> Document:
    more = [*without(0, 0.86), *without(1, None, reason="Too little is left. It ends."),
            *without(2, None, reason="Outside the data.")]  # fmt: skip
    shocks = register("A new system", "A lockdown", "Long ago")
    manifest = {"night_time_economy": "nte-wide"}
    presets = ("nte-wide", "nte-core", "nte-late")
    return document([*more, *nights(*presets)], shocks=shocks, manifest=manifest)


def test_each_event_stands_with_its_effect_and_the_change(otherwise: Document) -> None:
    made = table(otherwise, "RQ1-events")
    assert made is not None
    assert [said(row[0]) for row in made.rows] == [
        "Headline, every period", "A new system", "A lockdown",
    ]  # fmt: skip
    headline, first, second = ([said(cell) for cell in row] for row in made.rows)
    assert headline[2].startswith("−12")
    assert first[1] == "from  2019-01-01"
    assert first[2].startswith("−14")
    assert first[3].startswith("+7")
    assert second[1] == "2020-01-01  to  2020-06-30"
    assert second[2] == "not identified"
    note = said(made.note)
    assert "Outside the data: Long ago." in note
    assert "A lockdown: Too little is left. It ends." in note
    assert not made.groups


def test_every_figure_of_it_leads_to_a_finding(otherwise: Document) -> None:
    for identity in ("RQ1-events", "RQ9-nights", "RQ9-nights-minutes"):
        made = table(otherwise, identity)
        assert made is not None
        for row in made.rows:
            for cell in row[2:] if identity == "RQ1-events" else row[1:]:
                assert all(isinstance(s, Number) or not any(c.isdigit() for c in s.words)
                           for s in cell)  # fmt: skip
        told = " ".join(words(made))
        assert not MACHINE.search(told.replace("Outside", "")), told
        assert "without=" not in told


def test_events_that_are_all_elsewhere_are_named_in_a_line() -> None:
    made = document(without(0, None, reason="Outside the data."), shocks=register("Long ago"))
    assert table(made, "RQ1-events") is None
    section = next(each for top in made.sections for each in walk(top) if each.identity == "RQ1")
    told = [b for b in section.blocks if isinstance(b, Paragraph) and b.style == "note"]
    assert any("Outside the data: Long ago." in said(block.spans) for block in told)


def test_a_hostile_name_of_an_event_stays_a_name() -> None:
    made = document(without(0, 0.86), shocks=register("<b>{abcdef:estimate}</b>"))
    shown = table(made, "RQ1-events")
    assert shown is not None
    assert shown.rows[1][0] == (Name("<b>{abcdef:estimate}</b>"),)


def test_without_events_or_with_one_set_of_hours_there_is_no_table() -> None:
    made = document(nights("nte-core"), manifest={"night_time_economy": "nte-core"})
    for identity in ("RQ1-events", "RQ9-nights", "RQ9-nights-minutes"):
        assert table(made, identity) is None


def test_every_set_of_hours_stands_once_with_the_pinned_one_first_and_marked(
    otherwise: Document,
) -> None:
    made = table(otherwise, "RQ9-nights")
    assert made is not None
    assert [said(row[0]) for row in made.rows] == [
        "Every evening  (pinned)", "Weekend nights", "Late nights",
    ]  # fmt: skip
    first, second, _ = ([said(cell) for cell in row] for row in made.rows)
    assert (first[1], second[1]) == ("700", "710")
    assert first[4].startswith("0.90")
    assert second[4].startswith("0.91")
    assert len(made.groups) == 1


def test_the_table_of_hours_keeps_the_pinned_ones_alone(otherwise: Document) -> None:
    made = table(otherwise, "RQ9-hours")
    assert made is not None
    assert made.head == ("Outcome", "Wide night-time economy hours", "Other hours",
                         "Night-time hours against other hours")  # fmt: skip


def test_delivery_tells_the_pinned_hours_and_the_hours_table_all_of_them(
    otherwise: Document,
) -> None:
    minutes = table(otherwise, "RQ9-nights-minutes")
    assert minutes is not None
    assert [said(row[1]) for row in minutes.rows] == ["400\u202fminutes", "401\u202fminutes",
                                                      "402\u202fminutes"]  # fmt: skip
    delivered = table(otherwise, "delivered")
    assert delivered is not None
    assert not any("Late" in words for words in delivered.head)


def test_no_span_of_the_tables_is_lost(otherwise: Document) -> None:
    made = table(otherwise, "RQ9-nights")
    assert made is not None
    assert sum(isinstance(span, Number) for span in _spans(made)) > 12
