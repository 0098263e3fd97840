"""The certificate of a study: the same for any number of workers, taken up again, and heeded."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from placeproof.effects.certificate.judging import FAST, Trial, judge
from placeproof.effects.certificate.preparing import design, trial
from placeproof.effects.rows import IMPUTATION
from placeproof.errors import InputError
from placeproof.study import certified, certifying, simulating
from placeproof.study.certificate_file import CERTIFICATE, estimators_sha256, read_certificate
from placeproof.study.run import run
from placeproof.study.simulating import Job, jobs, simulate
from placeproof.tables import estimate
from tests.effects.panels import make_panel
from tests.study.conftest import make_study, quiet


@pytest.fixture(scope="module")
def small() -> Trial:
    return invented()


def invented() -> Trial:
    """Twelve places, of which patrols reach four."""
    counts = np.random.default_rng(1).poisson(3.0, size=(12, 40)).astype(float)
    panel = make_panel(counts, [24 if i < 4 else None for i in range(12)])
    made = design(panel, panel, outcome="planted", masked_from=None)
    assert made is not None
    built, _, _ = trial(made, level=0.95, permutations=0)
    assert built is not None
    return built


def wanted(studies: int = 12) -> list[Job]:
    return jobs("planted", rate_ratio=0.8, methods=FAST, studies=studies, at_once=5)


def done(kept: Path, small: Trial, *, workers: int, studies: int = 12) -> dict:
    return simulate(
        wanted(studies), {"planted": small}, seed=1, kept=kept, workers=workers, progress=quiet,
        done=0, of=3,
    )  # fmt: skip


def in_process(open_jobs: list[Job], trials: dict, seed: int, _workers: int) -> Iterator:
    """What a worker does, without the seconds that spawning one takes."""
    simulating._held.update(trials)
    simulating._seed[:] = [seed]
    for job in open_jobs:
        yield job.name, simulating._work(job)


def test_workers_and_interruptions_change_nothing(
    tmp_path: Path, small: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = done(tmp_path / "two", small, workers=2)
    assert dict(in_process(wanted(), {"planted": small}, 1, 1)) == two
    assert [len(two[job.name][IMPUTATION]) for job in wanted()] == [5, 5, 2]
    # A kill in the middle of a line: the line is thrown away and its job done again.
    lines = (tmp_path / "two").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "cut").write_text(lines[0] + lines[1][:40], encoding="utf-8")
    monkeypatch.setattr(simulating, "_run", in_process)
    again = done(tmp_path / "cut", small, workers=1)
    assert again == two
    assert len((tmp_path / "cut").read_text(encoding="utf-8").splitlines()) == 3

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(simulating, "_run", never)
    assert done(tmp_path / "cut", small, workers=1) == two


def test_studies_do_not_depend_on_the_job_that_they_are_in(small: Trial) -> None:
    simulating._held["planted"] = small
    simulating._seed[:] = [1]
    whole = simulating._work(Job("planted", 0.8, (IMPUTATION,), 0, 4))
    late = simulating._work(Job("planted", 0.8, (IMPUTATION,), 2, 4))
    assert whole[IMPUTATION][2:] == late[IMPUTATION]
    assert judge(small, rate_ratio=0.8, methods=(IMPUTATION,), seed=(2, 1)) != judge(
        small, rate_ratio=0.8, methods=(IMPUTATION,), seed=(2, 2)
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(
        tmp_path_factory.mktemp("certified") / "study",
        studies="6", slow_studies="2", permutations="9", rate_ratios="[0.5]",
        headline_per_question='{ RQ1 = "puk-all-crime", RQ3 = "puk-asb" }',
    )  # fmt: skip


@pytest.fixture(scope="module")
def certificate(study: Path) -> dict:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(simulating, "_run", in_process)
        made = certifying.certify(study, workers=1, progress=quiet)
    assert any("Certificate:" in line for line in made.lines())
    return json.loads((study / CERTIFICATE).read_text(encoding="utf-8"))


def test_a_certificate_says_what_it_tried(study: Path, certificate: dict) -> None:
    assert set(certificate["outcomes"]) >= {"puk-all-crime", "puk-asb"}
    one = certificate["outcomes"]["puk-asb"]
    assert one["refusal"] == ""
    tried = one["estimators"][IMPUTATION]["by_rate_ratio"]
    assert [each["rate_ratio"] for each in tried] == [1.0, 0.5]
    assert [each["studies"] for each in tried] == [6, 6]
    slow = one["estimators"]["poisson_two_way_fixed_effects"]["by_rate_ratio"]
    assert [each["studies"] for each in slow] == [2, 2]
    assert not list((study / "results").glob("*.jsonl"))
    assert "workers" not in certificate


def verdicts(folder: Path) -> pl.DataFrame:
    made = run(folder, until="answers", progress=quiet).folder
    found = pl.read_parquet(made / "tables" / "finding.parquet")
    return found.filter(pl.col("outcome") == "puk-asb")


def copied(study: Path, to: Path) -> Path:
    shutil.copytree(study, to, ignore=shutil.ignore_patterns("runs"))
    return to


def test_a_run_heeds_the_certificate(study: Path, certificate: dict, tmp_path: Path) -> None:
    folder = copied(study, tmp_path / "barred")
    told = json.loads(json.dumps(certificate))
    told["outcomes"]["puk-asb"]["estimators"][IMPUTATION] |= {
        "verdict": "barred", "reason": "Its interval is a fiction.",
    }  # fmt: skip
    (folder / CERTIFICATE).write_text(json.dumps(told), encoding="utf-8")
    found = verdicts(folder)
    main = found.filter(
        pl.col("method") == IMPUTATION,
        pl.col("population") == "treated hot spots",
        pl.col("subgroup") == "all",
        horizon="all", hours="all", estimand="rate_ratio",
    )  # fmt: skip
    assert main["role"].to_list() == ["beside"]
    assert "Barred from the headline" in main["reason"].item()
    answers = json.loads(
        next((folder / "runs").glob("*/answers.json")).read_text(encoding="utf-8")
    )["answers"]
    asb = next(row for row in answers if row["question"] == "RQ3")
    assert asb["confidence"] == "none"
    assert "Its interval is a fiction." in asb["because"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"plan_sha256": "other"}, "the plan was changed"),
        ({"estimators_sha256": "other"}, "the estimators were changed"),
        ({"outcomes": {}}, "does not speak of this outcome"),
        ({"outcomes": {"a": {"inputs_sha256": "other"}}}, "the places or the starts changed"),
        ({}, ""),
    ],
)
def test_an_old_certificate_is_said_to_be_old(changed: dict, words: str) -> None:
    told = {
        "plan_sha256": "plan",
        "estimators_sha256": estimators_sha256(),
        "outcomes": {"a": {"inputs_sha256": "inputs"}},
    } | changed
    work = SimpleNamespace(lock=SimpleNamespace(sha256="plan"))
    why = certified._why_not(work, "a", told, SimpleNamespace(sha256="inputs"))  # type: ignore[arg-type]
    assert words in why
    assert bool(why) == bool(words)
    none = certified._why_not(work, "a", None, None)  # type: ignore[arg-type]
    assert none.startswith("Not certified: no recovery certificate was made")


def test_a_broken_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / CERTIFICATE).write_text('{"schema": 7}', encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        read_certificate(tmp_path)


def test_only_headlines_of_the_default_method_are_taken_out() -> None:
    row = {
        "question": "RQ1", "outcome": "a", "outcome_label": "A", "estimand": "rate_ratio",
        "method": IMPUTATION, "role": "headline", "unit": "ratio", "estimate": 0.9,
        "reason": "It is short.", "feeds": "crime",
    }  # fmt: skip
    others = [row | {"outcome": "b"}, row | {"method": "before_after"}, row | {"role": "beside"}]
    frame = estimate.rows([row, *[each | {"horizon": str(k)} for k, each in enumerate(others)]])
    made = certified._without_barred(frame, {"a": "Barred."})
    changed = made.filter(pl.col("reason").str.starts_with("Barred."))
    assert changed.select("outcome", "role", "reason").rows() == [
        ("a", "beside", "Barred. It is short.")
    ]
    assert made.filter(role="headline").height == 2


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killed_outright_it_leaves_no_worker_and_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.study.test_certifying import done, invented\n"
        "if __name__ == '__main__':\n"
        "    done(Path(sys.argv[1]), invented(), workers=1, studies=100_000)\n",
        encoding="utf-8",
    )
    kept = tmp_path / "kept"
    root = Path(__file__).resolve().parents[2]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])}
    process = subprocess.Popen([sys.executable, str(script), str(kept)], env=env)
    begun = time.monotonic()
    while not (kept.is_file() and kept.stat().st_size) and time.monotonic() - begun < 60:
        time.sleep(0.1)
    workers = _children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert kept.stat().st_size
    assert workers
    begun = time.monotonic()
    while any(_lives(pid) for pid in workers) and time.monotonic() - begun < 20:
        time.sleep(0.1)
    assert not any(_lives(pid) for pid in workers)


def _children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(status.parent.name))
    return found


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_number_that_is_none_comes_back_as_none() -> None:
    empty = simulating._score(None, None, None, None, None)
    assert math.isnan(empty.error)
    assert empty.found is None
