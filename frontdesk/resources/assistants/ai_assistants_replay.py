"""`POST /ai-assistants/:id/replay`: what a change of the configuration would have made of the past, without a model.

Only declared here. What runs before the transaction of the call is of the runtime, which has the gates (`registry.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Json
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

from .ai_assistants import ai_assistants

MOST_CONVERSATIONS = 1_000  # that a body may name
RESULTS = ("answered", "silent", "handed_over", "failed")


async def _replayed(call: Call) -> Json:
    return call.extra["answer"]


def _out(name: str, kind: str, description: str = "", **schema: Json) -> Field:
    return Field(name, kind, write="never", is_nullable=False, description=description, schema=schema)


_NUMBER: Mapping[str, Json] = {"type": "integer"}
_TEXT: Mapping[str, Json] = {"type": "string"}
_TEXTS: Mapping[str, Json] = {"type": "array", "items": dict(_TEXT)}


def _object(**members: Json) -> dict[str, Json]:
    return {"type": "object", "properties": members}


def _list(of: Json) -> dict[str, Json]:
    return {"type": "array", "items": of}


_MOMENT: dict[str, Json] = {"type": "string", "format": "date-time"}
_PERIOD = _object(**{"from": dict(_MOMENT), "to": dict(_MOMENT)})
_COUNTS = _object(**{result: dict(_NUMBER) for result in RESULTS})
_EXAMPLE = _object(
    conversation_id=dict(_NUMBER), message_id=dict(_NUMBER), conversation=dict(_TEXT), decision=dict(_TEXT),
    decided_at=dict(_MOMENT), recorded=_object(), draft=_object(), sentence=dict(_TEXT), sentence_es=dict(_TEXT),
    would_change=dict(_TEXT), would_change_es=dict(_TEXT), is_after_handoff={"type": "boolean"},
)  # fmt: skip
_CHANGE = _object(
    inbounds=dict(_NUMBER), conversations=dict(_NUMBER), after_handoff=dict(_NUMBER), examples=_list(_EXAMPLE)
)
_REMINDED = _object(
    conversations=dict(_NUMBER), reminders=dict(_NUMBER), examples=_list(_object(
        conversation_id=dict(_NUMBER), conversation=dict(_TEXT), rule_id=dict(_TEXT), mode=dict(_TEXT),
        answered_at=dict(_MOMENT), at=dict(_MOMENT), recorded=_object(), draft=_object(), sentence=dict(_TEXT),
        sentence_es=dict(_TEXT), would_change=dict(_TEXT), would_change_es=dict(_TEXT),
    )),
)  # fmt: skip
_ENDS = _object(**{state: dict(_NUMBER) for state in ("sent", "cancelled", "failed", "waiting")})

ai_assistants_replay = Resource(
    path="ai-assistants-replay",
    singular="replay",
    area="assistants",
    description="Runs the gates of a draft over the messages of a period, on a simulated clock, and compares with what "
    "the record says. Takes what a PATCH takes, with the period. No model is asked, nothing is sent, nothing stored.",
    under="ai-assistants",
    verbs=("create",),
    rights=Rights(write=Role.admin),
    is_stored=False,
    is_told=False,
    fields=(
        _out("ai_assistant_id", "integer"),
        _out("version", "small", "The version in force."),
        _out("base", "text", "`then` or `now`, as sent."),
        _out("period", "json", type="object", properties=_PERIOD["properties"]),
        _out("is_complete", "boolean", "False where the time was over before the period was."),
        Field(
            "after_conversation_id", "integer", write="never",
            description="The last conversation that was replayed, where it is not complete: send it to go on.",
        ),
        _out("inbounds", "integer", "How many messages were compared."),
        _out("conversations", "integer"),
        _out("not_judged", "integer", "Messages that no gate ever saw (of a deleted conversation, for one)."),
        _out("unchanged", "integer"),
        _out("results", "json", "What became of the messages.", **_object(recorded=_COUNTS, draft=_COUNTS)),
        _out(
            "changes", "json", "Each kind of change, with 100 examples at most.",
            **_object(answered_to_silent=_CHANGE, silent_to_answered=_CHANGE, handed_over_gained=_CHANGE,
                      handed_over_lost=_CHANGE, reminded_gained=_REMINDED, reminded_lost=_REMINDED),
        ),
        _out(
            "reminders", "json", "How the follow-ups behind the period's answers ended, and would have ended.",
            **_object(recorded=_ENDS, draft=_ENDS,
                      reasons=_list(_object(reason=dict(_TEXT), recorded=dict(_NUMBER), draft=dict(_NUMBER)))),
        ),
        _out("reasons", "json", "How often each reason was given, and would have been.",
             **_list(_object(reason=dict(_TEXT), recorded=dict(_NUMBER), draft=dict(_NUMBER)))),
        _out("tools", "json", "What the model would be offered more, and no more.",
             **_object(gained=dict(_TEXTS), lost=dict(_TEXTS))),
        _out("warnings", "json", "Those that saving the draft would give.", type="array"),
        _out("notes", "json", "What is not simulated.", **_list(_object(code=dict(_TEXT), sentence=dict(_TEXT)))),
    ),
    extra_input=(
        *(
            replace(
                f, is_required=False, default=None, example=None, references=None, on_remove="keep", is_searched=False
            )
            for f in ai_assistants.fields
            if f.write == "always"
        ),
        Field(
            "period", "json", schema=_PERIOD,
            description="Of when the messages are, 92 days at most. Left out: the last seven days.",
        ),
        Field(
            "base", choices=("then", "now"), default="then",
            description="`then`: the draft's fields in place of those in force at each message; all else as it was. "
            "`now`: the whole configuration as it would be after a PATCH with the draft.",
        ),
        Field(
            "conversation_ids", "json", schema={**_list(dict(_NUMBER)), "maxItems": MOST_CONVERSATIONS},
            description="These conversations only.",
        ),
        Field("after_conversation_id", "integer", minimum=0, description="Go on after a replay that is not complete."),
    ),
    handlers={"create": _replayed},
)  # fmt: skip
