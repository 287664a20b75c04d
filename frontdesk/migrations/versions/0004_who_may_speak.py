"""Who may speak."""

from pathlib import Path

from frontdesk.migrations.script import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_script(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    raise NotImplementedError("Frontdesk goes forward only: restore a backup to go back.")
