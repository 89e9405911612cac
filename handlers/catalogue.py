"""The catalogue: importing it enters every noun's commands into the table of what may be asked."""

from handlers import (
    accounts,
    alarming,
    amending,
    appointing,
    approving,
    binding,
    boards,
    confirming,
    day_cards,
    dispatching,
    funnel,
    given_lists,
    grid_check,
    guarding,
    handling,
    handovers,
    hushing,
    importing,
    inviting,
    keys,
    leaves,
    mapping,
    merging,
    own_data,
    papers,
    pausing,
    people,
    pressing,
    rating,
    regridding,
    reporting,
    requesting,
    showing,
    signing_in,
    teams,
    waiting,
    watching,
    zero_boards,
)
from handlers.command import COMMANDS, HANDLERS
from handlers.groups import binding as group_binding
from handlers.groups import board as group_board
from handlers.groups import forwarding
from handlers.notices import drafting, optout, recalling, receipts, sending
from handlers.residents import (
    correcting,
    doubles,
    entering,
    joining,
    keeping,
    marking,
    moving,
    own,
    segments,
)
from handlers.residents import showing as doors

__all__ = ["COMMANDS", "HANDLERS", "NOUNS"]

NOUNS = (
    people,
    reporting,
    amending,
    alarming,
    hushing,
    group_binding,
    group_board,
    forwarding,
    requesting,
    approving,
    pausing,
    day_cards,
    showing,
    zero_boards,
    boards,
    confirming,
    rating,
    merging,
    dispatching,
    funnel,
    handling,
    pressing,
    binding,
    accounts,
    signing_in,
    inviting,
    leaves,
    handovers,
    regridding,
    mapping,
    grid_check,
    appointing,
    teams,
    waiting,
    doors,
    entering,
    moving,
    marking,
    correcting,
    segments,
    doubles,
    joining,
    own_data,
    own,
    keeping,
    watching,
    keys,
    importing,
    given_lists,
    papers,
    guarding,
    drafting,
    sending,
    receipts,
    recalling,
    optout,
)
"""The order in which help and menus name what may be asked, whichever module was imported first."""


def _put_in_order() -> None:
    order = {noun.__name__: place for place, noun in enumerate(NOUNS)}
    for name in sorted(COMMANDS, key=lambda name: order[COMMANDS[name].__module__]):
        COMMANDS[name] = COMMANDS.pop(name)


_put_in_order()
