"""The assistant's record as the runtime reads it: parsed once, frozen, every section with its defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar, cast, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.api_tools import ApiTools, ApiToolUse
from frontdesk.assistants.assistant_handoff_config import AssistantHandoffConfig
from frontdesk.assistants.automations import Automations
from frontdesk.assistants.external_handoff import ExternalHandoffTargets
from frontdesk.assistants.follow_up_config import FollowUpConfig
from frontdesk.assistants.guided_config import EasyModeConfig
from frontdesk.assistants.handoff_config import HumanHandoffConfig
from frontdesk.assistants.internal_tools import InternalTools, Switch, switch_of
from frontdesk.assistants.json_keys import JsonKeys
from frontdesk.assistants.mcp_tools import McpTool, McpTools
from frontdesk.assistants.response_config import ResponseConfig
from frontdesk.assistants.schedule_config import ScheduleConfig
from frontdesk.assistants.section import empty
from frontdesk.assistants.skills import Skill, skills_of
from frontdesk.assistants.tool_keys import Entity
from frontdesk.assistants.voice_config import VoiceConfig

AssistantType = Literal["conversation", "support-ticket", "ai-chat", "voice"]
Connection = Literal["system", "organization", "specific"]
Language = Literal["ENG", "ESP"]
Access = Literal["none", "read", "read_write"]

ASSISTANT_TYPES: tuple[str, ...] = get_args(AssistantType)
CONNECTIONS: tuple[str, ...] = get_args(Connection)
LANGUAGES: tuple[str, ...] = get_args(Language)
ACCESS: tuple[str, ...] = get_args(Access)
MAX_INSTRUCTIONS = 100_000  # characters

SECTIONS: dict[str, type[BaseModel]] = {
    "easy_mode_config": EasyModeConfig,
    "internal_tools": InternalTools,
    "api_tools": ApiTools,
    "mcp_tools": McpTools,
    "access_permissions_automations": Automations,
    "external_handoff_targets": ExternalHandoffTargets,
    "telnyx_ai_assistant_config": VoiceConfig,
    "human_handoff_config": HumanHandoffConfig,
    "ai_assistant_handoff_config": AssistantHandoffConfig,
    "follow_up_config": FollowUpConfig,
    "response_config": ResponseConfig,
    "additional_json_keys": JsonKeys,
    "schedule_config": ScheduleConfig,
    "advanced_options": AdvancedOptions,
}

Shape = TypeVar("Shape", bound=BaseModel)


def check_timezone(name: str) -> str:
    """A name of the IANA database; raises `ValueError`. An abbreviation such as EST is refused: it has no rules."""
    try:
        zone = ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        zone = None
    if zone is None or ("/" not in name and name != "UTC"):
        raise ValueError("must be an IANA time zone such as America/Bogota, or UTC")
    return name


@dataclass(frozen=True, slots=True)
class AssistantConfig:
    """One version of one assistant. A turn keeps the one that it started with; gates read the current one.

    `model_takes_tools` and `only_reads` are not of the record: they say what the model of a turn can, and what it may.
    """

    id: int
    organization_id: int
    version: int = 1
    name: str = "Assistant"
    assistant_type: AssistantType = "conversation"
    ai_model_id: int | None = None
    connection: Connection = "system"
    timezone: str = "UTC"
    instructions: str = ""
    instructions_language: Language = "ENG"
    access_contact: Access = "none"
    access_deals: Access = "none"
    access_customer_support: Access = "none"
    disable_reply: bool = False
    enable_message_burst_handling: bool = False
    analyze_images: bool = False
    can_send_images: bool = False
    internal_tools: InternalTools = field(default_factory=InternalTools)
    api_tools: ApiTools = field(default_factory=lambda: ApiTools([]))
    mcp_tools: McpTools = field(default_factory=lambda: McpTools([]))
    automations: Automations = field(default_factory=lambda: Automations([]))
    external_handoff: ExternalHandoffTargets = field(default_factory=ExternalHandoffTargets)
    voice: VoiceConfig | None = None
    acting_user_id: int | None = None
    human_handoff: HumanHandoffConfig = field(default_factory=HumanHandoffConfig)
    assistant_handoff: AssistantHandoffConfig = field(default_factory=AssistantHandoffConfig)
    follow_up: FollowUpConfig = field(default_factory=FollowUpConfig)
    response: ResponseConfig = field(default_factory=ResponseConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    options: AdvancedOptions = field(default_factory=AdvancedOptions)
    json_keys: JsonKeys = field(default_factory=lambda: JsonKeys([]))
    skills: tuple[Skill, ...] = ()
    model_takes_tools: bool = True
    only_reads: bool = False  # of a turn that nobody asked for: a follow-up
    deleted_at: datetime | None = None
    # What was ruled on each tool: every step of a turn asks of all tools. A changed copy begins without.
    rulings: dict[str, object] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def hands_over(self) -> bool:
        """Whether it has conversations that somebody else could get: calls and staff chats are not handed over."""
        return self.assistant_type in ("conversation", "support-ticket")

    def switch(self, key: str) -> Switch:
        """How a tool key is set, with the default scope of the assistant's type."""
        return switch_of(self.internal_tools, key, self.assistant_type)

    def api_tool(self, api_tool_id: int) -> ApiToolUse | None:
        """How an API tool is used; None where the assistant does not have it."""
        return next((use for use in self.api_tools.root if use.api_tool_id == api_tool_id), None)

    def mcp_tool(self, server_id: str, name: str) -> McpTool | None:
        """How a tool of an MCP server is used; None where the server is switched off or does not name it."""
        server = self.mcp_tools.server(server_id)
        return server.tool(name) if server is not None and server.enabled else None

    def access(self, entity: Entity) -> Access:
        """The access value that rules an entity; one that no field rules is open to the key alone."""
        values: dict[Entity, Access] = {
            "": "read_write",
            "contact": self.access_contact,
            "deals": self.access_deals,
            "customer_support": self.access_customer_support,
        }
        return values[entity]


