"""The commands of ``nbrealtime``, one file each.

A command module has ``HELP`` (one line, lower case, no full stop),
``configure(parser)`` and ``run(arguments) -> int``. Beside them stand what
several share: ``reporting`` (what is said on stderr), ``target`` (which server,
as whom), ``secret`` (where a signing secret comes from) and ``machine`` (this
machine's load).

The one rule: a module imports at its top only what building the parser needs,
so that ``nbrealtime --help`` and ``nbrealtime list`` pay for no widget and no
event loop that they do not use.
"""
