"""The arithmetic of a line: discount first, then tax, each result rounded half up to two decimals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from frontdesk.core.amounts import EXACT, MOST, to_cents
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Plain

# The amount that each kind of discount needs; the other one is emptied.
AMOUNT_OF = {"fixed": "discount_amount", "percentage": "discount_percentage"}
HUNDRED = Decimal(100)


def discount(given: Mapping[str, Plain], stored: Mapping[str, object]) -> dict[str, Plain]:
    """Kind and amount of the discount, when `given` changes a line whose discount was `stored`.

    Raises `Invalid` that names the amount which the kind needs, or does not take.
    """
    kind = str(given.get("discount_type") or stored.get("discount_type") or "none")
    result: dict[str, Plain] = {"discount_type": kind}
    faults = []
    for owner, name in AMOUNT_OF.items():
        value = given[name] if name in given else _decimal(stored.get(name))
        if owner == kind and value is None:
            faults.append(Fault(name, "required", f"is required when discount_type is {kind}", missingProperty=name))
        elif owner != kind and given.get(name) is not None:
            faults.append(Fault(name, "discountType", f"needs discount_type {owner}, and it is {kind}"))
        result[name] = value if owner == kind else None
    if faults:
        raise Invalid(faults)
    return result


def totals(line: Mapping[str, object]) -> dict[str, Plain]:
    """Both totals. A fixed discount is of the whole line, not of each unit; tax is of the rounded net amount.

    Raises `Invalid` where the discount is more than the line, or the line more than an amount can be.
    """
    quantity, price, tax = (_number(line[name]) for name in ("quantity", "price", "tax_percentage"))
    gross = EXACT.multiply(quantity, price)
    if gross >= MOST:
        raise Invalid([Fault("quantity", "maximum", "times price is too large an amount", limit=int(MOST))])
    if line["discount_type"] == "fixed" and _number(line["discount_amount"]) > gross:
        raise Invalid([Fault("discount_amount", "maximum", f"must not be more than the line's {to_cents(gross)}")])
    if line["discount_type"] == "percentage":
        off = EXACT.divide(EXACT.multiply(gross, _number(line["discount_percentage"])), HUNDRED)
    else:
        off = _number(line["discount_amount"])
    net = to_cents(EXACT.subtract(gross, off))
    taxed = EXACT.divide(EXACT.multiply(net, EXACT.add(HUNDRED, tax)), HUNDRED)
    return {"total_amount_without_tax": net, "total_amount_with_tax": to_cents(taxed)}


def _number(value: object) -> Decimal:
    return _decimal(value) or Decimal(0)


def _decimal(value: object) -> Decimal | None:
    """Of a body it is a decimal already; of the stored row it is text."""
    return None if value is None else Decimal(str(value))
