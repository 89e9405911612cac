"""Drafting: somebody writes a notice, sees whom it reaches, and a second person approves it."""

from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import func, select

from handbook.notice_words import moment_said
from handlers.cases import role_and_name
from handlers.command import Ask, Command, Done, handles
from handlers.groups.saying import no_numbers
from handlers.notices.audience import Audience, audience_of, everybody, reachable
from handlers.notices.finding import button, facts, find_notice, make_move, must_be_own
from handlers.notices.in_groups import groups_line, groups_of
from handlers.notices.sending import send
from handlers.refusal import NotAllowed, Refusal
from handlers.residents.scope import LOOK_UP
from handlers.work import Reading, Work
from models import MailSort, Notice, NoticeMove, NoticeState

Number = Annotated[int, Ask("quiet"), Field(ge=0)]
"""0: the newest of one's own, or that lies with oneself."""


class SendNotice(Command):
    """Write a notice; it is shown first, and goes to nobody before it is approved."""

    name: ClassVar[str] = "send_notice"
    may: ClassVar[str | None] = LOOK_UP
    words: Annotated[str, Ask("text", prose=True), Field(min_length=2, max_length=1000)]
    to: Annotated[str, Ask("text"), Field(max_length=60)]
    when: Annotated[str, Ask("text"), Field(max_length=40)]


class ChangeNotice(Command):
    """Put other words into a notice that is not on its way."""

    name: ClassVar[str] = "change_notice"
    may: ClassVar[str | None] = LOOK_UP
    in_menu: ClassVar[bool] = False
    number: Number = 0
    words: Annotated[str, Ask("text", prose=True), Field(min_length=2, max_length=1000)]


class SubmitNotice(Command):
    """Let it go its way: to whoever approves it, or out where nobody has to."""

    name: ClassVar[str] = "submit_notice"
    may: ClassVar[str | None] = LOOK_UP
    in_menu: ClassVar[bool] = False
    number: Number = 0


class ApproveNotice(Command):
    """Say yes to somebody else's notice; it is sent at its time."""

    name: ClassVar[str] = "approve_notice"
    in_menu: ClassVar[bool] = False
    number: Number = 0
    round: Annotated[int, Ask("quiet")] = 0
    """For which words the yes was asked; 0: for those of today."""


class ReturnNotice(Command):
    """Give a notice back to its author, with a reason."""

    name: ClassVar[str] = "return_notice"
    in_menu: ClassVar[bool] = False
    number: Number = 0
    why: Annotated[str, Ask("text"), Field(min_length=1, max_length=200)]


@handles(SendNotice)
def send_notice(work: Work, command: SendNotice) -> Done:
    """Who is meant and when are read at once, so that what is not understood is asked for now."""
    assert work.actor.id is not None
    audience = audience_of(work, command.to)
    at = moment_said(command.when, work.now, work.book.zone)
    if at is None:
        raise Refusal("notice.when", said=command.when[:20])
    notice = Notice(
        kind=work.book.notices.kind_of(command.words),
        words=command.words,
        audience=command.to,
        grid_id=audience.grid_id,
        author_id=work.actor.id,
        at=work.now,
        send_at=at,
    )
    work.session.add(notice)
    work.session.flush()
    return _preview(work, notice, audience)


@handles(ChangeNotice)
def change_notice(work: Work, command: ChangeNotice) -> Done:
    """Only a draft is changed: nobody approves words that they have not read."""
    notice = find_notice(work, command.number)
    must_be_own(work, notice)
    if notice.state is not NoticeState.DRAFT:
        raise _stands_elsewhere(work, notice)
    notice.words, notice.kind = command.words, work.book.notices.kind_of(command.words)
    work.session.add(notice)
    return _preview(work, notice, audience_of(work, notice.audience))


def _preview(work: Work, notice: Notice, audience: Audience) -> Done:
    if audience.purpose is not None:
        return _preview_groups(work, notice, audience)
    meant = _count(work, everybody(work, audience))
    reached = _count(work, reachable(work, audience, notice.kind))
    choices = _choices(work, notice)
    counts = {"reached": reached, "missed": meant - reached}
    work.reply("notice.preview", choices=choices, **(facts(work, notice) | counts))
    return Done({"notice": notice.id, "state": notice.state, **counts})


def _choices(work: Work, notice: Notice) -> list[dict[str, Any]]:
    return [
        button(work, "notice.submit", "submit_notice", notice),
        button(work, "notice.change", "change_notice", notice),
        button(work, "notice.cancel", "cancel_notice", notice),
    ]


