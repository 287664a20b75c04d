"""Configuration as YAML: the same data always gives the same bytes, and what people write by hand reads as meant."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from frontdesk.core.errors import Json

LONGEST = 5_000_000  # characters
# A reader takes each of these for the end of a line, so they are written as escapes.
OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Text of several lines stands as a block, which shows a change line by line."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if OTHER_BREAKS.search(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML 1.2's plain values: 18:00, 2026-12-25 and `on` are texts, which older readers take for other things."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _wrong(self.peek_event(), "an alias (*) cannot be used here")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if not isinstance(key.value, str) or key.tag != "tag:yaml.org,2002:str":
                raise _wrong(key, "names must be texts")
            if keys.count(key.value) > 1:
                raise _wrong(key, f"{key.value!r} stands there twice")
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


def _wrong(at: Any, message: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=at.start_mark)


for _tag, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
):
    # The writer knows them beside the older ones: a text that either would take for something else is quoted.
    for _side in (_Loader, _Dumper):
        _side.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def dump(document: dict[str, Json]) -> str:
    """The document in the order of its members."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def load(text: str) -> Json:
    """The data in `text`. Raises `ValueError` with line and reason."""
    if len(text) > LONGEST:
        raise ValueError(f"has more than {LONGEST} characters")
    try:
        value: Json = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem or error.context or 'is not YAML'}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"is not YAML: {str(error) or 'nested too deeply'}") from None
    return value
