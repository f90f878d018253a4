"""`Publisher`: whose signature is expected, and how a person writes that down. Pure.

    >>> publisher = parse_publisher("github:octo/hello@.github/workflows/release.yml")
    >>> publisher.repository, publisher.ref
    ('octo/hello', 'refs/tags/*')
    >>> str(publisher)
    'github:octo/hello@.github/workflows/release.yml'

The text is ``KIND:SUBJECT``, for `github` and `gitlab` ``@WORKFLOW``, then ``,key=value`` for what differs
from the default: ``repository-id``, ``owner-id``, ``ref``, ``builder``, ``issuer``. A character that would
be taken for one of these separators is percent-encoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from urllib.parse import quote, unquote

from viloapp_core.trust.errors import PublisherTextError

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GITLAB_ISSUER = "https://gitlab.com"
# GitHub Enterprise Server's issuer is https://HOST/_services/token; its repositories are at https://HOST.
# Source: GitHub documentation, "OpenID Connect reference".
_ENTERPRISE_SUFFIX = "/_services/token"
TAGS = "refs/tags/*"
"""The default of what may have been built: a release, which has a tag."""

KINDS = ("github", "gitlab", "email")
_DEFAULT_ISSUERS = {"github": GITHUB_ISSUER, "gitlab": GITLAB_ISSUER, "email": ""}
_KEYS = {
    "repository-id": "repository_id",
    "owner-id": "owner_id",
    "ref": "ref",
    "builder": "builder",
    "issuer": "issuer",
}
_MAX_TEXT = 2000
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+")
_NUMBER = re.compile(r"[0-9]{1,20}")
_EMAIL = re.compile(r"[^\s@\x00-\x1f]+@[^\s@\x00-\x1f]+")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_URL = re.compile(r"https?://[\x21-\x7e]+")


@dataclass(frozen=True)
class Publisher:
    """Whose signature is expected.

    Args:
        kind: ``github``, ``gitlab`` or ``email``.
        issuer: URL of who vouched for the identity.
        email: the address; of ``email`` only.
        repository: ``owner/name``; GitLab's may be deeper.
        repository_id: the number that a repository keeps, and that one of the same name made later does not
            have. Empty: any.
        owner_id: the same of its owner.
        workflow: path of the workflow in the repository.
        ref: pattern of the git reference that was built; ``*`` stands for anything.
        builder: URL, without its reference, of a reusable workflow that did the signing; empty when the
            workflow itself did.
    """

    kind: str
    issuer: str
    email: str = ""
    repository: str = ""
    repository_id: str = ""
    owner_id: str = ""
    workflow: str = ""
    ref: str = ""
    builder: str = ""

    @property
    def short(self) -> str:
        """The text for listings: ``github:owner/name`` or ``email:someone@example.org``."""
        return f"{self.kind}:{self.email or self.repository}"

    @property
    def shown(self) -> str:
        """`short`, and who vouches for it where that is another forge than the kind's own."""
        if self.kind == "email" or self.issuer == _DEFAULT_ISSUERS.get(self.kind):
            return self.short
        return f"{self.short} at {self.issuer.partition('://')[2]}"

    def problems(self) -> list[str]:
        """Return what keeps this from being a publisher at all."""
        if self.kind not in KINDS:
            return [f"{self.kind!r} is not one of {', '.join(KINDS)}"]
        found = [] if _URL.fullmatch(self.issuer) else ["an issuer is a URL: issuer=https://…"]
        if self.kind == "email":
            found += [] if _EMAIL.fullmatch(self.email) else [f"{self.email!r} is not an e-mail address"]
            extra = [f.name for f in fields(self) if f.name not in ("kind", "issuer", "email")]
            return found + [f"an e-mail address has no {name}" for name in extra if getattr(self, name)]
        found += ["a repository has no email"] if self.email else []
        too_deep = self.kind == "github" and self.repository.count("/") != 1
        if too_deep or ".." in self.repository or not _REPOSITORY.fullmatch(self.repository):
            found.append(f"{self.repository!r} is not like owner/repository")
        if not _PRINTABLE.fullmatch(self.workflow):
            found.append("the path of the workflow is missing, like @.github/workflows/release.yml")
        found += [] if _PRINTABLE.fullmatch(self.ref) else ["ref is not like refs/tags/*"]
        for name in ("repository_id", "owner_id"):
            if (value := getattr(self, name)) and not _NUMBER.fullmatch(value):
                found.append(f"{name.replace('_', '-')} {value!r} is not a number")
        if self.builder and not _URL.fullmatch(self.builder):
            found.append("builder is not a URL")
        return found

    def __str__(self) -> str:
        """Return the text that `parse_publisher` reads."""
        at = f"@{_encode(self.workflow)}" if self.workflow else ""
        text = f"{self.kind}:{_encode(self.email or self.repository, keep='@' if self.email else '')}{at}"
        default = _default(self.kind)
        for key, name in _KEYS.items():
            if (value := getattr(self, name)) != getattr(default, name):
                text += f",{key}={_encode(value, keep='@')}"
        return text


def parse_publisher(text: str) -> Publisher:
    """Return the publisher that a text names.

    Raises:
        PublisherTextError: it names none; all problems at once.
    """
    if len(text) > _MAX_TEXT:
        raise PublisherTextError(text[:60] + "…", [f"it is longer than {_MAX_TEXT} characters"])
    head, *pairs = text.split(",")
    kind, colon, subject = head.partition(":")
    if not colon or kind not in KINDS:
        raise PublisherTextError(text, [f"it does not begin with {', '.join(f'{k}:' for k in KINDS)}"])
    problems: list[str] = []
    values: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not value or key not in _KEYS:
            problems.append(f"{pair!r} is not one of {', '.join(f'{k}=…' for k in _KEYS)}")
        elif _KEYS[key] in values:
            problems.append(f"{key} is there twice")
        else:
            values[_KEYS[key]] = unquote(value)
    if kind == "email":
        values["email"] = unquote(subject)
    else:
        repository, _, workflow = subject.partition("@")
        values |= {"repository": unquote(repository), "workflow": unquote(workflow)}
    publisher = replace(_default(kind), **values)
    if problems := problems + publisher.problems():
        raise PublisherTextError(text, problems)
    return publisher


def forge(issuer: str) -> tuple[str, str]:
    """Return the kind of an issuer's forge, and where its repositories are (``https://github.com``).

    Whatever is not GitHub is taken for a GitLab of its own; certificates that do not fit are of no kind.
    """
    # An enterprise may have https://token.actions.githubusercontent.com/SLUG.
    if issuer == GITHUB_ISSUER or issuer.startswith(GITHUB_ISSUER + "/"):
        return "github", "https://github.com"
    if issuer.endswith(_ENTERPRISE_SUFFIX):
        return "github", issuer.removesuffix(_ENTERPRISE_SUFFIX)
    return "gitlab", issuer.rstrip("/")


def _default(kind: str) -> Publisher:
    return Publisher(kind, _DEFAULT_ISSUERS[kind], ref="" if kind == "email" else TAGS)


def _encode(value: str, keep: str = "") -> str:
    return quote(value, safe=f"/:*{keep}")
