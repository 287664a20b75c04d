"""The commands. Each process loads only what its command needs, so that starting stays quick."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from frontdesk.core.halt import Halt
from frontdesk.core.settings import Settings, settings
from frontdesk.core.supervisor import end_with_supervisor

Run = Callable[[Settings, argparse.Namespace], int]


@dataclass(frozen=True)
class Command:
    """A command's help, the `module:function` that runs it, and the arguments it takes."""

    summary: str
    target: str
    arguments: tuple[tuple[str, dict[str, object]], ...] = ()

    def load(self) -> Run:
        module, _, name = self.target.partition(":")
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


COMMANDS = {
    "run": Command(
        "start everything on this machine: database, HTTP, worker, a demo organization",
        "frontdesk.commands.run:run",
        (
            ("--processes", {"type": int, "metavar": "N", "help": "HTTP processes (FRONTDESK_HTTP_PROCESSES)"}),
            ("--workers", {"type": int, "metavar": "N", "help": "worker processes (FRONTDESK_WORKERS)"}),
        ),
    ),
    "serve": Command(
        "run one HTTP process",
        "frontdesk.commands.serve:serve",
        (("--fd", {"type": int, "help": argparse.SUPPRESS}),),
    ),
    "worker": Command(
        "run one worker process",
        "frontdesk.commands.work:work",
        (("--prepare", {"action": "store_true", "help": "migrate and make the demo organization first"}),),
    ),
    "migrate": Command(
        "bring the database to the newest schema",
        "frontdesk.commands.migrate:migrate",
        (("--quiet", {"action": "store_true", "help": "say nothing when all goes well"}),),
    ),
    "organizations": Command(
        "make an organization with an invitation for its owner, list all, or set a rate limit",
        "frontdesk.commands.organizations:organizations",
        (
            ("action", {"choices": ["create", "list", "limit"]}),
            ("--name", {"help": "create: the organization's name"}),
            ("--owner-email", {"help": "create: who is invited as its owner"}),
            ("--timezone", {"default": "UTC", "help": "create: default UTC"}),
            ("--currency", {"default": "USD", "help": "create: default USD"}),
            ("--key", {"action": "store_true", "help": "create: print a first API key of the owner too"}),
            ("--id", {"type": int, "help": "limit: the organization"}),
            ("--rate-limit", {"metavar": "N/SECONDS", "help": "create, limit: its own limit; 0 is none, or `default`"}),
        ),
    ),
    "assistants": Command(
        "write an assistant into a file, show what a file would change, or apply it",
        "frontdesk.commands.assistants:assistants",
        (
            ("action", {"choices": ["export", "plan", "apply"]}),
            (
                "files",
                {
                    "nargs": "*",
                    "metavar": "file",
                    "help": "YAML; - is the standard input; export: default standard output",
                },
            ),
            ("--organization", {"type": int, "required": True, "metavar": "ID", "help": "whose assistant it is"}),
            ("--name", {"help": "export: the assistant's name"}),
            ("--id", {"type": int, "help": "the assistant, where several have the same name or it gets another one"}),
        ),
    ),
    "backup": Command(
        "write the whole database and the uploaded files into one file",
        "frontdesk.commands.archive:backup",
        (("file", {"nargs": "?", "help": "default: frontdesk-<date>.tar here"}),),
    ),
    "restore": Command(
        "read a backup into an empty database",
        "frontdesk.commands.archive:restore",
        (
            ("file", {"help": "a file that `backup` wrote"}),
            ("--replace", {"action": "store_true", "help": "delete what the database holds now"}),
        ),
    ),
    "models": Command(
        "fetch the built-in model",
        "frontdesk.models.fetch:run",
        (("action", {"choices": ["fetch"]}),),
    ),
    "model-server": Command("run the built-in model's server", "frontdesk.models.local.server:run"),
    "health": Command("say whether the installation is ready, and what is not", "frontdesk.commands.health:health"),
}


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="frontdesk", description="Frontdesk: AI assistants for a business.")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.summary, description=command.summary)
        for flag, options in command.arguments:
            one.add_argument(flag, **options)  # type: ignore[arg-type]
    return whole


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. What the operator must mend is one sentence on stderr."""
    end_with_supervisor()
    arguments = parser().parse_args(words)
    try:
        return COMMANDS[arguments.command].load()(settings(), arguments)
    except Halt as halt:
        if str(halt):
            print(f"frontdesk: {halt}", file=sys.stderr)
        return halt.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
