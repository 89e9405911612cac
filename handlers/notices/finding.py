"""Which notice is meant, and who may see it."""

from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from handlers.refusal import NotFound, Refusal
from handlers.work import Reading, Work
from models import Notice, NoticeMove, WrongNoticeMove


def find_notice(reading: Reading, number: int) -> Notice:
    """A notice of one's own, one that lies with oneself, or one within one's area, locked.

    `number` 0: the newest of these. Raises NotFound alike for what is absent and what is not theirs.
    """
    number = number or _newest(reading)
    query = select(Notice).where(col(Notice.id) == number).with_for_update()
    query = query.execution_options(populate_existing=True)
    reading.session.flush()
    notice: Notice | None = reading.session.execute(query).scalar_one_or_none()
    if notice is None or not _is_theirs(reading, notice):
        raise NotFound("notice.not_found", number=number)
    return notice


def _newest(reading: Reading) -> int:
    me = reading.actor.id
    query = select(func.max(Notice.id)).where((col(Notice.author_id) == me) | (col(Notice.approver_id) == me))
    return int(reading.session.execute(query).scalar() or 0)


def _is_theirs(reading: Reading, notice: Notice) -> bool:
    if reading.actor.id in (notice.author_id, notice.approver_id):
        return True
    ability = reading.book.notices.approve
    return reading.actor.may_on(ability, reading.tree.at(notice.grid_id).path)


def must_be_own(reading: Reading, notice: Notice) -> None:
    """Only its author changes a notice. Raises NotFound."""
    if notice.author_id != reading.actor.id:
        raise NotFound("notice.not_found", number=notice.id)


def make_move(work: Work, notice: Notice, move: NoticeMove) -> None:
    """Make a move. Raises Refusal where the notice stands elsewhere."""
    try:
        notice.move(move)
    except WrongNoticeMove:
        stage = work.word(f"notice.stage.{notice.state}")
        raise Refusal("notice.wrong_move", number=notice.id, stage=stage) from None
    work.session.add(notice)


def facts(reading: Reading, notice: Notice) -> dict[str, Any]:
    """What texts say of a notice."""
    return {
        "number": notice.id,
        "kind": reading.book.notices.kinds[notice.kind].name,
        "words": notice.words,
        "to": notice.audience,
        "at": notice.send_at,
    }


def button(work: Work, label: str, do: str, notice: Notice, **known: Any) -> dict[str, Any]:
    """A numbered answer about a notice."""
    return {"label": work.word(label), "do": do, "known": {"number": notice.id, **known}}
