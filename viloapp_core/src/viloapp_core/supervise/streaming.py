"""One streaming command under way: its bytes, and how it is told that they end too soon."""

from collections.abc import Awaitable, Callable

from viloapp_core.metrics import PluginMetrics
from viloapp_core.rpc import Incoming
from viloapp_sdk.errors import IncompatibleVersionsError

__all__ = ["Streaming", "no_streams"]


class Streaming:
    """Read by whoever streams a command; made by `Worker.stream`.

    Args:
        incoming: the bytes; owned from now on.
        metrics: counts them.
        told: turns an error of the wire into what the reader is told.
        on_close: called once.
    """

    def __init__(
        self,
        incoming: Incoming,
        metrics: PluginMetrics,
        told: Callable[[Exception], Awaitable[BaseException]],
        on_close: Callable[[], object],
    ) -> None:
        self._incoming = incoming
        self._metrics = metrics
        self._told = told
        self._on_close = on_close
        metrics.streams += 1

    async def read(self, timeout_s: float) -> bytes:
        """Return what comes next, nothing at the end; see `Incoming.read`.

        Raises:
            ViloError: what the plugin answered, or that it could not.
        """
        try:
            data = await self._incoming.read(timeout_s)
        except Exception as error:
            told = await self._told(error)
            self._metrics.failed(told)
            self.close()
            raise told from error
        if data:
            self._metrics.streamed += len(data)
        else:
            self.close()
        return data

    def close(self) -> None:
        """Read no more; the plugin's generator is closed at its next ``yield``. May be called twice."""
        if not self._incoming.closed:
            self._incoming.close()
            self._metrics.streams -= 1
            self._on_close()


def no_streams(plugin_id: str, sdk: str) -> IncompatibleVersionsError:
    """Return why nothing of a plugin can be streamed: its SDK is of before there were streams."""
    return IncompatibleVersionsError(
        f"{plugin_id} has viloapp-sdk {sdk or 'of an older version'}, which streams nothing",
        "have the SDK of this viloapp-core laid beside the plugin: "
        f"viloapp install --force-reinstall {plugin_id}",
    )