def _section(shape: type[Shape], value: object) -> Shape:
    """A stored section; it was checked when it was stored. Text is what a connection without a JSON codec gives."""
    if isinstance(value, str | bytes):
        value = json.loads(value)
    return shape.model_validate(value or empty(shape))


def config_of(row: Mapping[str, object]) -> AssistantConfig:
    """The configuration in a row of `ai_assistants` (all columns; JSON members parsed or as text)."""
    return AssistantConfig(
        id=cast(int, row["id"]),
        organization_id=cast(int, row["organization_id"]),
        version=cast(int, row["version"]),
        name=cast(str, row["name"]),
        assistant_type=cast(AssistantType, row["assistant_type"]),
        ai_model_id=cast("int | None", row["ai_model_id"]),
        connection=cast(Connection, row["connection"]),
        timezone=cast(str, row["timezone"]),
        instructions=cast(str, row["instructions"]),
        instructions_language=cast(Language, row["instructions_language"]),
        access_contact=cast(Access, row["access_permissions_contact"]),
        access_deals=cast(Access, row["access_permissions_deals"]),
        access_customer_support=cast(Access, row["access_permissions_customer_support"]),
        disable_reply=bool(row["disable_reply"]),
        enable_message_burst_handling=bool(row["enable_message_burst_handling"]),
        analyze_images=bool(row.get("analyze_images")),
        can_send_images=bool(row.get("can_send_images")),
        internal_tools=_section(InternalTools, row["internal_tools"]),
        api_tools=_section(ApiTools, row.get("api_tools")),  # an older snapshot has none
        mcp_tools=_section(McpTools, row.get("mcp_tools")),
        automations=_section(Automations, row.get("access_permissions_automations")),
        external_handoff=_section(ExternalHandoffTargets, row.get("external_handoff_targets")),
        voice=_section(VoiceConfig, voice) if (voice := row.get("telnyx_ai_assistant_config")) else None,
        acting_user_id=cast("int | None", row.get("acting_user_id")),
        human_handoff=_section(HumanHandoffConfig, row.get("human_handoff_config")),
        assistant_handoff=_section(AssistantHandoffConfig, row.get("ai_assistant_handoff_config")),
        follow_up=_section(FollowUpConfig, row.get("follow_up_config")),
        response=_section(ResponseConfig, row["response_config"]),
        schedule=_section(ScheduleConfig, row["schedule_config"]),
        options=_section(AdvancedOptions, row["advanced_options"]),
        json_keys=_section(JsonKeys, row.get("additional_json_keys")),
        skills=skills_of(row.get("skills")),
        deleted_at=cast("datetime | None", row["deleted_at"]),
    )
