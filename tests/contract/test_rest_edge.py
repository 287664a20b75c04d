"""What a hostile client can send: raw requests to the edge, each answered by a Feathers error and nothing written."""

import hashlib
import json
from collections.abc import Awaitable, Callable

import pytest

from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.door import Door
from frontdesk.registry import make_registry
from frontdesk.web.identity import Identities
from frontdesk.web.rest import RestEdge
from tests.tools_world import ROWS

KEY = "fd_test"
# Of Marta, who owns Luna.
KEYS = f"""
INSERT INTO api_keys (organization_id, name, user_id, key_hash, key_mask, created_at, updated_at)
    VALUES (1, 'test', 1, '{hashlib.sha256(KEY.encode()).hexdigest()}', 'fd_…', now(), now());
"""
Answer = tuple[int, dict[str, object], dict[bytes, bytes]]
Send = Callable[..., Awaitable[Answer]]


async def no_app(*_: object) -> None:
    raise AssertionError("the request passed the edge")


@pytest.fixture
async def send(database: Database) -> Send:
    async with database.system() as connection:
        await connection.execute(ROWS + KEYS)
    clock = FakeClock()
    edge = RestEdge(no_app, Door(database, make_registry(), clock), Identities(database, clock, "s" * 32))

    async def request(
        method: str, path: str, query: bytes = b"", body: bytes = b"", headers: dict[bytes, bytes] | None = None
    ) -> Answer:
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body}

        async def answer(message: dict[str, object]) -> None:
            sent.append(message)

        given = {b"x-api-key": KEY.encode()} | (headers or {})
        scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": list(given.items())}
        await edge(scope, receive, answer)  # type: ignore[arg-type]
        return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])  # type: ignore[arg-type, return-value, call-overload]

    return request


def check(answer: Answer, status: int) -> None:
    """The Feathers error object of this status, which says nothing of our inside."""
    got, body, _ = answer
    assert got == status, body
    assert {"name", "message", "code", "className", "errors"} <= set(body)
    assert not {"Traceback", "asyncpg", "SELECT", "sqlalchemy"} & set(str(body["message"]).split())


