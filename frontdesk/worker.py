"""The worker's composition root: lists, and nothing else."""

import asyncio
import random
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic_ai.toolsets.abstract import AbstractToolset

from frontdesk.assistants.handoff_return import RETURN_DOORBELL
from frontdesk.broadcasts import Broadcasts
from frontdesk.channels.connected import Connected
from frontdesk.channels.fake import HttpFake
from frontdesk.channels.playground import PLAYGROUND
from frontdesk.channels.protocol import Channel, Provider
from frontdesk.channels.webchat import WEBCHAT
from frontdesk.core.capabilities import CONNECTED
from frontdesk.core.database import Database
from frontdesk.core.egress import Guard
from frontdesk.core.heartbeats import ModelState, beat
from frontdesk.core.jobs import Worker
from frontdesk.core.settings import Settings
from frontdesk.core.vault import Vault
from frontdesk.flow import Flow
from frontdesk.models.catalogue import Catalogue, state_path
from frontdesk.models.installation import LOCAL, NONE, installation_choice
from frontdesk.registry import make_door
from frontdesk.resources.crm import contact_merges
from frontdesk.resources.messaging import bulk_batches
from frontdesk.resources.organization import invite_mails, invites
from frontdesk.runtime import webhook_dispatch
from frontdesk.runtime.follow_ups import FOLLOW_UP_DOORBELL, FollowUps
from frontdesk.runtime.handoff import NOTICE_DOORBELL
from frontdesk.runtime.handoff_notices import HandoffNotices
from frontdesk.runtime.returns import Returns
from frontdesk.runtime.sweeper import BROADCAST_DOORBELL, INTENT_DOORBELL, sweep_for_ever
from frontdesk.runtime.thread import DOORBELL
from frontdesk.runtime.tooling import ToolDeps
from frontdesk.runtime.unknown_calls import UnknownCalls
from frontdesk.runtime.upload_sweeper import sweep_uploads
from frontdesk.runtime.webhooks import Webhooks
from frontdesk.tools.table import make_toolset


def channels(database: Database, providers: Mapping[str, Provider]) -> dict[str, Channel]:
    """Every channel by name: those that are read from our own rows, and those that a provider carries."""
    connected = {name: Connected(name, database, providers) for name in CONNECTED if name != "webchat"}
    return {"webchat": WEBCHAT, "playground": PLAYGROUND, **connected}


def providers_of(settings: Settings) -> dict[str, Provider]:
    """The providers of this installation by the name that an inbox channel gives."""
    if settings.fake_provider is None:
        return {}
    # The operator has named the address, so it may lie in the own network.
    guard = Guard.of([urlsplit(settings.fake_provider).netloc])
    return {"fake": HttpFake(guard.client(), settings.fake_provider)}


class Tools:
    """All tools of the product, built once; what an assistant is offered is decided in their wrappers."""

    def __init__(self) -> None:
        self.all = make_toolset()

    def toolset(self) -> AbstractToolset[ToolDeps]:
        return self.all


def model_state(settings: Settings) -> ModelState:
    """The installation's default model, for /health. The built-in one tells where it listens once it is loaded."""
    choice = installation_choice(settings)
    is_ready = choice.provider != NONE and (choice.provider != LOCAL or state_path(settings).exists())
    return ModelState(choice.label, is_ready)


async def run_worker(settings: Settings, url: str, stopping: asyncio.Event) -> None:
    """Run every part of a worker until `stopping` is set; the first part that fails ends the process."""
    door = make_door(settings, url)
    models = Catalogue(door.database, Vault(settings.secret()), settings, door.clock)
    carriers = channels(door.database, providers_of(settings))
    flow = Flow(door, models, Tools(), carriers)
    broadcasts = Broadcasts(door, carriers["email"], settings.public_url())
    webhooks = Webhooks(door.database, door.clock, door.vault, door.guard, random.Random())
    try:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(beat(url, stopping, lambda: model_state(settings)))
            handlers = {
                DOORBELL: flow.advance,
                BROADCAST_DOORBELL: broadcasts.advance,
                INTENT_DOORBELL: UnknownCalls(door.database, door.clock).settle,
                RETURN_DOORBELL: Returns(door).look,
                FOLLOW_UP_DOORBELL: FollowUps(door, flow).look,
                NOTICE_DOORBELL: HandoffNotices(door).send,
                webhook_dispatch.DOORBELL: webhooks.deliver,
                bulk_batches.DOORBELL: bulk_batches.BulkWork(door).advance,
                contact_merges.DOORBELL: contact_merges.Gathering(door).advance,
                invites.DOORBELL: invite_mails.InviteMails(door).send,
            }
            parts.create_task(Worker(url, handlers).run(stopping))
            parts.create_task(sweep_for_ever(door.database, door.clock, stopping))
            parts.create_task(sweep_uploads(door.database, door.files, door.clock, stopping))
            parts.create_task(webhook_dispatch.dispatch_for_ever(door.database, door.registry, door.clock, stopping))
    finally:
        await models.close()
        await webhooks.close()
        await door.database.close()
