"""Reminders tried on the past: what a draft's follow-ups would have done, compared with what was done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from frontdesk.core.errors import Json
from tests.flow.follow_ups import DAY, FIXED, HOUR, MINUTE, WRITTEN, ended, remind
from tests.flow.harness import Desk
from tests.flow.test_people import reply, webchat
from tests.flow.test_replay import OFF, changes, replay
from tests.flow.test_silence import CLOSED

ASKED = ("Have you a place on Friday?", "At ten.")
Found = dict[str, Any]


def reminding(*rules: dict[str, Json], **fields: Json) -> dict[str, Json]:
    return {"enabled": True, "rules": list(rules), **fields}


def reminded(found: Found) -> tuple[int, int]:
    """How many conversations would be reminded that were not, and how many no more."""
    gained, lost = (found["changes"][f"reminded_{kind}"]["conversations"] for kind in ("gained", "lost"))
    return gained, lost


def ends(found: Found, side: str = "draft") -> dict[str, int]:
    """How the reminders of a side ended, and for which reasons."""
    told = found["reminders"]
    states = {state: count for state, count in told[side].items() if count}
    return states | {row["reason"]: row[side] for row in told["reasons"] if row[side]}


async def test_a_rule_that_was_not_there_would_have_reminded(desk: Desk) -> None:
    await desk.ask(*ASKED)
    await desk.pass_time(2 * HOUR)
    found = await replay(desk, follow_up_config=reminding(FIXED))
    assert (reminded(found), changes(found)) == ((1, 0), {})
    assert (ends(found), ends(found, "recorded")) == ({"cancelled": 1, "sent": 1, "replied": 1}, {})
    (example,) = found["changes"]["reminded_gained"]["examples"]
    assert example["conversation"] == f"/conversations/{desk.conversation_id}"
    assert (example["answered_at"], example["at"]) == ("2026-01-05T12:00:00.000Z", "2026-01-05T13:00:00.000Z")
    assert example["sentence"] == "It would have been sent: the customer had not answered."
    assert example["sentence_es"] == "Se habría enviado: el cliente no había respondido."
    assert await ended(desk) == []


async def test_without_its_rule_nobody_is_reminded(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(2 * HOUR)
    found = await replay(desk, follow_up_config=OFF)
    assert (reminded(found), ends(found), ends(found, "recorded")) == ((0, 1), {}, {"sent": 1})
    (example,) = found["changes"]["reminded_lost"]["examples"]
    assert example["draft"] == {"status": None, "reason": "rule_removed", "config_path": "follow_up_config.rules"}
    assert example["would_change_es"] == "Se enviaría si la regla estuviera en vigor."


async def test_what_the_draft_does_not_answer_it_does_not_follow_up(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(2 * HOUR)
    found = await replay(desk, disable_reply=True)
    assert (reminded(found), ends(found)) == ((0, 1), {})
    (example,) = found["changes"]["reminded_lost"]["examples"]
    assert example["draft"]["reason"] == "not_answered"


async def test_an_answer_that_only_the_draft_gives_is_followed_up(desk: Desk) -> None:
    await desk.configure(schedule_config=CLOSED, follow_up_config=reminding({**FIXED, "only_in_schedule": False}))
    await desk.ask("Hello?")
    await desk.pass_time(DAY)
    found = await replay(desk, schedule_config=OFF)
    assert changes(found) == {"silent_to_answered": 1}
    assert (reminded(found), ends(found)) == ((1, 0), {"sent": 1, "cancelled": 1, "replied": 1})


@pytest.mark.parametrize(
    ("what", "ending"),
    [("reply", "replied"), ("person", "human"), ("close", "closed"), ("opt_out", "opted_out"), ("take", "human"),
     ("reopened", "closed")],
)  # fmt: skip
async def test_what_happened_then_stops_a_reminder_of_the_draft(desk: Desk, what: str, ending: str) -> None:
    await webchat(desk)
    await desk.ask(*ASKED)
    await desk.pass_time(10 * MINUTE)
    await happen(desk, what)
    await desk.pass_time(2 * DAY)
    found = await replay(desk, follow_up_config=reminding({**FIXED, "after_minutes": 30}, max_per_conversation=1))
    told = ends(found)
    assert told.pop(ending) >= 1
    assert told.get("sent", 0) == (1 if what in ("reply", "reopened") else 0)


async def happen(desk: Desk, what: str) -> None:
    """Something that ends what waits: the customer's word, a person's, a close, an opting out."""
    if what == "person":
        await reply(desk, "Marta here.")
    elif what == "take":
        await desk.change(assigned_user_id=desk.user_id)
    elif what == "opt_out":
        await desk.call("contacts", "patch", desk.contact_id, opted_out_at=desk.clock.now().isoformat())
    elif what in ("close", "reopened"):
        await desk.change(status="closed")
    if what in ("reply", "reopened"):
        await desk.pass_time(DAY if what == "reopened" else 0)
        await desk.ask("Thank you.", "You are welcome.")


async def test_the_hours_put_a_reminder_off_on_the_simulated_clock(desk: Desk) -> None:
    await desk.ask(*ASKED)
    await desk.pass_time(DAY)
    hours = {"enabled": True, "weekly": [{"days": ["mon"], "from": "09:00", "to": "12:30"},
                                         {"days": ["tue"], "from": "09:00", "to": "12:30"}]}  # fmt: skip
    found = await replay(desk, follow_up_config=reminding(FIXED), schedule_config=hours)
    (example,) = found["changes"]["reminded_gained"]["examples"]
    assert example["at"] == "2026-01-06T09:00:00.000Z"


async def test_what_would_be_due_after_the_period_waits(desk: Desk) -> None:
    await desk.ask(*ASKED)
    period = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-05T12:30:00Z"}
    await desk.pass_time(2 * HOUR)
    body = {"follow_up_config": reminding(FIXED), "period": period}
    found = dict((await desk.call("ai-assistants-replay", "create", desk.assistant_id, **body)).value)
    assert (reminded(found), ends(found)) == ((0, 0), {"waiting": 1, "cancelled": 1, "replied": 1})


async def test_of_several_rules_each_has_its_time_up_to_the_limit(desk: Desk) -> None:
    await desk.ask(*ASKED)
    await desk.pass_time(3 * DAY)
    rules = [{**FIXED, "id": f"f{i}", "after_minutes": 60 * i} for i in (1, 2, 3)]
    found = await replay(desk, follow_up_config=reminding(*rules, max_per_conversation=2))
    assert ends(found) == {"sent": 2, "cancelled": 4, "replied": 3, "max_reached": 1}


async def test_a_model_that_found_nothing_to_say_is_taken_at_its_word(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)
    desk.script.say("NO_FOLLOW_UP")
    await desk.pass_time(2 * HOUR)
    found = await replay(desk, instructions="Other ones.")
    assert ends(found) == ends(found, "recorded") == {"cancelled": 1, "nothing_to_say": 1}


async def test_a_ticket_is_reminded_and_linked_as_one(desk: Desk) -> None:
    await desk.fetch("UPDATE conversations SET kind = 'ticket', subject = 'x', priority = 'high', reference_number = 1,"
                     " tags = '{}' RETURNING id")  # fmt: skip
    await desk.fetch("UPDATE conversation_messages SET kind = 'ticket' RETURNING id")
    await desk.pass_time(2 * HOUR)
    found = await replay(desk, follow_up_config=reminding(FIXED))
    (example,) = found["changes"]["reminded_gained"]["examples"]
    assert example["conversation"] == f"/support-tickets/{desk.conversation_id}"


async def test_the_whole_configuration_of_now_reminds_too(desk: Desk) -> None:
    await desk.ask(*ASKED)
    await desk.pass_time(2 * HOUR)
    await remind(desk, FIXED)
    assert reminded(await replay(desk, name="Eva")) == (0, 0)
    assert reminded(await replay(desk, name="Eva", base="now")) == (1, 0)


async def test_the_channels_window_counts_on_the_simulated_clock(desk: Desk) -> None:
    await desk.fetch("UPDATE conversations SET channel = 'whatsapp' RETURNING id")
    await desk.pass_time(3 * DAY)
    late = {**FIXED, "after_minutes": 25 * 60}
    assert ends(await replay(desk, follow_up_config=reminding(late))) == {"cancelled": 1, "window_closed": 1}
    found = await replay(desk, follow_up_config=reminding({**late, "template_id": None, "after_minutes": 60}))
    assert ends(found) == {"sent": 1}


@pytest.mark.parametrize("base", ["then", "now"])
async def test_twice_the_same_and_nothing_is_left_behind(desk: Desk, base: str) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(2 * HOUR)
    tables = [row[0] for row in await desk.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )]  # fmt: skip
    # The count of the last minute's requests is the one thing that a request leaves.
    sql = " UNION ALL ".join(f"SELECT '{name}', count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {name} t"
                             for name in tables if name != "rate_counters")  # fmt: skip
    body = {"base": base, "follow_up_config": reminding(FIXED, WRITTEN | {"id": "f2"}), "disable_reply": True}
    before = await desk.fetch(sql)
    first, second = await asyncio.gather(replay(desk, **body), replay(desk, **body))
    assert first == second
    assert await desk.fetch(sql) == before
