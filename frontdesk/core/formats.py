"""Checks of values that a standard defines, each by the library of that standard."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from babel import Locale
from email_validator import EmailNotValidError, validate_email
from pydantic import HttpUrl, TypeAdapter, ValidationError

from .fields import Plain, Wrong

TERRITORIES = {code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code)}
CURRENCIES = set(Locale("en").currencies)
# `localtime` is a file of this machine, unknown to PostgreSQL, and another zone on the next machine.
ZONES = available_timezones() - {"localtime"}
WEBSITE = TypeAdapter(HttpUrl)


def check_email(value: Plain) -> str:
    """An address in normal form (RFC 5321 and 5322), without asking the network."""
    try:
        return validate_email(str(value), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Wrong("format", f"must be an e-mail address ({error})", format="email") from None


def check_phone(value: Plain) -> str:
    """A phone number that libphonenumber can read: digits with the usual separators, an optional plus."""
    text = str(value).strip()
    if not re.fullmatch(r"\+?[\d\s().\-/]{3,39}", text) or not 4 <= len(re.sub(r"\D", "", text)) <= 15:
        raise Wrong("format", "must be a phone number (4 to 15 digits)", format="phone")
    if text.startswith("+"):
        try:
            phonenumbers.parse(text)
        except phonenumbers.NumberParseException:
            raise Wrong("format", "must be a phone number with a known country code", format="phone") from None
    return text


def check_phone_code(value: Plain) -> str:
    """A country calling code with its plus sign, as E.164 assigns it."""
    text = str(value)
    if not re.fullmatch(r"\+[1-9]\d{0,3}", text) or int(text[1:]) not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        raise Wrong("format", "must be a country calling code such as +34", format="phone-code")
    return text


def check_country(value: Plain) -> str:
    """An ISO 3166 alpha-2 country code."""
    if value not in TERRITORIES:
        raise Wrong("format", "must be a country code such as US (ISO 3166)", format="iso-3166")
    return str(value)


def check_color(value: Plain) -> str:
    """A colour as six hexadecimal digits, stored with capital letters."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(value), re.ASCII):
        raise Wrong("pattern", "must be a colour such as #4F46E5", pattern="^#[0-9a-fA-F]{6}$")
    return str(value).upper()


def check_currency(value: Plain) -> str:
    """An ISO 4217 currency code."""
    if value not in CURRENCIES:
        raise Wrong("format", "must be a currency code such as EUR (ISO 4217)", format="iso-4217")
    return str(value)


def check_website(value: Plain) -> str:
    """An http or https address, stored as given."""
    try:
        WEBSITE.validate_python(value)
    except ValidationError:
        raise Wrong("format", "must be an address such as https://example.com", format="uri") from None
    return str(value)


def check_timezone(value: Plain) -> str:
    """A time zone of the IANA database."""
    if value not in ZONES:
        raise Wrong("format", "must be an IANA time zone such as America/Bogota", format="timezone")
    return ZoneInfo(str(value)).key


def iso_text(moment: datetime) -> str:
    """A moment in UTC as the API writes it, with milliseconds and Z; `ISO_FORMAT` is PostgreSQL's side of it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
