"""`frontdesk organizations create|list|limit`: what only the operator does with organizations."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from frontdesk.core.connection import joined, wait_for
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError
from frontdesk.core.halt import Halt
from frontdesk.core.quota import parse_quota
from frontdesk.core.revision import current, head
from frontdesk.core.settings import Settings
from frontdesk.registry import make_door
from frontdesk.resources.organization.founding import Wish, found, list_all, set_limit

Action = Callable[[Door, argparse.Namespace], Awaitable[None]]


def organizations(settings: Settings, arguments: argparse.Namespace) -> int:
    """Raises Halt with one sentence for what is missing or wrong."""
    with joined(settings) as url:
        asyncio.run(act(settings, url, arguments))
    return 0


async def act(settings: Settings, url: str, arguments: argparse.Namespace) -> None:
    await wait_for(url)
    if await current(url) != head():
        which = "DATABASE_URL" if settings.database_url else settings.data
        raise Halt(
            f"The database of {which} has another schema than this Frontdesk, or none: run `frontdesk migrate`, "
            "or name the one you mean by FRONTDESK_DATA or DATABASE_URL."
        )
    door = make_door(settings, url)
    try:
        await ACTIONS[arguments.action](door, arguments)
    except ApiError as error:
        faults = ", ".join(f"{name} {said}" for name, said in error.errors.items())
        raise Halt(f"{faults or error.message}.") from error
    finally:
        await door.database.close()


async def create(door: Door, arguments: argparse.Namespace) -> None:
    name, email = needed(arguments, "name"), needed(arguments, "owner_email")
    limit = read_limit(arguments.rate_limit)
    wish = Wish(name, email, arguments.timezone, arguments.currency, limit, arguments.key)
    made = await found(door, wish)
    print(f"Organization {made.id}, {name}, is ready.")
    print(f"Invitation of {email} as its owner, good until {made.expires_at}:\n  {made.link}")
    if made.mail_is_sent:
        print("A worker sends it by e-mail as well.")
    if made.api_key:
        print(f"API key, shown only now:\n  {made.api_key}")


async def show(door: Door, arguments: argparse.Namespace) -> None:
    for organization_id, name, limit, members in await list_all(door):
        print(f"{organization_id:>6}  {name}  (members: {members}, rate limit: {shown(limit)})")


async def limit(door: Door, arguments: argparse.Namespace) -> None:
    wanted = read_limit(needed(arguments, "rate_limit"))
    name = await set_limit(door, int(needed(arguments, "id")), wanted)
    if name is None:
        raise Halt(f"There is no organization {arguments.id}.")
    print(f"{name}: rate limit: {shown(wanted)}, within seconds.")


def shown(limit: str | None) -> str:
    return {None: "the installation's", "0": "none"}.get(limit, str(limit))


def needed(arguments: argparse.Namespace, name: str) -> str:
    value = getattr(arguments, name)
    if value in (None, ""):
        raise Halt(f"`frontdesk organizations {arguments.action}` needs --{name.replace('_', '-')}.")
    return str(value)


def read_limit(text: str | None) -> str | None:
    """`requests/seconds` and `0` as they are; `default` is the installation's."""
    if text is None or text == "default":
        return None
    try:
        parse_quota(text)
    except ValueError as error:
        raise Halt(f"--rate-limit {error}, or default.") from None
    return text


ACTIONS: dict[str, Action] = {"create": create, "list": show, "limit": limit}
