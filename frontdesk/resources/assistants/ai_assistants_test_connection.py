"""`POST /ai-assistants/:id/test-connection`: the assistant's model is asked one question, and what failed is said.

The body may hold another model, connection or key, to try them before they are saved. Nothing is saved.
"""

from __future__ import annotations

from typing import Literal, cast

from frontdesk.assistants.config import CONNECTIONS
from frontdesk.assistants.model_key import FIELD, ModelFacts, change_key, check_connection
from frontdesk.core.caller import Role
from frontdesk.core.completions import Completed
from frontdesk.core.connection_trials import ConnectionTrial
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json, NotFound, Unavailable
from frontdesk.core.fields import Field
from frontdesk.core.rates import Limit, Rates
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.vault import is_mask

from .completion_costs import count

PER_MINUTE = 20  # of one organization: each trial is a request that its key pays for
ASSISTANT = """
    SELECT ai_model_id, connection, specific_openai_secret_key, specific_key_origin FROM ai_assistants
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
"""
MODEL = """
    SELECT provider, base_url, organization_id IS NULL FROM ai_models
    WHERE (organization_id = $1 OR organization_id IS NULL) AND id = $2 AND deleted_at IS NULL
"""


async def _try(call: Call) -> None:
    """Before the transaction of the call, so that none is open while the provider is waited for."""
    trial = await _trial(call)
    if call.door.trials is None:
        raise Unavailable("This process has no models.")
    organization = Limit("model connection trials", str(call.organization_id), PER_MINUTE)
    await Rates(call.door.database).count(call.door.clock.now(), organization)
    tried = await call.door.trials.try_out(trial)
    if tried.code == "ok":
        used = Completed("", str(tried.model), tried.input_tokens, tried.output_tokens, tried.cost)
        await count(call.door, call.organization_id, used)
    call.extra["answer"] = {
        "ok": tried.code == "ok", "code": tried.code, "message": tried.message, "provider": tried.provider,
        "model": tried.model, "label": tried.label, "latency_ms": tried.latency_ms,
    }  # fmt: skip


async def _trial(call: Call) -> ConnectionTrial:
    """What is tried, by the rules of a change of the assistant. Raises `Invalid`, `NotFound`."""
    async with call.door.database.reading(call.organization_id) as connection:
        row = await connection.fetchrow(ASSISTANT, call.organization_id, call.id)
        if row is None:
            raise NotFound(f"No record found for id '{call.id}' in 'ai-assistants'.")
        model_id = cast(int, call.data.get("ai_model_id") or row["ai_model_id"])
        found = await connection.fetchrow(MODEL, call.organization_id, model_id)
    if found is None:
        raise Invalid([Fault("ai_model_id", "reference", "names no model that exists", id=model_id)])
    model, key = ModelFacts(*found), str(call.data.get(FIELD) or "").strip()
    stored = (row[FIELD], row["specific_key_origin"]) if row[FIELD] else None
    chosen = cast("str | None", call.data.get("connection"))
    # Who enters a key and names no connection wants the key tried.
    connected = chosen or ("specific" if key and not is_mask(key) else row["connection"])
    check_connection(connected, model)
    if key:
        # Nothing is sealed here: a key on trial is not stored. A mask must be that of the stored key.
        change_key(key, stored, model, lambda secret, origin: "", is_new=False)
    return ConnectionTrial(
        call.organization_id, cast(int, call.id), model_id,
        cast(Literal["system", "organization", "specific"], connected), None if is_mask(key) else key or None,
    )  # fmt: skip


async def _tried(call: Call) -> Json:
    return call.extra["answer"]


ai_assistants_test_connection = Resource(
    path="ai-assistants-test-connection",
    singular="connection trial",
    area="assistants",
    description="Asks the assistant's model one question, with its connection and options, and says which model "
    "answered, how fast, or what failed and what to do. Another model, connection or key can be tried before it is "
    "saved. The tokens count on the organization's day.",
    under="ai-assistants",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=(
        Field("ok", "boolean", write="never", is_nullable=False),
        Field(
            "code", write="never", is_nullable=False,
            description="`ok`, `no_model`, `no_key`, `wrong_key`, `unknown_model`, `no_route`, `timeout`, "
            "`rate_limited`, `quota`, `rejected`, `provider_error` or `bad_answer`.",
        ),
        Field("message", write="never", is_nullable=False, description="What happened, and what to do next."),
        Field("provider", write="never", description="Null where no model could be asked."),
        Field("model", write="never", description="The provider's name of the model."),
        Field("label", write="never"),
        Field("latency_ms", "small", write="never", description="Until the whole answer was there."),
    ),
    extra_input=(
        Field("ai_model_id", "integer", description="Left out: the assistant's model."),
        Field("connection", choices=CONNECTIONS, description="Left out: the assistant's, or specific with a key."),
        Field(FIELD, max_length=1000, is_secret=True, description="Tried, not stored. A mask is the stored key."),
    ),
    look=_try,
    handlers={"create": _tried},
)  # fmt: skip
