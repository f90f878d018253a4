"""A host as a plugin writes it, and as permissions have it; pure.

>>> str(wanted("API.Example.com.", 443))
'network.connect.api.example.com:443'
>>> str(wanted("::1", 80))
'network.connect.[::1]:80'
"""

import ipaddress

from viloapp_core.permissions import Permission
from viloapp_sdk.errors import InvalidArgumentsError
from viloapp_sdk.manifest.vocabulary import split_host

__all__ = ["granted_port", "normal", "wanted"]

_SHOWN = 60


def normal(host: str) -> str:
    """Return a host in lower case and ASCII, an address as permissions write it.

    Raises:
        InvalidArgumentsError: it is no host.
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        name = host.removesuffix(".").lower()
        if name.isascii():
            return name
        try:
            return name.encode("idna").decode("ascii")
        except UnicodeError:
            raise InvalidArgumentsError(f"{host[:_SHOWN]!r} is no host name") from None
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped is not None else f"[{address}]"
    return str(address)


def wanted(host: str, port: int | None) -> Permission:
    """Return the permission that a connection to ``host`` needs.

    Raises:
        InvalidArgumentsError: there is no such host or port.
        PermissionSyntaxError: no permission can name the host.
    """
    if port is not None and not 0 < port < 65536:
        raise InvalidArgumentsError(f"there is no TCP port {port}")
    name = normal(host)
    if "*" in name:
        raise InvalidArgumentsError(f"{host[:_SHOWN]!r} is no host name")
    return Permission.parse(f"network.connect.{name}" + (f":{port}" if port is not None else ""))


def granted_port(granted: Permission) -> int | None:
    """Return the one port that a granted permission is for, None when it is for all or for something else."""
    if (granted.category, granted.scope) != ("network", "connect"):
        return None
    return split_host(granted.resource)[1]
