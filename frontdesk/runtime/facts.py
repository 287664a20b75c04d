"""What a gate may know: plain values, read once, stored with the decision so that it can be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Facts:
    """The state of one conversation and of its organization's budget at one moment.

    Costs are in the currency of the models' prices, tokens are input and output together; a limit of None means
    that there is none. `schedule_message_at` is when the out-of-schedule message last went to this conversation, and
    `asker_is_member` is of the one whose staff chat it is.
    """

    is_blocked: bool = False
    is_closed: bool = False
    assigned_user_id: int | None = None
    assigned_ai_assistant_id: int | None = None
    is_auto_assignment_disabled: bool = False
    auto_assignment_disabled_reason: str | None = None
    owner_reason: str | None = None
    schedule_message_at: datetime | None = None
    cost_today: Decimal = Decimal(0)
    daily_cost_limit: Decimal | None = None
    tokens_today: int = 0
    # What the hand-off rules look at, read only where there are such rules. The texts are never stored with a decision.
    inbound_texts: tuple[str, ...] = ()
    inbound_types: tuple[str, ...] = ()
    message_count: int = 0
    turns_without_progress: int = 0
    daily_token_limit: int | None = None
    # Of the assistant's own limits in US dollars, read only where it has some.
    conversation_cost: Decimal = Decimal(0)
    assistant_cost_today: Decimal = Decimal(0)
    budget_line_at: datetime | None = None  # when the conversation was last told that there is no answer for cost
    is_staff_chat: bool = False
    asker_is_member: bool = True
    # No gate looks at these: they tell a replay whether owner or episode changed between two messages.
    epoch: int = 0
    context_cut: datetime | None = None
