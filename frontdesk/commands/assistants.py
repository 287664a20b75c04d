"""`frontdesk assistants export|plan|apply`: an assistant as a file that can be kept beside code, and moved."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from frontdesk.core.connection import joined, wait_for
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, Json
from frontdesk.core.halt import Halt
from frontdesk.core.revision import current, head
from frontdesk.core.settings import Settings
from frontdesk.registry import make_door
from frontdesk.resources.assistants.portable import Desk, Row, apply, begin, checked, export, plan
from frontdesk.resources.assistants.yaml_files import dump, load

Action = Callable[[Door, argparse.Namespace], Awaitable[None]]


class Undone(Exception):
    """A plan is an apply that is taken back."""


def assistants(settings: Settings, arguments: argparse.Namespace) -> int:
    """Raises Halt with one sentence for what is missing or wrong."""
    with joined(settings) as url:
        asyncio.run(act(settings, url, arguments))
    return 0


async def act(settings: Settings, url: str, arguments: argparse.Namespace) -> None:
    await wait_for(url)
    if await current(url) != head():
        raise Halt("The database has another schema than this Frontdesk: run `frontdesk migrate` first.")
    door = make_door(settings, url)
    try:
        await ACTIONS[arguments.action](door, arguments)
    except ApiError as error:
        raise Halt(_sentence(error)) from error
    finally:
        await door.database.close()


async def write(door: Door, arguments: argparse.Namespace) -> None:
    """Print the file of one assistant, or write it."""
    if arguments.name is None and arguments.id is None:
        raise Halt("`frontdesk assistants export` needs --name or --id.")
    if len(arguments.files) > 1:
        raise Halt("One assistant is one file.")
    async with door.database.transaction(arguments.organization) as connection:
        desk = Desk(door, connection, arguments.organization)
        id = await desk.assistant(str(arguments.name), arguments.id)
        if id is None:
            raise Halt(f"Organization {arguments.organization} has no assistant called {arguments.name}.")
        document, left_out = await export(desk, id)
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    for file in arguments.files:
        Path(file).write_text(dump(document), "utf-8")
    if not arguments.files:
        sys.stdout.write(dump(document))


async def show(door: Door, arguments: argparse.Namespace) -> None:
    """Say what applying the files would change, and change nothing."""
    try:
        await _apply(door, arguments, is_kept=False)
    except Undone:
        return


async def make(door: Door, arguments: argparse.Namespace) -> None:
    """Apply the files: all of them, or nothing."""
    await _apply(door, arguments, is_kept=True)


async def _apply(door: Door, arguments: argparse.Namespace, *, is_kept: bool) -> None:
    documents = _read_all(arguments)
    lines: list[str] = []
    async with door.database.transaction(arguments.organization) as connection:
        desk = Desk(door, connection, arguments.organization)
        live = {file: await _live(desk, document, arguments.id) for file, document in documents.items()}
        if len(documents) > 1:
            await begin(desk, list(documents.values()))
        for file, document in documents.items():
            with _named(file, is_one=len(documents) == 1):
                id = await apply(desk, document, arguments.id)
            lines.append(_show(id, live[file], document, is_kept=is_kept))
        for warning in dict.fromkeys(desk.warnings):
            print(f"warning: {warning}", file=sys.stderr)
        if not is_kept:
            print(*lines, sep="\n")
            raise Undone
    print(*lines, sep="\n")


async def _live(desk: Desk, document: Row, id: int | None) -> Row:
    """The file that the assistant of this document would give now; empty where there is none."""
    found = await desk.assistant(_name(document), id)
    return {} if found is None else (await export(desk, found))[0]


def _show(id: int, live: Row, document: Row, *, is_kept: bool) -> str:
    """Print the changes of one file; gives the line that sums them up."""
    changes = plan(live, document)
    for entry in changes:
        print(told(entry))
    if not is_kept:
        return f"{len(changes)} changes" + (f" of assistant {id}." if live else "; the assistant is new.")
    name = _name(document)
    return f"Assistant {id}, {name}: {len(changes)} changes applied." if changes else f"Assistant {id}: no change."


def _name(document: Row) -> str:
    return str(document["assistant"]["name"])  # type: ignore[index, call-overload]


def _read_all(arguments: argparse.Namespace) -> dict[str, Row]:
    files: list[str] = arguments.files
    if not files:
        raise Halt("This needs the file of an assistant; `-` is the standard input.")
    if len(files) > 1 and arguments.id is not None:
        raise Halt("--id is of one assistant: apply its file by itself.")
    if twice := next((file for file in files if files.count(file) > 1), None):
        raise Halt(f"{twice} stands there twice.")
    found: dict[str, Row] = {}
    for file in files:
        with _named(file, is_one=len(files) == 1):
            found[file] = _read(file)
    return found


@contextmanager
def _named(file: str, *, is_one: bool) -> Iterator[None]:
    """Of several files, a refusal says which."""
    try:
        yield
    except ApiError as error:
        if is_one:
            raise
        raise Halt(f"{file}: {_sentence(error)}") from error


def _sentence(error: ApiError) -> str:
    faults = "; ".join(f"{name} {said}" for name, said in error.errors.items())
    return f"{faults or error.message.rstrip('.')}."


def _read(file: str) -> Row:
    try:
        return checked(load(sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")))
    except OSError as error:
        raise Halt(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Halt(f"{file}: {error}.") from None


def told(entry: Row) -> str:
    """One change as a line, or as several where a text changes by lines."""
    field, old, new = entry["field"], entry["old"], entry["new"]
    sign = "+" if old is None else "-" if new is None else "~"
    if "diff" in entry:
        lines = "\n".join(f"    {line}" for line in str(entry["diff"]).splitlines())
        return f"{sign} {field}\n{lines}"
    if old is None or new is None:
        return f"{sign} {field}: {_short(new if old is None else old)}"
    return f"{sign} {field}: {_short(old)} -> {_short(new)}"


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"


ACTIONS: dict[str, Action] = {"export": write, "plan": show, "apply": make}
