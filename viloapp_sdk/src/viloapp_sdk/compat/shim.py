"""An old widget's class, callable as new ones are."""

from viloapp_sdk._deprecated import OLD_INTERFACE_GONE_IN, tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["create_compatibility_shim"]


def create_compatibility_shim(widget_class: type) -> type:
    """Return a class derived from an old widget's that can be called as new ones are.

    Arguments that the old ``__init__`` does not take are left out, with a `DeprecationWarning` that names
    them; it points at the line that made the widget.

    Args:
        widget_class: the old widget's class.
    """
    fit = _arguments(widget_class)

    class CompatibilityShim(widget_class):  # type: ignore[misc]
        """An old widget that takes new arguments."""

        def __init__(self, /, *args: "Any", **kwargs: "Any") -> None:
            taken, named, left = fit(args, kwargs)
            if left:
                message = (
                    f"{widget_class.__name__}() does not take {', '.join(left)}; derive it from "
                    "viloapp_sdk.Widget, whose initialize() gets context and instance id: viloapp-sdk "
                    f"{OLD_INTERFACE_GONE_IN} leaves out no arguments"
                )
                tell(f"{widget_class.__module__}.{message}", message)
            super().__init__(*taken, **named)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(CompatibilityShim, name, getattr(widget_class, name))
    return CompatibilityShim


def _arguments(
    widget_class: type,
) -> "Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any], list[str]]]":
    """Return what sorts arguments into those that a class takes by place, by name, and not at all.

    It is decided from the class, once: an instance has no attributes of its own yet when they are sorted.
    """
    import inspect

    # mypy sees an instance's in `widget_class.__init__`, and a class's own it is.
    init: Any = getattr(widget_class, "__init__")  # noqa: B009
    plain = init is object.__init__  # whose signature says that it takes anything
    try:
        parameters = [] if plain else [*inspect.signature(init).parameters.values()][1:]
    except (TypeError, ValueError):  # written in C, and it does not say
        return lambda args, kwargs: (args, kwargs, [])
    kinds = inspect.Parameter
    by_place = [p.name for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    by_name = {p.name for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)}
    any_place = any(p.kind is kinds.VAR_POSITIONAL for p in parameters)
    any_name = any(p.kind is kinds.VAR_KEYWORD for p in parameters)

    def fit(args: "tuple[Any, ...]", kwargs: "dict[str, Any]") -> "Any":
        taken = args if any_place else args[: len(by_place)]
        named = kwargs if any_name else {name: value for name, value in kwargs.items() if name in by_name}
        left = [f"argument {at + 1}" for at in range(len(taken), len(args))]
        return taken, named, left + [name for name in kwargs if name not in named]

    return fit
