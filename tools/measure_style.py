#!/usr/bin/env python3
"""Measure the habits of a code base, so that two can be compared with one command.

    python3 tools/measure_style.py [NAME=]CHECKOUT[:SRC[,SRC...][:TESTS[,TESTS...]]] ...

CHECKOUT is a working tree or a bare git directory (read at HEAD). SRC and TESTS are folders
inside it; without them, tests are found by name and every other Python file is source. Prints a
Markdown table: one column a checkout, one row a habit. Standard library only, and nothing of the
checkout is run. Use the newest Python at hand: an older one cannot parse newer syntax, and the
row "files that could not be parsed" says how many were left out.

    python3 tools/measure_style.py frontdesk=.:frontdesk:tests polar=../polar:server/polar:server/tests
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ASIDE = re.compile(
    r"(^|/)(migrations?|versions|examples?|docs?|docs_src|scripts|dev|demos?|benchmarks?|vendor|"
    r"_vendor|node_modules|\.venv|cassettes|generated|protobufs|locale|evals?)/"
)
TESTS = re.compile(r"(^|/)(tests?|integration_tests|testing)/|(^|/)(test_[^/]*|conftest|[^/]*_test)\.py$")
SCRIPT_TESTS = re.compile(r"(^|/)(__tests__|__mocks__|tests?)/|\.(test|spec)\.[jt]sx?$")
PROSE = (".md", ".mdx", ".rst")
SCRIPTS = (".ts", ".tsx", ".js", ".jsx")
NOT_SCRIPTS = (".d.ts", ".min.js")
NESTS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (*DEFS, ast.ClassDef, ast.Lambda)
Def = ast.FunctionDef | ast.AsyncFunctionDef

# Python 3.14 may leave out the brackets in `except A, B:`; an older parser needs them.
OPEN_EXCEPT = re.compile(r"^(\s*except\*?\s+)([\w.]+(?:\s*,\s*[\w.]+)+)(\s*:)", re.M)


# -- what is kept of a checkout -----------------------------------------------------------------


@dataclass
class Function:
    name: str
    lines: int  # without its docstring
    branches: int  # cyclomatic complexity
    depth: int
    params: int
    typed: int  # of the parameters and the return
    documented: bool


@dataclass
class Module:
    path: str
    text: str
    lines: int
    code: int
    comments: int
    prose: int  # docstring lines
    functions: list[Function] = field(default_factory=list)
    methods: list[int] = field(default_factory=list)  # how many each class has
    wide_excepts: int = 0
    late_imports: int = 0
    anys: int = 0
    eager: set[str] = field(default_factory=set)  # imports that run when the module is imported
    every: set[str] = field(default_factory=set)  # those, TYPE_CHECKING ones and late ones


@dataclass
class Checkout:
    name: str
    where: Path
    src: list[str]
    tests: list[str]
    paths: list[str] = field(default_factory=list)
    source: dict[str, Module] = field(default_factory=dict)  # by dotted name
    test: list[Module] = field(default_factory=list)
    scripts: list[int] = field(default_factory=list)  # lines of each TypeScript or JavaScript file
    docs: int = 0
    unread: int = 0

    @property
    def modules(self) -> list[Module]:
        return list(self.source.values())

    @property
    def functions(self) -> list[Function]:
        return [f for m in self.modules for f in m.functions]

    @property
    def code(self) -> int:
        return sum(m.code for m in self.modules)

    @property
    def text(self) -> str:
        return "\n".join(m.text for m in self.modules)


# -- reading files ------------------------------------------------------------------------------


def git(where: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", str(where), *words], capture_output=True, check=True).stdout


def is_bare(where: Path) -> bool:
    return (where / "HEAD").is_file() and (where / "objects").is_dir()


def paths_in(where: Path) -> list[str]:
    if is_bare(where):
        listed = git(where, "ls-tree", "-r", "-z", "--name-only", "HEAD")
    elif (where / ".git").exists():
        listed = git(where, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    else:
        return [str(p.relative_to(where)) for p in sorted(where.rglob("*")) if p.is_file()]
    return [path for path in listed.decode("utf8", "replace").split("\0") if path]


def texts_of(where: Path, paths: list[str]) -> Iterator[tuple[str, str]]:
    """Each path with its text; a blob that a partial snapshot lacks is passed over."""
    if not is_bare(where):
        for path in paths:
            file = where / path
            if file.is_file() and not file.is_symlink():
                yield path, file.read_text("utf8", "replace")
        return
    wanted = "".join(f"HEAD:{path}\n" for path in paths).encode()
    cat = ["git", "-C", str(where), "cat-file", "--batch"]
    answer = subprocess.run(cat, input=wanted, capture_output=True, check=True).stdout
    at = 0
    for path in paths:
        end = answer.index(b"\n", at)
        head, at = answer[at:end].split(), end + 1
        if head[-1] != b"missing":
            size = int(head[-1])
            yield path, answer[at : at + size].decode("utf8", "replace")
            at += size + 1


def under(path: str, folders: list[str]) -> str:
    """The folder of these that the path is in, or nothing."""
    return next((f for f in folders if path.startswith(f.rstrip("/") + "/")), "")


def kind_of(c: Checkout, path: str) -> str:
    if path.endswith(PROSE):
        return "docs"
    if path.endswith(SCRIPTS) and not path.endswith(NOT_SCRIPTS):
        return "" if ASIDE.search(path) or SCRIPT_TESTS.search(path) else "script"
    if not path.endswith(".py"):
        return ""
    if under(path, c.tests):
        return "test"
    home = under(path, c.src)
    if c.src and not home:
        return ""
    inner = path[len(home) :]
    if TESTS.search(inner) and not c.tests:
        return "test"
    return "" if ASIDE.search(inner) else "source"


def dotted_name(c: Checkout, path: str) -> str:
    above = under(path, c.src).rstrip("/").rpartition("/")[0]
    inner = path[len(above) :].lstrip("/") if above else path
    return inner.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def read(argument: str) -> Checkout:
    name, _, rest = argument.rpartition("=")
    where, src, tests = (*rest.split(":"), "", "")[:3]
    folders = [[f for f in given.split(",") if f] for given in (src, tests)]
    c = Checkout(name or Path(where).name, Path(where), *folders)
    c.paths = paths_in(c.where)
    for path, text in texts_of(c.where, [p for p in c.paths if kind_of(c, p)]):
        match kind_of(c, path):
            case "docs":
                c.docs += len(text.splitlines())
            case "script":
                c.scripts.append(len(text.splitlines()))
            case kind:
                keep(c, kind, path, text)
    return c


def keep(c: Checkout, kind: str, path: str, text: str) -> None:
    dotted = dotted_name(c, path)
    module = measure_module(path, text, dotted)
    if module is None:
        c.unread += 1
    elif kind == "test":
        c.test.append(module)
    else:
        c.source[dotted] = module


# -- measuring a module -------------------------------------------------------------------------


def parse(text: str) -> ast.Module | None:
    for version in (text, OPEN_EXCEPT.sub(r"\1(\2)\3", text)):
        try:
            return ast.parse(version)
        except (SyntaxError, ValueError):
            pass
    return None


def docstring_lines(node: ast.AST) -> int:
    match getattr(node, "body", None):
        case [ast.Expr(value=ast.Constant(value=str())) as first, *_]:
            return (first.end_lineno or 0) - first.lineno + 1
    return 0


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """What a function itself holds, without the functions and classes nested in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, SCOPES):
            yield child
            yield from inside(child)


