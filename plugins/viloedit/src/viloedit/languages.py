"""The language of a file, told by its name alone.

>>> language_of("src/app.py"), language_of("Dockerfile"), language_of("notes")
('python', 'dockerfile', 'text')
"""

from pathlib import PurePath

__all__ = ["LANGUAGES", "language_of"]

PLAIN = "text"

_BY_NAME = {
    "cmakelists.txt": "cmake",
    "containerfile": "dockerfile",
    "dockerfile": "dockerfile",
    "makefile": "makefile",
    "pipfile": "toml",
    "pylock.toml": "toml",
    ".bashrc": "shell",
    ".profile": "shell",
    ".zshrc": "shell",
}

_EXTENSIONS = {
    "c": "c h",
    "cpp": "cc cpp cxx hh hpp hxx",
    "css": "css",
    "diff": "diff patch",
    "go": "go",
    "html": "htm html xhtml",
    "ini": "cfg conf ini properties",
    "java": "java",
    "javascript": "cjs js jsx mjs",
    "json": "geojson ipynb json jsonl webmanifest",
    "less": "less",
    "lua": "lua",
    "markdown": "markdown md mdown",
    "perl": "pl pm",
    "php": "php",
    "python": "py pyi pyw",
    "ruby": "gemspec rb",
    "rust": "rs",
    "sass": "sass scss",
    "shell": "bash ksh sh zsh",
    "sql": "sql",
    "toml": "toml",
    "typescript": "cts mts ts tsx",
    "xml": "svg xml xsd xsl",
    "yaml": "yaml yml",
}
LANGUAGES = frozenset({*_EXTENSIONS, *_BY_NAME.values()})
"""The names that there are."""

_BY_EXTENSION = {extension: name for name, all_ in _EXTENSIONS.items() for extension in all_.split()}


def language_of(path: str) -> str:
    """Return the language of the file at ``path``, ``text`` when its name does not tell."""
    name = PurePath(path).name.lower()
    return _BY_NAME.get(name) or _BY_EXTENSION.get(name.rpartition(".")[2], PLAIN)
