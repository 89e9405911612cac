"""Receipts: who says 收到, how many have, grid by grid, and who has not, never in a group."""

from collections import defaultdict
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import case, func, select
from sqlmodel import col

from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.notices.audience import letter_key
from handlers.notices.finding import button, facts, find_notice
from handlers.notices.in_groups import group_lines
from handlers.notices.sending import MAIL, RECEIPTS
from handlers.refusal import NotFound
from handlers.residents.scope import LOOK_UP, PEOPLE, area_of, grids_where
from handlers.work import Work
from models import Deed, MailState, Notice, Receipt, Subject

SHOWN = 20
Number = Annotated[int, Ask("quiet"), Field(ge=0)]
"""0: the newest of one's own, or that lies with oneself."""


class GotNotice(Command):
    """Say that one has read a notice, also an old one by its number; what is said besides is kept."""

    name: ClassVar[str] = "got_notice"
    in_menu: ClassVar[bool] = False
    number: Number = 0
    """0: the latest one has not answered."""
    answer: Annotated[str, Ask("quiet"), Field(max_length=500)] = ""


class ShowNotice(Command):
    """How a notice stands: how many it reached and how many have read it, grid by grid."""

    name: ClassVar[str] = "notice"
    may: ClassVar[str | None] = LOOK_UP
    stands_alone: ClassVar[bool] = True
    number: Number = 0
    """0: the latest of one's own."""


class UnreadNotice(Command):
    """Who has not read it, by name, for whoever may see these people."""

    name: ClassVar[str] = "unread_notice"
    may: ClassVar[str | None] = LOOK_UP
    in_menu: ClassVar[bool] = False
    number: Number = 0


@handles(GotNotice)
def got_notice(work: Work, command: GotNotice) -> Done:
    """Said twice it is still once; nobody can answer what was not for them."""
    query = select(Receipt).where(col(Receipt.person_id) == work.actor.id)
    if command.number:
        query = query.where(col(Receipt.notice_id) == command.number)
    else:
        query = query.where(col(Receipt.read_at).is_(None))
    found: Receipt | None = (
        work.session.execute(query.order_by(col(Receipt.id).desc()).limit(1)).scalars().first()
    )
    if found is None and not command.number:
        raise NotFound("notice.none")
    if found is None:
        raise NotFound("notice.not_found", number=command.number)
    found.read_at = found.read_at or work.now
    found.answer = command.answer or found.answer
    work.session.add(found)
    work.reply("notice.thanks", number=found.notice_id)
    return Done({"notice": found.notice_id})


@handles(ShowNotice)
def show_notice(work: Work, command: ShowNotice) -> Done:
    """One message for the whole area."""
    notice = find_notice(work, command.number or _latest(work))
    assert notice.id is not None
    said = group_lines(work, notice)
    if said:
        stage = work.word(f"notice.stage.{notice.state}")
        groups = "\n".join(said[:SHOWN])
        work.reply("notice.status_groups", stage=stage, groups=groups, **facts(work, notice))
        return Done({"notice": notice.id, "state": notice.state, "groups": said})
    lines = _by_area(work, notice)
    total = {key: sum(line[key] for line in lines) for key in ("all", "sent", "read")}
    choices = [button(work, "notice.unread", "unread_notice", notice)] if total["all"] > total["read"] else []
    stage = work.word(f"notice.stage.{notice.state}")
    grids = "\n".join(work.word("notice.line", **line) for line in lines[:SHOWN])
    work.reply("notice.status", choices=choices, stage=stage, grids=grids, **total, **facts(work, notice))
    return Done({"notice": notice.id, "state": notice.state, "grids": lines, **total})


def _latest(work: Work) -> int:
    query = select(func.max(Notice.id)).where(col(Notice.author_id) == work.actor.id)
    return work.session.execute(query).scalar() or 0


def _by_area(work: Work, notice: Notice) -> list[dict[str, Any]]:
    assert notice.id is not None
    letter = MAIL.c.key == letter_key(notice.id, RECEIPTS.c.person_id)
    sent = func.sum(case((MAIL.c.state == MailState.SENT, 1), else_=0))
    query = (
        select(RECEIPTS.c.grid_id, func.count().label("all"), sent.label("sent"))
        .add_columns(func.count(RECEIPTS.c.read_at).label("read"))
        .select_from(RECEIPTS.outerjoin(MAIL, letter))
        .where(RECEIPTS.c.notice_id == notice.id)
        .group_by(RECEIPTS.c.grid_id)
    )
    found: dict[int, dict[str, int]] = defaultdict(lambda: {"all": 0, "sent": 0, "read": 0})
    for row in work.session.execute(query):
        area = found[area_of(work, row.grid_id)]
        for key in ("all", "sent", "read"):
            area[key] += int(getattr(row, key) or 0)
    return [{"grid": work.tree.named(grid), **counts} for grid, counts in sorted(found.items())]


@handles(UnreadNotice)
def unread_notice(work: Work, command: UnreadNotice) -> Done:
    """Only the people of one's own area, and each look is kept."""
    notice = find_notice(work, command.number)
    query = (
        select(PEOPLE.c.id, PEOPLE.c.name, RECEIPTS.c.grid_id)
        .join(RECEIPTS, RECEIPTS.c.person_id == PEOPLE.c.id)
        .where(RECEIPTS.c.notice_id == notice.id, RECEIPTS.c.read_at.is_(None))
        .where(RECEIPTS.c.grid_id.in_(grids_where(work, LOOK_UP)))
        .order_by(RECEIPTS.c.grid_id, PEOPLE.c.id)
    )
    count = int(work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one())
    found = work.session.execute(query.limit(SHOWN)).all()
    for row in found:
        note(work, Deed.LIST, Subject.PERSON, row.id)
    names = "、".join(f"{row.name}（{work.tree.named(row.grid_id)}）" for row in found)
    text = "notice.unread_list" if count else "notice.all_read"
    work.reply(text, number=notice.id, count=count, names=names)
    return Done({"notice": notice.id, "count": count, "people": [row.id for row in found]})
