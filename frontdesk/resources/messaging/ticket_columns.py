"""What a ticket has beside a conversation: columns of `conversations` that only tickets fill and show.

A ticket is a conversation of the kind `ticket`, so that owner, epoch, turns, decisions and outbox hold for it without a
second spine (`docs/why/0055-tickets-are-conversations.md`).
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Index, literal_column, text

from frontdesk.core.fields import Field, Plain, Wrong

KINDS = ("conversation", "ticket", "ai-chat")
TICKET_CHANNELS = ("api", "email", "gmail")
STATUSES = ("open", "pending", "resolved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
MOST_TAGS, LONGEST_TAG = 50, 60


def check_tags(value: Plain) -> Plain:
    """Words without surrounding space, each once, in the order in which they were given."""
    assert isinstance(value, list)
    tags = list(dict.fromkeys(" ".join(str(tag).split()) for tag in value))
    if "" in tags:
        raise Wrong("minLength", "must not hold an empty tag")
    if any(len(tag) > LONGEST_TAG for tag in tags):
        raise Wrong("maxLength", f"must hold tags of at most {LONGEST_TAG} characters", limit=LONGEST_TAG)
    if len(tags) > MOST_TAGS:
        raise Wrong("maxItems", f"must not hold more than {MOST_TAGS} tags", limit=MOST_TAGS)
    return tags


def check_subject(value: Plain) -> Plain:
    """One line: it stands in lists, in the subject of an e-mail, and in the prompt."""
    line = " ".join(str(value).split())
    if not line:
        raise Wrong("minLength", "must not be empty")
    return line


HANDOFF_REASON = Field(
    "handoff_reason", max_length=1000,
    description="Why an assistant handed it over; emptied when an assistant gets it (back).",
)  # fmt: skip
TICKET_FIELDS = (
    Field(
        "reference_number", is_nullable=False, max_length=40, write="never", example="TK-2026-001",
        description="What people call the ticket: TK, the year, and its number in that year, without gaps.",
    ),
    Field(
        "subject", is_required=True, is_nullable=False, max_length=300, check=check_subject,
        example="My invoice is wrong",
    ),
    Field("priority", is_nullable=False, default="normal", choices=PRIORITIES),
    Field("tags", "texts", is_nullable=False, default=[], check=check_tags, example=["billing"]),
    Field("thread_id", max_length=1000, write="create", description="The thread at the mail provider."),
    Field("meta_inbox_channel_email", max_length=254, write="never", description="The address that was written to."),
    Field("last_message_at", "moment", write="never", description="When the newest message came; notes do not count."),
)  # fmt: skip

# In a conversation's row these stand empty, and no client sees them.
HIDDEN_FIELDS = (
    Field("kind", is_nullable=False, default="conversation", choices=KINDS, write="never", is_shown=False),
    *(
        replace(f, is_required=False, is_nullable=True, default=None, write="never", is_shown=False, example=None)
        for f in TICKET_FIELDS
    ),
)


def index_of(kind: str, *names: str) -> Index:
    """An index for lists of one kind: it holds no row of the other one, however few of its own there are.

    Without deleted rows it counts a list by itself, and the total needs no row of the table.
    """
    columns = (text(name) for name in ("organization_id", *names))
    where = text(f"kind = '{kind}' AND deleted_at IS NULL")
    return Index(f"ix_conversations_{kind}_{'_'.join(names)}", *columns, postgresql_where=where)


INDEXES = (
    index_of("ticket", "created_at"),
    index_of("ticket", "last_message_at"),
    index_of("ticket", "status", "created_at"),
    index_of("ticket", "assigned_user_id", "created_at"),
    index_of("ticket", "assigned_ai_assistant_id", "created_at"),
    Index(
        "uq_conversations_reference_number", text("organization_id"), text("reference_number"), unique=True,
        postgresql_where=text("reference_number IS NOT NULL"),
    ),
    # Read by the function `tickets_about`, which is exempt from the policy that would keep a trigram index unused.
    Index(
        "ix_conversations_ticket_subject", literal_column("frontdesk_fold(subject)").label("folded"),
        postgresql_using="gin", postgresql_ops={"folded": "gin_trgm_ops"}, postgresql_where=text("kind = 'ticket'"),
    ),
    # How an inbound mail finds its ticket.
    Index(
        "ix_conversations_thread_id", text("organization_id"), text("inbox_channel_id"), text("thread_id"),
        postgresql_where=text("thread_id IS NOT NULL"),
    ),
)  # fmt: skip
