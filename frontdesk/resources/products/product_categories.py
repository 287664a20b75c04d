"""Product categories: a flat list. Filtering by `name` is a partial match, as the published API documents it."""

from __future__ import annotations

from frontdesk.core.fields import Field
from frontdesk.core.resource import Filter, Own, Resource
from frontdesk.core.search import contains_part

product_categories = Resource(
    path="product-categories",
    singular="product category",
    area="products",
    description="Categories of products.",
    own=Own(is_public=True),
    fields=(Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Hygiene"),),
    filters={"name": Filter("text", contains_part, "A part of the name, whatever its case and accents.")},
    indexes=(("name",),),
)
