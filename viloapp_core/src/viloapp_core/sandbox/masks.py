"""What stays hidden when a plugin is given a folder that contains it.

A person may well open their home as the workspace. Key material, logins and browser profiles below it are
no part of "the files of my project", and neither is the store with the data of other plugins.
"""

from collections.abc import Iterator
from pathlib import Path

from viloapp_core.sandbox.request import Disk

__all__ = ["SECRETS", "masked", "within"]

# Relative to the home. A name that is missing on a machine costs one stat at the start of a worker.
SECRETS = (
    ".ssh",
    ".gnupg",
    ".pki",
    ".password-store",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".config/sops",
    ".age",
    ".netrc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/glab-cli",
    ".config/hub",
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/doctl",
    ".oci",
    ".terraform.d",
    ".terraformrc",
    ".kube",
    ".docker",
    ".config/containers",
    ".pypirc",
    ".npmrc",
    ".yarnrc.yml",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".m2/settings.xml",
    ".gradle/gradle.properties",
    ".config/rclone",
    ".config/op",
    ".config/Bitwarden",
    ".config/keepassxc",
    ".mozilla",
    ".thunderbird",
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/microsoft-edge",
    ".config/vivaldi",
    ".config/opera",
    ".config/Signal",
    ".config/Slack",
    ".config/discord",
    ".Xauthority",
    ".ICEauthority",
    ".vault-token",
    ".s3cfg",
    ".boto",
    ".subversion/auth",
    ".composer/auth.json",
    ".config/composer/auth.json",
    ".local/share/fish/fish_history",
    ".mysql_history",
    ".psql_history",
    ".var/app",
    "snap",
    ".bash_history",
    ".zsh_history",
    ".python_history",
)


def within(path: Path, folder: Path) -> bool:
    """Tell whether ``path`` is ``folder`` or lies below it."""
    # Compared as text: this is asked hundreds of times for each start, and paths of objects are slow.
    inner, outer = str(path), str(folder)
    return inner == outer or inner.startswith(outer if outer.endswith("/") else outer + "/")


def masked(folder: Path, *, home: Path, store: Path, disk: Disk) -> Iterator[Path]:
    """Yield what must be hidden below ``folder``: paths free of links, each existing.

    A secret that is a link is hidden where it really lies, if that is below the folder; if it is not,
    the link leads nowhere inside the sandbox.
    """
    seen = set()
    for path in (*(home / name for name in SECRETS), store):
        if disk.exists(path):
            real = disk.resolve(path)
            if real != folder and within(real, folder) and real not in seen:
                seen.add(real)
                yield real
