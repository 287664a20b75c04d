"""The first schema: roles, extensions, tables, policies, the job engine's own tables."""

from alembic import op

from frontdesk.core import jobs, tenancy
from frontdesk.migrations.script import run_script
from frontdesk.migrations.tables import metadata
from frontdesk.resources.assistants import ai_models

revision = "0001"
down_revision = None


def leave_out_unresolved() -> None:
    for table in metadata.tables.values():
        for constraint in list(table.foreign_key_constraints):
            if constraint.elements[0].target_fullname.partition(".")[0] not in metadata.tables:
                table.constraints.discard(constraint)
                for element in constraint.elements:
                    element.parent.foreign_keys.discard(element)
                    table.foreign_keys.discard(element)


def upgrade() -> None:
    for statement in (*tenancy.role_statements(), *tenancy.extension_statements()):
        op.execute(statement)
    leave_out_unresolved()
    metadata.create_all(op.get_bind())
    for statement in tenancy.statements(metadata):
        op.execute(statement)
    op.execute(ai_models.SEED)
    run_script(jobs.installation())
    for statement in jobs.grants():
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Frontdesk goes forward only: restore a backup to go back.")
