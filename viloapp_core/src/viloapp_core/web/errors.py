"""What can go wrong between the page and the host, each with what to do next."""

from collections.abc import Sequence

from viloapp_sdk.errors import ViloError

__all__ = [
    "AddressError",
    "BundleMissingError",
    "InternalError",
    "InvalidRequestError",
    "LayoutError",
    "OutsideWorkspaceError",
    "PageMissingError",
    "TooManyRequestsError",
    "UnknownMethodError",
    "UnknownOperationError",
    "UnreadableFolderError",
    "UnshowableResultError",
    "WebError",
]


class WebError(ViloError):
    """Root of the workspace server's errors."""


class AddressError(WebError):
    """The server cannot listen where it was asked to."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__("address_refused", detail, hint)


class BundleMissingError(WebError):
    """The page was not built into this installation."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            "bundle_missing",
            f"the workspace page is not in {folder}",
            "reinstall viloapp-core, or run `npm ci && node build.mjs` in viloapp_core/frontend",
        )


class PageMissingError(WebError):
    """A widget names a page that its plugin's package does not have."""

    def __init__(self, plugin_id: str, path: str) -> None:
        super().__init__(
            "page_missing",
            f"{path} is not in the package of {plugin_id}",
            "its author has to put the folder into package-data of pyproject.toml",
        )


class InvalidRequestError(WebError):
    """A message of the page does not have the shape that its method takes.

    Args:
        where: the method, or what else was read.
        issues: every fault, each with its path.
    """

    def __init__(self, where: str, issues: Sequence[str]) -> None:
        self.issues = tuple(issues)
        super().__init__("invalid_request", f"{where}: {'; '.join(self.issues)}", "reload the page")


class InternalError(WebError):
    """The server itself failed; what happened is in the host's log, never in the page."""

    def __init__(self, method: str, kind: str) -> None:
        super().__init__("internal", f"{method} failed: {kind}", "the host's log has the details")


class UnshowableResultError(WebError):
    """A command returned what JSON cannot hold."""

    def __init__(self, reason: str) -> None:
        super().__init__("unshowable_result", f"the result cannot be shown: {reason}", "return JSON's types")


class UnknownMethodError(WebError):
    """The page called a method that this server does not have."""

    def __init__(self, method: str) -> None:
        super().__init__("unknown_method", f"there is no method {method!r}", "reload the page")


class TooManyRequestsError(WebError):
    """One page has more requests unanswered than is allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__("too_many_requests", f"{limit} requests are unanswered", "wait for some of them")


class OutsideWorkspaceError(WebError):
    """The path is not inside the workspace folder."""

    def __init__(self, path: str, folder: str) -> None:
        super().__init__(
            "outside_workspace",
            f"{path} is not inside the workspace folder {folder}",
            "start `viloapp run` in a folder that contains it",
        )


class UnreadableFolderError(WebError):
    """A folder of the workspace cannot be listed."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            "unreadable_folder", f"cannot list {path}: {reason}", "check the path and its rights"
        )


class LayoutError(WebError):
    """The arrangement of the workspace cannot be kept."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__("layout_refused", detail, hint)


class UnknownOperationError(WebError):
    """The page answered a question that nobody is asking any more."""

    def __init__(self, operation: str) -> None:
        super().__init__(
            "unknown_operation", f"no operation {operation!r} waits for an answer", "start it again"
        )
