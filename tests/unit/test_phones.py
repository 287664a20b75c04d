"""A phone number's country: what is filled in, and what contradicts itself."""

import pytest

from frontdesk.core.errors import Invalid
from frontdesk.core.phones import Country, country_of

COMPLETE = [
    ("+34 600 111 222", (None, None), ("+34", "ES")),
    ("+1 650-253-0000", (None, None), ("+1", "US")),
    ("+1 416 555 0123", (None, None), ("+1", "CA")),
    ("+1 555 010 2030", (None, None), ("+1", None)),
    ("+34600111222", ("+34", None), ("+34", "ES")),
    ("600111222", (None, "ES"), ("+34", "ES")),
    ("600111222", ("+34", None), ("+34", "ES")),
    ("5550102030", ("+1", "US"), ("+1", "US")),
    ("(020) 7946 0958", (None, "GB"), ("+44", "GB")),
    ("06 69812345", ("+39", None), ("+39", "VA")),
    ("761234567", ("+870", None), ("+870", None)),
    ("5550102", (None, None), (None, None)),
    (None, ("+34", "ES"), ("+34", "ES")),
    (None, (None, None), (None, None)),
]
CONTRADICTING = [
    ("600111222", ("+34", "US"), "phone_country_iso"),
    ("+34600111222", ("+1", None), "phone_country_code"),
    ("+34600111222", (None, "CO"), "phone_country_iso"),
    (None, ("+34", "US"), "phone_country_iso"),
    ("123", ("+1", "US"), "phone"),
    ("60011122233344", (None, "ES"), "phone"),
    ("+34 6001", (None, None), "phone"),
    ("+999 12345678", (None, None), "phone"),
]


@pytest.mark.parametrize(("phone", "given", "complete"), COMPLETE)
def test_what_follows_from_the_number_is_filled_in(
    phone: str | None, given: tuple[str | None, str | None], complete: tuple[str | None, str | None]
) -> None:
    assert country_of(phone, Country(*given)) == Country(*complete)


@pytest.mark.parametrize(("phone", "given", "named"), CONTRADICTING)
def test_a_contradiction_names_its_field(phone: str | None, given: tuple[str | None, str | None], named: str) -> None:
    with pytest.raises(Invalid) as refused:
        country_of(phone, Country(*given))
    assert list(refused.value.errors) == [named]


def test_whoever_changes_the_country_is_told_of_the_country() -> None:
    with pytest.raises(Invalid) as refused:
        country_of("6001", Country("+34"), "phone_country_code")
    assert list(refused.value.errors) == ["phone_country_code"]
