"""schemathesis over our own OpenAPI: every operation, by itself and in sequences, against a real server.

Run by `make clients`. The seed is fixed and the examples are bounded: what is found can be found again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from frontdesk.registry import make_registry
from tests.peers.seeding import references, seed
from tests.process.frontdesk_process import running

HERE = Path(__file__).parent
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,ignored_auth,use_after_free"
)
EXAMPLES, SEED, WITHIN = 6, 20_260_101, 420
# Some operations no generated request can reach: passwords and tokens cannot be guessed, conversations of connected
# channels begin with a customer, templates have to be approved first, turns need a model.
REACHED = 0.8  # of all operations, at the least
# They ask a model of somebody else and say 503 where there is none, as here; the official client tries them.
OF_MODELS = ("/ai-assistant-system", "/v1/chat/completions")


@dataclass(frozen=True)
class Run:
    """What schemathesis said, and which statuses each operation answered with."""

    code: int
    output: str
    statuses: dict[str, set[int]]
    operations: set[str]
    key_still_works: bool


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with TemporaryDirectory(prefix="fd-") as folder:
        os.chmod(folder, 0o711)
        with running(Path(folder) / "data") as frontdesk:
            demo = json.loads((frontdesk.data / "demo.json").read_text())
            with httpx.Client(base_url=frontdesk.base_url, headers={"x-api-key": demo["api_key"]}) as client:
                yield attack(client, frontdesk.base_url, demo, Path(folder))


def attack(client: httpx.Client, url: str, demo: Mapping[str, str], folder: Path) -> Run:
    tally = folder / "tally"
    kept = {f"/{path}/{{id}}": ids(client, path) for path in ("api-keys", "members")}
    facts = {
        "keep": kept,
        "rows": seed(client, demo["chat_url"].rpartition("/")[2]),
        "references": references(make_registry()),
    }
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE),
                   "FACTS": json.dumps(facts), "TALLY": str(tally)}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "-H", f"x-api-key: {demo['api_key']}",
         "--checks", CHECKS, "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--no-shrink", "--no-color",
         "--continue-on-failure", *(word for path in OF_MODELS for word in ("--exclude-path", path))],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=WITHIN,
    )  # fmt: skip
    document = client.get("/openapi.json").json()
    operations = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method in METHODS and path not in OF_MODELS
    }
    works = client.get("/contacts").status_code == 200
    return Run(done.returncode, done.stdout + done.stderr, read(tally), operations, works)


METHODS = {"get", "post", "patch", "delete", "put"}


def ids(client: httpx.Client, path: str) -> list[int]:
    return [row["id"] for row in client.get(f"/{path}").json()["data"]]


def read(tally: Path) -> dict[str, set[int]]:
    statuses: dict[str, set[int]] = defaultdict(set)
    for line in tally.read_text().splitlines():
        operation, _, status = line.rpartition(" ")
        statuses[operation].add(int(status))
    return statuses


def test_no_answer_breaks_what_the_description_promises(run: Run) -> None:
    assert run.code == 0, run.output[-20_000:]


def test_every_operation_was_called(run: Run) -> None:
    assert run.operations - set(run.statuses) == set()


def test_the_run_kept_its_key_so_that_its_answers_mean_something(run: Run) -> None:
    assert run.key_still_works


def test_most_operations_succeeded_so_that_more_than_refusals_was_seen(run: Run) -> None:
    vain = {name for name, found in run.statuses.items() if not any(status < 300 for status in found)} & run.operations
    assert len(vain) <= (1 - REACHED) * len(run.operations), "\n".join(sorted(vain))
