"""Whether the arguments of a call fit a handler, read from its code object.

`inspect` says the same at twenty times the cost of importing it, and a worker starts for every plugin.
"""

from viloapp_sdk.errors import InvalidArgumentsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_VARARGS_AND_KEYWORDS = 0x08  # inspect.CO_VARKEYWORDS


def bind(handler: "Callable[..., Any]", args: "Mapping[str, Any]", command: str) -> "dict[str, Any]":
    """Return ``args`` as keywords for ``handler``.

    Raises:
        InvalidArgumentsError: with everything that is missing or unknown.
    """
    keywords = dict(args)
    function = getattr(handler, "__func__", handler)
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return keywords  # a callable object or a wrapper: only the call itself can tell
    positional = code.co_varnames[: code.co_argcount]
    if handler is not function:
        positional = positional[1:]  # bound: `self`
    keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    required = set(positional[: len(positional) - len(defaults)] if defaults else positional)
    required |= set(keyword_only) - set(function.__kwdefaults__ or ())
    known = set(positional[code.co_posonlyargcount :]) | set(keyword_only)
    missing = sorted(required - keywords.keys())
    unknown = [] if code.co_flags & _VARARGS_AND_KEYWORDS else sorted(keywords.keys() - known)
    if missing or unknown:
        problems = [f"missing {name!r}" for name in missing] + [f"unknown {name!r}" for name in unknown]
        takes = ", ".join([*positional, *keyword_only]) or "nothing"
        raise InvalidArgumentsError(f"{command}: {', '.join(problems)}", f"it takes: {takes}")
    return keywords
