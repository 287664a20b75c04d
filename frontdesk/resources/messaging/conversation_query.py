"""What the list of conversations is asked by beside fields: saved views, searches, tags, who waits for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Table,
    Text,
    all_,
    and_,
    cast,
    exists,
    func,
    literal_column,
    select,
)

from frontdesk.core.caller import Caller
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import BadRequest, Json, NotFound
from frontdesk.core.fields import Plain, Wrong, check_text
from frontdesk.core.query import QueryReader
from frontdesk.core.resource import Filter
from frontdesk.core.schema import metadata
from frontdesk.core.search import CANDIDATES

Parameters = Mapping[str, object]

SHORTEST, LONGEST = 3, 200  # characters of a search for messages
# Conversations that a search for a common word counts; beyond, its total is a minimum. Others are counted exactly.
COUNTED_BY_CONTACT, COUNTED_BY_TEXT = 300, 100
# What each search finds by its index, and in which field; NULL for what is so common that rows are read one by one.
INDEXED = {
    "searchTerm": ("contact_id", "SELECT contacts_matching($1)"),
    "messageSearchTerm": ("id", "SELECT conversations_saying($1)"),
}
# No join: of two lists whose lengths it does not know, the planner would compare each with each.
BOTH = """
    SELECT ARRAY(
        SELECT id FROM conversations
        WHERE organization_id = current_setting('app.org')::int AND contact_id = ANY($2::bigint[])
        INTERSECT SELECT unnest($1::bigint[])
    )
