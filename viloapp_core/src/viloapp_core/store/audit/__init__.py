"""What a wheel may not do, judged before any of it is unpacked.

pip lets a wrong RECORD, files over ``pyvenv.cfg`` and scripts named ``python`` through; this does not.
A ``.pth`` file runs code whenever the interpreter starts. In a plugin's own wheel it is refused; in a
dependency (setuptools and coverage ship one) it is reported, and runs only inside the sandbox.

>>> findings, problems = audit_all([hello, setuptools])
>>> findings[1].notes
('setuptools-84.2.1-py3-none-any.whl runs code at interpreter start (distutils-precedence.pth)',)
>>> problems
[]
"""

from viloapp_core.store.audit.entry_point import entry_point_issues
from viloapp_core.store.audit.finding import Finding
from viloapp_core.store.audit.overlaps import overlaps
from viloapp_core.store.audit.together import audit_all
from viloapp_core.store.audit.verdicts import Verdicts
from viloapp_core.store.audit.wheel import audit

__all__ = ["Finding", "Verdicts", "audit", "audit_all", "entry_point_issues", "overlaps"]
