"""Why something is not trusted, and errors of the files that trust is kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viloapp_sdk.errors import ViloError

if TYPE_CHECKING:
    from viloapp_core.trust.procedure import Examination
    from viloapp_core.trust.publishers import Publisher


class TrustError(ViloError):
    """Root of everything `viloapp_core.trust` raises."""


class TrustFileError(TrustError):
    """A file that trust is kept in is damaged or was changed by something else; nothing is trusted.

    Args:
        detail: what is wrong and where; several problems are separated by semicolons.
        hint: what to do.
    """

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("bad_trust_file", detail, hint)


class PublisherTextError(TrustError):
    """A publisher was written in a way that cannot be read."""

    def __init__(self, text: str, problems: list[str]) -> None:
        super().__init__(
            "bad_publisher",
            f"{text!r} names no publisher: {'; '.join(problems)}",
            "write github:OWNER/REPO@.github/workflows/FILE.yml, gitlab:GROUP/PROJECT@.gitlab-ci.yml "
            "or email:NAME@HOST,issuer=URL",
        )


class RefusedError(TrustError):
    """An artifact is not trusted; the examination says at which step.

    Args:
        code: for programs.
        detail: for a person.
        hint: what to do.
        examination: every step with its outcome.
    """

    def __init__(self, code: str, detail: str, hint: str, examination: Examination) -> None:
        super().__init__(code, detail, hint)
        self.examination = examination


class SignatureError(RefusedError):
    """The signature does not hold, or is of something else."""


class FirstUseError(RefusedError):
    """The signature holds, and nobody has said yet that this publisher is the right one.

    Args:
        publisher: who would be pinned.
        code: for programs.
        detail: for a person.
        hint: what to do.
        examination: every step with its outcome.
    """

    def __init__(
        self, publisher: Publisher, code: str, detail: str, hint: str, examination: Examination
    ) -> None:
        super().__init__(code, detail, hint, examination)
        self.publisher = publisher


class ChangedPublisherError(RefusedError):
    """The signature holds, and is not of the publisher that is pinned."""


class RevokedError(RefusedError):
    """A block list names the artifact."""


class DowngradeError(RefusedError):
    """The version is older than one that was installed before."""


class UnsignedError(RefusedError):
    """There is no signature, and nobody allowed that for this plugin."""


class SigningError(TrustError):
    """Something could not be signed."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("not_signed", detail, hint)


class RefreshError(TrustError):
    """The trusted root or a block list could not be fetched; what there was stays in force."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__("not_refreshed", detail, hint)
