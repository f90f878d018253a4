"""The version of viloapp-core: what is said of this side wherever two sides of different versions meet."""

__all__ = ["__version__"]

__version__ = "0.1.0"
