"""Opting out: nobody has to get notices; warnings and answers about one's own cases still come."""

from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import Table, delete

from handbook.notice_words import kind_words
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import Refusal
from handlers.work import Work
from handlers.writing import insert_new
from models import OptOut

OPT_OUTS: Table = OptOut.__table__  # type: ignore[attr-defined]


class StopNotices(Command):
    """I want no notices any more, or none of one kind."""

    name: ClassVar[str] = "stop_notices"
    kind: Annotated[str, Ask("text"), Field(max_length=40)] = ""
    """As people call it; nothing: all kinds."""


class WantNotices(Command):
    """I want notices again."""

    name: ClassVar[str] = "want_notices"
    kind: Annotated[str, Ask("text"), Field(max_length=40)] = ""


@handles(StopNotices)
def stop_notices(work: Work, command: StopNotices) -> Done:
    """Said twice it is still once."""
    key, name = _kind(work, command.kind)
    row = {"person_id": _speaker(work), "kind": key, "at": work.now}
    work.session.execute(insert_new(work.session, OPT_OUTS), [row])
    work.reply("notice.stopped", kind=name)
    return Done({"kind": key})


@handles(WantNotices)
def want_notices(work: Work, command: WantNotices) -> Done:
    """Without a kind, all of them come again."""
    key, name = _kind(work, command.kind)
    gone = delete(OPT_OUTS).where(OPT_OUTS.c.person_id == _speaker(work))
    work.session.execute(gone.where(OPT_OUTS.c.kind.in_((key, ""))) if key else gone)
    work.reply("notice.wanted", kind=name)
    return Done({"kind": key})


def _speaker(work: Work) -> int:
    if work.actor.id is None:
        raise Refusal("notice.who_are_you")
    return work.actor.id


def _kind(work: Work, words: str) -> tuple[str, str]:
    """The kind that is meant, and what it is called; warnings cannot be declined. Raises Refusal."""
    said = kind_words(words)
    if not said:
        return "", ""
    for key, kind in work.book.notices.kinds.items():
        if kind.name in said:
            if kind.always:
                raise Refusal("notice.always", kind=kind.name)
            return key, kind.name
    names = "、".join(kind.name for kind in work.book.notices.kinds.values() if not kind.always)
    raise Refusal("notice.no_kind", said=said[:20], names=names)
