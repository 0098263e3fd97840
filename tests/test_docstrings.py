"""Public docstrings: there, and their parameters are the signature's."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "placeproof"
FILES = sorted(SOURCE.rglob("*.py"))


def public_functions(path: Path) -> list[ast.FunctionDef]:
    """Functions of a module that other modules may call."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


def documented(docstring: str) -> list[str] | None:
    """The names under Parameters, in order; None where there is no such section."""
    found = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", docstring, re.S | re.M)
    if not found:
        return None
    heads = re.findall(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: :.*)?$", found[1], re.M)
    return [name.lstrip("*") for head in heads for name in head.split(", ")]


def signature(node: ast.FunctionDef) -> list[str]:
    """The names of a function's arguments."""
    args = node.args
    plain = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    starred = [arg for arg in (args.vararg, args.kwarg) if arg]
    return [arg.arg for arg in (*plain, *starred)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_public_functions_say_what_they_take(path: Path) -> None:
    for node in public_functions(path):
        docstring = ast.get_docstring(node)
        assert docstring, f"{path.name}: {node.name} has no docstring"
        names = documented(docstring)
        if names is not None:
            assert sorted(names) == sorted(signature(node)), f"{path.name}: {node.name}"


def test_the_reader_of_docstrings_sees_a_difference() -> None:
    section = "Parameters\n----------\na, b : int\n    Both.\nc : str\n    More."
    docstring = f"Do.\n\n{section}\n\nReturns\n-------\nint"
    assert documented(docstring) == ["a", "b", "c"]
    assert documented("Do.") is None
