"""The lines of a deal as members of the deal: each line, and what they come to."""

from __future__ import annotations

from sqlalchemy import FromClause, ScalarSelect, func, literal_column, select

from frontdesk.core.amounts import show_money
from frontdesk.core.joins import Join, Shown, listed, member

from .deal_products import deal_products


def _shown(name: str) -> Shown:
    """A column as the line itself shows it: decimals are text."""
    field = deal_products.by_name[name]
    show = field.show or field.shape.show
    return lambda table: show(table.c[name])


def _of_product(name: str) -> Shown:
    join = member("products", "product_id", name)
    return lambda table: join(table)


LINE = (
    "quantity", "price", "description", "discount_type", "discount_amount", "discount_percentage", "tax_percentage",
    "total_amount_without_tax", "total_amount_with_tax",
)  # fmt: skip
MEMBERS = {name: _shown(name) for name in LINE} | {name: _of_product(name) for name in ("name", "sku")}

lines_of = listed("deal-products", "deal_id", "id", "product_id", computed=MEMBERS)


def total_of(name: str) -> Join:
    """The sum of a total over the live lines, as text; 0.00 where there are none."""

    def join(source: FromClause) -> ScalarSelect[object]:
        line = deal_products.table.alias()
        own = (line.c.organization_id == source.c.organization_id) & (line.c.deal_id == source.c.id)
        total = show_money(func.coalesce(func.sum(line.c[name]), literal_column("0")))
        return select(total).where(own, line.c.deleted_at.is_(None)).correlate(source).scalar_subquery()

    return join
