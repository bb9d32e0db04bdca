"""A number that may be missing is asked for with `is None`: by its truth, 0 would also count as missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.test_floors import ROOT, production_files

NUMBERS = {"int", "float"}


def may_be_missing(annotation: ast.expr | None) -> bool:
    """Whether an annotation is `int | None` or `float | None`, also within `Annotated`."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
        annotation = annotation.slice.elts[0]  # type: ignore[attr-defined]
    kinds = set() if annotation is None else {part.strip() for part in ast.unparse(annotation).split("|")}
    return "None" in kinds and bool(kinds & NUMBERS) and kinds <= NUMBERS | {"None"}


def annotated(tree: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield all names of variables, attributes, parameters and functions with their annotations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            yield last_name(node.target), node.annotation
        elif isinstance(node, ast.arg):
            yield node.arg, node.annotation
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node.returns


def last_name(node: ast.expr) -> str:
    """Return the name of a variable, an attribute or a called function; empty for other expressions."""
    node = node.func if isinstance(node, ast.Call) else node
    return getattr(node, "attr", getattr(node, "id", ""))


def truths(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield every expression whose truth is asked for. `number or 0` is left out: it is the same for 0 and None."""
    for node in ast.walk(tree):
        match node:
            case ast.If() | ast.IfExp() | ast.While():
                yield node.test
            case ast.BoolOp(op=ast.Or(), values=[*_, ast.Constant(value=0)]):
                pass
            case ast.BoolOp():
                yield from node.values
            case ast.UnaryOp(op=ast.Not()):
                yield node.operand
            case ast.comprehension():
                yield from node.ifs


def wrong_truths(trees: dict[str, ast.Module]) -> list[str]:
    """Return where the truth of a number that may be missing is asked for, by the annotations in the function, or
    everywhere for a name that is annotated in no other way."""
    pairs = {(name, may_be_missing(kind)) for tree in trees.values() for name, kind in annotated(tree)}
    everywhere = {name for name, missing in pairs if missing and (name, False) not in pairs}
    wrong = set()
    for path, tree in trees.items():
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            own = {name for name, kind in annotated(function) if may_be_missing(kind)}
            for asked in truths(function):
                inner = asked.value if isinstance(asked, ast.NamedExpr) else asked
                if last_name(inner) in (own if isinstance(inner, ast.Name) else everywhere):
                    wrong.add(f"{path}:{asked.lineno}: {ast.unparse(asked)}")
    return sorted(wrong)


def test_no_number_counts_as_missing_because_it_is_zero():
    trees = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in production_files()}
    assert not wrong_truths(trees)


def test_the_test_sees_such_places():
    program = """
def train(seed: int | None = None, faces: Annotated[float | None, Option()] = None, layers: int = 0):
    a = seed or 1
    b = faces or 0
    if layers or plan.seed or not plan.rate():
        pass
def rate() -> float | None: ...
"""
    places = [place.split(": ")[1] for place in wrong_truths({"made.py": ast.parse(program)})]
    assert places == ["seed", "plan.rate()", "plan.seed"]
