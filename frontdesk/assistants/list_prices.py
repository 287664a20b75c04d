"""What a provider's model costs where its row names no price: the published list that Pydantic AI counts by.

Without it the installation's default would cost nothing by our books, and no daily budget would ever stop it. The list
is asked directly: an HTTP process warns of models without a price, and loads no Pydantic AI for that.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from genai_prices import Usage, calc_price

COUNT = 1_000  # tokens, few enough for the first tier of a price that grows with the prompt


@lru_cache(maxsize=256)
def list_prices(provider: str, model: str) -> tuple[Decimal | None, Decimal | None]:
    """US dollars per million tokens of input and of output; None for a model that the list does not know."""
    usages = Usage(input_tokens=COUNT), Usage(output_tokens=COUNT)
    return _price(provider, model, usages[0]), _price(provider, model, usages[1])


def _price(provider: str, model: str, usage: Usage) -> Decimal | None:
    try:
        price = calc_price(usage, model, provider_id=provider).total_price
    except LookupError:
        return None
    return price * (1_000_000 // COUNT)
