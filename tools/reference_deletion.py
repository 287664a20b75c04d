"""The generated page that says what a deletion does to what refers to the deleted row."""

from collections.abc import Iterator, Mapping, Sequence

from reference_pages import page, table

from frontdesk.core.fields import Field, OnRemove
from frontdesk.core.resource import Resource
from frontdesk.registry import make_registry

MEANINGS: Mapping[OnRemove, str] = {
    "refuse": "409: the deletion is refused while there is such a row",
    "remove": "deleted with it",
    "clear": "stays, the reference is emptied",
    "keep": "stays, with its reference: it is history",
}


def deletion() -> str:
    """Resource × what refers to it × what becomes of that."""
    return page(
        "What a deletion does",
        "Deleting is soft: the row gets `deleted_at`, leaves every list and is 404 from then on. What others refer\n"
        "to follows one rule per reference, which its declaration says: parts go with their whole, loose links are\n"
        "emptied, what others still stand on is not deleted, and history keeps its names. A row that was deleted\n"
        "cannot be referred to any more (400), and each row that changes along leaves its own [event](events.md).",
        *(chapter(rule, found) for rule in MEANINGS if (found := list(rows(rule)))),
    )


def chapter(rule: OnRemove, found: Sequence[Sequence[str]]) -> str:
    head = MEANINGS[rule][0].upper() + MEANINGS[rule][1:]
    return f"## {head}\n\n" + table(("deleted", "row that refers to it", "by"), found)


def rows(rule: OnRemove) -> Iterator[Sequence[str]]:
    for resource, f in sorted(references(), key=lambda pair: (str(pair[1].references), pair[0].path, pair[1].name)):
        if f.on_remove == rule:
            yield f"`{f.references}`", f"`{resource.path}`", f"`{f.name}`"


def references() -> Iterator[tuple[Resource, Field]]:
    """Each stored reference once: narrowed resources share the table of another."""
    for resource in make_registry():
        if resource.of is None:
            yield from ((resource, f) for f in resource.references if f.references != "users")
