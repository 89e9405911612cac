"""Own pages: find a chat's history without reading everybody's."""

import sqlalchemy as sa
from alembic import op

revision: str = "own_pages"
down_revision: str | None = "first_tables"
branch_labels: None = None
depends_on: None = None

OURS = sa.text("channel = 'webchat'")


def upgrade() -> None:
    op.create_index("ix_inbox_webchat", "inbox", ["chat_key", "id"], sqlite_where=OURS, postgresql_where=OURS)
    op.create_index("ix_outbox_webchat", "outbox", ["handle", "id"], sqlite_where=OURS, postgresql_where=OURS)


def downgrade() -> None:
    op.drop_index("ix_outbox_webchat", "outbox")
    op.drop_index("ix_inbox_webchat", "inbox")
