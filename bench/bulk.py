"""A bulk action over 100,000 conversations: how long it takes, and what others notice of it meanwhile."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench import inbox_data, installation, processes, tables

CONVERSATIONS = 100_000
TARGET = 180.0  # seconds
PATH = "/conversations-bulk-actions"
ACTIONS: Mapping[str, Mapping[str, object]] = {
    "close": {"action": "update_status", "status": "closed"},
    "open again": {"action": "update_status", "status": "open"},
}
OPEN_ALL = "UPDATE conversations SET status = 'open' WHERE organization_id = $1"


def run(client: httpx.Client, body: Mapping[str, object]) -> tuple[float, float, list[float], int]:
    """Seconds to the answer and to the end, milliseconds of the lists asked for meanwhile, conversations done."""
    start = time.perf_counter()
    begun = client.post(PATH, json={**body, "filter": {}})
    begun.raise_for_status()
    answered, bulk, lists = time.perf_counter() - start, begun.json(), []
    while bulk["status"] == "running":
        asked = time.perf_counter()
        client.get("/conversations?fastJoinForConversationList=true&$limit=50").raise_for_status()
        lists.append((time.perf_counter() - asked) * 1000)
        time.sleep(0.1)
        bulk = client.get(f"{PATH}/{bulk['id']}").json()
    if bulk["status"] != "done":
        raise RuntimeError(f"the bulk action failed: {bulk['error']}")
    return answered, time.perf_counter() - start, lists, bulk["processed_count"]


def measure(quick: bool) -> str:
    """The table of RESULTS.md."""
    conversations = CONVERSATIONS // 20 if quick else CONVERSATIONS
    key = f"fd_{secrets.token_urlsafe(32)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        url, _ = stack.enter_context(installation.database(folder))
        seeded = asyncio.run(installation.seed(url, key, 1))
        asyncio.run(inbox_data.fill(url, seeded.organization_id, conversations, 1, statement=OPEN_ALL))
        port = processes.free_port()
        env = installation.variables(url, folder, FRONTDESK_PORT=str(port), FRONTDESK_MODEL="none")
        log = folder / "frontdesk.log"
        server = stack.enter_context(processes.started(processes.frontdesk("serve"), env, log))
        stack.enter_context(processes.started(processes.frontdesk("worker"), env, folder / "worker.log"))
        address = f"http://127.0.0.1:{port}"
        processes.wait_for(server, f"{address}/conversations", log, {"x-api-key": key})
        client = stack.enter_context(httpx.Client(base_url=address, headers={"x-api-key": key}, timeout=60))
        found = {title: run(client, body) for title, body in ACTIONS.items()}
    return render(found)


def render(found: Mapping[str, tuple[float, float, list[float], int]]) -> str:
    rows = [
        (title, f"{done:,}", f"{answered:.1f}", f"{whole:.1f}", f"{done / whole:,.0f}", f"{max(lists, default=0):.0f}")
        for title, (answered, whole, lists, done) in found.items()
    ]
    slowest = max(whole for _, whole, _, _ in found.values())
    return "\n\n".join([
        "## Bulk action: one change of all conversations of an organization",
        "One HTTP process and one worker. Each conversation gets its version, its epoch and its event, in batches of "
        "one transaction each; a client asks for the inbox ten times a second meanwhile.",
        tables.table(("", "conversations", "answered after s", "done after s", "per s", "slowest list ms"), rows),
        f"- Done after {tables.against(slowest, TARGET, ' s', digits=0)}.",
    ])  # fmt: skip


def unable() -> str | None:
    """It needs nothing but this checkout."""
    return None
