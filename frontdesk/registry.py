"""The resources of the product, and the door to them: lists, and nothing else.

Apart from `main.py`, which brings the HTTP edge as well: a worker and a migration need none of it.
"""

from __future__ import annotations

from dataclasses import replace

from frontdesk import approvals, playground, staff_chat, tickets
from frontdesk.core.clock import SystemClock
from frontdesk.core.database import Database
from frontdesk.core.door import Door
from frontdesk.core.egress import Guard
from frontdesk.core.files import make_files
from frontdesk.core.mail import make_mail
from frontdesk.core.resource import Registry, Resource
from frontdesk.core.settings import Settings
from frontdesk.core.vault import Vault
from frontdesk.resources.assistants.ai_assistant_skills import ai_assistant_skills
from frontdesk.resources.assistants.ai_assistant_system import ai_assistant_system
from frontdesk.resources.assistants.ai_assistants import ai_assistants
from frontdesk.resources.assistants.ai_assistants_change_history import ai_assistants_change_history
from frontdesk.resources.assistants.ai_assistants_follow_up_preview import ai_assistants_follow_up_preview
from frontdesk.resources.assistants.ai_assistants_permissions import ai_assistants_permissions
from frontdesk.resources.assistants.ai_assistants_replay import ai_assistants_replay
from frontdesk.resources.assistants.ai_assistants_restore import ai_assistants_restore
from frontdesk.resources.assistants.ai_assistants_test_connection import ai_assistants_test_connection
from frontdesk.resources.assistants.ai_models import ai_models
from frontdesk.resources.assistants.ai_provider_keys import ai_provider_keys
from frontdesk.resources.assistants.api_tools import api_tools
from frontdesk.resources.assistants.api_tools_imports import api_tools_imports
from frontdesk.resources.assistants.api_tools_trials import api_tools_dry_run, api_tools_executions
from frontdesk.resources.assistants.mcp_sign_ins import mcp_sign_ins
from frontdesk.resources.assistants.mcp_tool_connection_proxy import mcp_tool_connection_proxy
from frontdesk.resources.crm.activities import activities
from frontdesk.resources.crm.activity_types import activity_types
from frontdesk.resources.crm.companies import companies
from frontdesk.resources.crm.contact_duplicates import contact_duplicates
from frontdesk.resources.crm.contact_merges import contact_merges
from frontdesk.resources.crm.contact_tags import contact_tags
from frontdesk.resources.crm.contacts import contacts
from frontdesk.resources.crm.currencies import currencies
from frontdesk.resources.crm.custom_fields import custom_fields
from frontdesk.resources.crm.deal_products import deal_products
from frontdesk.resources.crm.deals import deals
from frontdesk.resources.crm.notes import notes
from frontdesk.resources.crm.pipeline_stages import pipeline_stages
from frontdesk.resources.crm.pipelines import pipelines
from frontdesk.resources.crm.tags import tags
from frontdesk.resources.files.file_uploads import file_uploads
from frontdesk.resources.files.s3_url_signing import s3_url_signing
from frontdesk.resources.messaging.ai_approvals import ai_approvals
from frontdesk.resources.messaging.ai_chat_messages import ai_chat_messages
from frontdesk.resources.messaging.ai_chat_sessions import ai_chat_sessions
from frontdesk.resources.messaging.ai_decisions import ai_decisions
from frontdesk.resources.messaging.ai_follow_ups import ai_follow_ups
from frontdesk.resources.messaging.ai_handoffs import ai_handoffs
from frontdesk.resources.messaging.ai_turns import ai_turn_steps, ai_turns
from frontdesk.resources.messaging.bulk_hand_backs import conversations_bulk_actions_previews
from frontdesk.resources.messaging.conversation_files import conversation_files
from frontdesk.resources.messaging.conversation_messages import (
    CHANNELS,
    TRANSFORMED,
    conversation_messages,
    messages_of,
    sending_to,
)
from frontdesk.resources.messaging.conversation_predefined_messages import conversation_predefined_messages
from frontdesk.resources.messaging.conversation_summaries import conversation_summaries
from frontdesk.resources.messaging.conversations import conversations
from frontdesk.resources.messaging.conversations_bulk_actions import conversations_bulk_actions
from frontdesk.resources.messaging.conversations_initiate_whatsapp import conversations_initiate_whatsapp
from frontdesk.resources.messaging.email_broadcast_recipients import email_broadcast_recipients
from frontdesk.resources.messaging.email_broadcast_senders import email_broadcast_senders
from frontdesk.resources.messaging.email_broadcasts import email_broadcasts
from frontdesk.resources.messaging.inbox_channels import inbox_channels
from frontdesk.resources.messaging.outbox import outbox
from frontdesk.resources.messaging.support_ticket_messages import support_ticket_messages
from frontdesk.resources.messaging.support_tickets import support_tickets
from frontdesk.resources.messaging.views import views
from frontdesk.resources.messaging.whatsapp_templates import whatsapp_templates
from frontdesk.resources.organization.api_keys import api_keys
from frontdesk.resources.organization.invites import invites, invites_resend
from frontdesk.resources.organization.members import members
from frontdesk.resources.organization.organizations import organizations
from frontdesk.resources.organization.team_members import team_members
from frontdesk.resources.organization.teams import teams
from frontdesk.resources.organization.webhook_deliveries import webhook_deliveries
from frontdesk.resources.organization.webhook_deliveries_replays import webhook_deliveries_replays
from frontdesk.resources.organization.webhooks import webhooks
from frontdesk.resources.products.product_categories import product_categories
from frontdesk.resources.products.product_media import product_media
from frontdesk.resources.products.product_stock_movements import product_stock_movements
from frontdesk.resources.products.products import products
from frontdesk.runtime import initiation, person, replay

