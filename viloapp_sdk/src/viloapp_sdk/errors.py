"""The one root of every error that crosses a boundary of ViloApp.

An error carries a stable ``code`` for programs, a ``detail`` for people and a ``hint`` that says what to
do next. These three, and never a traceback, travel between a worker and its host:

    >>> error = PermissionDeniedError("hello may not open a terminal", "viloapp permissions grant hello")
    >>> error.code
    'permission_denied'
    >>> str(error)
    'hello may not open a terminal'
    >>> isinstance(from_wire(error.to_wire()), PermissionDeniedError)
    True
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "CallCancelledError",
    "DeadlineExceededError",
    "FrameError",
    "HandlerError",
    "IncompatibleVersionsError",
    "InvalidArgumentsError",
    "LimitExceededError",
    "NotStreamingError",
    "PermissionDeniedError",
    "ReentrancyError",
    "StreamingCommandError",
    "UnknownCommandError",
    "UnknownServiceError",
    "UnknownWidgetError",
    "ViloError",
    "WorkerLostError",
    "from_wire",
]


class ViloError(Exception):
    """An error that says what happened and what to do next.

    Args:
        code: stable identifier in snake_case, for programs.
        detail: one line for a person: what, where.
        hint: what to do next; empty when there is nothing to do.
    """

    def __init__(self, code: str, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.hint = hint

    def to_wire(self) -> "dict[str, str]":
        """Return ``{"code", "detail", "hint"}``, the shape of an error frame's body."""
        return {"code": self.code, "detail": self.detail, "hint": self.hint}


class _CodedError(ViloError):
    """A `ViloError` whose class fixes its code, so that callers can catch it by type."""

    CODE = "error"

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(self.CODE, detail, hint)


class PermissionDeniedError(_CodedError, PermissionError):
    """The call needs a permission that the plugin was not granted.

    Also a `PermissionError`, since library code that opens a connection or a file expects an `OSError`.
    """

    CODE = "permission_denied"

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail, hint)
        self.errno = 13  # EACCES


class UnknownCommandError(_CodedError):
    """No enabled plugin has the command."""

    CODE = "unknown_command"


class StreamingCommandError(_CodedError):
    """The command yields bytes in parts: it is streamed (`Host.stream`), and cannot be called."""

    CODE = "streaming_command"


class NotStreamingError(_CodedError):
    """The command was streamed, and its handler is no generator: it is called (`Host.call`)."""

    CODE = "not_streaming"


class UnknownWidgetError(_CodedError):
    """No enabled plugin has the widget, or no such instance is open."""

    CODE = "unknown_widget"


class UnknownServiceError(_CodedError):
    """The host has no such service, or the service no such method."""

    CODE = "unknown_service"


class InvalidArgumentsError(_CodedError):
    """The arguments of a call do not fit what it takes."""

    CODE = "invalid_arguments"


class HandlerError(_CodedError):
    """The plugin's own code raised; its traceback is in the plugin's log."""

    CODE = "handler_failed"


class DeadlineExceededError(_CodedError):
    """The call did not answer within its deadline."""

    CODE = "deadline_exceeded"


class LimitExceededError(_CodedError):
    """The plugin reached one of its limits: memory, open files, processes, disk."""

    CODE = "limit_exceeded"


class CallCancelledError(_CodedError):
    """The caller gave the call up."""

    CODE = "cancelled"


class ReentrancyError(_CodedError):
    """Nested calls between host and worker went deeper than the bound."""

    CODE = "reentrancy"


class WorkerLostError(_CodedError):
    """The plugin's process ended before it answered."""

    CODE = "worker_lost"


class IncompatibleVersionsError(_CodedError):
    """Two sides have no version in common: of the wire, or of the interface between plugin and core.

    The detail names both versions, the hint what to update.
    """

    CODE = "incompatible_versions"


class FrameError(_CodedError):
    """A frame broke the protocol: too large, malformed, or not asked for."""

    CODE = "bad_frame"


_BY_CODE = {cls.CODE: cls for cls in _CodedError.__subclasses__()}

# What a hostile peer may put into the texts of an error; a person reads them on one line.
_MAX_TEXT = 4096


def from_wire(body: "Any") -> ViloError:
    """Rebuild an error from the body of an error frame; never raises, whatever the body is."""
    if not isinstance(body, dict):
        return FrameError("an error frame had no body")
    code, detail, hint = (str(body.get(key, ""))[:_MAX_TEXT] for key in ("code", "detail", "hint"))
    cls = _BY_CODE.get(code)
    return cls(detail, hint) if cls else ViloError(code or "error", detail, hint)
