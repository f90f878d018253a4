"""Whether the arguments of a call fit a handler, read from its code object.

`inspect` says the same at twenty times the cost of importing it, and a worker starts for every plugin.
"""

from viloapp_sdk.errors import InvalidArgumentsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["Signature"]

_REMEMBERED = 8
_VARARGS_AND_KEYWORDS = 0x08  # inspect.CO_VARKEYWORDS


class Signature:
    """What a handler takes, read once: a handler is called far more often than it changes.

    Args:
        handler: a function, a bound method, or anything else that can be called.

    Attributes:
        fits: names of arguments that were found to fit.
    """

    __slots__ = ("_known", "_open", "_required", "_takes", "_unread", "fits")

    def __init__(self, handler: "Callable[..., Any]") -> None:
        function = getattr(handler, "__func__", handler)
        code = getattr(function, "__code__", None)
        # A callable object or a wrapper: only the call itself can tell.
        self._unread = code is None or hasattr(function, "__wrapped__")
        self._takes: tuple[str, ...] = ()
        self._required = self._known = frozenset[str]()
        self.fits: set[tuple[str, ...]] = set()
        self._open = True
        if code is None or self._unread:
            return
        positional = code.co_varnames[: code.co_argcount]
        if handler is not function:
            positional = positional[1:]  # bound: `self`
        keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        defaults = function.__defaults__ or ()
        required = set(positional[: len(positional) - len(defaults)] if defaults else positional)
        required |= set(keyword_only) - set(function.__kwdefaults__ or ())
        self._takes = (*positional, *keyword_only)
        self._required = frozenset(required)
        self._known = frozenset(positional[code.co_posonlyargcount :]) | frozenset(keyword_only)
        self._open = bool(code.co_flags & _VARARGS_AND_KEYWORDS)

    def bind(self, args: "Mapping[str, Any]", command: str) -> "dict[str, Any]":
        """Return ``args`` as keywords.

        Raises:
            InvalidArgumentsError: with everything that is missing or unknown.
        """
        keywords = args if type(args) is dict else dict(args)
        if self._unread:
            return keywords
        given = keywords.keys()
        if self._required <= given and (self._open or given <= self._known):
            if len(self.fits) < _REMEMBERED:
                self.fits.add((*keywords,))
            return keywords
        missing = sorted(self._required - given)
        unknown = [] if self._open else sorted(given - self._known)
        problems = [f"missing {name!r}" for name in missing] + [f"unknown {name!r}" for name in unknown]
        takes = ", ".join(self._takes) or "nothing"
        raise InvalidArgumentsError(f"{command}: {', '.join(problems)}", f"it takes: {takes}")
