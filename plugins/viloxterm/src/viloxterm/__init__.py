"""A terminal for the ViloApp workspace: the person's own shell in a tab.

The shell runs on the host, behind the permission ``process.spawn.terminal``. This plugin says which
program, where and under which name; its own process never sees the shell's output.
"""

__version__ = "0.1.0"