QUERIES = [
    "organization_id=%C2%B2", "organization_id=" + "9" * 5000, "organization_id=2",
    "organization_id=1&organization_id=2",
    "id[%C2%B2]=1", "id=" + "9" * 5000, "id=1_0", "version=2147483648", "version[$in][]=99999999999",
    "created_at=9999-12-31T23:59:59-14:00", "created_at=infinity", "first_name[$like]=a", "nope=1", "search_text=a",
    "id);DROP TABLE contacts;--=1", "first_name';--=1", "$sort[id;DROP TABLE contacts]=1", "$sort[id]=up",
    "$select[]=key_hash", "$select[]=*", "$select=id", "$limit=-1", "$limit=NaN", "$limit=inf", "$skip=1e400",
    "$limit=99999999999", "$or=1", "$or[a]=1", "$or[0]" + "[$or][0]" * 7 + "[id]=1", "$where=1", "a[b=1",
    "[]=1", "a[][]=1",
    "searchTerm=" + "a" * 201, "searchTerm=%00%01", "first_name=%00", "&".join(f"id[$ne]={i}" for i in range(300)),
    "&".join(f"$or[{i}][id]={i}" for i in range(201)), "id[$in]=1", "id[$gt]=null", "is_variant=true",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
async def test_a_hostile_query_is_a_bad_request(send: Send, query: str) -> None:
    check(await send("GET", "/contacts", query.encode()), 400)


BODIES = [
    b"", b"{", b"[", b"1", b"null", b'"x"', b"\xff\xfe", b'{"first_name": "\xff"}', b'{"first_name": "\\ud800"}',
    b'{"first_name": "a\\u0000b"}', b'{"first_name": "\\u001b[31m"}', b'{"first_name": NaN}', b'{"first_name": 1}',
    b'{"first_name": ["a"]}', b'{"first_name": {"$gt": ""}}', b'{"company_id": ' + b"9" * 5000 + b"}",
    b'{"company_id": 1e400}', b'{"company_id": 9223372036854775808}', b'{"company_id": 1.5}', b'{"company_id": true}',
    b'{"organization_id": ' + b"9" * 5000 + b"}", b'{"organization_id": 2}', b'{"organization_id": true}',
    b'{"first_name": "' + b"a" * 121 + b'"}', b'{"nope": 1}', b'{"__proto__": {}}', b'{"first_name);--": 1}',
    b"[" * 100_000, b'{"a":' * 100_000, b'{"owned_by_user_id": 999}', b'{"email": "a@b@c"}', b'{"\\ud800": 1}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_hostile_body_writes_nothing(send: Send, database: Database, body: bytes) -> None:
    check(await send("PATCH", "/contacts/1", b"", body or b" "), 400)
    check(await send("POST", "/products", b"", body or b" "), 400)
    async with database.system() as connection:
        assert await connection.fetchval("SELECT version FROM contacts WHERE id = 1") == 1
        assert await connection.fetchval("SELECT count(*) FROM products") == 3


@pytest.mark.parametrize("price", [b'"1e1000000000"', b'"NaN"', b'"1e-30"', b"1e15", b"-1", b"9" * 5000, b'"0x10"'])
async def test_a_price_is_a_sane_number(send: Send, price: bytes) -> None:
    check(await send("PATCH", "/products/1", b"", b'{"price": ' + price + b"}"), 400)


@pytest.mark.parametrize(
    "row_id", ["0", "-1", "x", "4", "999", "9" * 30, "1.0", "1 OR 1=1", "%00", "\ud800", "١", "1_0"]
)
async def test_an_id_that_is_nobodys_is_not_found(send: Send, row_id: str) -> None:
    for method, body in (("GET", b""), ("PATCH", b'{"first_name": "x"}'), ("DELETE", b"")):
        check(await send(method, f"/contacts/{row_id}", b"", body), 404)


@pytest.mark.parametrize("value", [b"\xb2", b"abc", b'"1", "2"', b"-1", b"1.0", b"9" * 50, b"9999999999", b'W/""'])
async def test_a_strange_if_match_is_a_bad_request(send: Send, value: bytes) -> None:
    check(await send("PATCH", "/contacts/1", b"", b'{"first_name": "x"}', {b"if-match": value}), 400)


@pytest.mark.parametrize("value", [b"1", b'"1"', b'W/"1"', b"*"])
async def test_if_match_holds_the_version(send: Send, value: bytes) -> None:
    given = {b"if-match": value}
    status, _, headers = await send("PATCH", "/contacts/1", b"", b'{"first_name": "x"}', given)
    assert (status, headers[b"etag"]) == (200, b'"2"')
    if value != b"*":
        check(await send("PATCH", "/contacts/1", b"", b'{"first_name": "y"}', given), 409)
        check(await send("DELETE", "/contacts/1", b"", b"", given), 409)


@pytest.mark.parametrize("key", [b"", b"fd_wrong", b"\xff\x00", b"' OR 1=1 --", b"a" * 100_000])
async def test_a_wrong_key_is_not_authenticated(send: Send, key: bytes) -> None:
    check(await send("GET", "/contacts", b"nope=1", b"", {b"x-api-key": key}), 401)


@pytest.mark.parametrize("select", ["id", "first_name"])
async def test_select_on_a_write_leaves_the_rules_in_place(send: Send, select: str) -> None:
    answer = await send("PATCH", "/contacts/1", f"$select[]={select}".encode(), b'{"owned_by_user_id": 1}')
    assert (answer[0], set(answer[1])) == (200, {"id", select})
    check(await send("PATCH", "/contacts/1", f"$select[]={select}".encode(), b'{"owned_by_user_id": 999}'), 400)


async def test_the_query_of_a_write_narrows_what_it_touches(send: Send) -> None:
    check(await send("PATCH", "/contacts/1", b"first_name=Bob", b'{"last_name": "x"}'), 404)
    check(await send("DELETE", "/contacts/1", b"first_name=Bob"), 404)
    assert (await send("PATCH", "/contacts/1", b"first_name=Ana", b'{"last_name": "x"}'))[0] == 200


async def test_a_removed_row_is_gone_for_every_verb(send: Send) -> None:
    assert (await send("DELETE", "/contacts/1"))[0] == 200
    for method, body in (("GET", b""), ("PATCH", b'{"first_name": "x"}'), ("DELETE", b"")):
        check(await send(method, "/contacts/1", b"", body), 404)
    check(await send("POST", "/notes", b"", b'{"text": "x", "contact_id": 1}'), 400)


async def test_a_body_of_three_megabytes_is_too_large(send: Send) -> None:
    check(await send("POST", "/contacts", b"", b'{"first_name": "' + b"a" * 3_000_000 + b'"}'), 413)


async def test_many_conditions_in_a_body_are_refused(send: Send) -> None:
    query = json.dumps({"query": {"$or": [{"id": i} for i in range(40_000)]}})
    check(await send("GET", "/contacts", b"", query.encode()), 400)