def branches(function: ast.AST) -> int:
    total = 1
    for node in inside(function):
        match node:
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While() | ast.IfExp() | ast.ExceptHandler():
                total += 1
            case ast.BoolOp(values=values):
                total += len(values) - 1
            case ast.comprehension(ifs=ifs):
                total += 1 + len(ifs)
            case ast.match_case(pattern=ast.MatchAs(pattern=None)):
                pass  # the case that takes whatever is left
            case ast.match_case():
                total += 1
    return total


def depth(node: ast.AST, level: int = 0) -> int:
    deepest = level
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SCOPES):
            continue
        is_elif = isinstance(child, ast.If) and isinstance(node, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child, level + (isinstance(child, NESTS) and not is_elif)))
    return deepest


def measure_function(node: Def) -> Function:
    a = node.args
    params = [p for p in (*a.posonlyargs, *a.args, *a.kwonlyargs) if p.arg not in ("self", "cls")]
    return Function(
        name=node.name,
        lines=(node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node),
        branches=branches(node),
        depth=depth(node),
        params=len(params),
        typed=sum(p.annotation is not None for p in params) + (node.returns is not None),
        documented=docstring_lines(node) > 0,
    )


def imported(node: ast.Import | ast.ImportFrom, package: list[str]) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    base = package[: len(package) - node.level + 1] if node.level else []
    stem = ".".join([*base, *([node.module] if node.module else [])])
    return {f"{stem}.{alias.name}".lstrip(".") for alias in node.names}


