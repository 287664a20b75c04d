"""The inbox: a list of 50 conversations with joined members, with conditions and both searches, in a full house.

One organization with 100,000 contacts and conversations and 1,000,000 messages, beside 50 others. One client that asks
one thing after the other, over HTTP, at a real server with row-level security on.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx

from bench import inbox_data, installation, processes, tables

CONVERSATIONS, MESSAGES = 100_000, 10
TARGET = 50.0  # ms, p99
JOINED = "fastJoinForConversationList=true&$limit=50"
# By how many of a thousand messages, or contacts, hold them. The word is another one each time where there are several.
SEARCHES: Mapping[str, tuple[str, Sequence[str]]] = {
    "a word in every second message": ("messageSearchTerm", ("the", "and")),
    "a word in every 10th to 30th": ("messageSearchTerm", ("appointment", "delivery", "refund", "change", "email")),
    "a word in every 100th to 1,000th": (
        "messageSearchTerm",
        ("baran", "wazan", "copon", "tasal", "vebil", "quitel", "sunit", "xerec", "lulup", "nedor"),
    ),
    "a word in less than that": ("messageSearchTerm", ("yofoting", "quimuro", "hazanal", "tafotes", "subilado")),
    "two words": ("messageSearchTerm", ("refund invoice", "delivery baran", "phone wazan", "cancel tomorrow")),
    "no such word": ("messageSearchTerm", ("zzzzz", "ñandú 77")),
    "a contact's first name": ("searchTerm", ("ana", "luis", "marta", "diego")),
    "a contact's last name": ("searchTerm", ("baran", "wazan", "copon", "tasal")),
    "first and last name": ("searchTerm", ("ana baran", "luis copon", "eva wazan")),
    "a phone number": ("searchTerm", ("5550012", "55573", "5551234567")),
    "a name and a word": ("searchTerm", ("baran&messageSearchTerm=refund", "ana&messageSearchTerm=wazan&status=open")),
}  # fmt: skip
LISTS: Mapping[str, str] = {
    "the whole inbox": "",
    "the 100th page": "$skip=5000",
    "open, without the playground": "status=open&channel[$ne]=playground",
    "unassigned": "assigned_user_id=null",
    "waiting for an answer": "waitingResponseOnly=true",
    "unread": "unread_count[$gt]=0",
    "by creation": "$sort[created_at]=1",
}


def questions() -> Iterator[tuple[str, list[str]]]:
    """What is asked, with the addresses that ask it."""
    for title, query in LISTS.items():
        yield title, [f"/conversations?{JOINED}&{query}"]
    for title, (name, terms) in SEARCHES.items():
        yield title, [f"/conversations?{JOINED}&{name}={quote(term, safe='&=')}" for term in terms]


def ask(url: str, key: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each answer, by title; all questions mixed, so that none stands warm behind itself."""
    drawn = random.Random(7)
    todo = [(title, drawn.choice(addresses)) for title, addresses in questions() for _ in range(rounds)]
    drawn.shuffle(todo)
    taken: dict[str, list[float]] = {title: [] for title, _ in questions()}
    with httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=60) as client:
        for _, addresses in questions():
            for address in addresses:
                client.get(address).raise_for_status()
        for title, address in todo:
            start = time.perf_counter()
            client.get(address).raise_for_status()
            taken[title].append((time.perf_counter() - start) * 1000)
    return taken


def measure(quick: bool) -> str:
    """The table of RESULTS.md."""
    rounds, conversations = (10, CONVERSATIONS // 20) if quick else (200, CONVERSATIONS)
    key = f"fd_{secrets.token_urlsafe(32)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        url, _ = stack.enter_context(installation.database(folder))
        seeded = asyncio.run(installation.seed(url, key, 1))
        asyncio.run(inbox_data.fill(url, seeded.organization_id, conversations, MESSAGES))
        port = processes.free_port()
        env = installation.variables(url, folder, FRONTDESK_PORT=str(port), FRONTDESK_MODEL="none")
        log = folder / "frontdesk.log"
        server = stack.enter_context(processes.started(processes.frontdesk("serve"), env, log))
        address = f"http://127.0.0.1:{port}"
        processes.wait_for(server, f"{address}/conversations", log, {"x-api-key": key})
        taken = ask(address, key, rounds)
    return render(taken, conversations)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def render(taken: Mapping[str, Sequence[float]], conversations: int) -> str:
    rows = [
        (title, f"{percentile(values, 0.5):.1f}", f"{percentile(values, 0.99):.1f}") for title, values in taken.items()
    ]
    lists = [value for title in LISTS for value in taken[title]]
    searches = [value for title in SEARCHES for value in taken[title]]
    return "\n\n".join([
        "## Inbox: a list of 50 conversations with joined members",
        f"{conversations:,} contacts and conversations and {conversations * MESSAGES:,} messages in one organization, "
        f"beside {inbox_data.NEIGHBOURS} others; one client, {len(next(iter(taken.values())))} requests of each kind, "
        "mixed. Times over HTTP, with the total counted.",
        tables.table(("ms", "p50", "p99"), rows),
        f"- All lists without a search, p99: {tables.against(percentile(lists, 0.99), TARGET, ' ms', digits=1)}.\n"
        f"- All lists with a search, p99: {tables.against(percentile(searches, 0.99), TARGET, ' ms', digits=1)}.",
    ])  # fmt: skip


def unable() -> str | None:
    """It needs nothing but this checkout."""
    return None
