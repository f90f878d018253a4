"""Which addresses a plugin's connection may go to; pure.

A name is a promise that its owner can change at any moment: who was granted ``api.example.com`` must not
reach this machine or its network by an answer of example.com's name server (DNS rebinding). So addresses are
judged, all of an answer, and a connection goes to one of those that were judged.

    >>> refused("api.example.com", ["93.184.216.34", "127.0.0.1"])
    '127.0.0.1 is an address of this machine'
    >>> refused("localhost", ["127.0.0.1", "::1"]) is None
    True
"""

import ipaddress
from collections.abc import Iterable

from viloapp_core.permissions import is_internal, is_local

__all__ = ["refused"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refused(host: str, addresses: Iterable[str]) -> str | None:
    """Return why a connection to ``host`` may not be made, None when it may.

    The permission has been checked before: a host of this machine or its network is covered only by a grant
    that names it. Such a name may lead to such an address; any other only to one of the internet. An address
    that was itself granted is what it is.

    Args:
        host: a name or an address, as the permission has it (IPv6 in brackets).
        addresses: all that the name resolved to.
    """
    literal = _parse(host.strip("[]"))
    for text in addresses:
        address = _parse(text)
        if address is None:
            return f"{text} is no address"
        if address.is_unspecified or address.is_multicast:
            return f"{address} is not the address of one machine"
        if literal is not None or not is_internal(address):
            continue
        if address.is_link_local:
            return f"{address} is a link-local address"
        if not is_local(host):
            where = "this machine" if address.is_loopback else "this machine's network"
            return f"{address} is an address of {where}"
    return None


def _parse(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
