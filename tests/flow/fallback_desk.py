"""A desk whose assistant has further models to fall back to, each with a script and prices of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCalls, FunctionModel

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.no_model import NoModel
from tests.flow.harness import Desk, Resolved, Script


@dataclass
class Others:
    """Models by id: the desk's own script first, then one for each fallback."""

    scripts: dict[int, Script]
    missing: set[int] = field(default_factory=set)
    without_tools: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)

    async def resolve(self, config: AssistantConfig) -> Resolved:
        id = config.ai_model_id or 0
        if id in self.missing:
            raise NoModel("There is no key for it.", "no_key")
        name = f"model-{id}"
        return Resolved(
            FunctionModel(stream_function=partial(self._stream, id), model_name=name),
            price_input=Decimal(id), takes_tools=id not in self.without_tools, facts={"label": name},
        )  # fmt: skip

    async def _stream(
        self, id: int, messages: list[ModelMessage], info: AgentInfo
    ) -> AsyncIterator[str | DeltaToolCalls]:
        self.asked.append(id)
        async for piece in self.scripts[id].stream(messages, info):
            yield piece


async def with_fallbacks(desk: Desk, count: int = 2) -> Others:
    """Give the desk's assistant `count` fallbacks. Their ids follow the one of its own model."""
    own = (await desk.fetch("SELECT ai_model_id FROM ai_assistants"))[0][0]
    scripts = {own: desk.script}
    for number in range(count):
        made = await desk.call("ai-models", "create", name=f"Fallback {number}", provider="scripted", model="echo")
        scripts[int(str(made.value["id"]))] = Script()
    ids = list(scripts)
    await desk.configure(advanced_options={"fallback_ai_model_ids": ids[1:]})
    others = Others(scripts)
    desk.flow.models = others
    return others
