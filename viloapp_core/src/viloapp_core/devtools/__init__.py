r"""For authors of plugins: what their source says about itself before anybody installs it.

>>> from viloapp_core.devtools import hints
>>> [str(each.permission) for each in hints("import subprocess\nsubprocess.run(['git', 'status'])", "a.py")]
['None', 'process.execute.git']
"""

from viloapp_core.devtools.excess import judge, project_findings
from viloapp_core.devtools.findings import Finding
from viloapp_core.devtools.hints import Hint, hints

__all__ = ["Finding", "Hint", "hints", "judge", "project_findings"]
