"""The names of events: which there are, which a pattern means, and who may hear of them.

All is read off the declarations: a resource tells `created`, `updated` and `deleted` as its verbs and its references
allow, and by `tells` what more becomes of its rows. What nobody can read has no events that anybody hears.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .caller import Role
from .resource import Registry, Resource

WRITTEN = {
    "created": "The {} was created.",
    "updated": "The {} was changed.",
    "deleted": "The {} was deleted.",
}
CAUSES = {"created": "create", "updated": "patch", "deleted": "remove"}
PATTERN = re.compile(r"\*|(?:\*|[a-z0-9-]+)\.(?:\*|[a-z_]+)", re.ASCII)


def event_names(registry: Registry) -> dict[str, Resource]:
    """Every event that is told, by name, with the resource that it is about."""
    return {f"{resource.path}.{happening}": resource for resource in registry for happening in told_by(resource)}


def told_by(resource: Resource) -> dict[str, str]:
    """The happenings of a resource, each with a sentence."""
    if not resource.leaves_events or "get" not in resource.verbs:
        return {}
    told = {name: WRITTEN[name].format(resource.singular) for name in WRITTEN if _happens(resource, name)}
    told |= resource.tells
    return {name: told[name] for name in (*WRITTEN, *told) if name in told}


def _happens(resource: Resource, happening: str) -> bool:
    """Through a verb, or because a row that it refers to was deleted."""
    by_reference = {"updated": "clear", "deleted": "remove"}.get(happening)
    is_released = resource.of is None and any(f.on_remove == by_reference for f in resource.references)
    return CAUSES[happening] in resource.verbs or is_released


def matching(pattern: str, names: Iterable[str]) -> set[str]:
    """The names that a pattern means: a name, `contacts.*`, `*.deleted`, or `*`. Empty for what means nothing."""
    if not PATTERN.fullmatch(pattern):
        return set()
    rule = re.compile(re.escape(pattern).replace(r"\*", "[^.]+") if "." in pattern else ".*")
    return {name for name in names if rule.fullmatch(name)}


def audible(names: Mapping[str, Resource], role: Role, patterns: Iterable[str] = ("*",)) -> frozenset[str]:
    """The names among `patterns` that a caller of this role may hear: those of resources that it may read."""
    allowed = [name for name, resource in names.items() if resource.rights.needed("get") <= role]
    return frozenset().union(*(matching(pattern, allowed) for pattern in patterns))
