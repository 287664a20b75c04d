"""`docs/reference/warnings.md`: every warning that saving an assistant can give, read off the code that gives it.

A warning is written down in two forms: `{"field": …, "code": …, "message": …}` or `_warning(field, code, message)`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from reference_pages import page, table

ROOT = Path(__file__).resolve().parents[1] / "frontdesk"
ROOMS = ("assistants", "resources/assistants")
GAP = "…"
Functions = ast.FunctionDef | ast.AsyncFunctionDef


def warnings() -> str:
    """Code, field and sentence of each."""
    rows = sorted({row for room in ROOMS for path in (ROOT / room).glob("*.py") for row in of_file(path)})
    return page(
        "Warnings",
        "What is saved and does not work as it stands is told in `warnings`, a list of `{field, code, message}` in\n"
        "the answer of the change. A fault is something else: it is 400, and nothing is saved. `…` stands for what\n"
        "a run knows.",
        table(("code", "field", "message"), ((f"`{code}`", f"`{field}`", said) for code, field, said in rows)),
    )


def of_file(path: Path) -> Iterator[tuple[str, str, str]]:
    tree = ast.parse(path.read_text("utf-8"))
    known = {node.targets[0].id: node.value for node in tree.body if is_plain(node)}  # type: ignore[attr-defined]
    for function in ast.walk(tree):
        if isinstance(function, Functions):
            for field, code, message in parts_of(function):
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    names = {**known, **assigned(function, code.lineno)}
                    yield code.value, words(field, names), words(message, names)


def is_plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)


def parts_of(function: Functions) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            members = {key.value: value for key, value in zip(node.keys, node.values, strict=True)
                       if isinstance(key, ast.Constant)}  # fmt: skip
            if members.keys() == {"field", "code", "message"}:
                yield members["field"], members["code"], members["message"]
        elif isinstance(node, ast.Call) and len(node.args) == 3 and ast.unparse(node.func) == "_warning":
            yield node.args[0], node.args[1], node.args[2]


def assigned(function: Functions, before: int) -> dict[str, ast.expr]:
    """What each name was last given above the line."""
    found = [node for node in ast.walk(function) if is_plain(node) and node.lineno <= before]  # type: ignore[attr-defined]
    return {one.targets[0].id: one.value for one in sorted(found, key=lambda one: one.lineno)}  # type: ignore[attr-defined]


def words(node: ast.expr, names: dict[str, ast.expr], depth: int = 0) -> str:
    """The text of an expression, with a gap for what only a run knows."""
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=parts):
            return "".join(words(part, names, depth) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)) if isinstance(names.get(name), ast.Constant | ast.JoinedStr):
            return words(names[name], names, depth + 1) if depth < 3 else GAP
        case ast.Name(id=name) if name in names and depth < 3:
            return words(names[name], names, depth + 1)
    return GAP
