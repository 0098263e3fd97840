"""The command line: words, exit codes, and what the README promises."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from placeproof.errors import KINDS
from tests.study.conftest import make_study

ROOT = Path(__file__).resolve().parents[2]


def placeproof(*words: str) -> subprocess.CompletedProcess[str]:
    code = "from placeproof.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )


def test_version_and_help() -> None:
    from placeproof import __version__

    assert placeproof("--version").stdout == f"placeproof {__version__}\n"
    assert "rehearse" in placeproof("--help").stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; import placeproof.cli; heavy = ('polars', 'numpy', 'pandas', 'shapely');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "nowhere"], 3),
        (["check", "nowhere"], 3),
        (["map", "nowhere.csv"], 4),
        (["show", "RQ1", "nowhere"], 3),
        (["truth", "nowhere"], 4),
        (["run"], 2),
        (["fly"], 2),
    ],
)
def test_what_a_user_can_mend_has_no_traceback(words: list[str], code: int, tmp_path: Path) -> None:
    done = placeproof(*[str(tmp_path / w) if w.startswith("nowhere") else w for w in words])
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_exit_codes_are_one_for_each_kind() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"| {kind.exit_code} | `{kind.code}` |" in page


def test_check_prints_json_and_fails_when_something_is_wrong(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s")
    done = placeproof("check", str(folder), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert isinstance(json.loads(done.stdout), list)
    (folder / "data" / "archive" / "2020-01" / "2020-01-inventshire-street.csv").write_text("")
    assert placeproof("check", str(folder)).returncode == 4


def test_every_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^placeproof (\w+)", readme, flags=re.MULTILINE))
    listed = placeproof("--help").stdout
    assert named
    for command in named:
        assert command in listed
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", readme, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", targets, flags=re.MULTILINE)


def test_every_page_that_the_readme_names_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / target).exists(), target
