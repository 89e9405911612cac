"""The outbox: claims what was promised, renders it for a channel, sends it, and keeps what became of it."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Update, exists, func, or_, select, update
from sqlmodel import Session, col

from bot.channel import Broken, Can, Channel, Closed, Gone, Handed, Later, Outcome, Refused, Sent
from bot.gate import CAN_WAIT, Drop, Go, Wait, judge
from bot.message import Choice, Outbound
from bot.rates import Counts, close, limits_of
from bot.render import parts
from bot.shielding import for_group
from bot.talk import Talk
from handbook import Book
from handlers.groups.outcomes import follow_letter
from handlers.sealed_words import seal_words
from handlers.still import still_true
from handlers.work import REPLY
from models import Account, Conversation, Group, MailSort, MailState, Outbox, Person
from models.mail import UNSENT

log = logging.getLogger("xiaoge.outbox")
MAIL = Outbox.__table__  # type: ignore[attr-defined]
LEASE = timedelta(seconds=30)
LONG = 30
"""Seconds; a platform that asks for so much means everybody, and not this letter alone."""
WAITS = (1, 5, 30, 120, 600, 1800, 3600)
"""Seconds before each new try; after the last one the mail is dead and shown to the keeper."""

CLOSED = timedelta(hours=12)
"""How long an account that may not be written to is left alone: by then a setting may have been mended."""
KEPT = timedelta(days=3)
"""How long a letter waits for its reader to write again; what is older nobody wants to be told any more."""
_SHUT = "closed: "


@dataclass(frozen=True)
class Letter:
    """One promise, claimed and rendered, ready for its channel."""

    mail_id: int
    channel: str
    message: Outbound
    answer: bool = False
    """It answers a message and belongs into the chat the message came from, nowhere else."""


@dataclass(frozen=True)
class _Address:
    channel: str
    chat: str
    handle: str
    group: bool = False
    secret: str = field(default="", repr=False)
    owner: str = ""


def claim(
    session: Session, book: Book, channels: Mapping[str, Channel], now: datetime, limit: int = 50
) -> list[Letter]:
    """Take up to `limit` promises that are due, at most one per recipient so that order is kept; where a
    channel keeps the order itself, what follows it to the same recipient as well.

    What is no longer true is dropped, what cannot be addressed is dead; both keep their reason.
    """
    while True:
        found = session.execute(_due(now).limit(limit).with_for_update(skip_locked=True, of=MAIL))
        due = found.mappings().all()
        letters = _within_rates(session, channels, _fit(session, book, channels, due, now), now)
        if letters or not due:  # what waits or is dropped is due no more, and others may stand behind it
            return letters


def _fit(
    session: Session,
    book: Book,
    channels: Mapping[str, Channel],
    due: Sequence[Mapping[Any, Any]],
    now: datetime,
) -> list[Letter]:
    """Those that are still true, pass the gate, and can be addressed."""
    letters: list[Letter] = []
    counted = _counted_today(session, book, due, now)
    for row in due:
        letter = _take(session, book, channels, row, now, counted)
        if letter is None:
            continue
        letters.append(letter)
        in_row = channels[letter.channel].can.in_row
        if in_row > 1:
            taking = partial(_take, session, book, channels, now=now, counted=Counter[int]())
            letters += _following(session, letter, row["recipient"], taking, now, in_row - 1)
    return letters


def _take(
    session: Session,
    book: Book,
    channels: Mapping[str, Channel],
    row: Mapping[Any, Any],
    now: datetime,
    counted: Counter[int],
) -> Letter | None:
    """Claim one promise; None where there is nobody to be told, nothing any more, or not now."""
    if not still_true(session, row["still"], row["incident_id"], row["person_id"]):
        _mark(session, row["id"], state=MailState.DROPPED, outcome=f"no longer {row['still']}")
        return None
    if not _passes(session, book, row, now, counted):
        follow_letter(session, row["id"], now)
        return None
    address = _address(session, row, channels, now)
    if address is not None:
        return _claimed(session, book, channels[address.channel], row, address, now)
    if not _waits_for_reader(session, row, now):
        state = MailState.DROPPED if _is_forgotten(session, row["person_id"]) else MailState.DEAD
        _mark(session, row["id"], state=state, outcome="no account")
        follow_letter(session, row["id"], now)
    return None


def _following(
    session: Session,
    first: Letter,
    recipient: str,
    taking: Callable[[Mapping[Any, Any]], Letter | None],
    now: datetime,
    most: int,
) -> list[Letter]:
    """What is due to the same recipient after a letter, as long as it goes the same way."""
    later = select(MAIL).where(
        MAIL.c.recipient == recipient,
        MAIL.c.id > first.mail_id,
        MAIL.c.state.in_(UNSENT),
        MAIL.c.not_before <= now,
    )
    found: list[Letter] = []
    rows = later.order_by(MAIL.c.id).limit(most).with_for_update(skip_locked=True, of=MAIL)
    for row in session.execute(rows).mappings().all():
        leased = row["lease_until"] is not None and row["lease_until"] > now
        if leased or row["sort"] in CAN_WAIT:  # what can wait goes one by one, counted against its day
            break
        letter = taking(row)
        if letter is None:
            continue
        if (letter.channel, letter.message.chat) != (first.channel, first.message.chat):
            give_back(session, letter)
            break
        found.append(letter)
    return found


def _waits_for_reader(session: Session, row: Mapping[Any, Any], now: datetime) -> bool:
    """Keep what can only be said when its reader has written again, if it is not too old. True when kept."""
    if row["group_id"] is not None or row["chat"] is not None:
        return False
    until = session.execute(
        select(func.min(col(Account.closed_until))).where(
            col(Account.person_id) == row["person_id"],
            col(Account.gone).is_(False),
            col(Account.closed_until) > now,
        )
    ).scalar()
    if until is None or now > row["not_before"] + KEPT:
        return False
    outcome = row["outcome"] if (row["outcome"] or "").startswith(_SHUT) else f"{_SHUT}until they write"
    _mark(session, row["id"], state=MailState.WAITING, lease_until=until, outcome=outcome)
    return True


def _counted_today(
    session: Session, book: Book, due: Sequence[Mapping[Any, Any]], now: datetime
) -> Counter[int]:
    """How many letters that can wait each recipient of these has had on the place's day."""
    people = {row["person_id"] for row in due if row["sort"] in CAN_WAIT and row["person_id"] is not None}
    if not people:
        return Counter()
    day = now.astimezone(book.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(MAIL.c.person_id, func.count().label("count"))
        .where(MAIL.c.person_id.in_(people), MAIL.c.state == MailState.SENT, MAIL.c.sent_at >= day)
        .where(MAIL.c.sort.in_(CAN_WAIT))
        .group_by(MAIL.c.person_id)
    )
    return Counter(dict(iter(session.execute(query))))


