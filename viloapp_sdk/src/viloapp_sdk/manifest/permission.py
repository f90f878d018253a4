"""One permission, ``category.scope.resource``, and which others holding it amounts to."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from viloapp_sdk.errors import ViloError
from viloapp_sdk.manifest.vocabulary import PLACES, SCOPES, issue, split_host

__all__ = ["Permission", "PermissionSyntaxError", "is_internal", "is_local"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Addresses that carry an IPv4 address, which a gateway on the way may unpack. Source: RFC 6052, NAT64.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_OWN_NETWORK = ("localhost", "local", "internal", "lan", "arpa")
_BEGINNINGS = ", ".join(f"{category}.{scope}" for category, scope in SCOPES)


class PermissionSyntaxError(ViloError):
    """A text is no permission."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            "permission_syntax",
            f"{text[:200]!r} is no permission: {why}",
            f"one is category.scope.resource, and begins with {_BEGINNINGS}",
        )


@dataclass(frozen=True, slots=True)
class Permission:
    """A thing that a plugin may do. `parse` makes it; the vocabulary says which there are.

    Args:
        category: such as ``network``.
        scope: such as ``read``, ``connect``, ``spawn``; ``*`` in ``filesystem`` alone.
        resource: such as ``workspace`` or ``api.example.com``; may contain dots.
    """

    category: str
    scope: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Permission:
        """Read ``category.scope.resource``.

        Raises:
            PermissionSyntaxError: there is no such permission.
        """
        if (what := issue(text)) is not None:
            raise PermissionSyntaxError(text, what)
        return cls(*text.split(".", 2))

    def __str__(self) -> str:
        return f"{self.category}.{self.scope}.{self.resource}"

    @property
    def wildcard(self) -> bool:
        """Whether a ``*`` stands in it."""
        return self.scope == "*" or "*" in self.resource

    def covers(self, wanted: Permission) -> bool:
        """Return whether holding this permission is enough for ``wanted``.

        What it covers is a set of things that can be done, and the answer is whether ``wanted``'s is a part
        of it. So it is transitive, and a permission with a ``*`` is covered by a wider one alone.
        """
        if self.category != wanted.category:
            return False
        if self.category == "filesystem":
            return _mode(self.scope) >= _mode(wanted.scope) and _covers_file(self.resource, wanted.resource)
        if self.scope != wanted.scope:
            return False
        if self.category == "network":
            return _covers_host(self.resource, wanted.resource)
        return _covers_name(self.resource, wanted.resource)

    def denies(self, wanted: Permission) -> bool:
        """Return whether refusing this permission refuses ``wanted``.

        It does where the two share anything, so that a folder is not mounted around a file in it that was
        refused. Who may not write may still read; who may not read may not write.
        """
        if self.category != wanted.category:
            return False
        if self.category != "filesystem":
            return self.covers(wanted) or wanted.covers(self)
        if self.scope == "write" and wanted.scope == "read":
            return False
        return _covers_file(self.resource, wanted.resource) or _covers_file(wanted.resource, self.resource)


def _mode(scope: str) -> int:
    """Reading is a part of writing: what is mounted writable can be read, and no name shall hide that."""
    return 0 if scope == "read" else 1


def _covers_file(held: str, wanted: str) -> bool:
    """A place covers itself, a path all below it; ``*`` is the named places and no path."""
    if held == wanted:
        return True
    if held == "*":
        return wanted in PLACES
    if held == "home_directory":
        return wanted.startswith("~/")
    return wanted.startswith(f"{held}/") and held[0] in "/~"


def _covers_host(held: str, wanted: str) -> bool:
    held_host, held_port = split_host(held)
    host, port = split_host(wanted)
    return held_port in (None, port) and (held_host == host or _covers_by_star(held_host, host))


def _covers_by_star(held: str, host: str) -> bool:
    """A ``*`` means strangers on the internet: what is on this machine or in its network has to be named."""
    if held == "*":
        return not is_local(f"x{host[1:]}" if host.startswith("*.") else host)
    return held.startswith("*.") and host.removeprefix("*").endswith(held[1:])


def is_local(host: str) -> bool:
    """Return whether a host is this machine, a name of its own network, or an address that is not routed.

    Source: RFC 6761 (localhost), RFC 6762 (local), RFC 8375 (home.arpa), ICANN SAC113 (internal).
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.rpartition(".")[2] in _OWN_NETWORK or "." not in host
    return is_internal(address) or address.is_multicast


def is_internal(address: _Address) -> bool:
    """Return whether an address, or one that it carries, is none of the internet."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(each is not None and not each.is_global for each in carried):
            return True
        # Deprecated, and still routed by some: fec0::/10 (RFC 3879).
        if address.is_site_local:
            return True
        if address.ipv4_mapped is not None:
            return False
    return not address.is_global


def _covers_name(held: str, wanted: str) -> bool:
    """Names of dotted parts: the same, or below one that ends in ``.*``."""
    if held.endswith(".*"):
        return wanted.startswith(held[:-1])
    return held in (wanted, "*")
