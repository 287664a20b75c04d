"""Which internet addresses the outside world may make us call.

The rule is the registry of special-purpose addresses (RFC 6890) plus the ways in which an IPv6 address
carries an IPv4 one, because a router delivers those to the IPv4 host.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Azure's platform channel answers with credentials from a public address.
METADATA = frozenset({IPv4Address("168.63.129.16")})
# Not global, but younger than the tables of some supported Python versions.
REFUSED_NETWORKS: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b:1::/48", "2001::/32", "fec0::/10", "3fff::/20")
)
NAT64 = IPv6Network("64:ff9b::/96")
ISATAP_MARKS = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")


def parse_address(text: str) -> Address | None:
    """The address that a literal names, None for a host name. Brackets of IPv6 are accepted."""
    try:
        return ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def embedded_address(address: Address) -> IPv4Address | None:
    """The IPv4 host behind a mapped (RFC 4291), 6to4 (3056), NAT64 (6052) or ISATAP (5214) address."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address in NAT64 or address.packed[8:12] in ISATAP_MARKS:
        return IPv4Address(address.packed[12:])
    return None


def is_public(address: Address) -> bool:
    """False for private, loopback, link-local, metadata, multicast, reserved and unspecified addresses."""
    inner = embedded_address(address)
    if inner is not None:
        return is_public(inner)
    if address in METADATA or any(
        address in network for network in REFUSED_NETWORKS if network.version == address.version
    ):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_loopback(address: Address) -> bool:
    inner = embedded_address(address)
    return inner.is_loopback if inner else address.is_loopback
