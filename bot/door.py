"""The door for one message: who speaks, where the talk stands, what it leads to; all in one work."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from bot.dialog import step
from bot.forms import Turn
from bot.message import Choice, Inbound
from bot.scene import Say, Scene
from bot.talk import Form, Talk
from handlers.actor import CLOCK, Actor
from handlers.catalogue import COMMANDS
from handlers.command import Command, Done, perform
from handlers.guarding import WarnOfNumbers
from handlers.people import recognise
from handlers.phones import hide_numbers
from handlers.refusal import Refusal
from handlers.tree import Tree
from handlers.work import Desk, Return, Work
from handlers.writing import Writing
from models import Outbox


def receive(
    desk: Desk,
    session: Writing,
    tree: Tree,
    inbound: Inbound,
    state: Mapping[str, Any],
    sender: Actor | None = None,
    earlier: int | None = None,
) -> tuple[Talk, Actor]:
    """Decide one message inside a session that somebody else commits.

    `state` is the conversation as it was locked and read; `sender` who wrote, where that is known already;
    `earlier` whose talk it was, for an account that has changed hands begins anew.
    Returns the talk as it stands afterwards, and who wrote as they stand then.
    """
    now = desk.now()
    known = sender is not None and sender.id is not None  # else they have just been forgotten
    actor = (sender if known else None) or _newcomer(session, tree, inbound, now)
    back = Return(inbound.channel, inbound.chat, inbound.handle, inbound.group)
    work = Work(session, now, desk.book, tree, actor, inbound.channel, inbound.message_id, back, desk.links)
    talk = Talk.model_validate(state) if earlier in (None, actor.id) else Talk()
    if inbound.personal:
        _warn(work, inbound)
    if not inbound.addressed:
        work.flush()
        return talk, work.actor
    scene = Scene(work, now, inbound.group)
    turn = step(scene, talk, inbound, _pressed(session, inbound, actor.id))
    talk = _carry_out(work, turn)
    work.flush()
    return talk, work.actor


def _warn(work: Work, inbound: Inbound) -> None:
    """The program's own word, in a work of whoever wrote."""
    speaker, work.actor = work.actor, CLOCK
    perform(work, WarnOfNumbers(kinds=inbound.personal, person=speaker.id))
    work.actor = speaker


def _newcomer(session: Session, tree: Tree, inbound: Inbound, now: datetime) -> Actor:
    """Whoever speaks to us is entered; who only spoke in a group where we listen stays nobody."""
    if not inbound.addressed:
        return Actor(None, "")
    return recognise(
        session,
        tree,
        channel=inbound.channel,
        handle=inbound.handle,
        chat=inbound.handle if inbound.group else inbound.chat,
        name=inbound.sender_name,
        now=now,
    )


def _pressed(session: Session, inbound: Inbound, person_id: int | None) -> Choice | None:
    """The choice behind a button: only one that was offered to this very person."""
    mail, _, index = (inbound.pressed or "").partition(":")
    if not (_is_number(mail, 18) and _is_number(index, 3)):
        return None
    choices = session.execute(
        select(col(Outbox.choices)).where(col(Outbox.id) == int(mail), col(Outbox.person_id) == person_id)
    ).scalar()
    if choices is None or int(index) >= len(choices):
        return None
    return Choice.model_validate(choices[int(index)])


def _is_number(text: str, longest: int) -> bool:
    """Plain digits alone: ² is a digit too, and no number."""
    return text.isascii() and text.isdecimal() and len(text) <= longest


def _carry_out(work: Work, turn: Turn) -> Talk:
    """Perform the turn's command, then say what there is to say; the last prompt's choices become the
    numbers.
    """
    talk = turn.talk
    if turn.command is not None:
        for command in (turn.command, *turn.more):
            talk = _perform(work, talk, command)
    for said in turn.says:
        _reply(work, said)
    return _with_choices(work, talk)


def _with_choices(work: Work, talk: Talk) -> Talk:
    """The last prompt's choices become the numbers; 是 and 不是 answer it only while it is the last word."""
    answers = work.answers
    if not answers:
        return talk
    talk = talk.model_copy(update={"yes_or_no": len(answers[-1]["choices"]) == 2})
    offered = [mail["choices"] for mail in answers if mail["choices"]]
    if offered and all(choice.get("do") for choice in offered[-1]):
        talk = talk.offering(tuple(Choice.model_validate(c) for c in offered[-1]), work.now)
    return talk


def _perform(work: Work, talk: Talk, command: Command) -> Talk:
    outcome = perform(work, command)
    if isinstance(outcome, Refusal):
        if command.hides:
            hide_numbers(work)  # what the handler masked was undone with the rest
        args = dict(outcome.args_)
        choices = args.pop("choices", ())
        work.reply(outcome.text, choices=choices, **args)
        return talk
    return _spoken_of(talk, outcome, work.now)


def _spoken_of(talk: Talk, outcome: Done, now: datetime) -> Talk:
    if outcome.forgets:
        return Talk()
    if outcome.asks is not None:
        name, asking, known = outcome.asks
        return talk.with_form(Form(command=name, known=dict(known), asking=asking, asked=(asking,)))
    if outcome.incident_id is None:
        return talk
    talk = talk.model_copy(update={"last_case": outcome.incident_id})
    if outcome.filed:
        talk = talk.model_copy(update={"last_filed": outcome.incident_id})
    if outcome.alarm:
        talk = talk.alarmed(outcome.incident_id, now, placed=outcome.follow != "relocate")
    if outcome.follow is None or talk.form is not None:
        return talk
    known = {"incident": outcome.incident_id, "category": outcome.data.get("category")}
    asking = next(name for name in COMMANDS[outcome.follow].model_fields if name != "incident")
    return talk.with_form(Form(command=outcome.follow, known=known, asking=asking, optional=True))


def _reply(work: Work, said: Say) -> None:
    choices = [
        choice.model_dump(mode="json", exclude_defaults=True) | {"label": choice.label}
        for choice in said.choices
    ]
    work.reply(said.text, choices=choices, **said.args)