def read_imports(node: ast.AST, package: list[str], into: Module, eager: bool = True) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            found = imported(child, package)
            into.every |= found
            into.eager |= found if eager else set()
        else:
            later = isinstance(child, DEFS) or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test))
            read_imports(child, package, into, eager and not later)


def measure_module(path: str, text: str, dotted: str) -> Module | None:
    tree = parse(text)
    if tree is None:
        return None
    lines = [line.strip() for line in text.splitlines()]
    notes = sum(line.startswith("#") for line in lines)
    prose = sum(docstring_lines(n) for n in ast.walk(tree) if isinstance(n, (*DEFS, ast.ClassDef, ast.Module)))
    module = Module(path, text, len(lines), sum(map(bool, lines)) - notes - prose, notes, prose)
    package = dotted.split(".") if path.endswith("__init__.py") else dotted.split(".")[:-1]
    read_imports(tree, package, module)
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                module.functions.append(measure_function(node))
                module.late_imports += sum(isinstance(n, (ast.Import, ast.ImportFrom)) for n in inside(node))
            case ast.ClassDef(body=body):
                module.methods.append(sum(isinstance(n, DEFS) for n in body))
            case ast.ExceptHandler(type=None | ast.Name(id="Exception" | "BaseException")):
                module.wide_excepts += 1
            case ast.Name(id="Any"):
                module.anys += 1
    return module


# -- measuring the whole ------------------------------------------------------------------------


def edges_of(c: Checkout, imports: Callable[[Module], set[str]]) -> dict[str, set[str]]:
    def home(name: str) -> str | None:
        parts = name.split(".")
        spans = ((start, end) for start in range(len(parts)) for end in range(len(parts), start, -1))
        return next((d for start, end in spans if (d := ".".join(parts[start:end])) in c.source), None)

    return {d: {h for name in imports(m) if (h := home(name)) and h != d} for d, m in c.source.items()}


