"""What a newcomer reads when everything is ready."""

from collections.abc import Iterator, Mapping
from typing import cast

from frontdesk.core.settings import Settings

DOCS = "/docs"


def banner(settings: Settings, base_url: str, card: Mapping[str, object], model: str) -> str:
    """The addresses, the demo's credentials, where the data lies, which model answers, how to stop."""
    rows = list(lines(settings, base_url, card, model))
    width = max(len(name) for name, _ in rows)
    body = "\n".join(f"  {name.ljust(width)}  {text}" for name, text in rows)
    return f"\nFrontdesk is ready.\n\n{body}\n"


def lines(settings: Settings, base_url: str, card: Mapping[str, object], model: str) -> Iterator[tuple[str, str]]:
    if card.get("chat_url"):
        yield "Web chat", str(card["chat_url"])
    yield "API docs", base_url + DOCS
    if card:
        login = cast("Mapping[str, object]", card["login"])
        yield "API key", f"{card['api_key']}  (header x-api-key)"
        yield "Demo login", f"{login['email']}  {login['password'] or '(the password that you have set)'}"
    yield "Model", model or "unknown"
    yield "Data", str(settings.data) if settings.is_embedded else "the database of DATABASE_URL"
    if card:
        yield "", f"these values are also in {settings.data / 'demo.json'}"
    yield "To stop", "press Ctrl-C"
