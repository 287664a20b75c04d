"""What hangs on a contact, read off the declarations, and the statements that hang it on another one.

Every field that refers to contacts is covered by being declared. What no resource declares is named in `BESIDE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from frontdesk.core.database import Connection
from frontdesk.core.events import emit
from frontdesk.core.resource import DECLARED, Registry, Resource

# Tables of no resource: a browser that comes back is the kept contact's.
BESIDE = (("webchat_visitors", "contact_id"),)
# The record of a merge says what was merged then, whatever is merged later.
UNTOUCHED = "contact-merges"


@dataclass(frozen=True)
class Place:
    """A column that names contacts. `twins` are the other columns of unique rules in which it stands."""

    table: str
    column: str
    resource: Resource | None = None
    twins: tuple[tuple[str, ...], ...] = ()
    is_part: bool = False

    @property
    def is_soft_deleted(self) -> bool:
        return self.resource is not None and self.resource.is_soft_deleted

    def live(self, name: str) -> str:
        return f"{name}.deleted_at IS NULL" if self.is_soft_deleted else "true"

    @property
    def is_doubled(self) -> str:
        """A row that would stand beside one of the kept contact's that says the same."""
        rules = []
        for names in self.twins:
            same = " AND ".join(f"k.{name} = t.{name}" for name in names)
            rules.append(
                f"EXISTS (SELECT FROM {self.table} k WHERE k.organization_id = $1 AND k.{self.column} = $2"
                f" AND {self.live('k')} AND {self.live('t')} AND {same})"
            )
        return " OR ".join(rules) or "false"

    @property
    def doubled_sql(self) -> str:
        return (
            f"SELECT id FROM {self.table} t WHERE t.organization_id = $1 AND t.{self.column} = $3"
            f" AND ({self.is_doubled}) FOR UPDATE"
        )

    @property
    def remove_sql(self) -> str:
        where = "WHERE organization_id = $1 AND id = ANY($2::bigint[])"
        if self.is_soft_deleted:
            return f"UPDATE {self.table} SET deleted_at = $3, updated_at = $3, version = version + 1 {where}"
        return f"DELETE FROM {self.table} {where} AND $3::timestamptz IS NOT NULL"

    @property
    def move_sql(self) -> str:
        stamps = "" if self.resource is None else ", updated_at = $4, version = version + 1"
        unused = " AND $4::timestamptz IS NOT NULL" if self.resource is None else ""
        return (
            f"UPDATE {self.table} t SET {self.column} = $2{stamps} WHERE t.organization_id = $1"
            f" AND t.{self.column} = $3 AND NOT ({self.is_doubled}){unused} RETURNING id, {self.live('t')} AS is_live"
        )


def places(registry: Registry) -> Iterator[Place]:
    """Every column to move, in the order of the registry."""
    for resource in registry:
        if resource.of is not None or not resource.is_tenant or resource.path == UNTOUCHED:
            continue
        for f in resource.references:
            if f.references == "contacts":
                twins = tuple(_without(names, f.name) for names in resource.unique if f.name in names)
                yield Place(resource.table_name, f.name, resource, twins, f.on_remove == "remove")
    for table, column in BESIDE:
        yield Place(table, column)


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


async def move(
    connection: Connection, registry: Registry, organization_id: int, kept: int, merged: int, now: object
) -> dict[str, int]:
    """Hang all of `merged` on `kept`, one statement a column; gives how many rows of each table moved.

    A part that the kept contact has already (a tag) is removed; a record of what was (a mail that both got) stays
    where it is.
    """
    moved: dict[str, int] = {}
    for place in places(registry):
        who = (organization_id, kept, merged)
        if place.is_part and place.twins:
            doubled = [row["id"] for row in await connection.fetch(place.doubled_sql, *who)]
            if doubled:
                await _tell(connection, organization_id, place, "deleted", doubled)
                await connection.execute(place.remove_sql, organization_id, doubled, now)
        rows = await connection.fetch(place.move_sql, *who, now)
        await _tell(connection, organization_id, place, "updated", [row["id"] for row in rows if row["is_live"]])
        if rows:
            name = place.resource.path if place.resource else place.table.replace("_", "-")
            moved[name] = moved.get(name, 0) + len(rows)
    return moved


async def _tell(connection: Connection, organization_id: int, place: Place, happening: str, ids: list[int]) -> None:
    if place.resource is None or not ids:
        return
    # A table may be shown by two resources, each its part of it: tickets lie among the conversations.
    for resource in list(DECLARED.values()):
        if resource.table_name == place.table and "get" in resource.verbs and resource.leaves_events:
            await emit(connection, organization_id, resource.path, happening, *ids)  # type: ignore[arg-type]
