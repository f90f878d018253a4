"""The command `viloapp`: the only place of the core that prints or exits.

A module per command group; each is imported when its command is asked for, and imports what it needs when
it runs, so that ``viloapp list`` does not pay for the web server. Data goes to standard output, logs and
progress to standard error:

    $ viloapp list --json | jq -r '.plugins[].id'
    viloedit
    viloxterm
    $ viloapp call hello.greet '{"name": "Ann"}'
    "Hello, Ann"

Exit codes: 0 done, 1 refused or failed, 2 wrong usage; 128 + n when signal n ended it (130 for Ctrl-C).
"""
