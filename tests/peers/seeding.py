"""Rows of every resource, made over the API itself: from the examples that its own description shows."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import httpx

from frontdesk.core.resource import Registry, Resource
from frontdesk.registry import make_registry

ROUNDS = 4  # a row that refers to others succeeds when those are there
EACH = 3


def references(registry: Registry) -> dict[str, str]:
    """Which resource a field of a body names, over all resources."""
    return {
        name: f.references
        for resource in registry
        for name, f in resource.input_fields.items()
        if f.references and f.references != "users"
    }


def seed(client: httpx.Client, public_key: str) -> dict[str, list[int]]:
    """Ids by resource, the oldest first. What cannot be made from its example is left out."""
    registry = make_registry()
    rows: dict[str, list[int]] = defaultdict(list)
    upload(client)
    visit(client, public_key)
    for number in range(ROUNDS):
        for resource in registry:
            if "find" in resource.verbs and not resource.is_personal and len(rows[resource.path]) < EACH:
                if "create" in resource.verbs:
                    client.post(f"/{resource.path}", json=body(resource, rows, number))
                rows[resource.path] = ids(client, resource, rows)
        connect(client, rows, number)
    return {path: found for path, found in rows.items() if found}


def connect(client: httpx.Client, rows: dict[str, list[int]], number: int) -> None:
    """What belongs to a channel of one kind: the oldest channel is the web chat."""
    channels: dict[str, int] = {}
    for kind in ("whatsapp", "email"):
        client.post("/inbox-channels", json={"channel": kind, "name": f"{kind} {number}"})
        found = client.get("/inbox-channels", params={"channel": kind}).json()["data"]
        channels[kind] = found[0]["id"] if found else 0
    name = f"seed_{number}"
    client.post(
        "/whatsapp-templates",
        json={"inbox_channel_id": channels["whatsapp"], "name": name, "language": "en", "body": "Hello {{1}}."},
    )
    sender = {"inbox_channel_id": channels["email"], "name": "Seed", "email": f"{name}@example.com"}
    client.post("/email-broadcast-senders", json=sender)
    for path in ("whatsapp-templates", "email-broadcast-senders"):
        rows[path] = [row["id"] for row in client.get(f"/{path}?$sort[id]=1").json()["data"]]
    if rows["email-broadcast-senders"] and rows["contacts"]:
        draft = {"sender_id": rows["email-broadcast-senders"][0], "subject": "News", "body_text": "We move.",
                 "contact_ids": rows["contacts"][:1]}  # fmt: skip
        client.post("/email-broadcasts", json=draft)
        rows["email-broadcasts"] = [row["id"] for row in client.get("/email-broadcasts").json()["data"]]


def body(resource: Resource, rows: dict[str, list[int]], number: int) -> dict[str, Any]:
    """The example, its references replaced by rows that exist and its name by one of its own."""
    inputs = (f for f in resource.input_fields.values() if f.write in ("always", "create"))
    given = {f.name: rows[f.references][0] if f.references and rows[f.references] else f.example for f in inputs
             if f.is_required or f.example is not None}  # fmt: skip
    for name in ("name", "email", "code", "title"):
        if isinstance(given.get(name), str):
            given[name] = {"email": f"seed{number}@example.com", "code": ("EUR", "GBP", "MXN", "COP")[number]}.get(
                name, f"seed_{resource.path.replace('-', '_')}_{number}"
            )
    return given | EXTRA.get(resource.path, {})


# What the examples alone do not say.
EXTRA: dict[str, dict[str, Any]] = {
    "inbox-channels": {"channel": "whatsapp"},
    "notes": {"deal_id": None, "company_id": None},
}


def ids(client: httpx.Client, resource: Resource, rows: dict[str, list[int]]) -> list[int]:
    needed = dict.fromkeys(resource.needs, rows["conversations"][0] if rows["conversations"] else 1)
    answer = client.get(f"/{resource.path}", params={"$sort[id]": "1", "$limit": EACH, **needed})
    return [row["id"] for row in answer.json()["data"]] if answer.is_success else []


def upload(client: httpx.Client) -> None:
    """A file at its place, so that a record of it can be made."""
    asked = {"file_name": "seed.txt", "file_type": "text/plain", "file_size": 5, "type": "conversation-file"}
    signed = client.post("/s3-url-signing", json=asked)
    if signed.is_success:
        address = signed.json()
        client.put(address["signed_url"], content=b"hello", headers={"content-type": "text/plain"})


def visit(client: httpx.Client, public_key: str) -> None:
    """A customer in the web chat: its conversations have no POST of their own."""
    token = client.post(f"/webchat/{public_key}/sessions").json()["visitor_token"]
    said = {"idempotency_key": "seed-1", "text": "Are you open on Saturday?"}
    client.post(f"/webchat/{public_key}/messages", json=said, headers={"x-visitor-token": token})
