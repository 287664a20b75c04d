"""Money, quantities and percentages: exact decimals that come as numbers or text and are shown as text."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from sqlalchemy import ColumnElement, Text, cast, func, literal_column

from .fields import Plain, Wrong

CENT = Decimal("0.01")
MOST = Decimal(10) ** 14  # no amount reaches it: the limit of the kind `decimal`
FINEST = 4  # decimals of a quantity or a percentage
# Python's default of 28 digits would refuse the product of two large factors before it can be judged.
EXACT = Context(prec=100, rounding=ROUND_HALF_UP)


def to_cents(amount: Decimal) -> Decimal:
    """Two decimals, a half away from zero: what invoices round by."""
    return amount.quantize(CENT, context=EXACT)


def check_money(value: Plain) -> Decimal:
    """An amount of money. More than two decimals are rounded: a client's float may bring seventeen."""
    return to_cents(Decimal(str(value)))


def check_quantity(value: Plain) -> Decimal:
    """More than zero, with at most four decimals (a quarter of an hour is 0.25)."""
    number = _few_decimals(value)
    if number <= 0:
        raise Wrong("exclusiveMinimum", "must be more than 0", limit=0)
    return number


def check_percentage(value: Plain) -> Decimal:
    """From 0 to 100, with at most four decimals."""
    number = _few_decimals(value)
    if not 0 <= number <= 100:
        raise Wrong("maximum", "must be a percentage from 0 to 100", limit=100)
    return number


def _few_decimals(value: Plain) -> Decimal:
    number = Decimal(str(value)).normalize(EXACT)
    if int(number.as_tuple().exponent) < -FINEST:
        raise Wrong("multipleOf", f"must not have more than {FINEST} decimals", multipleOf=10**-FINEST)
    return number


def show_money(column: ColumnElement[object]) -> ColumnElement[object]:
    """`25000.00`"""
    return cast(func.round(column, literal_column("2")), Text)


def show_short(column: ColumnElement[object]) -> ColumnElement[object]:
    """`2`, not `2.00`; `0.25`"""
    return cast(func.trim_scale(column), Text)
