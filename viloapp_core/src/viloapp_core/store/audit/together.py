"""All wheels of one virtualenv: each judged by itself, then what they do to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

from viloapp_core.foundation.processors import processors
from viloapp_core.store.audit.finding import Finding
from viloapp_core.store.audit.overlaps import overlaps
from viloapp_core.store.audit.wheel import audit
from viloapp_core.store.errors import OverlappingWheelsError, StoreError, UnsafeWheelError

__all__ = ["audit_all"]


def audit_all(
    wheels: Sequence[Path], *, dev: bool = False, known: Mapping[Path, Finding] = MappingProxyType({})
) -> tuple[list[Finding], list[StoreError]]:
    """Judge the wheels of one plugin; return what is known of the good ones, and an error per problem.

    Unpacking and hashing leave the interpreter to other threads, so that wheels are read side by side.

    Args:
        wheels: files under their proper names; the first is the plugin's own.
        dev: the plugin's own was built from the user's folder.
        known: dependencies that `Verdicts` recalled, which are not read again.
    """

    def judge(number: int) -> Finding | UnsafeWheelError:
        if number and (finding := known.get(wheels[number])) is not None:
            return finding
        try:
            return audit(wheels[number], own=number == 0, dev=dev)
        except UnsafeWheelError as error:
            return error

    threads = ThreadPoolExecutor(max_workers=min(4, processors()))
    try:
        answers = list(threads.map(judge, range(len(wheels))))
    finally:
        threads.shutdown(cancel_futures=True)  # after Ctrl-C no further wheel is begun
    findings = [answer for answer in answers if isinstance(answer, Finding)]
    problems: list[StoreError] = [answer for answer in answers if isinstance(answer, UnsafeWheelError)]
    if issues := overlaps(findings):
        problems.append(OverlappingWheelsError(issues))
    return findings, problems
