"""Recalling: a notice that is not sent is cancelled; one that is, is stopped and corrected."""

from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import update

from handlers.command import Ask, Command, Done, handles
from handlers.notices.finding import find_notice, make_move
from handlers.notices.in_groups import correct_in_groups
from handlers.notices.sending import MAIL, correct
from handlers.residents.scope import LOOK_UP
from handlers.work import Work
from models import MailState, NoticeMove, NoticeState

Number = Annotated[int, Ask("quiet"), Field(ge=0)]
"""0: the newest of one's own, or that lies with oneself."""


class CancelNotice(Command):
    """Give up a notice that is not sent yet."""

    name: ClassVar[str] = "cancel_notice"
    may: ClassVar[str | None] = LOOK_UP
    in_menu: ClassVar[bool] = False
    number: Number = 0


class RecallNotice(Command):
    """Take a notice back: letters that wait are dropped, and whoever has it reads that it does not hold."""

    name: ClassVar[str] = "recall_notice"
    may: ClassVar[str | None] = LOOK_UP
    stands_alone: ClassVar[bool] = True
    number: Number = 0


@handles(CancelNotice)
def cancel_notice(work: Work, command: CancelNotice) -> Done:
    """Its author, and whoever may approve it."""
    notice = find_notice(work, command.number)
    make_move(work, notice, NoticeMove.CANCEL)
    notice.ended_at = work.now
    work.reply("notice.cancelled", number=notice.id)
    return Done({"notice": notice.id, "state": notice.state})


@handles(RecallNotice)
def recall_notice(work: Work, command: RecallNotice) -> Done:
    """Reminders that wait are dropped with it."""
    notice = find_notice(work, command.number)
    if notice.state in (NoticeState.DRAFT, NoticeState.ASKED, NoticeState.APPROVED):
        return cancel_notice(work, CancelNotice(number=command.number))
    make_move(work, notice, NoticeMove.RECALL)
    notice.ended_at = work.now
    work.session.flush()
    work.flush()
    waiting = (MAIL.c.cause == f"notice:{notice.id}", MAIL.c.state == MailState.WAITING)
    dropped = update(MAIL).where(*waiting).values(state=MailState.DROPPED, outcome="recalled")
    stopped = int(work.session.execute(dropped).rowcount)  # type: ignore[attr-defined]
    correct(work, notice)
    correct_in_groups(work, notice)
    work.reply("notice.taken_back", number=notice.id, count=stopped)
    return Done({"notice": notice.id, "state": notice.state, "stopped": stopped})