def _preview_groups(work: Work, notice: Notice, audience: Audience) -> Done:
    """Nobody's number stands in a group; which groups it goes to, and how, is shown before."""
    no_numbers(work, notice.words)
    groups = groups_of(work, audience)
    if not groups:
        raise Refusal("notice.no_groups", to=notice.audience)
    shown = facts(work, notice) | {"groups": groups_line(work, groups)}
    work.reply("notice.preview_groups", choices=_choices(work, notice), **shown)
    return Done({"notice": notice.id, "state": notice.state, "groups": [group.id for group in groups]})


def _count(reading: Reading, query: object) -> int:
    found = select(func.count()).select_from(query.subquery())  # type: ignore[attr-defined]
    return int(reading.session.execute(found).scalar_one())


@handles(SubmitNotice)
def submit_notice(work: Work, command: SubmitNotice) -> Done:
    """A few colleagues are written to without a second person, where the place's rules say so."""
    notice = find_notice(work, command.number)
    must_be_own(work, notice)
    if notice.state is not NoticeState.DRAFT:
        raise _stands_elsewhere(work, notice)
    if _is_small(work, notice):
        return _approve(work, notice)
    approver = _approver(work, notice)
    make_move(work, notice, NoticeMove.ASK)
    notice.approver_id, notice.round = approver, notice.round + 1
    choices = [
        button(work, "notice.yes", "approve_notice", notice, round=notice.round),
        button(work, "notice.no", "return_notice", notice),
    ]
    work.tell(
        approver,
        "notice.to_approve",
        key=f"notice:{notice.id}:asked:{notice.round}",
        choices=choices,
        sort=MailSort.DUTY,
        cause=f"notice:{notice.id}",
        author=role_and_name(work, notice.author_id),
        **facts(work, notice),
    )
    work.reply("notice.asked", approver=role_and_name(work, approver), number=notice.id)
    return Done({"notice": notice.id, "state": notice.state, "approver": approver})


def _is_small(work: Work, notice: Notice) -> bool:
    audience = audience_of(work, notice.audience)
    most = work.book.notices.self_approve_up_to
    return audience.role is not None and _count(work, everybody(work, audience)) <= most


def _approver(work: Work, notice: Notice) -> int:
    """The nearest colleague at or above the area who may approve, is there today, and did not write it."""
    ability = work.book.notices.approve
    for node in work.tree.upward(notice.grid_id):
        for person, actor in work.tree.staff.items():
            if person == notice.author_id or person in work.tree.away:
                continue
            if any(post.grid_id == node.id and ability in post.abilities for post in actor.posts):
                return person
    raise Refusal("notice.nobody_approves", number=notice.id)


@handles(ApproveNotice)
def approve_notice(work: Work, command: ApproveNotice) -> Done:
    """Never the author, and only the words that were shown."""
    notice = find_notice(work, command.number)
    _must_approve(work, notice)
    if notice.state is not NoticeState.ASKED or command.round not in (0, notice.round):
        raise _stands_elsewhere(work, notice)
    notice.approver_id = work.actor.id
    return _approve(work, notice)


def _must_approve(work: Work, notice: Notice) -> None:
    path = work.tree.at(notice.grid_id).path
    if work.actor.id == notice.author_id or not work.actor.may_on(work.book.notices.approve, path):
        raise NotAllowed()


def _approve(work: Work, notice: Notice) -> Done:
    make_move(work, notice, NoticeMove.APPROVE)
    now = notice.send_at <= work.now
    notice.send_at = max(notice.send_at, work.now)
    text = "notice.approved_now" if now else "notice.approved"
    work.reply(text, **facts(work, notice))
    if notice.author_id != work.actor.id:
        work.tell(
            notice.author_id, text, key=f"notice:{notice.id}:approved:{notice.round}", **facts(work, notice)
        )
    if now:
        send(work, notice)
    return Done({"notice": notice.id, "state": notice.state})


@handles(ReturnNotice)
def return_notice(work: Work, command: ReturnNotice) -> Done:
    """It is a draft again, and its author reads why."""
    notice = find_notice(work, command.number)
    _must_approve(work, notice)
    make_move(work, notice, NoticeMove.RETURN)
    work.reply("notice.returned", number=notice.id)
    work.tell(
        notice.author_id,
        "notice.came_back",
        key=f"notice:{notice.id}:returned:{notice.round}",
        choices=[
            button(work, "notice.change", "change_notice", notice),
            button(work, "notice.cancel", "cancel_notice", notice),
        ],
        by=role_and_name(work, work.actor.id),
        why=command.why,
        **facts(work, notice),
    )
    return Done({"notice": notice.id, "state": notice.state})


def _stands_elsewhere(work: Work, notice: Notice) -> Refusal:
    return Refusal("notice.wrong_move", number=notice.id, stage=work.word(f"notice.stage.{notice.state}"))
