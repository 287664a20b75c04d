"""A dental clinic in memory behind the product's own tools, for measuring models without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.toolsets import FunctionToolset

from frontdesk.tools import contacts, notes, products
from frontdesk.tools.failures import OUT_OF_REACH

Row = dict[str, object]
CUSTOMER = 31
PRODUCTS: tuple[Row, ...] = (
    {"id": 1, "name": "Dental cleaning / Limpieza dental", "price": "60.00"},
    {"id": 2, "name": "Whitening / Blanqueamiento", "price": "240.00"},
    {"id": 3, "name": "Implant / Implante", "price": "1150.00"},
    {"id": 4, "name": "Invisible aligners / Ortodoncia invisible", "price": "2900.00"},
)
LAURA: Row = {
    "id": CUSTOMER, "first_name": "Laura", "last_name": "Sanz", "phone": "600 000 001", "email": "laura@clinic.example",
}  # fmt: skip


@dataclass
class Clinic:
    """Stands where the door stands. A verified customer is Laura Sanz; nobody sees another contact (scope `own`)."""

    is_verified: bool
    contact_id: int | None = CUSTOMER
    notes: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contact: Row = dict(LAURA) if self.is_verified else {"id": CUSTOMER}
        if self.is_verified:
            self.notes.append({"id": 8, "contact_id": CUSTOMER, "text": "Anxious about needles"})

    async def call(
        self,
        resource: str,
        verb: str,
        *,
        id: int | None = None,
        data: Row | None = None,
        query: Mapping[str, object] | None = None,
    ) -> Row:
        rows = {"contacts": [self.contact], "notes": self.notes, "products": list(PRODUCTS)}[resource]
        if verb == "find":
            found = [row for row in rows if matches(row, str((query or {}).get("searchTerm", "")))]
            return {"total": len(found), "data": found}
        if verb == "create":
            row = {**(data or {}), "id": 77}
            rows.append(row)
            return row
        chosen = next((row for row in rows if row["id"] == id), None)
        if chosen is None:
            raise ToolFailed(OUT_OF_REACH)
        chosen.update(data or {})
        return chosen

    def toolset(self) -> FunctionToolset[Clinic]:
        return FunctionToolset([*contacts.TOOLS, *notes.TOOLS, *products.TOOLS])  # type: ignore[list-item]


def matches(row: Row, search: str) -> bool:
    """As the search of the API does: every word must occur somewhere, an ending aside."""
    text = " ".join(map(str, row.values())).lower()
    return all(word[:5].lower() in text for word in search.split())