RESOURCES: tuple[Resource, ...] = (
    organizations,
    members,
    invites,
    invites_resend,
    api_keys,
    contacts,
    companies,
    deals,
    deal_products,
    pipelines,
    pipeline_stages,
    currencies,
    custom_fields,
    tags,
    contact_tags,
    contact_merges,
    contact_duplicates,
    notes,
    activity_types,
    activities,
    teams,
    team_members,
    products,
    product_categories,
    product_media,
    product_stock_movements,
    file_uploads,
    s3_url_signing,
    conversation_files,
    ai_models,
    ai_provider_keys,
    api_tools,
    api_tools_dry_run,
    api_tools_executions,
    api_tools_imports,
    mcp_tool_connection_proxy,
    mcp_sign_ins,
    ai_assistant_system,
    ai_assistants,
    ai_assistant_skills,
    ai_assistants_change_history,
    ai_assistants_follow_up_preview,
    ai_assistants_permissions,
    replace(ai_assistants_replay, look=replay.look),
    ai_assistants_restore,
    ai_assistants_test_connection,
    inbox_channels,
    conversations,
    conversation_messages,
    *(messages_of(channel) for channel in CHANNELS),
    *(sending_to(channel) for channel in TRANSFORMED),
    whatsapp_templates,
    conversations_initiate_whatsapp,
    email_broadcast_senders,
    email_broadcasts,
    email_broadcast_recipients,
    support_tickets,
    support_ticket_messages,
    ai_chat_sessions,
    ai_chat_messages,
    views,
    conversations_bulk_actions,
    conversations_bulk_actions_previews,
    conversation_predefined_messages,
    conversation_summaries,
    ai_turns,
    ai_turn_steps,
    ai_decisions,
    ai_approvals,
    ai_handoffs,
    ai_follow_ups,
    outbox,
    webhooks,
    webhook_deliveries,
    webhook_deliveries_replays,
)


def make_registry() -> Registry:
    """All resources of the product."""
    registry = Registry(RESOURCES)
    registry.bind("conversation-messages-playground", "create", playground.send)
    registry.bind("support-ticket-messages", "create", tickets.write)
    registry.bind("ai-chat-messages", "create", staff_chat.write)
    registry.bind("ai-approvals", "patch", approvals.decide)
    registry.bind("conversation-messages-sms", "create", person.reply)
    for channel in TRANSFORMED:
        registry.bind(f"conversation-messages-transform-outgoing-{channel}", "create", person.reply)
    registry.bind("conversations-initiate-whatsapp", "create", initiation.initiate)
    return registry


def make_door(settings: Settings, url: str) -> Door:
    """The door to the database at `url`, which need not be up yet."""
    database = Database(url, app_connections=settings.pool_size)
    clock = SystemClock()
    return Door(
        database, make_registry(), clock, Vault(settings.secret()), make_files(settings, clock), make_mail(settings),
        Guard.of(settings.egress_allow), settings.searxng_url,
    )  # fmt: skip
