"""Connections that the host makes for plugins, which have no network of their own.

    network = Network(gate)
    ticket = network.connect("hello", "api.example.com", 443, None, worker.hand_over)

The plugin has its socket at once (`parking`), while here the name is resolved, every address of it judged
(`addresses`), one of these connected (`dialling`), and the bytes relayed (`relay`) until either side ends,
the grant is taken back, or the plugin's process is gone.
"""

import asyncio
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from viloapp_core.broker import hosts
from viloapp_core.broker.addresses import refused
from viloapp_core.broker.dialling import dial, in_turn
from viloapp_core.broker.errors import AddressRefusedError, HostUnreachableError, TooMuchOpenError
from viloapp_core.broker.parking import parked, unpark
from viloapp_core.broker.rate import Rate
from viloapp_core.broker.relay import Relay, Turns
from viloapp_core.broker.resolver import Resolver
from viloapp_core.ledger import Gate
from viloapp_core.permissions import Permission
from viloapp_sdk.errors import PermissionDeniedError, ViloError

__all__ = ["Network"]

_MOST_OPEN = 256
"""Connections that one plugin may have at once, those under way included."""
_PER_SECOND, _BURST = 200.0, 400
"""New connections of one plugin; more wait for their turn."""
_OUTCOMES = 512
"""How connections of one plugin ended that are remembered for it to ask."""
_SWEEP_S = 5.0

HandOver = Callable[[int], int]
"""Sends a copy of a descriptor to the plugin's process and returns its ticket."""


@dataclass(eq=False, slots=True)
class _Connection:
    """One connection, from the plugin's request on."""

    ticket: int
    wanted: Permission
    host: str
    port: int
    local: socket.socket
    parked: socket.socket
    """The plugin's end, until the connection stands."""
    making: "asyncio.Task[None] | None" = None
    relay: Relay | None = None


@dataclass(slots=True)
class _Client:
    """What one plugin has open."""

    rate: Rate
    open: set[_Connection] = field(default_factory=set)
    turns: Turns = field(default_factory=Turns)
    outcomes: OrderedDict[int, dict[str, Any]] = field(default_factory=OrderedDict)


