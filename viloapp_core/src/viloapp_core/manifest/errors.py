"""Errors of reading what a plugin says about itself."""

from viloapp_sdk.manifest import Issue
from viloapp_sdk.manifest import ManifestError as SdkManifestError

__all__ = ["Issue", "ManifestError"]


class ManifestError(SdkManifestError):
    """Root of everything `viloapp_core.manifest` raises: ``issues``, each with its path.

    It derives from the SDK's error of the same name, so that who builds and who installs catch one.
    """
