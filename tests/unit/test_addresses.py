"""Which addresses count as public, in every form that an address can be written in."""

import pytest

from frontdesk.core.addresses import is_loopback, is_public, parse_address

PRIVATE = """
0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 192.168.1.1 192.0.0.192
192.0.2.1 198.18.0.1 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255 168.63.129.16 ::1 :: fe80::1 fc00::1
fd00:ec2::254 fec0::1 ff02::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::7f00:1 2002:7f00:1::
2002:a9fe:a9fe:: 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
2606::200:5efe:7f00:1 3fff::1
"""
PUBLIC = "8.8.8.8 1.1.1.1 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1"


@pytest.mark.parametrize("text", PRIVATE.split())
def test_refuses_what_is_not_public(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert not is_public(address)


@pytest.mark.parametrize("text", PUBLIC.split())
def test_accepts_public(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert is_public(address)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_knows_loopback(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert is_loopback(address)


@pytest.mark.parametrize("text", ["example.com", "2130706433", "0x7f.1", ""])
def test_a_name_is_no_address(text: str) -> None:
    assert parse_address(text) is None
