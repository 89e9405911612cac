"""Notes in the audit that somebody opened a case, before they see it."""

from typing import Final
from uuid import uuid4

from handlers.actor import Actor
from handlers.command import perform
from handlers.showing import Looked
from handlers.writing import Writing
from web.parts import Parts

BOARD: Final = "board"


async def note_look(parts: Parts, actor: Actor, number: int, channel: str) -> None:
    """Keep that a case is looked at; whoever calls shows it afterwards, and not if this fails.

    Args:
        parts: the lane, through which everything is written.
        actor: who looks.
        number: of a case that they may see.
        channel: the door: `board` or `api`.
    """

    def job(session: Writing) -> None:
        work = parts.desk.work_in(session, actor, channel=channel, message_id=uuid4().hex)
        perform(work, Looked(number=number))
        work.flush()

    await parts.lane.run(job, quiet=True)
