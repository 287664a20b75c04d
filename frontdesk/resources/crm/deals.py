"""Deals: what may be sold to whom, where it stands in its pipeline, and how it ended (docs/reference/deals.md)."""

from __future__ import annotations

from decimal import Decimal

from frontdesk.core.amounts import check_money, show_money
from frontdesk.core.changes import changed
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.events import emit_also
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_currency
from frontdesk.core.joins import joined
from frontdesk.core.resource import Own, Resource

from .deal_lines import lines_of, total_of
from .deal_outcome import OUTCOME, outcome

CURRENCY = "SELECT currency FROM organizations WHERE id = $1"
# The locks keep stage and pipeline alive until the deal stands in them; whoever deletes one waits, and then sees it.
STAGES = """
    SELECT p.id AS pipeline_id, s.id AS stage_id
    FROM pipelines p
    JOIN pipeline_stages s ON s.organization_id = p.organization_id AND s.pipeline_id = p.id AND s.deleted_at IS NULL
    WHERE p.organization_id = $1 AND p.entity = 'deals' AND p.deleted_at IS NULL
        AND ($2::bigint IS NULL OR p.id = $2) AND ($3::bigint IS NULL OR s.id = $3)
    ORDER BY p.position, p.id, s.position, s.id LIMIT 1 FOR KEY SHARE OF p, s
"""
PLACE = ("pipeline_id", "pipeline_stage_id")
TELLS = {
    "won": "A deal was won, or made as one that is.",
    "lost": "A deal was lost, or made as one that is.",
    "reopened": "A deal that was won or lost is open again.",
    "stage_changed": "A deal went into another stage.",
}


async def _prepare(call: Call) -> None:
    if call.verb == "remove":
        return
    await _place(call)
    given = changed(call, OUTCOME)
    if given:
        stored = str(call.before["status"]) if call.before is not None else "open"
        said = {name: call.data[name] for name in ("status",) if name in call.data}
        call.data |= outcome(given | said, stored, call.door.clock.now())
    if call.verb == "create" and call.data.get("currency") is None:
        call.data["currency"] = await call.connection.fetchval(CURRENCY, call.organization_id)


async def _place(call: Call) -> None:
    """A stage implies its pipeline; a pipeline alone means its first stage; neither, the first of all."""
    given = changed(call, PLACE)
    if not given and call.before is not None:
        return
    pipeline_id, stage_id = (given.get(name) for name in PLACE)
    found = await call.connection.fetchrow(STAGES, call.organization_id, pipeline_id, stage_id)
    if found is None:
        raise Invalid([_misplaced(pipeline_id, stage_id)])
    call.data |= dict(zip(PLACE, found, strict=True))


def _misplaced(pipeline_id: object, stage_id: object) -> Fault:
    if stage_id is None:
        message = "has no stages for deals" if pipeline_id else "is needed: there is no pipeline with stages for deals"
        return Fault("pipeline_id", "reference", message)
    message = f"is no stage of pipeline {pipeline_id}" if pipeline_id else "is no stage of a pipeline for deals"
    return Fault("pipeline_stage_id", "reference", message)


async def _tell(call: Call) -> None:
    if call.verb == "remove":
        return
    before = call.before or {"status": "open"}
    status, stage = call.data.get("status", before["status"]), call.data.get("pipeline_stage_id")
    points = []
    if status != before["status"]:
        points.append("reopened" if status == "open" else str(status))
    if call.before is not None and stage is not None and stage != before["pipeline_stage_id"]:
        points.append("stage_changed")
    assert call.answer is not None
    assert call.answer.id is not None
    await emit_also(call.connection, call.organization_id, "deals", points, call.answer.id)


deals = Resource(
    path="deals",
    singular="deal",
    area="crm",
    description="What may be sold to whom, and how far it is.",
    own=Own(column="contact_id", closed=("owned_by_user_id",)),
    has_custom_fields=True,
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Website 2027"),
        Field(
            "amount", "decimal", is_nullable=False, default=Decimal("0.00"), minimum=0, check=check_money,
            show=show_money, example="25000.00",
        ),
        Field(
            "currency", is_nullable=False, max_length=3, check=check_currency, example="USD",
            description="ISO 4217; the organization's currency, unless given.",
        ),
        Field("status", is_nullable=False, default="open", choices=("open", "won", "lost")),
        Field("pipeline_id", "integer", is_nullable=False, references="pipelines", on_remove="refuse"),
        Field(
            "pipeline_stage_id", "integer", is_nullable=False, references="pipeline-stages", on_remove="refuse",
            example=1, description="Implies its pipeline; the first stage of the first pipeline, unless given.",
        ),
        Field("contact_id", "integer", references="contacts", on_remove="clear"),
        Field("company_id", "integer", references="companies", on_remove="clear"),
        Field("owned_by_user_id", "integer", references="users", is_global_reference=True),
        Field("won_date", "moment"),
        Field("lost_date", "moment"),
        Field("lost_reason", max_length=1000),
        Field("expected_close_date", "moment", example="2027-03-31T00:00:00.000Z"),
    ),
    joins={
        "pipelineStage": joined("pipeline-stages", "pipeline_stage_id", "id", "name", "pipeline_id"),
        "pipeline": joined("pipelines", "pipeline_id", "id", "name"),
        "company": joined(
            "companies", "company_id", "id", "name", "organization_id", "created_by_user_id", "owned_by_user_id"
        ),
        "contact": joined(
            "contacts", "contact_id", "id", "first_name", "last_name", "email", "phone", "phone_country_code",
            "company_id", "avatar_url",
        ),
        "owner": joined("users", "owned_by_user_id", "id", "first_name", "last_name", "email"),
        "dealProducts": lines_of,
        "products_total_without_tax": total_of("total_amount_without_tax"),
        "products_total_with_tax": total_of("total_amount_with_tax"),
    },
    checks={
        "won_has_date": "(status = 'won') = (won_date IS NOT NULL)",
        "lost_has_date": "(status = 'lost') = (lost_date IS NOT NULL)",
    },
    indexes=(
        ("created_at",), ("expected_close_date",), ("status", "created_at"), ("pipeline_id", "created_at"),
        ("pipeline_stage_id", "created_at"),
    ),
    prepare=_prepare,
    finish=_tell,
    tells=TELLS,
)  # fmt: skip
