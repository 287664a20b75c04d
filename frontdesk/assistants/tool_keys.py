"""The 94 tool keys of the published API, as a table: area, what is touched, verb, effect, whether it is built.

`entity` names the access field that rules the key (`access_permissions_<entity>`), or is empty: such a key is
ruled by its own switch alone. Notes hang on a contact, so contact access rules them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verb = Literal["find", "get", "create", "update", "send", "run"]
Entity = Literal["", "contact", "deals", "customer_support"]

READING: frozenset[Verb] = frozenset(("find", "get"))


@dataclass(frozen=True, slots=True)
class ToolKey:
    """One key. `sends` marks what reaches a customer, `is_built` what can be offered today."""

    key: str
    area: str
    verb: Verb
    entity: Entity = ""
    is_built: bool = False

    @property
    def changes(self) -> bool:
        """Whether a call changes data or the world. Unbuilt free-form keys count as changing until known better."""
        return self.verb not in READING

    @property
    def sends(self) -> bool:
        return self.verb == "send"


_TABLE: dict[str, dict[Verb, str]] = {
    "crm": {
        "find": "find_contact:contact find_deals:deals find_company get_pipelines get_currencies get_custom_fields"
        " get_notes:contact get_activities find_organization_members",
        "get": "get_contact:contact get_deal:deals get_company",
        "create": "create_contact:contact create_deal:deals add_deal_products:deals create_company add_note:contact"
        " create_activity",
        "update": "update_contact:contact update_deal:deals update_company update_note:contact update_activity",
    },
    "messaging": {
        "find": "find_conversations find_whatsapp_template get_email_broadcast_senders",
        "get": "get_conversation",
        "send": "initiate_whatsapp_conversation send_whatsapp_template send_conversation_message send_email_broadcast",
    },
    "products": {"find": "search_products", "get": "get_product"},
    "automations": {"find": "find_automations", "run": "execute_automation"},
    "reservations": {
        "find": "find_reservations get_reservation_services get_available_slots",
        "create": "create_reservation",
        "update": "update_reservation",
    },
    "projects": {
        "find": "find_projects find_project_tasks get_task_statuses find_project_deliverables find_task_lists"
        " find_collections find_project_members find_team_members find_teams find_project_documents",
        "get": "get_project get_project_task",
        "create": "create_project create_project_task add_task_comment create_project_deliverable create_task_list"
        " create_collection add_project_member add_task_dependency create_project_document create_scope_change"
        " add_collection_member",
        "update": "update_project update_project_task update_project_deliverable assign_task_user unassign_task_user",
    },
    "strategy": {
        "find": "find_strategies find_strategy_cycles find_objectives find_key_results find_okr_tasks",
        "create": "create_objective create_key_result create_okr_task",
        "update": "update_objective update_key_result update_okr_task",
    },
    "billing": {
        "find": "get_document_settings find_estimates find_invoices",
        "create": "create_estimate add_estimate_item create_invoice add_invoice_item convert_estimate_to_invoice",
        "update": "update_estimate_item update_estimate",
    },
    "database": {"find": "get_database_schema run_database_query"},
    "integrations": {"run": "http_request"},
    "series": {"create": "subscribe_to_series", "update": "unsubscribe_from_series"},
}

# Areas whose every key has its function.
_BUILT_AREAS = frozenset(("crm", "messaging", "products"))
_ENTITIES: dict[str, Entity] = {"": "", "contact": "contact", "deals": "deals", "customer_support": "customer_support"}


def _read_table() -> dict[str, ToolKey]:
    keys: dict[str, ToolKey] = {}
    for area, verbs in _TABLE.items():
        for verb, words in verbs.items():
            for word in words.split():
                key, _, entity = word.partition(":")
                keys[key] = ToolKey(key, area, verb, _ENTITIES[entity], area in _BUILT_AREAS)
    return keys


TOOL_KEYS: dict[str, ToolKey] = _read_table()

BUILT: frozenset[str] = frozenset(key for key, entry in TOOL_KEYS.items() if entry.is_built)