def _passes(
    session: Session, book: Book, row: Mapping[Any, Any], now: datetime, counted: Counter[int]
) -> bool:
    """Whether a letter goes now; what waits or is dropped keeps its reason."""
    match judge(row, book.messages, book.zone, now, counted[row["person_id"]]):
        case Go(passed=passed):
            if row["sort"] in CAN_WAIT:
                counted[row["person_id"]] += 1
            if passed:
                log.info("a letter went in quiet hours", extra={"mail": row["id"], "sort": str(row["sort"])})
                _mark(session, row["id"], held=passed)
            return True
        case Wait(until=until, why=why):
            _mark(session, row["id"], not_before=until, held=why)
        case Drop(why=why):
            _mark(session, row["id"], state=MailState.DROPPED, outcome=why)
    return False


def _within_rates(
    session: Session, channels: Mapping[str, Channel], letters: list[Letter], now: datetime
) -> list[Letter]:
    """Those that their platforms take now; the others wait, and are never dropped."""
    limited = {
        letter.mail_id: limits_of(letter.channel, channels[letter.channel].can, letter.message)
        for letter in letters
    }
    counts = Counts(session, (limit for limits in limited.values() for limit in limits), now)
    going = []
    for letter in letters:
        until = counts.take(limited[letter.mail_id])
        if until is None:
            going.append(letter)
            continue
        give_back(session, letter)
        _mark(session, letter.mail_id, lease_until=until, held="the platform's rate")
    counts.keep()
    return going


def _is_forgotten(session: Session, person_id: int | None) -> bool:
    """Whether it was their own wish that nobody can reach them: then nothing has failed."""
    query = select(col(Person.forgotten_at)).where(col(Person.id) == person_id)
    return session.execute(query).scalar() is not None


def give_back(session: Session, letter: Letter) -> None:
    """Put a letter back that was claimed and not tried."""
    _mark(session, letter.mail_id, state=MailState.WAITING, lease_until=None, tries=MAIL.c.tries - 1)


def release(session: Session) -> None:
    """Give back what a process that has ended had claimed, so that nobody waits for its leases to run out.

    Only where no other process sends: the letters of a living one would be sent twice.
    """
    claimed = (MAIL.c.state.in_(UNSENT), MAIL.c.state == MailState.CLAIMED)
    session.execute(update(MAIL).where(*claimed).values(lease_until=None))


