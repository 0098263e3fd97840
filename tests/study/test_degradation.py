"""Without a feed exactly its questions degrade, each with its reason; nothing else moves."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pytest

from placeproof.definitions import shocks
from placeproof.study import reading
from placeproof.study.lock import lock_state
from placeproof.study.plan import read_plan
from placeproof.study.run import STEPS, run
from placeproof.study.settings import read_study
from placeproof.study.work import Work
from tests.study.conftest import quiet, shortened

INTERVIEWS = dict.fromkeys(
    ("RQ4", "RQ5", "RQ6", "RQ7"), ("partly", "no theme of this question can be counted")
)
NO_CRIME = "No crime records were supplied."
NO_DISORDER = "No records of anti-social behaviour were supplied."
NO_PLACES = "No hot spots were supplied."
NO_SURVEY = ("partly", "no survey responses were supplied")
NO_HOURS = ("partly", "recorded crime and anti-social behaviour")

WHOLE = dict.fromkeys([f"RQ{number}" for number in range(1, 11)], "answered")
"""With every feed."""

DEGRADED: dict[str, dict[str, tuple[str, str]]] = {
    "crime": {
        "RQ1": ("not answerable", NO_CRIME),
        "RQ2": ("not answerable", NO_CRIME),
        # Comparison places were matched on serious violence; disorder is left with later places.
        "RQ3": ("partly", "no other place could be matched"),
        "RQ8": ("partly", "carry no victim"),
        "RQ9": ("answered", "both split"),
        "RQ10": ("partly", "No other place could be matched"),
    },
    "incident": {"RQ3": ("not answerable", NO_DISORDER), "RQ8": ("answered", "both split.")},
    "crime incident": {
        "RQ1": ("not answerable", NO_CRIME),
        "RQ2": ("not answerable", NO_CRIME),
        "RQ3": ("not answerable", NO_DISORDER),
        "RQ8": ("partly", "anti-social behaviour: not supplied"),
        "RQ9": ("partly", "anti-social behaviour: not supplied"),
        "RQ10": ("partly", "No other place could be matched"),
    },
    "hotspot": {
        "RQ1": ("not answerable", NO_PLACES),
        "RQ2": ("not answerable", NO_PLACES),
        "RQ3": ("not answerable", NO_PLACES),
        "RQ8": ("partly", "no estimate by age, sex or ethnic group"),
        "RQ9": NO_HOURS,
        "RQ10": ("partly", "Attendances bear no effect here"),
    },
    "response": {
        **dict.fromkeys(("RQ4", "RQ5", "RQ6", "RQ7"), NO_SURVEY),
        "RQ8": ("partly", "perceptions: not supplied"),
        "RQ9": ("partly", "perceptions: not supplied"),
    },
    "session": INTERVIEWS,
    "speaker": INTERVIEWS,
    "turn": INTERVIEWS,
    "code": INTERVIEWS,
    "coded_span": INTERVIEWS,
    "session speaker turn code coded_span": dict.fromkeys(
        ("RQ4", "RQ5", "RQ6", "RQ7"), ("partly", "No interviews were supplied")
    ),
    "ed_assault": {"RQ10": ("partly", "Attendances were not supplied.")},
    "admission": {"RQ10": ("partly", "Admissions were not supplied.")},
    "ed_assault admission": {
        "RQ10": ("not answerable", "Neither attendances nor admissions were supplied.")
    },
    # No question of its own: it weakens what the others can bear, or only figures stand on it.
    "consent": {},
    "response_flag": {},
    "withdrawal": {},
    "population_margin": {},
    "place_feature": {},
    "tally": {},
    "cointervention": {},
    "problem_plan": {},
    "cost": {},
}

DELIVERY = {
    "ping": "delivered_minutes",
    "tasking": "planned_minutes",
    "delivered": "stated_minutes",
    "patrol_log": "log_matched",
}
"""Feed of the delivery chapter to the figure that it alone carries."""


@dataclass(frozen=True)
class Noted(reading.Inputs):
    """Inputs that note which tables each step asks for."""

    asked: dict[str, set[str]] = field(default_factory=dict)
    step: list[str] = field(default_factory=lambda: [""])

    def get(self, name: str) -> pl.DataFrame | None:
        self.asked.setdefault(self.step[-1], set()).add(name)
        return super().get(name)


@dataclass(frozen=True)
class Evaluated:
    """A study that was evaluated whole: what each step added, and which tables it asked for."""

    work: Work
    added: dict[str, list[pl.DataFrame]]
    asked: dict[str, set[str]]
    tables: dict[str, dict[str, pl.DataFrame]]


@pytest.fixture(scope="module")
def short(northmere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short") / "study"
    return shortened(Path(shutil.copytree(northmere, folder)))


@pytest.fixture(scope="module")
def whole(short: Path) -> Evaluated:
    study, plan = read_study(short), read_plan(short)
    lock = lock_state(short, plan, outcomes_public=study.outcomes_public, mappings={})
    read = reading.read_all(study, quiet)
    inputs = Noted(read.tables, read.result, read.area_wkb, read.missing)
    work, added, tables = Work(study, plan, lock, inputs, quiet), {}, {}
    for name, _, steps in STEPS:
        inputs.step.append(name)
        before, held = len(work.estimates), dict(work.tables)
        for step in steps:
            step(work)
        added[name] = work.estimates[before:]
        tables[name] = {key: table for key, table in work.tables.items() if key not in held}
    return Evaluated(work, added, inputs.asked, tables)


def without(whole: Evaluated, gone: Iterable[str]) -> Work:
    """Evaluate again without some tables; steps that cannot know of them are not done again."""
    base, lost = whole.work, set(gone)
    read = base.inputs.result
    feeds = read.receipts.filter(pl.col("table").is_in(sorted(lost)))["feed"].unique()
    inputs = reading.Inputs(
        {name: table for name, table in base.inputs.tables.items() if name not in lost},
        replace(read, receipts=read.receipts.filter(~pl.col("feed").is_in(feeds.to_list()))),
        base.inputs.area_wkb,
    )
    work = Work(base.study, base.plan, base.lock, inputs, quiet)
    # Patrols look at places, the panel at minutes, effects and the survey at the panel.
    counted = {"outcomes", "places", "patrols", "panel", "effects", "costs", "health", "surveys"}
    moved = False
    for name, _, steps in STEPS:
        if lost & whole.asked.get(name, set()) or name == "answers" or (moved and name in counted):
            # Minutes move no count: what stands without all of delivery stands without a part.
            moved |= name in {"outcomes", "places", "panel"} or len(lost) > 1
            for step in steps:
                step(work)
        else:
            work.estimates += whole.added[name]
            work.tables |= whole.tables[name]
            _take_over(work, base, name)
    return work


def _take_over(work: Work, base: Work, step: str) -> None:
    if step == "outcomes":
        work.selected, work.not_supplied = dict(base.selected), dict(base.not_supplied)
    if step == "places":
        work.selected, work.hotspots, work.places = dict(base.selected), base.hotspots, base.places
        work.comparison, work.baseline_periods = base.comparison, base.baseline_periods
    if step == "panel":
        work.panel, work.steps = base.panel, base.steps


def answers(work: Work) -> dict[str, dict[str, object]]:
    return {row["question"]: row for row in work.tables["answer"].to_dicts()}


def figures(work: Work, question: str, *, but: Iterable[str] = ()) -> dict[str, tuple[object, ...]]:
    """
    Every number that helps to answer a question and does not rest on the feeds named.

    What people believe of crime by area is only told beside what was recorded there.
    """
    rows = work.tables["finding"].filter(question=question).iter_rows(named=True)
    names = ("status", "estimate", "lower", "upper", "n", "n_events")
    return {
        row["finding_id"]: tuple(row[name] for name in names)
        for row in rows
        if not set(but) & set(row["feeds"].split()) and "belief" not in row["outcome"]
    }


def test_with_every_feed_every_question_has_its_status(whole: Evaluated) -> None:
    assert {question: row["status"] for question, row in answers(whole.work).items()} == WHOLE
    listed = {name for names in DEGRADED for name in names.split()} | set(DELIVERY)
    listed |= {"event", "shock"}
    assert set(whole.work.inputs.tables) == listed


@pytest.mark.parametrize("gone", DEGRADED)
def test_a_missing_feed_degrades_exactly_its_questions(whole: Evaluated, gone: str) -> None:
    expected, before = DEGRADED[gone], answers(whole.work)
    left = without(whole, gone.split())
    for question, row in answers(left).items():
        if question in expected:
            status, reason = expected[question]
            assert row["status"] == status, question
            assert reason in str(row["because"]), question
            assert row["status"] != "not answerable" or row["confidence"] == "none"
        else:
            assert row == before[question]
            kept = figures(whole.work, question, but=gone.split())
            # What rested on the feed may still stand, on the others alone.
            moved = figures(whole.work, question).keys() - kept.keys()
            found = figures(left, question, but=gone.split())
            assert {key: found[key] for key in found if key not in moved} == kept, question


@pytest.mark.parametrize("gone", DELIVERY)
def test_a_missing_feed_of_delivery_says_so_and_moves_no_answer(
    whole: Evaluated, gone: str
) -> None:
    left = without(whole, [gone])
    assert answers(left) == answers(whole.work)
    told = left.tables["finding"].filter(question="delivery", outcome=DELIVERY[gone])
    reasons = told.filter(status="not_supplied")["reason"].to_list()
    assert reasons
    assert all(gone in reason for reason in reasons)


def test_without_any_record_of_delivery_grades_say_that_the_dose_is_unknown(
    whole: Evaluated,
) -> None:
    before, left = answers(whole.work), without(whole, DELIVERY)
    for question, row in answers(left).items():
        assert row["status"] == before[question]["status"]
        reasons = str(row["grade_reasons"])
        assert ("was not measured" in reasons) == (question in ("RQ1", "RQ2", "RQ3", "RQ10"))
        kept = figures(whole.work, question, but=DELIVERY)
        assert figures(left, question, but=DELIVERY) == kept, question


def test_without_a_register_of_shocks_the_shipped_one_counts(whole: Evaluated) -> None:
    before, left = answers(whole.work), without(whole, ["shock"])
    for question, row in answers(left).items():
        kept = {name: value for name, value in row.items() if name != "grade_reasons"}
        assert kept == {name: before[question][name] for name in kept}
    found = left.tables["finding"].filter(pl.col("horizon").str.starts_with("without="))
    ids = set(found["horizon"].str.strip_prefix("without="))
    # Steps that the scan found, and rivals of the registers, have no row in a register of shocks.
    rivals = set(found.filter(pl.col("feeds").str.contains("cointervention|problem_plan|event"))[
        "horizon"].str.strip_prefix("without="))  # fmt: skip
    assert {name for name in ids - rivals if not name.startswith("step-")} == set(
        shocks()["shock_id"]
    )
    assert not found["feeds"].str.contains("shock").any()


def test_without_events_only_the_hours_move(whole: Evaluated) -> None:
    left = without(whole, ["event"])
    assert {q: row["status"] for q, row in answers(left).items()} == WHOLE

    def headlines(work: Work) -> dict[str, object]:
        found = work.tables["finding"].filter(role="headline", hours="all", estimand="rate_ratio")
        found = found.filter(pl.col("question") != "RQ10").select("finding_id", "estimate")
        return dict(found.iter_rows())

    assert headlines(left) == headlines(whole.work)
    moved = {q for q in WHOLE if figures(left, q) != figures(whole.work, q)}
    assert "RQ9" in moved


def test_without_anything_but_costs_every_question_says_why(whole: Evaluated) -> None:
    left = answers(without(whole, set(whole.work.inputs.tables) - {"cost"}))
    assert {row["status"] for row in left.values()} == {"not answerable"}
    assert all("supplied" in str(row["because"]) for row in left.values())


def test_files_that_are_really_deleted(short: Path, whole: Evaluated) -> None:
    for path in sorted((short / "data").glob("hotspots/*")):
        path.unlink()
    made = run(short, until="answers", progress=quiet)
    status = {row["question"]: row["status"] for row in made.answers}
    assert status == WHOLE | {q: s for q, (s, _) in DEGRADED["hotspot"].items()}
