"""Sending: at its time a notice goes to all who are meant then, in two statements however many they are."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Boolean, Integer, String, Table, cast, exists, func, insert, literal, select
from sqlmodel import col

from handlers.command import Done, OwnCommand, handles
from handlers.notices.audience import audience_of, letter_key, on_behalf, reachable
from handlers.notices.finding import button, facts, make_move
from handlers.notices.in_groups import groups_of, say_in_groups
from handlers.refusal import Refusal
from handlers.work import Work
from models import Leave, MailSort, MailState, Notice, NoticeMove, NoticeState, Outbox, Receipt

MAIL: Table = Outbox.__table__  # type: ignore[attr-defined]
RECEIPTS: Table = Receipt.__table__  # type: ignore[attr-defined]
LEAVES: Table = Leave.__table__  # type: ignore[attr-defined]
AT_ONCE = 20
"""Notices looked after in one work."""


class SendDueNotices(OwnCommand):
    """What is approved and due is sent, and whoever has not read is reminded once."""

    name: ClassVar[str] = "send_due_notices"


@handles(SendDueNotices)
def send_due_notices(work: Work, _: SendDueNotices) -> Done:
    """The oldest first; each is held, so that another process does not send it too."""
    due = _locked(work, col(Notice.state) == NoticeState.APPROVED, col(Notice.send_at) <= work.now)
    for notice in due:
        send(work, notice)
    before = work.now - timedelta(hours=work.book.notices.nudge_hours)
    waiting = _locked(work, col(Notice.state) == NoticeState.SENT, col(Notice.sent_at) <= before)
    for notice in waiting:
        _look_after(work, notice, before)
    return Done({"sent": len(due), "looked_after": len(waiting)})


def _locked(work: Work, *conditions: Any) -> list[Notice]:
    query = select(Notice).where(*conditions).order_by(col(Notice.send_at), col(Notice.id)).limit(AT_ONCE)
    return list(work.session.execute(query.with_for_update(skip_locked=True)).scalars())


def send(work: Work, notice: Notice) -> None:
    """Fix who gets it and promise it to them; what is too old, or nobody's any more, is told its author."""
    kind = work.book.notices.kinds[notice.kind]
    author = on_behalf(work, notice)
    late = work.now - notice.send_at > timedelta(hours=kind.too_old)
    try:
        audience = audience_of(author, notice.audience) if author is not None and not late else None
    except Refusal:
        audience = None
    if author is None or audience is None:
        make_move(work, notice, NoticeMove.MISS)
        work.tell(notice.author_id, "notice.late", key=f"notice:{notice.id}:late", **facts(work, notice))
        return
    make_move(work, notice, NoticeMove.SEND)
    notice.sent_at = work.now
    work.session.flush()
    if audience.purpose is not None:
        say_in_groups(work, notice, groups_of(author, audience))
        return
    meant = reachable(author, audience, notice.kind).subquery()
    rows = select(literal(notice.id, Integer), meant.c.person_id, meant.c.grid_id)
    rows = rows.order_by(meant.c.person_id)
    work.session.execute(insert(RECEIPTS).from_select(["notice_id", "person_id", "grid_id"], rows))
    choices = [button(work, "notice.got", "got_notice", notice)] if kind.receipt else []
    _promise_all(
        work,
        notice,
        "notice.sent",
        sort=MailSort.NOTICE,
        choices=choices,
        urgent=kind.always,
        expires_at=work.now + timedelta(hours=kind.too_old),
    )


def _promise_all(
    work: Work,
    notice: Notice,
    text: str,
    *conditions: Any,
    sort: MailSort,
    what: str = "",
    choices: Any = (),
    urgent: bool = False,
    expires_at: datetime | None = None,
) -> None:
    """One letter to each who has a receipt and fits, in one statement."""
    assert notice.id is not None
    person = RECEIPTS.c.person_id
    args = {name: facts(work, notice)[name] for name in ("number", "kind", "words")}
    moment = MAIL.c.at.type
    values = {
        "key": letter_key(notice.id, person, what),
        "recipient": letter_recipient(person),
        "person_id": person,
        "in_group": literal(False, Boolean),
        "sort": literal(sort, MAIL.c.sort.type),
        "cause": literal(f"notice:{notice.id}", String),
        "expires_at": literal(expires_at, moment),
        "text": literal(text, String),
        "args": literal(args, MAIL.c.args.type),
        "choices": literal(list(choices), MAIL.c.choices.type),
        "urgent": literal(urgent, Boolean),
        "at": literal(work.now, moment),
        "not_before": literal(work.now, moment),
        "state": literal(MailState.WAITING, MAIL.c.state.type),
        "tries": literal(0, Integer),
    }
    rows = select(*values.values()).where(RECEIPTS.c.notice_id == notice.id, *conditions)
    work.session.execute(insert(MAIL).from_select(list(values), rows.order_by(RECEIPTS.c.id)))


def letter_recipient(person: Any) -> Any:
    """Whose order a letter is kept in, made by the database."""
    return literal("p", String) + cast(person, String)


def was_sent(notice_id: int, person: Any, *states: MailState) -> Any:
    """Condition: the notice's letter to somebody is in one of these states."""
    return exists().where(MAIL.c.key == letter_key(notice_id, person), MAIL.c.state.in_(states))


def correct(work: Work, notice: Notice) -> None:
    """Tell those whom it has reached that it no longer holds."""
    assert notice.id is not None
    told = was_sent(notice.id, RECEIPTS.c.person_id, MailState.SENT, MailState.CLAIMED)
    urgent = work.book.notices.kinds[notice.kind].always
    _promise_all(work, notice, "notice.recalled", told, sort=MailSort.NOTICE, what=":recalled", urgent=urgent)


# ---- afterwards ------------------------------------------------------------------------------------------


def _look_after(work: Work, notice: Notice, before: datetime) -> None:
    if not work.book.notices.kinds[notice.kind].receipt:
        make_move(work, notice, NoticeMove.CLOSE)
    elif notice.nudged_at is None:
        _nudge(work, notice)
    elif notice.nudged_at <= before:
        _close(work, notice)


def _nudge(work: Work, notice: Notice) -> None:
    """Once, in private, and not to whoever is on leave or has not had it yet."""
    assert notice.id is not None
    person, leave = RECEIPTS.c.person_id, LEAVES.c
    away = exists().where(leave.person_id == person, leave.since <= work.now, leave.until > work.now)
    had = was_sent(notice.id, person, MailState.SENT)
    notice.nudged_at = work.now
    work.session.add(notice)
    _promise_all(
        work,
        notice,
        "notice.nudge",
        RECEIPTS.c.read_at.is_(None),
        ~away,
        had,
        sort=MailSort.NUDGE,
        what=":nudge",
        choices=[button(work, "notice.got", "got_notice", notice)],
        expires_at=work.now + timedelta(hours=work.book.notices.nudge_hours),
    )


def _close(work: Work, notice: Notice) -> None:
    """Its author reads how many are left, with no name, and may look them up in private."""
    make_move(work, notice, NoticeMove.CLOSE)
    query = select(func.count()).where(RECEIPTS.c.notice_id == notice.id, RECEIPTS.c.read_at.is_(None))
    count = work.session.execute(query).scalar_one()
    if count:
        work.tell(
            notice.author_id,
            "notice.left",
            key=f"notice:{notice.id}:left",
            choices=[button(work, "notice.unread", "unread_notice", notice)],
            count=count,
            number=notice.id,
        )
