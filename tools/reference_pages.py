"""The generated pages of `docs/reference/`: each is a function that reads the code's own tables and gives Markdown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import cast

from pydantic_settings import BaseSettings

from frontdesk.assistants import (
    advanced_options,
    config,
    model_options,
    permissions,
    response_config,
    searxng,
    spending,
    web_search,
)
from frontdesk.assistants.config import Language
from frontdesk.assistants.section import Section
from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.core import files, jobs, query, search, uploads
from frontdesk.core.fields import Field
from frontdesk.core.resource import VERBS, Own, Resource
from frontdesk.core.settings import Settings
from frontdesk.registry import make_registry
from frontdesk.resources.assistants import ai_assistants_test_connection
from frontdesk.resources.messaging.inbox_channels import DEFAULT_LIMITS, HIGHEST
from frontdesk.resources.organization import invites
from frontdesk.runtime import gates, history, model_failure, summarising
from frontdesk.runtime.endings import ENDINGS
from frontdesk.runtime.sentences import SENTENCES
from frontdesk.tools import results
from frontdesk.tools.table import TOOLS
from frontdesk.web import authentication, body, chat_channels, identity, webchat
from frontdesk.web import files as files_edge

MARK = "<!-- Written by tools/make_reference.py from the code; do not edit. -->"
Rows = Iterable[Sequence[str]]


def table(head: Sequence[str], rows: Rows) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)])


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", MARK, *parts]) + "\n"


# -- rights -----------------------------------------------------------------------------------


def rights() -> str:
    """Resource × verb × least role, and what scope `own` leaves."""
    served = [resource for resource in make_registry() if resource.verbs]
    return page(
        "Who may do what",
        "Each cell is the least role that may use the verb; `member` < `admin` < `owner`, and a higher role may do\n"
        "all that a lower one may. A dash is 405: the verb is not offered. A row of another organization is 404,\n"
        "never 403. *Login*: only a person who is logged in, and only their own rows; an API key gets 403.",
        table(
            ("resource", "find", "get", "create", "patch", "remove"),
            ([f"`{one.path}`", *(least_role(one, verb) for verb in VERBS)] for one in served),
        ),
        "## What an assistant reaches with scope `own`",
        "Tools of an assistant that talks to customers run with scope `own` unless a tool is set to `organization`.\n"
        "A customer who is not verified owns only what was made in this conversation. All other resources are closed.",
        table(("resource", "rows", "fields that stay closed"), (own_row(one, one.own) for one in served if one.own)),
    )


def least_role(resource: Resource, verb: str) -> str:
    if verb not in resource.verbs:
        return "–"
    role = resource.rights.needed(verb).name  # type: ignore[arg-type]
    return f"{role}, *login*" if resource.is_personal else role


def own_row(resource: Resource, own: Own) -> Sequence[str]:
    reach = "the public catalogue, reading only" if own.is_public else f"those whose `{own.column}` is {_leads(own)}"
    only = "".join(f", only with `{name}` = `{str(value).lower()}`" for name, value in own.where.items())
    return f"`{resource.path}`", reach + only, ", ".join(f"`{name}`" for name in own.closed) or "–"


def _leads(own: Own) -> str:
    """What leads from a row to the customer: nothing, or a row in between."""
    between = own.through
    if between is None:
        return "the customer"
    return f"the `{between.names}` of one of `{between.path}` whose `{between.contact}` is the customer"


# -- settings ---------------------------------------------------------------------------------


def settings() -> str:
    """Every environment variable, with its default."""
    return page(
        "Settings",
        "All settings are environment variables; an empty one counts as unset. A wrong value ends the start with one\n"
        "sentence that names the variable.",
        table(("variable", "default", "meaning"), settings_rows(Settings)),
        "`make run` and `make test` also read `FRONTDESK_PYTHON` (the path of a Python 3.11 or newer) when the\n"
        "environment `.venv` is made.",
    )


def settings_rows(kind: type[BaseSettings]) -> Iterator[Sequence[str]]:
    for name, field in kind.model_fields.items():
        alias = field.validation_alias
        names = [str(choice) for choice in getattr(alias, "choices", [alias] if alias else [])]
        shown = " or ".join(f"`{each}`" for each in names or [f"FRONTDESK_{name.upper()}"])
        made = field.default_factory is not None or field.default in (None, ())
        default = "–" if made else f"`{str(field.default).lower()}`"
        yield shown, default, field.description or ""


# -- tools ------------------------------------------------------------------------------------


def tools() -> str:
    """What a model is told of each tool, and what rules it."""
    return page(
        "Tools",
        "What an assistant can do today. A key is switched on in `internal_tools`\n"
        "([how](../how-to/configure-an-assistant.md#tools-and-access)); the description and the parameters are what\n"
        "the model reads. The other keys of the published API are accepted and never offered.",
        *(tool(name) for name in TOOLS),
        "## Why a tool is not offered",
        "`GET /ai-turns/:id` shows `tools`: what was offered, and in `not_offered` each key that was on with its rule.",
        table(("rule", "in words"), ((f"`{rule}`", said) for rule, said in permissions.SENTENCES.items())),
    )


def tool(name: str) -> str:
    definition, key = TOOLS[name].definition, TOOL_KEYS[name]
    schema = definition.parameters_json_schema
    required = cast("list[str]", schema.get("required", []))
    shapes = cast("Mapping[str, Mapping[str, object]]", schema["properties"])
    ruled = f"`access_permissions_{key.entity}`: {needed(key.changes)}" if key.entity else "its switch alone"
    rows = (
        (f"`{each}`", parameter_kind(shape, each in required), str(shape["description"]))
        for each, shape in shapes.items()
    )
    return "\n\n".join([
        f"## `{name}`",
        f"{definition.description}",
        f"Area {key.area}; {'changes data' if key.changes else 'reads only'}; ruled by {ruled}.",
        table(("parameter", "type", "meaning"), rows),
    ])  # fmt: skip


def needed(changes: bool) -> str:
    return "`read_write`" if changes else "`read` or `read_write`"


def parameter_kind(shape: Mapping[str, object], is_required: bool) -> str:
    choices = cast("list[str]", shape.get("enum", []))
    kind = " or ".join(f"`{choice}`" for choice in choices) or str(shape["type"])
    bounds = [f"{word} {shape[name]}" for name, word in BOUNDS.items() if name in shape]
    return ", ".join([kind, *bounds, "required" if is_required else "optional"])


BOUNDS = {"minimum": "from", "maximum": "to", "minLength": "at least", "maxLength": "at most", "default": "default"}


# -- decisions --------------------------------------------------------------------------------


def decisions() -> str:
    """The gates, and every reason code in both languages."""
    return page(
        "Decisions: gates and reasons",
        "Every inbound message has one decision (`GET /ai-decisions`). Its `reason` is one of these codes;\n"
        "`sentence`, `sentence_es` and `would_change` are the words below with the facts filled in.",
        "## The gates, in order",
        "The first *stop* ends it. A *mute* lets the assistant work and sends nothing.",
        table(("gate", "rule"), ((f"`{name}`", str(gate.__doc__)) for name, gate in gates.GATES)),
        "## Reasons that a gate gives",
        reasons(SENTENCES),
        "## How a turn ended",
        "These take the place of the first reason when the turn is over. A turn that a newer message replaced ends\n"
        "with `superseded`; its messages are answered by the next turn.",
        reasons(ENDINGS),
    )


def reasons(sentences: Mapping[str, Mapping[Language, tuple[str, str]]]) -> str:
    return "\n\n".join(
        f"### `{code}`\n\n" + "\n".join(f"- {name}: {' '.join(pair[language])}" for name, language in NAMES)
        for code, pair in sentences.items()
    )


NAMES: tuple[tuple[str, Language], ...] = (("English", "ENG"), ("Español", "ESP"))


# -- limits -----------------------------------------------------------------------------------


def limits() -> str:
    """Sizes, counts and rates, each read from the constant that enforces it."""
    return page(
        "Limits",
        "What is over a limit is refused with a sentence that names it; nothing is cut off silently, except `$limit`,\n"
        "which is capped.",
        "## Requests", table(("limit", "value", "beyond it"), REQUESTS),
        "## Rates", "An organization's API keys together: `FRONTDESK_RATE_LIMIT` requests, in a window that slides\n"
        "([how](../how-to/write-an-integration.md#what-a-good-integration-does)). Besides, counted over all processes\n"
        "in a minute that slides; each 429 comes with `Retry-After`.",
        table(("limit", "per minute"), RATES),
        "## One web chat", "`limits` of an [inbox channel](../how-to/put-the-chat-on-a-site.md) changes these.",
        table(
            ("member", "default", "highest"),
            ((f"`{name}`", number(DEFAULT_LIMITS[name]), number(most)) for name, most in HIGHEST.items()),
        ),
        "## One assistant", table(("member", "default", "range"), assistant_rows()),
        "## One turn", table(("limit", "value", "beyond it"), TURNS),
        "## Texts", "In characters. A text field that is not named here takes 10,000.",
        table(("field", "longest"), text_rows()),
    )  # fmt: skip


def number(value: float) -> str:
    return f"{value:,}"


def size(count: int) -> str:
    return f"{count / 2**20:g} MiB" if count >= 2**20 else f"{number(count)} bytes"


REQUESTS: tuple[Sequence[str], ...] = (
    ("body of a request", size(body.MAX_BODY), "413"),
    ("time for a body", f"{body.LONGEST:g} s", "400"),
    ("body of `POST /authentication`", size(authentication.MAX_BODY), "413"),
    ("rows of a page, `$limit`", f"{query.DEFAULT_LIMIT} by default, at most {query.MAX_LIMIT}", "capped"),
    ("parts of a query", number(query.MAX_PARTS), "400"),
    ("nesting of a query", f"{query.MAX_DEPTH} levels", "400"),
    ("`searchTerm`", "200 characters", "400"),
    ("`total` of a search", f"counts up to {number(search.COUNTED)}", "`total_is_minimum`"),
    ("an address for an upload", f"{files.UPLOAD_SECONDS // 3600} hour to begin", "403"),
    ("an upload without a byte", f"{files_edge.IDLE:g} s", "400"),
    ("the address of a conversation's file", "1 to 2 hours", "403"),
    ("a file that no record names", f"{uploads.KEPT.days} day", "removed"),
    ("a login's token", f"{authentication.LIFETIME.days} day", "401"),
    ("an invitation", f"{invites.LIFETIME.days} day", "409"),
    ("a revoked key in another process", f"{identity.KEPT:g} s", "401 from then on"),
    ("a changed chat channel in another process", f"{chat_channels.KEPT:g} s", "the new state from then on"),
    ("messages of one chat page", f"{webchat.PAGE_DEFAULT} by default, at most {webchat.PAGE_MOST}", "400"),
    ("open streams of one chat visitor", number(webchat.OPEN_STREAMS), "429"),
)
RATES: tuple[Sequence[str], ...] = (
    ("log-ins of one e-mail address", number(authentication.TRIES_PER_MINUTE)),
    ("log-ins from one network address", number(6 * authentication.TRIES_PER_MINUTE)),
    ("looking up or accepting invitations, from one network address", number(6 * authentication.TRIES_PER_MINUTE)),
    ("messages of a chat: visitor, address, channel", "the channel's `limits`"),
    ("reads of a chat (history, stream)", f"{webchat.READS_PER_WRITE} times the same"),
    ("trials of a model's connection, of one organization", number(ai_assistants_test_connection.PER_MINUTE)),
)
TURNS: tuple[Sequence[str], ...] = (
    ("runs of the model, the first included", number(model_failure.MOST_ATTEMPTS), "a person, or the fixed line"),
    ("the same, where a fallback waits", number(model_failure.ATTEMPTS_BEFORE_FALLBACK), "the fallback is asked"),
    ("the pause, where a fallback waits", f"{model_failure.LONGEST_BEFORE_FALLBACK:g} s", "the fallback is asked"),
    ("fallback models", number(advanced_options.MOST_FALLBACKS), "400"),
    ("an answer, of the model's context", f"1/{model_options.MOST_OF_CONTEXT}", "less is asked for"),
    ("pause that a provider may ask for", f"{model_failure.LONGEST_PAUSE:g} s", "not tried again"),
    ("resumptions of a killed turn", number(model_failure.MOST_RESUMPTIONS), "the fixed line"),
    ("a tool's result, one text", f"{number(results.LONGEST_TEXT)} characters", "cut, with a mark"),
    ("a tool's result, all of it", f"{number(results.LONGEST_RESULT)} characters", "rows left out, with a mark"),
    ("a tool's result of an earlier turn", f"{number(history.LONGEST_RESULT)} characters", "cut, with a mark"),
    ("a summary of the older messages", f"{summarising.SECONDS:g} s", "the turn goes on without"),
    ("a search of the web", f"{searxng.SECONDS:g} s, {searxng.LONGEST_QUERY} characters", "the model is told; cut"),
    ("rings of a job that breaks", number(jobs.MOST_ATTEMPTS), "the sweeper rings again"),
)


def assistant_rows() -> Iterator[Sequence[str]]:
    shapes: tuple[tuple[str, type[Section]], ...] = (
        ("advanced_options.", advanced_options.AdvancedOptions),
        ("advanced_options.burst.", advanced_options.Burst),
        ("advanced_options.web_search.", web_search.WebSearch),
        ("advanced_options.summary.", spending.Summary),
        ("response_config.", response_config.ResponseConfig),
        ("response_config.delay_seconds.", response_config.Delay),
    )
    yield "`instructions`", "–", f"at most {number(config.MAX_INSTRUCTIONS)} characters"
    for prefix, shape in shapes:
        for name, member in shape.model_json_schema()["properties"].items():
            bounds = next((one for one in member.get("anyOf", [member]) if "maximum" in one), None)
            if bounds is not None:
                default = "–" if member["default"] is None else f"{member['default']:g}"
                least = f"{bounds['minimum']:g}" if "minimum" in bounds else f"above {bounds['exclusiveMinimum']:g}"
                yield f"`{prefix}{name}`", default, f"{least} to {bounds['maximum']:,g}"


def text_rows() -> Iterator[Sequence[str]]:
    for resource in make_registry():
        if resource.of is None and any(verb in resource.verbs for verb in ("create", "patch")):
            yield from ((f"`{resource.path}.{one.name}`", number(one.limit or 0)) for one in long_texts(resource))


def long_texts(resource: Resource) -> Iterator[Field]:
    for one in (*resource.fields, *resource.extra_input):
        if one.max_length is not None and one.write != "never":
            yield one


PAGES: Mapping[str, Callable[[], str]] = {
    "rights": rights,
    "settings": settings,
    "tools": tools,
    "decisions": decisions,
    "limits": limits,
}
