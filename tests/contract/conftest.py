"""The fixtures of the end-to-end tests, which build and install the same plugins."""

from tests.e2e.conftest import builder, cache, make_app, wheels

__all__ = ["builder", "cache", "make_app", "wheels"]
