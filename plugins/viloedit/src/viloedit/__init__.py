"""A text editor for the ViloApp workspace.

`documents` turns bytes on disk into text and back without losing anything, `editor` is the tab, `plugin`
the commands. Files are read and written in the plugin's own sandboxed process, which sees the workspace
folder and nothing else of the machine.
"""

__version__ = "0.1.0"
