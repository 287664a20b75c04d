"""Who may import whom, `TYPE_CHECKING` imports too: the table of the house, compared with every file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from frontdesk.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "frontdesk").rglob("*.py"))

BELOW_FLOW = {"channels", "runtime", "tools", "assistants", "resources", "core"}
TABLE = {
    "core": set[str](),
    "assistants": {"core"},
    "channels": {"core"},
    "resources": {"assistants", "core"},
    "runtime": {"assistants", "core"},
    "tools": {"runtime", "assistants", "resources", "core"},
    "models": {"assistants", "resources", "core"},
    "flow": BELOW_FLOW,
    "reception": {"runtime", "core"},
    "tickets": {"reception", "runtime", "core"},
    "playground": {"reception", "runtime", "core"},
    "staff_chat": {"reception", "runtime", "core"},
    "approvals": {"runtime", "core"},
    "arrivals": {"reception", "runtime", "core"},
    "broadcasts": {"channels", "runtime", "core"},
    "web": {"arrivals", "reception", "assistants", "resources", "core"},
    "registry": {"approvals", "playground", "staff_chat", "tickets", "web", "runtime", "resources", "core"},
    "main": {"registry", "web", "models", "channels", "core"},
    "worker": {"registry", "flow", "broadcasts", "models", *BELOW_FLOW},
    "demo": {"assistants", "resources", "core"},
    "migrations": {"registry", "runtime", "channels", "resources", "core"},
    "commands": {"main", "registry", "worker", "demo", "migrations", "models", "resources", "core"},
    "cli": {"commands", "main", "core"},
    "__main__": {"cli"},
    "__init__": set[str](),
}
# Of another room, only these files; of one's own room, in these rooms, none.
ONLY = {("tools", "runtime"): {"frontdesk.runtime.tooling"}}
NO_SIBLINGS = {"channels", "resources"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def is_module(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Each module of the project that a file names in an import, with its line."""
    package = module_of(path).split(".") if path.name == "__init__.py" else module_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names=names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                stem = ".".join([*above, *([module] if module else [])])
                found = [each if is_module(each := f"{stem}.{alias.name}") else stem for alias in names]
            case _:
                continue
        yield from ((node.lineno, name) for name in found if name.split(".")[0] == "frontdesk")


def faults_of(path: Path) -> Iterator[str]:
    module, room = module_of(path), room_of(module_of(path))
    for line, imported in imports_of(path):
        target = room_of(imported)
        where = f"{path.relative_to(ROOT)}:{line} imports {imported}"
        if target == room:
            if room in NO_SIBLINGS and is_sibling(module, imported):
                yield f"{where}: {room} reach each other through the door, by path name"
        elif target not in TABLE[room] and imported != "frontdesk":
            yield f"{where}: {room} may import {', '.join(sorted(TABLE[room])) or 'nothing of ours'}"
        elif imported not in ONLY.get((room, target), {imported}):
            yield f"{where}: of {target}, {room} may import only {', '.join(ONLY[room, target])}"


def is_sibling(module: str, imported: str) -> bool:
    """Another noun of the room. The files of one area of resources, or of one channel's folder, are one noun's; what
    the spine asks of every channel is nobody's."""
    mine, other = module.split(".")[2:], imported.split(".")[2:]
    return bool(other) and other[0] not in (mine[0], "protocol")


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_follow_the_table(path: Path) -> None:
    assert list(faults_of(path)) == []


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_no_import_stands_inside_a_function(path: Path) -> None:
    late = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert late == []


def test_every_room_is_in_the_table() -> None:
    assert {room_of(module_of(path)) for path in FILES} <= TABLE.keys()


def test_commands_name_modules_that_the_command_line_may_load() -> None:
    targets = [command.target.partition(":")[0] for command in COMMANDS.values()]
    assert {room_of(target) for target in targets} <= {"commands", "models"}
    assert [target for target in targets if not is_module(target)] == []