def biggest_knot(edges: dict[str, set[str]]) -> int:
    """The size of the largest set of modules that all reach each other (Tarjan, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    biggest = 0

    def visit(node: str) -> tuple[str, Iterator[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        return node, iter(edges[node])

    for root in edges:
        work = [] if root in index else [visit(root)]
        while work:
            node, rest = work[-1]
            new = next((to for to in rest if to not in index or to in on_stack), None)
            if new is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    knot = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    on_stack.difference_update(knot)
                    biggest = max(biggest, len(knot))
            elif new in index:
                low[node] = min(low[node], index[new])
            else:
                work.append(visit(new))
    return biggest if biggest > 1 else 0


def commits_of(c: Checkout, n: int = 300) -> list[tuple[str, list[str]]]:
    """The last commits that are not merges: a subject, and the paths each one touches."""
    if not (is_bare(c.where) or (c.where / ".git").exists()):
        return []
    try:
        said = git(c.where, "log", "--no-merges", f"-{n}", "--name-only", "--format=%x00%s")
    except subprocess.CalledProcessError:  # no commit yet
        return []
    entries = [entry.split("\n") for entry in said.decode("utf8", "replace").split("\0")[1:]]
    return [(lines[0], [line for line in lines[1:] if line]) for lines in entries]


# -- the table ----------------------------------------------------------------------------------


def share(part: float, whole: float, places: int = 1) -> str:
    return f"{100 * part / whole:.{places}f}%" if whole else "-"


def rate(part: float, whole: float, per: int, places: int = 1) -> str:
    return f"{per * part / whole:.{places}f}" if whole else "-"


def middle(values: list[int]) -> str:
    return str(int(median(values))) if values else "-"


def ninetieth(values: list[int]) -> str:
    return str(sorted(values)[min(len(values) - 1, int(len(values) * 0.9))]) if values else "-"


def over(values: list[int], limit: int) -> str:
    return share(sum(v > limit for v in values), len(values))


def count(pattern: str, text: str) -> int:
    return len(re.findall(pattern, text))


def size(c: Checkout) -> dict[str, str]:
    return {
        "source files (.py)": str(len(c.modules)),
        "source code lines": f"{c.code:,}",
        "files that could not be parsed": str(c.unread),
    }


def file_length(c: Checkout) -> dict[str, str]:
    whole = [m for m in c.modules if m.lines > 5]  # an empty __init__.py says nothing of length
    sizes = [m.lines for m in whole]
    return {
        "median": middle(sizes),
        "90th percentile": ninetieth(sizes),
        "longest": str(max(sizes, default=0)),
        "over 300 lines": over(sizes, 300),
        "over 500 lines": over(sizes, 500),
        "over 1000 lines": over(sizes, 1000),
        "code that lives in files over 1000": share(sum(m.code for m in whole if m.lines > 1000), c.code),
    }


def function_shape(c: Checkout) -> dict[str, str]:
    f = c.functions
    return {
        "functions": f"{len(f):,}",
        "median lines": middle([x.lines for x in f]),
        "90th percentile lines": ninetieth([x.lines for x in f]),
        "over 50 lines": over([x.lines for x in f], 50),
        "over 100 lines": over([x.lines for x in f], 100),
        "complexity over 10": over([x.branches for x in f], 10),
        "complexity, worst": str(max((x.branches for x in f), default=0)),
        "nested deeper than 3": over([x.depth for x in f], 3),
        "over 6 parameters": over([x.params for x in f], 6),
        "classes over 20 methods": over([n for m in c.modules for n in m.methods], 20),
    }


def structure(c: Checkout) -> dict[str, str]:
    eager, every = edges_of(c, lambda m: m.eager), edges_of(c, lambda m: m.every)
    fan = [len(every[d]) for d, m in c.source.items() if m.lines > 5]
    return {
        "project modules that a file imports, median": middle(fan),
        "project modules that a file imports, 90th": ninetieth(fan),
        "largest import knot, at import time": share(biggest_knot(eager), len(c.modules)),
        "largest import knot, all imports": share(biggest_knot(every), len(c.modules)),
        "imports inside functions": rate(sum(m.late_imports for m in c.modules), c.code, 1000),
    }


def escapes(c: Checkout) -> dict[str, str]:
    typed, slots = sum(f.typed for f in c.functions), sum(f.params + 1 for f in c.functions)
    return {
        "parameters and returns annotated": share(typed, slots),
        "`Any`": rate(sum(m.anys for m in c.modules), c.code, 1000),
        "`type: ignore` and `cast(`": rate(count(r"type:\s*ignore|pyright:\s*ignore|\bcast\(", c.text), c.code, 1000),
        "`noqa`": rate(count(r"#\s*noqa", c.text), c.code, 1000),
        "`except Exception` or bare": rate(sum(m.wide_excepts for m in c.modules), c.code, 1000),
        "TODO, FIXME, XXX, HACK": rate(count(r"\b(?:TODO|FIXME|XXX|HACK)\b", c.text), c.code, 1000),
    }


def words(c: Checkout) -> dict[str, str]:
    public = [f for f in c.functions if not f.name.startswith("_")]
    return {
        "comment lines": rate(sum(m.comments for m in c.modules), c.code, 100),
        "docstring lines": rate(sum(m.prose for m in c.modules), c.code, 100),
        "docs lines (md, mdx, rst; whole checkout)": rate(c.docs, c.code, 100, 0),
        "public functions with a docstring": share(sum(f.documented for f in public), len(public)),
    }


def tests(c: Checkout) -> dict[str, str]:
    cases = [f for m in c.test for f in m.functions if f.name.startswith("test")]
    text = "\n".join(m.text for m in c.test)
    return {
        "test code : source code": rate(sum(m.code for m in c.test), c.code, 1, 2),
        "test functions": f"{len(cases):,}",
        "test function, median lines": middle([f.lines for f in cases]),
        "test function over 50 lines": over([f.lines for f in cases], 50),
        "mentions of mock, patch, monkeypatch, per 100": rate(
            count(r"(?i)mock|patch[(.]|monkeypatch", text), len(cases), 100, 0
        ),
        "real sleeps, per 100": rate(count(r"sleep[(]", text), len(cases), 100),
        "parametrize, per 100": rate(count(r"parametrize[(]", text), len(cases), 100, 0),
    }


def screens(c: Checkout) -> dict[str, str]:
    return {
        "files": str(len(c.scripts) or "-"),
        "median lines of a file": middle(c.scripts),
        "files over 250 lines": over(c.scripts, 250),
    }


def commits(c: Checkout) -> dict[str, str]:
    made = commits_of(c)
    touched = [{kind_of(c, path) for path in paths} for _, paths in made]
    source = [kinds for kinds in touched if "source" in kinds]
    return {
        "files touched, median": middle([len(paths) for _, paths in made]),
        "with tests, of those that touch source": share(sum("test" in k for k in source), len(source), 0),
        "with docs, of those that touch source": share(sum("docs" in k for k in source), len(source), 0),
        "subject length, median": middle([len(subject) for subject, _ in made]),
    }


def habits(c: Checkout) -> dict[str, str]:
    def has(pattern: str) -> str:
        return "yes" if any(re.search(pattern, path, re.I) for path in c.paths) else "no"

    return {
        "a task file (Makefile, justfile, noxfile, scripts/)": has(
            r"(^|/)(makefile|justfile|noxfile\.py)$|(^|/)scripts/"
        ),
        "pre-commit": has(r"(^|/)\.pre-commit-config\.yaml$"),
        "changelog in the tree": has(r"(^|/)(changelog|changes|release-notes|history)(\.md|\.rst|/)"),
        "decision records": has(r"(^|/)(adr|adrs|decisions)/"),
        "conventions written down (AGENTS, CONTRIBUTING)": has(r"(^|/)(agents|contributing)\.(md|rst)$"),
        "lint rules of its own": has(r"(linters?|lint_rules|ast-grep|hassfest|semgrep)/|(^|/)check_[a-z_]+\.py$"),
    }


SECTIONS: dict[str, Callable[[Checkout], dict[str, str]]] = {
    "Size": size,
    "File length (lines; files over 5 lines)": file_length,
    "Functions (docstring not counted)": function_shape,
    "Structure (imports inside functions: per 1000 code lines)": structure,
    "Types and escapes (per 1000 code lines)": escapes,
    "Words (per 100 code lines)": words,
    "Tests": tests,
    "TypeScript and JavaScript (whole checkout, no tests)": screens,
    "Commits (the last 300 that are not merges)": commits,
    "Habits": habits,
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 2
    columns = [read(argument) for argument in arguments]
    print("| habit | " + " | ".join(c.name for c in columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for title, section in SECTIONS.items():
        print(f"| **{title}** |" + " |" * len(columns))
        tables = [section(c) for c in columns]
        for row in tables[0]:
            print(f"| {row} | " + " | ".join(table[row] for table in tables) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