class Network:
    """All connections of a host's plugins. Every method is called on the host's loop.

    Args:
        gate: what each plugin may, and the audit log.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._resolver = Resolver()
        self._clients: dict[str, _Client] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._forget = gate.on_change(self._reconsider)

    # -- what plugins ask for ------------------------------------------------------------------------

    def connect(
        self, plugin_id: str, host: str, port: int, preferred: str | None, hand_over: HandOver
    ) -> int:
        """Begin to connect; returns the ticket of the plugin's socket, which tells how far it is.

        Not writable: under way. Writable: connected. Ended: `outcome` has the reason.

        Args:
            plugin_id: who asks.
            host: a name in its ASCII form, or an address.
            port: TCP port.
            preferred: one of the host's addresses that is to be tried first.
            hand_over: gives the plugin its socket.

        Raises:
            PermissionDeniedError: nothing allows it.
            TooMuchOpenError: it has as many open as one may have.
        """
        wanted = hosts.wanted(host, port)
        self._gate.require(plugin_id, wanted, "network.connect")
        client = self._client(plugin_id)
        if len(client.open) >= _MOST_OPEN:
            self._audit(plugin_id, wanted, "refused", f"{_MOST_OPEN} connections are open")
            raise TooMuchOpenError(plugin_id, "connections", _MOST_OPEN)
        theirs, ours = parked()
        try:
            ticket = hand_over(theirs.fileno())
        except BaseException:
            theirs.close()
            ours.close()
            raise
        connection = _Connection(ticket, wanted, hosts.normal(host), port, ours, theirs)
        client.open.add(connection)
        work = self._make(plugin_id, client, connection, preferred)
        connection.making = asyncio.get_running_loop().create_task(work)
        # A task that is cancelled before it began runs no `finally` of its own.
        connection.making.add_done_callback(lambda _: self._made(client, connection))
        return ticket

    async def resolve(self, plugin_id: str, host: str, port: int | None) -> list[str]:
        """Return the addresses of a host that the plugin may connect to, on ``port`` or any.

        Raises:
            PermissionDeniedError: nothing allows it, or the name leads where it may not.
            HostUnreachableError: it has no address.
        """
        wanted = self._some_port(plugin_id, host, port)
        if not self._gate.allowed(
            plugin_id, wanted
        ).allowed:  # what was granted for once is for the connection
            self._gate.require(plugin_id, wanted, "network.resolve")
        return list(await self._addresses(plugin_id, hosts.normal(host)))

    def outcome(self, plugin_id: str, ticket: int) -> dict[str, Any] | None:
        """Return why a connection was lost or never made, as ``{"code", "detail", "hint", "errno"}``.

        None for one that stands, or that both sides have ended.
        """
        client = self._clients.get(plugin_id)
        return client.outcomes.pop(ticket, None) if client is not None else None

    # -- what the host does --------------------------------------------------------------------------

    def open_connections(self, plugin_id: str) -> int:
        """Return how many connections a plugin has, those under way included."""
        client = self._clients.get(plugin_id)
        return len(client.open) if client is not None else 0

    def drop(self, plugin_id: str) -> None:
        """Its process is gone: end what it had open."""
        client = self._clients.pop(plugin_id, None)
        for connection in list(client.open) if client is not None else ():
            self._cut(connection, None)

    async def aclose(self) -> None:
        """End everything."""
        self._forget()
        tasks = [each.making for client in self._clients.values() for each in client.open if each.making]
        for plugin_id in list(self._clients):
            self.drop(plugin_id)
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._resolver.close()

    # -- one connection ------------------------------------------------------------------------------

    async def _make(
        self, plugin_id: str, client: _Client, connection: _Connection, preferred: str | None
    ) -> None:
        try:
            await client.rate.turn()
            addresses = await self._addresses(plugin_id, connection.host)
            remote = await dial(connection.host, in_turn(addresses, preferred), connection.port)
            self._establish(plugin_id, client, connection, remote)
        except ViloError as error:
            self._fail(plugin_id, client, connection, error)
        except OSError as error:  # no descriptor left, or a socket that broke in between
            lost = HostUnreachableError(
                connection.host, error.strerror or str(error), number=error.errno or 0
            )
            self._fail(plugin_id, client, connection, lost)

    def _establish(
        self, plugin_id: str, client: _Client, connection: _Connection, remote: socket.socket
    ) -> None:
        try:
            address = remote.getpeername()[0]
            unpark(connection.parked, connection.local)
        except OSError:
            remote.close()
            raise
        ended = partial(self._ended, plugin_id, client, connection)
        connection.relay = Relay(remote, connection.local, ended, client.turns)
        self._audit(plugin_id, connection.wanted, "connected", f"to {address}")
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    def _fail(self, plugin_id: str, client: _Client, connection: _Connection, error: ViloError) -> None:
        self._remember(client, connection.ticket, error, getattr(error, "number", 0) or errno.ECONNREFUSED)
        outcome = "refused" if error.code == PermissionDeniedError.CODE else "failed"
        self._audit(plugin_id, connection.wanted, outcome, error.detail)

    def _made(self, client: _Client, connection: _Connection) -> None:
        """The attempt is over; what did not come to stand is closed."""
        if connection.relay is None:
            # Unread filling in the host's end makes the plugin's end one that was reset, not one that ended.
            connection.parked.close()
            connection.local.close()
            client.open.discard(connection)

    def _ended(self, plugin_id: str, client: _Client, connection: _Connection, error: OSError | None) -> None:
        client.open.discard(connection)
        if error is not None and connection.ticket not in client.outcomes:
            lost = HostUnreachableError(connection.host, error.strerror or str(error))
            self._remember(client, connection.ticket, lost, errno.ECONNRESET)

    def _cut(self, connection: _Connection, error: OSError | None) -> None:
        if connection.relay is not None:
            connection.relay.close(error)
        elif connection.making is not None:
            connection.making.cancel()

    def _remember(self, client: _Client, ticket: int, error: ViloError, number: int) -> None:
        client.outcomes[ticket] = {**error.to_wire(), "errno": number}
        while len(client.outcomes) > _OUTCOMES:
            client.outcomes.popitem(last=False)

    # -- the rest ------------------------------------------------------------------------------------

    def _client(self, plugin_id: str) -> _Client:
        client = self._clients.get(plugin_id)
        if client is None:
            client = self._clients[plugin_id] = _Client(Rate(_PER_SECOND, _BURST))
        return client

    async def _addresses(self, plugin_id: str, host: str) -> tuple[str, ...]:
        addresses = await self._resolver.resolve(plugin_id, host)
        if (why := refused(host, addresses)) is not None:
            address = next((each for each in addresses if refused(host, [each])), addresses[0])
            raise AddressRefusedError(plugin_id, host, why, f"[{address}]" if ":" in address else address)
        return addresses

    def _some_port(self, plugin_id: str, host: str, port: int | None) -> Permission:
        """Return what has to be allowed for a name to be looked up: any connection to it that is."""
        wanted = hosts.wanted(host, port)
        if port is None and not self._gate.allowed(plugin_id, wanted).allowed:
            for granted in self._gate.granted(plugin_id):
                some = hosts.granted_port(granted)
                if some is not None and self._gate.allowed(plugin_id, hosts.wanted(host, some)).allowed:
                    return hosts.wanted(host, some)
        return wanted

    def _reconsider(self, plugin_id: str) -> None:
        """The plugin's grants have changed: cut what is not allowed any more."""
        client = self._clients.get(plugin_id)
        for connection in list(client.open) if client is not None else ():
            assert client is not None
            if not self._gate.allowed(plugin_id, connection.wanted).allowed:
                taken = PermissionDeniedError(f"{connection.wanted} was taken back from {plugin_id}")
                self._remember(client, connection.ticket, taken, errno.EACCES)
                self._audit(plugin_id, connection.wanted, "cut", "the permission was taken back")
                self._cut(connection, OSError(errno.EACCES, taken.detail))

    def _sweep(self) -> None:
        self._sweeping = None
        connections = [each for client in self._clients.values() for each in client.open]
        for connection in connections:
            if connection.relay is not None:
                connection.relay.sweep()
        if connections:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)

    def _audit(self, plugin_id: str, wanted: Permission, outcome: str, detail: str) -> None:
        self._gate.audit("broker", plugin_id, str(wanted), "network.connect", outcome, detail)
