"""What a body may say: its values, each checked by its field, the defaults, and what the server itself sets."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import to_json

from .call import Call
from .errors import BadRequest, Fault, Invalid
from .fields import Plain, Wrong
from .resource import Resource


def checked_values(call: Call, data: Mapping[str, object] | None) -> dict[str, Plain]:
    """The body's values, each checked by its field; all faults at once."""
    if not isinstance(data, Mapping):
        raise BadRequest("The body must be a JSON object.")
    resource, is_create = call.resource, call.verb == "create"
    faults: list[Fault] = []
    values: dict[str, Plain] = {}
    for name, value in data.items():
        f = resource.input_fields.get(name)
        if f is None:
            faults.append(Fault(name, "additionalProperties", "is not a field", additionalProperty=name))
        elif f.write == "always" or (is_create and f.write == "create"):
            try:
                values[name] = f.accept(value)
            except Wrong as wrong:
                faults.append(wrong.at(name))
    if call.caller.scope is not None:
        _bound(call, values, faults)
    if is_create:
        _add_defaults(call, values, faults)
    if faults:
        raise Invalid(faults)
    return values


def _add_defaults(call: Call, values: dict[str, Plain], faults: list[Fault]) -> None:
    wrong = {fault.path for fault in faults}
    for f in (*call.resource.fields, *call.resource.extra_input):
        if f.name in values or f.name in wrong:
            continue
        if f.is_required:
            faults.append(Fault(f.name, "required", "is required", missingProperty=f.name))
        elif f.default is not None:
            values[f.name] = f.default


def _bound(call: Call, values: dict[str, Plain], faults: list[Fault]) -> None:
    """Under scope `own` a new row belongs to the conversation's contact, and no row moves to another one.

    A contact that the body names itself is checked like every reference: it must be within the scope.
    """
    own, scope, is_create = call.resource.own, call.caller.scope, call.verb == "create"
    if own is None or scope is None:
        return
    faults += [Fault(name, "scope", "cannot be set in this conversation") for name in own.closed if name in values]
    values.update({name: value for name, value in own.fixed.items() if is_create or name in values})
    if own.column and own.column != "id" and own.through is None:
        given = values.pop(own.column, None)
        owner = scope.contact_id if given is None else given
        if is_create and owner is not None:
            values[own.column] = owner


def stamps_of(call: Call) -> dict[str, Plain]:
    """Tenant, author and fixed part of a new row."""
    caller, resource = call.caller, call.resource
    stamps: dict[str, Plain] = dict(resource.fixed)  # type: ignore[arg-type]
    if resource.is_tenant:
        stamps["organization_id"] = caller.organization_id
    if resource.has_author:
        stamps["created_by_user_id"] = caller.user_id
        stamps["created_by_ai_assistant_id"] = caller.ai_assistant_id
    if resource.own and resource.own.keeps_conversation:
        stamps["created_in_conversation_id"] = caller.conversation_id
    return stamps


def bindable(resource: Resource, name: str, value: Plain) -> Plain:
    """JSON columns take text; everything else goes to asyncpg as it is."""
    f = resource.by_name.get(name)
    return to_json(value).decode() if f is not None and f.kind in ("json", "any") and value is not None else value