def _due(now: datetime) -> Any:
    mail, earlier = MAIL.c, MAIL.alias("earlier").c
    free = or_(mail.lease_until.is_(None), mail.lease_until <= now)
    blocked = exists().where(
        earlier.recipient == mail.recipient,
        earlier.id < mail.id,
        earlier.state.in_(UNSENT),
        earlier.not_before <= now,
    )
    due = select(MAIL).where(mail.state.in_(UNSENT), free, mail.not_before <= now, ~blocked)
    return due.order_by(
        mail.urgent.desc(), mail.id + 0
    )  # by id alone SQLite would read through all that was ever sent


def _address(
    session: Session, row: Mapping[Any, Any], channels: Mapping[str, Channel], now: datetime
) -> _Address | None:
    """Where an answer came from, a bound group, or the person's latest account on a channel that runs, if it
    may be written to.
    """
    if row["group_id"] is not None:
        return _group_address(session, row["group_id"], channels)
    if row["chat"] is not None:
        if row["channel"] not in channels:
            return None
        return _Address(row["channel"], row["chat"], row["handle"], row["in_group"])
    accounts = session.execute(
        select(col(Account.channel), col(Account.chat), col(Account.handle))
        .where(
            col(Account.person_id) == row["person_id"],
            col(Account.gone).is_(False),
            or_(col(Account.closed_until).is_(None), col(Account.closed_until) <= now),
        )
        .order_by(col(Account.used_at).desc())
    )
    return next((_Address(*found) for found in accounts if found[0] in channels), None)


def _group_address(session: Session, group_id: int, channels: Mapping[str, Channel]) -> _Address | None:
    """Where a group is reached; None where its channel does not run, or it is bound no more."""
    group = session.get(Group, group_id, populate_existing=True)
    if group is None or group.until is not None or group.channel is None or group.channel not in channels:
        return None
    chat = group.chat or f"g{group_id}"
    return _Address(group.channel, chat, chat, True, group.secret or "", _owner(session, group))


def _owner(session: Session, group: Group) -> str:
    query = select(col(Account.handle)).where(
        col(Account.person_id) == group.owner_id, col(Account.channel) == group.channel
    )
    return session.execute(query.order_by(col(Account.used_at).desc()).limit(1)).scalar() or ""


def _claimed(
    session: Session, book: Book, channel: Channel, row: Mapping[Any, Any], address: _Address, now: datetime
) -> Letter:
    choices = tuple(Choice.model_validate(choice) for choice in row["choices"])
    shown = _prompt(session, address, choices, now) if choices else choices
    open_to_all = row["in_group"] or address.chat != address.handle
    shield = partial(for_group, book) if open_to_all else str
    texts, buttons = parts(book, row["text"], row["args"], shown, channel.can, row["id"], shield)
    words = "\n".join(texts)
    if _tells_sealed(row["args"]):
        words = seal_words(words)
    _mark(
        session,
        row["id"],
        state=MailState.CLAIMED,
        lease_until=now + LEASE,
        tries=row["tries"] + 1,
        words=words,
        channel=address.channel,
        chat=address.chat,
        handle=address.handle,
    )
    message = Outbound(
        mail_id=row["id"],
        chat=address.chat,
        handle=address.handle,
        parts=texts,
        buttons=buttons,
        photos=tuple(row["photos"] or ()),
        files=tuple(row["files"] or ()),
        group=address.group,
        secret=address.secret,
        owner=address.owner,
        recallable=row["sort"] == MailSort.NOTICE,
    )
    return Letter(row["id"], address.channel, message, REPLY in row["key"])


def _tells_sealed(args: Mapping[str, Any]) -> bool:
    """Whether something in a letter lies sealed: then its words do as well."""
    return any(isinstance(value, dict) and "sealed" in value for value in args.values())


def _prompt(
    session: Session, address: _Address, choices: tuple[Choice, ...], now: datetime
) -> tuple[Choice, ...]:
    """Make these choices what a number means now, unless a question is open: then they are left out.

    A push must never steal the numbers of a question; its words still name the case and what to say.
    """
    if any(choice.do is None for choice in choices):
        return choices
    key = f"{address.channel}|{address.chat}|{address.handle}"
    row = session.execute(
        select(col(Conversation.state)).where(col(Conversation.chat_key) == key).with_for_update()
    ).first()
    talk = Talk.model_validate(row.state if row else {}).aged(now)
    if talk.form is not None and talk.form.asking is not None and not talk.form.optional:
        return ()
    offered = talk.prompted(choices, now)
    if offered is not talk:
        _keep(session, key, address, offered, now, known=row is not None)
    return choices


