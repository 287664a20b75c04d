"""Write the first migration anew as plain SQL, from the declarations: only until the first release.

    python tools/freeze_schema.py

After a release the file never changes again; `make migration name=…` writes what follows.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_mock_engine
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.ddl import ExecutableDDLElement

from frontdesk.core import jobs, tenancy
from frontdesk.migrations.tables import metadata
from frontdesk.resources.assistants import ai_models

VERSION = Path(__file__).resolve().parents[1] / "frontdesk" / "migrations" / "versions" / "0001_initial.py"
MIGRATION = '''"""The first schema: roles, extensions, tables, policies, the job engine's own tables."""

from pathlib import Path

from frontdesk.migrations.script import run_script

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    raise NotImplementedError("Frontdesk goes forward only: restore a backup to go back.")
'''


def tables() -> Iterator[str]:
    dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
    found: list[str] = []

    def keep(element: ExecutableDDLElement, *_: object, **__: object) -> None:
        found.append(str(element.compile(dialect=dialect)))

    metadata.create_all(create_mock_engine("postgresql+asyncpg://", keep), checkfirst=False)
    yield from found


def statements() -> Iterator[str]:
    yield from tenancy.role_statements()
    yield from tenancy.extension_statements()
    yield from tables()
    yield from tenancy.statements(metadata)
    yield ai_models.SEED
    yield jobs.installation()
    yield from jobs.grants()


def main() -> int:
    texts = (inspect.cleandoc(statement).rstrip(";") + ";\n" for statement in statements())
    script = "\n".join("\n".join(line.rstrip() for line in text.splitlines()) + "\n" for text in texts)
    VERSION.with_suffix(".sql").write_text(script, "utf-8")
    VERSION.write_text(MIGRATION, "utf-8")
    print(f"Wrote {VERSION.with_suffix('.sql')} ({len(script.splitlines())} lines).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
