"""What a request to a model costs: tokens by the prices of who answered."""

from __future__ import annotations

from decimal import Decimal

MILLION = Decimal(1_000_000)


def cost_of(
    input_tokens: int, output_tokens: int, price_input: Decimal | None, price_output: Decimal | None
) -> Decimal | None:
    """The price of one request; prices are per million tokens. None where the model has no price."""
    if price_input is None and price_output is None:
        return None
    return (input_tokens * (price_input or 0) + output_tokens * (price_output or 0)) / MILLION
