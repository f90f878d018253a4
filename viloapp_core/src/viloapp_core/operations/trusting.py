"""Who made a plugin, and whether that is whom one trusts: after the audit of its wheels, before any question.

>>> judge = Judge(workshop, clock)                              # doctest: +SKIP
>>> verdict = judge.look(plan, description)                     # doctest: +SKIP
>>> artifact = judge.decide(verdict, consent)                   # doctest: +SKIP
>>> artifact.label                                              # doctest: +SKIP
'signed by github:someone/hello'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from viloapp_core import trust
from viloapp_core.foundation.clock import Clock, timestamp
from viloapp_core.ledger import AuditLog
from viloapp_core.operations.errors import ConsentRefusedError, LockedPublisherError
from viloapp_core.operations.outcomes import Consent
from viloapp_core.operations.signatures import find_signature
from viloapp_core.operations.workshop import Plan, Workshop
from viloapp_core.store import Store
from viloapp_core.store import archives as archive
from viloapp_core.trust import Examination, Publisher, Subject, TrustError, VerifiedArtifact
from viloapp_core.trust.policy import mismatches
from viloapp_core.trust.steps import PASSED

if TYPE_CHECKING:
    from viloapp_core.manifest import PluginDescription

_PUBLISHER_STEP = 5
CARRIED = "unsigned: carried by this core"
"""What a person is told of a wheel of the wheelhouse that nobody signed."""


@dataclass(frozen=True)
class Verdict:
    """What is known of a plugin before anybody is asked: trusted, or what a person has to say."""

    subject: Subject
    description: PluginDescription
    artifact: VerifiedArtifact | None = None
    """There when nobody needs to be asked."""
    examination: Examination | None = None
    """Of a first use: everything holds, and nobody has said yet that this is the right publisher."""
    named: str = ""
    """The publisher that the workspace lock names for it."""


class Judge:
    """Verifies what is about to be installed in one operation.

    Args:
        workshop: what the use case works with.
        clock: decides what has expired.
    """

    def __init__(self, workshop: Workshop, clock: Clock) -> None:
        self._workshop = workshop
        self._options = workshop.options
        self._clock = clock
        self._keeper = trust.TrustStore(workshop.store.root)
        self._book = self._keeper.read()
        self._blocks = self._keeper.blocks(clock.now())
        # What was written wrongly is told before anything is fetched.
        self._publishers = [trust.parse_publisher(text) for text in workshop.options.trust_publishers]

    @cached_property
    def _authority(self) -> trust.Authority:
        return self._keeper.authority(self._clock.now(), self._options.trust_config)

    def look(self, plan: Plan, description: PluginDescription) -> Verdict:
        """Examine a plugin's own wheel, whose bytes are those that its lock names.

        Raises:
            TrustError: it is not to be trusted, whatever anybody says.
            ResolveError: its signature cannot be had.
        """
        own = plan.resolution.plugin
        subject = Subject(plan.plugin_id, own.version, own.filename, own.sha256, plan.resolution.digest)
        if plan.source == "dev":
            assert plan.spec.path is not None
            made = trust.accept_dev(subject, plan.spec.path, now=self._clock.now())
            return Verdict(subject, description, made)
        signature = find_signature(plan, self._workshop)
        if signature is None:
            return self._unsigned(plan, subject, description)
        self._workshop.say(plan.plugin_id, "verify", f"checking who signed {own.filename}")
        examination = trust.examine(
            subject,
            signature,
            authority=self._authority,
            book=self._book,
            blocks=self._blocks,
            allow_downgrade=self._may_go_back(plan.plugin_id),
        )
        self._check_named(plan, examination)
        # Only who the publisher is can still be settled by a person: it takes that all else holds.
        if examination.pinned is None and {
            step.number for step in examination.steps if step.outcome != PASSED
        } == {_PUBLISHER_STEP}:
            return Verdict(subject, description, None, examination, plan.publisher)
        return Verdict(subject, description, self._verify(examination))

    def decide(self, verdict: Verdict, consent: Consent) -> VerifiedArtifact:
        """Return the artifact that may be laid down, asking a person where one has to say something.

        Raises:
            TrustError: nobody said that this publisher is the right one, or that it may be unsigned.
        """
        if verdict.artifact is not None:
            return verdict.artifact
        if verdict.examination is None:
            answer = consent.ask_unsigned(verdict.description, CARRIED)
            if answer is False:
                raise ConsentRefusedError(verdict.subject.plugin_id, "that nobody signed it was")
            return self._accept_unsigned(verdict.subject, allowed=answer is True)
        examination = verdict.examination
        if (known := self._known(examination, verdict.named)) is not None:
            return known
        # What is no release, a branch's build, is not offered: it has to be named in full.
        answer = consent.ask_publisher(verdict.description, examination) if examination.first_use else None
        if answer is False:
            raise ConsentRefusedError(verdict.subject.plugin_id, "its publisher was")
        # Where nobody answered, the refusal says who it is, and how to say that it is the right one.
        return self._verify(examination, accept=examination.offered if answer else None)

    def _known(self, examination: Examination, named: str) -> VerifiedArtifact | None:
        """Return the artifact of a first use whose publisher was named beforehand; None when none was."""
        candidates: list[Publisher] = list(self._publishers)
        if named and self._options.trust_lock:
            candidates.append(trust.parse_publisher(named))
        problem: TrustError | None = None
        for publisher in candidates:
            try:
                return self._verify(examination, accept=publisher)
            except TrustError as error:
                problem = error
        if problem is not None:
            raise problem
        return None

    def _verify(self, examination: Examination, accept: Publisher | None = None) -> VerifiedArtifact:
        return trust.verify(examination, now=self._clock.now(), accept=accept)

    def _unsigned(self, plan: Plan, subject: Subject, description: PluginDescription) -> Verdict:
        if plan.publisher:
            raise LockedPublisherError(plan.plugin_id, plan.publisher, ["nobody signed this one"])
        if plan.source == "bundled" and plan.plugin_id not in self._options.allow_unsigned:
            try:
                return Verdict(subject, description, self._accept_unsigned(subject, allowed=False))
            except trust.UnsignedError:
                return Verdict(subject, description)  # the page may ask; who else does is refused
        allowed = plan.plugin_id in self._options.allow_unsigned
        return Verdict(subject, description, self._accept_unsigned(subject, allowed=allowed))

    def _accept_unsigned(self, subject: Subject, *, allowed: bool) -> VerifiedArtifact:
        book = self._book
        if allowed:
            book = book.with_unsigned(subject.plugin_id, timestamp(self._clock))
        return trust.accept_unsigned(
            subject,
            book=book,
            blocks=self._blocks,
            now=self._clock.now(),
            allow_downgrade=self._may_go_back(subject.plugin_id),
        )

    def _may_go_back(self, plugin_id: str) -> bool:
        return plugin_id in self._options.allow_downgrade

    def _check_named(self, plan: Plan, examination: Examination) -> None:
        """Refuse what somebody else signed than the workspace lock says.

        Raises:
            LockedPublisherError: it does not fit to the lock.
        """
        if not plan.publisher or examination.signer is None:
            return
        if wrong := mismatches(examination.signer, trust.parse_publisher(plan.publisher)):
            raise LockedPublisherError(plan.plugin_id, plan.publisher, wrong)

    def warnings(self) -> Sequence[str]:
        """Return what a person should know of the means of verification: a stale root, an expired list."""
        warned = self.__dict__.get("_authority")  # only what was needed is looked at
        return [*self._blocks.warnings, *(warned.warnings if warned is not None else ())]


def note_trust(
    store: Store, artifact: VerifiedArtifact, allow_downgrade: Sequence[str], clock: Clock
) -> None:
    """Keep a signature with the archives, and write down what a person decided about trust.

    Args:
        store: where it was installed.
        artifact: what was installed.
        allow_downgrade: plugins that the person allowed to become older.
        clock: for the time.
    """
    if artifact.signature is not None:
        archive.keep_signature(store.layout, artifact.sha256, artifact.signature)
    log = AuditLog(store.root, clock)
    detail = f"{artifact.filename} sha256 {artifact.sha256}"
    log.record("trust", artifact.plugin_id, call="install", outcome=artifact.label, detail=detail)
    if artifact.plugin_id in allow_downgrade:
        log.record("trust", artifact.plugin_id, call="install", outcome="downgrade allowed", detail=detail)
    log.close()
