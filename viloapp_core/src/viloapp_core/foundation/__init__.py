"""The ground everything stands on: folders, atomic files, locks, short commands and the clock.

Nothing here knows what a plugin is. Effects are reached through these modules so that tests and
embedders can hand in their own folders, environment and clock:

    >>> from viloapp_core.foundation import paths
    >>> paths.store_root({"VILOAPP_HOME": "/srv/vilo"})
    PosixPath('/srv/vilo')
"""
