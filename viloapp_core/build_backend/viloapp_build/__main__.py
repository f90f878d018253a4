"""For a clone whose core is installed in place.

`python -m viloapp_build` refreshes the bundle and the wheelhouse; `python -m viloapp_build requirements`
prints, one a line, what has to be installed before that.
"""

import sys

from . import PROJECT, frontend, prepare

if sys.argv[1:] == ["requirements"]:
    print("\n".join(frontend.requirements(PROJECT)))
else:
    prepare()
