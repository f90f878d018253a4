"""Learn mode's look at system calls: the kernel tells the host of some that a worker makes, and goes on.

    from viloapp_core.sandbox.observing.observation import Observation
    from viloapp_core.sandbox.observing.observer import Observer

    observation = Observation()
    observer = Observer(observation)
    plan = launch_plan(request, probe(), ..., watch=observer.theirs)
    ...                                # start the process with plan.pass_fds
    observer.begin(plan.observed, on_failure=end_the_worker)
    observation.rows()                 # [["read", "/srv/data/x", False], ["connect", "192.0.2.1:443", True]]

A second filter of system calls (`filters`) has the kernel hold each of them until the host has looked at it
(`seccomp_unotify(2)`). The answer is always "go on": what the kernel then says is what it says without this,
since the sandbox's own filter is asked as well, and refuses what it refuses before the host hears of it.
Nothing is decided by what was read, which a plugin can change while it is read.

`calls` says which system calls those are, `sightings` what one of them reaches for (both pure), `tracee`
reads a process's memory, `observer` is the thread of the host's that does so. Nothing is imported here: of
all who start a worker only learn mode needs it.
"""
