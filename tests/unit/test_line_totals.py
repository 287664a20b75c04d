"""The arithmetic of a deal's line: discount first, then tax."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.errors import Invalid
from frontdesk.resources.crm.line_totals import discount, totals

NONE = {"discount_type": "none", "discount_amount": None, "discount_percentage": None}


def line(quantity: object, price: object, tax: object = 0, **off: object) -> dict[str, object]:
    return {"quantity": quantity, "price": price, "tax_percentage": tax, **NONE, **off}


def percentage(value: object) -> dict[str, object]:
    return {"discount_type": "percentage", "discount_percentage": value}


def fixed(value: object) -> dict[str, object]:
    return {"discount_type": "fixed", "discount_amount": value}


EXAMPLES = {
    "the published one": (line("2", "10000.00", "7", **percentage("10")), "18000.00", "19260.00"),
    "no discount": (line("3", "19.99"), "59.97", "59.97"),
    "a fixed discount is of the line": (line("10", "5.00", "21", **fixed("3.00")), "47.00", "56.87"),
    "half a cent goes up": (line("1", "0.05", **percentage("10")), "0.05", "0.05"),
    "tax is of the rounded net amount": (line("1", "10.01", "50", **percentage("50")), "5.01", "7.52"),
    "a part of a unit": (line("0.25", "99.99", "19.6"), "25.00", "29.90"),
    "all of it off": (line("1", "80.00", "21", **percentage("100")), "0.00", "0.00"),
    "all of it off by amount": (line("2", "40.00", "21", **fixed("80.00")), "0.00", "0.00"),
    "free": (line("1", "0.00", "21"), "0.00", "0.00"),
    "floats would be a cent off": (line("3", "1.005"), "3.02", "3.02"),
    "very large": (line("9999999", "9999999.99"), "99999989900000.01", "99999989900000.01"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_totals(name: str) -> None:
    given_, net, taxed = EXAMPLES[name]
    result = totals(given_)
    assert (str(result["total_amount_without_tax"]), str(result["total_amount_with_tax"])) == (net, taxed)


amounts = st.decimals(0, 10**6, allow_nan=False, places=2)
percentages = st.decimals(0, 100, allow_nan=False, places=4)


@given(st.decimals("0.0001", 10**4, allow_nan=False, places=4), amounts, percentages, percentages)
def test_a_discount_never_adds_and_a_tax_never_takes(
    quantity: Decimal, price: Decimal, off: Decimal, tax: Decimal
) -> None:
    result = totals(line(quantity, price, tax, **percentage(off)))
    net, taxed = (Decimal(str(value)) for value in result.values())
    assert 0 <= net <= quantity * price + Decimal("0.005")
    assert net <= taxed <= net * 2 + Decimal("0.01")


@pytest.mark.parametrize(
    ("given_", "named"),
    [(line("1", "10.00", **fixed("10.01")), "discount_amount"), (line("99999999999999", "99999999999999"), "quantity")],
    ids=["more off than there is", "too large"],
)
def test_an_impossible_line_names_the_field(given_: dict[str, object], named: str) -> None:
    with pytest.raises(Invalid) as refused:
        totals(given_)
    assert list(refused.value.errors) == [named]


KINDS = {
    "new without": ({}, {}, NONE),
    "new percentage": (percentage(10), {}, {**NONE, **percentage(10)}),
    "new fixed": (fixed(5), {}, {**NONE, **fixed(5)}),
    "another kind empties the other amount": (percentage(10), fixed("5.00"), {**NONE, **percentage(10)}),
    "the amount alone": ({"discount_percentage": 20}, percentage("10"), {**NONE, **percentage(20)}),
    "no discount any more": ({"discount_type": "none"}, percentage("10"), NONE),
    "untouched": ({}, percentage("10"), {**NONE, **percentage(Decimal(10))}),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_discount_after_a_change(name: str) -> None:
    given_, stored, expected = KINDS[name]
    assert discount(given_, stored) == expected  # type: ignore[arg-type]


def id_of(value: object) -> str:
    """The same in every process: a set has no order of its own."""
    return " ".join(sorted(value)) if isinstance(value, set) else str(value)


FAULTY = [
    ({"discount_type": "fixed"}, {}, {"discount_amount"}),
    ({"discount_type": "percentage"}, {}, {"discount_percentage"}),
    ({"discount_type": "percentage"}, fixed("5.00"), {"discount_percentage"}),
    ({"discount_amount": 5}, {}, {"discount_amount"}),
    ({"discount_type": "none", "discount_percentage": 5}, {}, {"discount_percentage"}),
    ({"discount_type": "fixed", "discount_percentage": 5}, {}, {"discount_amount", "discount_percentage"}),
    ({"discount_percentage": None}, percentage("10"), {"discount_percentage"}),
]


@pytest.mark.parametrize(("given_", "stored", "named"), FAULTY, ids=id_of)
def test_a_discount_without_its_amount_names_it(
    given_: dict[str, object], stored: dict[str, object], named: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        discount(given_, stored)  # type: ignore[arg-type]
    assert set(refused.value.errors) == named
