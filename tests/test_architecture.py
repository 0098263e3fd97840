"""The rooms of the house, and who may enter which, held against the code."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "placeproof"

NOUN = {"tables", "geometry", "calendar", "definitions", "errors"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "tables": {"errors"},
    "geometry": {"errors"},
    "calendar": {"errors"},
    "definitions": {"errors"},
    "hotspots": NOUN,
    "patrols": NOUN,
    "panel": NOUN,
    "effects": NOUN,
    "surveys": NOUN,
    "interviews": NOUN,
    "answers": {"tables", "definitions", "errors"},
    "report": {"tables", "errors"},
    "rehearsal": NOUN,
    "files": {"tables", "errors"},
    "engines": {"tables", "patrols", "errors"},
    "study": {
        *NOUN,
        *{"hotspots", "patrols", "panel", "effects", "surveys", "interviews"},
        *{"answers", "report", "rehearsal", "files", "engines"},
    },
    "web": {"study", "files", "answers", "report", *NOUN},
    "cli": {"study", "web", "files", "errors"},
}
FILES_MAY_ALSO = {"geometry", "calendar", "definitions"}
"""Decision 0015: a reader has to turn coordinates into metres and local times into UTC."""

NO_ROOM = {"utils", "helpers", "common", "core", "manager", "misc", "lib"}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def rooms_entered(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in the file the import stands."""
    entered = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; rooms are named in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "placeproof" and len(parts) > 1 and not parts[1].startswith("__"):
                entered.add(parts[1])
    return entered


FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_arrows_point_one_way(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, f"{room} is not a room of the design"
    allowed = MAY_IMPORT[room] | {room} | (FILES_MAY_ALSO if room == "files" else set())
    assert rooms_entered(path) <= allowed


def test_no_room_without_a_meaning() -> None:
    names = {path.stem for path in SOURCE.rglob("*")}
    assert not names & NO_ROOM


def test_no_room_stands_empty() -> None:
    for room in (path for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"):
        lines = sum(
            len(path.read_text(encoding="utf-8").splitlines()) for path in room.rglob("*.py")
        )
        assert lines > 20, f"{room.name} stands empty"


def test_readable_sizes() -> None:
    """A file past 400 lines asks for a second room; 500 is where the gate says no."""
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path


def test_nothing_of_this_machine_or_of_a_registry() -> None:
    root = SOURCE.parents[1]
    for folder in ("src", "tests", "docs", "scripts", "requirements"):
        for path in (root / folder).rglob("*"):
            if path.suffix in {".py", ".md", ".txt", ".toml", ".sh"} and path != Path(__file__):
                text = path.read_text(encoding="utf-8", errors="replace")
                for forbidden in (
                    "/work/",
                    "--index-url",
                    "--extra-index-url",
                    "--find-links http",
                ):
                    assert forbidden not in text, f"{path} holds {forbidden}"
