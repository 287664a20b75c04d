"""Write the next migration from what the declarations and a migrated database differ in.

    make migration name=add_colour

It runs on a PostgreSQL of its own in a temporary folder. Row-level security is not something that Alembic
compares: the new file ends with the statements for each new table, and `tests/contract/test_migrations.py` checks them.
"""

import re
import sys
import tempfile
from pathlib import Path

from alembic import command

from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.revision import head
from frontdesk.migrations.tables import metadata
from frontdesk.migrations.upgrade import configuration, upgrade


def main(words: list[str]) -> int:
    name = re.sub(r"\W+", "_", " ".join(words)).strip("_").lower()
    if not name:
        print("usage: make migration name=what_it_does", file=sys.stderr)
        return 2
    number = f"{int(head()) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        postgres = EmbeddedPostgres(Path(folder) / "data")
        try:
            url = postgres.join()
            upgrade(url)
            config = configuration(url)
            config.attributes["metadata"] = metadata
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            command.revision(config, message=name, autogenerate=True, rev_id=number)
        finally:
            postgres.leave()
    print(f"Wrote frontdesk/migrations/versions/{number}_{name}.py: read it before you commit it.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
