"""Log viewer: a plugin for ViloApp."""
