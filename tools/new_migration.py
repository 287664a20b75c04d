"""Write the next migration as plain SQL, from what the declarations and a migrated database differ in.

    make migration name=add_colour

It runs on a PostgreSQL of its own in a temporary folder. Where the newest migration has this name already, it is
written anew: until it is released, it follows the declarations. What Alembic does not compare is added: row-level
security of new tables, and the functions that search. What is written by hand stands beside it and is taken as
it is: `NNNN_name.before.sql` (rows that a new constraint would refuse) before it, `NNNN_name.extra.sql` (data, changed
checks) after it.
"""

import asyncio
import inspect
import io
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
from alembic import command
from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateTableOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)
from sqlalchemy import Column, Connection, literal
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import AddConstraint

from frontdesk.core import tenancy
from frontdesk.core.fields import Plain
from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.resource import DECLARED
from frontdesk.core.revision import MIGRATIONS, head
from frontdesk.core.schema import APP_ROLE, SYSTEM_ROLE
from frontdesk.migrations.scope import is_ours
from frontdesk.migrations.tables import metadata
from frontdesk.migrations.upgrade import configuration

VERSIONS = MIGRATIONS / "versions"
MIGRATION = '''"""{title}."""

from pathlib import Path

from frontdesk.migrations.script import run_script

revision = "{number}"
down_revision = "{before}"


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    raise NotImplementedError("Frontdesk goes forward only: restore a backup to go back.")
'''


def main(words: list[str]) -> int:
    name = re.sub(r"\W+", "_", " ".join(words)).strip("_").lower()
    if not name:
        print("usage: make migration name=what_it_does", file=sys.stderr)
        return 2
    newest = head()
    number = newest if (VERSIONS / f"{newest}_{name}.py").exists() else f"{int(newest) + 1:04}"
    target, before = VERSIONS / f"{number}_{name}.py", f"{int(number) - 1:04}"
    script = script_from(before)
    first, last = (by_hand(target.with_suffix(suffix)) for suffix in (".before.sql", ".extra.sql"))
    target.with_suffix(".sql").write_text(first + script + last, "utf-8")
    target.write_text(MIGRATION.format(title=name.replace("_", " ").capitalize(), number=number, before=before))
    print(f"Wrote {target.with_suffix('.sql')}: read it before you commit it.")
    return 0


def by_hand(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def script_from(before: str) -> str:
    """The SQL that brings a database at revision `before` to the declarations."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        postgres = EmbeddedPostgres(Path(folder) / "data")
        try:
            url = postgres.join()
            command.upgrade(configuration(url), before)
            return asyncio.run(compare(url))
        finally:
            postgres.leave()


async def compare(url: str) -> str:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )
    async with engine.connect() as connection:
        operations = await connection.run_sync(missing)
    await engine.dispose()
    return render(operations)


def missing(connection: Connection) -> UpgradeOps:
    context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
    found = produce_migrations(context, metadata).upgrade_ops
    assert found is not None
    return found


def render(operations: UpgradeOps) -> str:
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect=asyncpg_dialect.dialect(),  # type: ignore[no-untyped-call]
        opts={"as_sql": True, "output_buffer": buffer, "target_metadata": metadata},
    )
    invoke = Operations(context)
    created: list[str] = []
    for operation in flat(operations):
        if isinstance(operation, CreateTableOp):
            created.append(operation.table_name)
        invoke.invoke(operation)
    written = [buffer.getvalue().strip(), *map(statement, (*references(created), *security(created)))]
    return "\n\n".join("\n".join(line.rstrip() for line in text.splitlines()) for text in written if text) + "\n"


def references(created: list[str]) -> Iterator[str]:
    """The foreign keys that CREATE TABLE leaves out, because the other table may come after it."""
    dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
    for name in created:
        keys = metadata.tables[name].foreign_key_constraints
        for key in sorted(keys, key=lambda key: str(key.name)):
            if key.use_alter:
                yield str(AddConstraint(key).compile(dialect=dialect))


def flat(operations: UpgradeOps) -> Iterator[MigrateOperation]:
    for operation in operations.ops:
        if isinstance(operation, ModifyTableOps):
            for inner in operation.ops:
                yield from filled(inner)
        else:
            yield operation


def filled(operation: MigrateOperation) -> Iterator[MigrateOperation]:
    """A new column that must not be empty gets its field's default in the rows that are there already."""
    if not isinstance(operation, AddColumnOp) or operation.column.nullable or operation.column.server_default:
        yield operation
        return
    table, column = operation.table_name, operation.column
    given = literal(default_of(table, column.name), column.type)
    yield AddColumnOp(table, Column(column.name, column.type, nullable=False, server_default=given))
    # The default is the declaration's: one that stayed in the database would be a second place to change it.
    yield AlterColumnOp(table, column.name, modify_server_default=None)


def default_of(table: str, column: str) -> Plain:
    for resource in DECLARED.values():
        if resource.of is None and resource.table_name == table and column in resource.by_name:
            return resource.by_name[column].default
    return None


def security(created: list[str]) -> Iterator[str]:
    """Rights and policies of new tables, and every search function as the declarations have it now."""
    yield f"GRANT CREATE ON SCHEMA public TO {SYSTEM_ROLE}"
    for table in metadata.sorted_tables:
        if table.name in created:
            yield from tenancy.table_statements(table)
        elif tenancy.is_tenant(table):
            yield from tenancy.function_statements(table)
    yield f"REVOKE CREATE ON SCHEMA public FROM {SYSTEM_ROLE}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}, {SYSTEM_ROLE}"


def statement(text: str) -> str:
    return inspect.cleandoc(text).rstrip(";") + ";"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