def _keep(session: Session, key: str, address: _Address, talk: Talk, now: datetime, *, known: bool) -> None:
    state = talk.model_dump(mode="json", exclude_defaults=True)
    if known:
        session.execute(update(Conversation).where(col(Conversation.chat_key) == key).values(state=state))
        return
    session.add(
        Conversation(
            chat_key=key,
            channel=address.channel,
            chat=address.chat,
            handle=address.handle,
            state=state,
            touched_at=now,
        )
    )
    session.flush()


def _mark(session: Session, mail_id: int, **values: Any) -> None:
    session.execute(update(MAIL).where(MAIL.c.id == mail_id).values(**values))


def acknowledge(
    session: Session, letter: Letter, outcome: Outcome, now: datetime, can: Can | None = None
) -> None:
    """Keep what became of one letter: sent, to be tried again, or dead; an account that is gone is not used
    again.
    """
    match outcome:
        case Sent(id=name) | Handed(id=name):
            _mark(
                session,
                letter.mail_id,
                state=MailState.SENT,
                sent_at=now,
                sent_as=name[:200],
                outcome=f"{'sent' if isinstance(outcome, Sent) else 'handed'} {name}"[:200],
                lease_until=None,
            )
        case Later(seconds=seconds):
            _again(session, letter, now, seconds, "asked to wait", count=False)
            if can is not None and seconds >= LONG:
                limits = limits_of(letter.channel, can, letter.message)
                close(session, limits, now + timedelta(seconds=seconds))
        case Broken(why=why):
            _again(session, letter, now, None, why)
        case Gone(why=why):
            _gone(session, letter, why)
        case Closed(why=why):
            _closed(session, letter, why, now)
        case Refused(why=why):
            _mark(session, letter.mail_id, state=MailState.DEAD, outcome=f"refused: {why}"[:200])
    follow_letter(session, letter.mail_id, now, handed=outcome.id if isinstance(outcome, Handed) else None)


def _again(
    session: Session, letter: Letter, now: datetime, seconds: float | None, why: str, *, count: bool = True
) -> None:
    tries = session.execute(select(MAIL.c.tries).where(MAIL.c.id == letter.mail_id)).scalar() or 1
    if count and tries > len(WAITS):
        _mark(session, letter.mail_id, state=MailState.DEAD, outcome=f"gave up: {why}"[:200])
        return
    wait = seconds if seconds is not None else WAITS[min(tries, len(WAITS)) - 1]
    _mark(
        session,
        letter.mail_id,
        state=MailState.WAITING,
        lease_until=now + timedelta(seconds=wait),
        tries=tries if count else tries - 1,
        outcome=why[:200],
    )


def _gone(session: Session, letter: Letter, why: str) -> None:
    """The account is not used again; a push is tried on the person's next account, an answer is dead.

    A group that is gone says nothing of the account of whoever wrote in it, and there is no other way to it.
    """
    session.execute(_account_of(letter).values(gone=True))
    if letter.answer or letter.message.group:
        _mark(session, letter.mail_id, state=MailState.DEAD, outcome=f"gone: {why}"[:200], lease_until=None)
        return
    _readdress(session, letter, f"gone: {why}")


def _closed(session: Session, letter: Letter, why: str, now: datetime) -> None:
    """The account is left alone until its owner writes; a push is tried on another one, an answer waits."""
    session.execute(_account_of(letter).values(closed_until=now + CLOSED))
    if not (letter.answer or letter.message.group):
        _readdress(session, letter, f"{_SHUT}{why}", tries=MAIL.c.tries - 1)
        return
    due = session.execute(select(MAIL.c.not_before).where(MAIL.c.id == letter.mail_id)).scalar()
    dead = letter.message.group or due is None or now > due + KEPT
    _mark(
        session,
        letter.mail_id,
        state=MailState.DEAD if dead else MailState.WAITING,
        lease_until=None if dead else now + CLOSED,
        tries=MAIL.c.tries - 1,
        outcome=f"{_SHUT}{why}"[:200],
    )


def _account_of(letter: Letter) -> Update:
    message = letter.message
    return update(Account).where(
        col(Account.channel) == letter.channel,
        col(Account.handle) == message.handle,
        col(Account.chat) == message.chat,
    )


def _readdress(session: Session, letter: Letter, why: str, **more: Any) -> None:
    nowhere = {"channel": None, "chat": None, "handle": None}
    values = {"state": MailState.WAITING, "lease_until": None, "outcome": why[:200], **nowhere, **more}
    _mark(session, letter.mail_id, **values)


def leave(session: Session, channel: str, handle: str) -> None:
    """Somebody has turned away from us (取消关注): nothing is said to that account until they come back."""
    theirs = update(Account).where(col(Account.channel) == channel, col(Account.handle) == handle)
    session.execute(theirs.values(gone=True))