"""


def _is_waiting(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    return and_(cast(value, Boolean), table.c.status == literal_column("'open'"), table.c.waiting_since.is_not(None))


def by_contact(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """The contact's name, e-mail or phone has all words, by the contacts' own search."""
    found = func.search_contacts(value, literal_column(str(CANDIDATES)), literal_column("false"))
    ids = func.unnest(func.array(select(found).scalar_subquery()))
    return table.c.contact_id.in_(select(ids))


def _is_called(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """As `by_contact`, but row by row: see `_says`."""
    contacts = metadata.tables["contacts"]
    patterns = cast(select(func.search_patterns(value)).scalar_subquery(), ARRAY(Text))
    called = select(contacts.c.id).where(
        contacts.c.organization_id == table.c.organization_id,
        contacts.c.id == table.c.contact_id,
        contacts.c.search_text.like(all_(patterns)),
    )
    return exists(called.offset(literal_column("0")))


def _says(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """A message has all words. Read row by row, newest conversations first: good for words that are everywhere.

    For all others `narrowed` asks the index first and puts the ids in this condition's place.
    """
    messages = metadata.tables["conversation_messages"]
    patterns = cast(select(func.search_patterns(value)).scalar_subquery(), ARRAY(Text))
    said = select(messages.c.id).where(
        messages.c.organization_id == table.c.organization_id,
        messages.c.conversation_id == table.c.id,
        messages.c.deleted_at.is_(None),
        messages.c.search_text.like(all_(patterns)),
    )
    # OFFSET keeps the planner from turning it round into a join that reads all messages first.
    return exists(said.offset(literal_column("0")))


def _tagged(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    links = metadata.tables["contact_tags"]
    tagged = select(links.c.contact_id).where(
        links.c.organization_id == table.c.organization_id, links.c.tag_id == value
    )
    return table.c.contact_id.in_(tagged)


def _only_outside(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    message = "stands beside other conditions, not inside of $or or $and"
    raise BadRequest(f"view_id {message}.", errors={"view_id": message})


def _check_text(value: Plain) -> Plain:
    """Shorter texts have no trigram to be found by, and are in nearly every message."""
    text = str(value).strip()
    if len(text) < SHORTEST:
        raise Wrong("minLength", f"must have at least {SHORTEST} characters", limit=SHORTEST)
    return _check_length(text)


def _check_length(value: Plain) -> Plain:
    if len(str(value)) > LONGEST:
        raise Wrong("maxLength", f"must not have more than {LONGEST} characters", limit=LONGEST)
    return value


FILTERS = {
    "searchTerm": Filter("text", _is_called, "The contact's name, e-mail or phone.", _check_length, COUNTED_BY_CONTACT),
    "messageSearchTerm": Filter(
        "text", _says, f"The text of a message, from {SHORTEST} characters.", _check_text, COUNTED_BY_TEXT
    ),
    "tag_id": Filter("integer", _tagged, "A tag of the contact."),
    "waitingResponseOnly": Filter("boolean", _is_waiting, "Open, and the customer waits for an answer."),
    "view_id": Filter("integer", _only_outside, "A saved view, whose conditions are added."),
}


async def rewrite(door: Door, caller: Caller, query: Parameters, tx: Connection | None) -> Parameters:
    """The query with its view opened and its search for messages narrowed down."""
    if "view_id" in query:
        query = with_view(door, query, await _read_view(door, caller, query["view_id"], tx))
    if mentions(query, *INDEXED):
        async with reading(door, caller, tx) as connection:
            query = await narrowed(connection, query, *INDEXED)
    return query


def reading(door: Door, caller: Caller, tx: Connection | None) -> AbstractAsyncContextManager[Connection]:
    """The open transaction, where there is one: who holds a connection does not wait for a second one."""
    return door.database.reading(caller.organization_id) if tx is None else nullcontext(tx)


async def _read_view(door: Door, caller: Caller, id: object, tx: Connection | None) -> dict[str, Json]:
    try:
        if isinstance(id, str | int) and not isinstance(id, bool):
            return (await door.call(caller, "views", "get", id=id, tx=tx)).value
    except NotFound:
        pass
    raise no_view()


def no_view() -> BadRequest:
    return BadRequest("There is no such view.", errors={"view_id": "names no view that you can see"})


def with_view(door: Door, query: Parameters, view: Mapping[str, Json]) -> Parameters:
    """The conditions of both; the order is the view's, unless one is given. Raises `BadRequest` for a view whose
    query can no longer be read, because a field of it is gone."""
    stored = dict(_object(view["query"]))
    order = stored.pop("$sort", None)
    try:
        QueryReader(door.registry["conversations"]).read({"$and": [stored], "$sort": order})
    except BadRequest as error:
        message = f"The view '{view['name']}' cannot be used any more: {error.message} Change its query, or delete it."
        raise BadRequest(message, errors={"view_id": error.message}) from None
    merged = {name: value for name, value in query.items() if name != "view_id"}
    given = merged.get("$and", [])
    if isinstance(given, list):
        merged["$and"] = [stored, *given]
    if order is not None:
        merged.setdefault("$sort", order)
    return merged


def _object(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def _branches(query: Parameters) -> list[Parameters]:
    given = query.get("$and")
    return [branch for branch in given if isinstance(branch, dict)] if isinstance(given, list) else []


def mentions(query: Parameters, *searches: str) -> bool:
    """Whether `narrowed` has something to look for."""
    return any(name in part for name in searches for part in (query, *_branches(query)))


def _terms_of(part: Parameters, searches: Iterable[str]) -> dict[str, str]:
    """The searches in it, as far as the reader will accept them."""
    terms = {}
    for name in searches:
        check = FILTERS[name].check
        try:
            text = check_text(part.get(name)).strip()
            if check is not None and text and check(text):
                terms[name] = text
        except Wrong:
            continue
    return terms


async def narrowed(connection: Connection, query: Parameters, *searches: str) -> Parameters:
    """With ids in the place of each of these searches that an index answers.

    Two levels are looked at: what is given, and a view beside it. Deeper ones are read row by row, which is as right.
    """
    branches = query.get("$and", [])
    if not isinstance(branches, list):
        return query
    inner = [await _narrowed(connection, part, searches) if isinstance(part, dict) else part for part in branches]
    return await _narrowed(connection, {**query, "$and": inner}, searches)


async def _narrowed(connection: Connection, part: Parameters, searches: Iterable[str]) -> Parameters:
    result, beside = dict(part), part.get("$and", [])
    if not isinstance(beside, list):
        return part
    found: dict[str, list[int]] = {}
    for name, term in _terms_of(part, searches).items():
        field, sql = INDEXED[name]
        ids = await connection.fetchval(sql, term)
        if ids is not None:
            del result[name]
            found[field] = ids
    if len(found) > 1:
        # Both at once: two long lists in one statement would mislead the planner.
        found = {"id": await connection.fetchval(BOTH, found["id"], found["contact_id"])}
    return {**result, "$and": [*beside, *({field: {"$in": tuple(ids)}} for field, ids in found.items())]}
