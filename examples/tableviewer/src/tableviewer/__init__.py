"""Table viewer: a plugin for ViloApp."""
