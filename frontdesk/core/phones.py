"""Phone numbers with their country, by libphonenumber.

A number is stored as it was given. Its country is known in three ways: the number's own `+`, the calling code, or the
ISO code. They must not contradict each other, and what follows from the others is filled in.

A number must be *possible* (its length fits the country), not *valid* (its range is assigned): ranges are assigned
faster than any library learns of them, and a contact must not be lost over that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

from .errors import Fault, Invalid

WORLD = "001"  # libphonenumber's region of numbers without a country: satellites, universal free numbers


@dataclass(frozen=True, slots=True)
class Country:
    """`code` as E.164 assigns it, with the plus sign; `iso` by ISO 3166."""

    code: str | None = None
    iso: str | None = None


def country_of(phone: str | None, given: Country, blamed: str = "phone") -> Country:
    """The country of `phone`, completed from `given` and the number.

    Raises `Invalid` that names the field: `phone_country_iso` or `phone_country_code` for a contradiction, `blamed`
    for a number that cannot be.
    """
    code, iso = given.code, given.iso
    if code and iso and _code_of(iso) not in (None, code):
        raise _invalid("phone_country_iso", f"has the calling code {_code_of(iso)}, not {code}")
    if phone is None:
        return given
    number = _parse(phone, code or (_code_of(iso) if iso else None), blamed)
    if number is None:
        return given
    own = f"+{number.country_code}"
    if code and code != own:
        raise _invalid("phone_country_code", f"contradicts the number, which begins with {own}")
    if iso and _code_of(iso) not in (None, own):
        raise _invalid("phone_country_iso", f"contradicts the number, which begins with {own}")
    if not phonenumbers.is_possible_number(number):
        raise _invalid(blamed, f"makes no phone number that is possible with {own}")
    return Country(code or own, iso or _region_of(number))


def _parse(phone: str, code: str | None, blamed: str) -> PhoneNumber | None:
    """None for a national number whose country nobody knows: there is nothing to check it by."""
    if not phone.startswith("+") and code is None:
        return None
    try:
        if phone.startswith("+"):
            return phonenumbers.parse(phone)
        region = phonenumbers.region_code_for_country_code(int(str(code)[1:]))
        if region == WORLD:
            return phonenumbers.parse(f"{code}{re.sub(r'[^0-9]', '', phone)}")
        return phonenumbers.parse(phone, region)
    except NumberParseException:
        raise _invalid(blamed, "is no phone number that this country can have") from None


def _code_of(iso: str) -> str | None:
    """None where the library knows no numbers of the territory."""
    code = phonenumbers.country_code_for_region(iso)
    return f"+{code}" if code else None


def _region_of(number: PhoneNumber) -> str | None:
    """The number's own region, or the only one of its code; several countries share +1, and nothing is guessed."""
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    region = phonenumbers.region_code_for_number(number) or (regions[0] if len(regions) == 1 else None)
    return None if region == WORLD else region


def _invalid(path: str, message: str) -> Invalid:
    return Invalid([Fault(path, "format", message, format="phone")])
