"""What a provider's model costs where its row names no price: the published list that Pydantic AI brings.

Without it the installation's default would cost nothing by our books, and no daily budget would ever stop it.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from pydantic_ai.messages import ModelResponse
from pydantic_ai.usage import RequestUsage

COUNT = 1_000  # tokens, few enough for the first tier of a price that grows with the prompt


@lru_cache(maxsize=256)
def list_prices(provider: str, model: str) -> tuple[Decimal | None, Decimal | None]:
    """US dollars per million tokens of input and of output; None for a model that the list does not know."""
    usages = RequestUsage(input_tokens=COUNT), RequestUsage(output_tokens=COUNT)
    return _price(provider, model, usages[0]), _price(provider, model, usages[1])


def _price(provider: str, model: str, usage: RequestUsage) -> Decimal | None:
    try:
        price = ModelResponse([], usage=usage, model_name=model, provider_name=provider).cost().total_price
    except LookupError:
        return None
    return price * (1_000_000 // COUNT)
