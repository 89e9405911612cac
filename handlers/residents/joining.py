"""Joining: two records that are one person become one, so that it can be taken back exactly."""

from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import Table, select
from sqlmodel import col

from handbook.doors import names_in
from handbook.personal import mask_phone
from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import NotFound, Refusal
from handlers.residents.doubles import Pair, known_apart, reason_words, why_alike
from handlers.residents.records import join_records, part_records
from handlers.residents.scope import PEOPLE, RECORD, Resident, home_label, resident_of, residents
from handlers.tree import registry_changed
from handlers.work import Reading, Work
from handlers.writing import insert_new
from models import Account, Apart, Deed, Joined, Person, Post, Subject

_APART: Table = Apart.__table__  # type: ignore[attr-defined]


class JoinResidents(Command):
    """Two records are the same person."""

    name: ClassVar[str] = "join_residents"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    who: Annotated[str, Ask("text"), Field(max_length=40)] = ""
    one: Annotated[int | None, Ask("quiet")] = None
    other: Annotated[int | None, Ask("quiet")] = None
    sure: Annotated[bool, Ask("quiet")] = False
    """Both were shown side by side."""


class KeepApart(Command):
    """Two records that look alike are two people."""

    name: ClassVar[str] = "keep_apart"
    may: ClassVar[str | None] = RECORD
    in_menu: ClassVar[bool] = False
    one: Annotated[int, Ask("quiet")]
    other: Annotated[int, Ask("quiet")]


class UndoJoin(Command):
    """Take joining two records back."""

    name: ClassVar[str] = "undo_join"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    number: Annotated[int | None, Ask("quiet")] = None


@handles(JoinResidents)
def join_residents(work: Work, command: JoinResidents) -> Done:
    """First both are shown; only a second word joins them."""
    one, other = _both(work, command)
    kept, gone = _order(work, one, other)
    _must_be_right(work, kept, gone)
    if not command.sure:
        return _card(work, kept, gone)
    number = join_records(work, kept.id, gone.id)
    if {kept.id, gone.id} & set(work.tree.staff):
        registry_changed(work.session)
    work.session.accounts_moved = True
    note(work, Deed.JOIN, Subject.PERSON, kept.id)
    note(work, Deed.JOIN, Subject.PERSON, gone.id)
    undo = {"label": work.word("join_residents.undo"), "do": "undo_join", "known": {"number": number}}
    place = home_label(work, resident_of(work, RECORD, kept.id))
    work.reply("join_residents.done", name=kept.name, place=place, choices=[undo])
    return Done({"number": number, "kept": kept.id, "gone": gone.id})


def _both(work: Work, command: JoinResidents) -> tuple[Resident, Resident]:
    if command.one is not None and command.other is not None and command.one != command.other:
        return resident_of(work, RECORD, command.one), resident_of(work, RECORD, command.other)
    names = names_in(command.who)
    found = residents(work, RECORD, PEOPLE.c.name.in_(names)) if names else []
    alike = [one for one in found if one.name == names[0]] or found
    if len(alike) != 2:
        raise Refusal("join_residents.not_two", name=(names[0] if names else command.who)[:20])
    return alike[0], alike[1]


def _order(work: Work, one: Resident, other: Resident) -> tuple[Resident, Resident]:
    """Who is kept: whoever holds a post, speaks through an account, has a phone; else the older record."""

    def weight(who: Resident) -> tuple[bool, bool, bool, int]:
        return who.id not in work.tree.staff, not _speaks(work, who.id), not who.phone, who.id

    kept, gone = sorted((one, other), key=weight)
    return kept, gone


def _speaks(work: Reading, person_id: int) -> bool:
    query = select(col(Account.id)).where(col(Account.person_id) == person_id)
    return work.session.execute(query.limit(1)).first() is not None


def _ever_held(work: Reading, person_id: int) -> bool:
    query = select(col(Post.id)).where(col(Post.person_id) == person_id)
    return work.session.execute(query.limit(1)).first() is not None


def _must_be_right(work: Work, kept: Resident, gone: Resident) -> None:
    """An account or a post comes to nobody by joining: for that one binds oneself. Raises Refusal."""
    if _ever_held(work, gone.id):
        raise Refusal("join_residents.two_posts", name=gone.name)
    if _speaks(work, gone.id):
        raise Refusal("join_residents.two_accounts", name=gone.name)
    if known_apart(work, kept.id, gone.id):
        raise Refusal("join_residents.apart", name=gone.name)


def _card(work: Work, kept: Resident, gone: Resident) -> Done:
    pair = {"one": kept.id, "other": gone.id}
    reasons = why_alike(work, kept, gone)
    work.reply(
        "join_residents.card",
        items=[_side(work, kept), _side(work, gone)],
        reasons=reason_words(work, Pair(kept, gone, reasons)) if reasons else work.word("double.nothing"),
        choices=[
            {
                "label": work.word("join_residents.yes"),
                "do": "join_residents",
                "known": {**pair, "sure": True},
            },
            {"label": work.word("join_residents.no"), "do": "keep_apart", "known": pair},
        ],
    )
    return Done({"kept": kept.id, "gone": gone.id, "reasons": list(reasons)})


def _side(work: Work, who: Resident) -> dict[str, str]:
    speaks = work.word("join_residents.speaks") if _speaks(work, who.id) else ""
    phone = mask_phone(who.phone or "") or work.word("said.no_phone")
    return {"name": who.name, "place": home_label(work, who), "phone": phone, "speaks": speaks}


@handles(KeepApart)
def keep_apart(work: Work, command: KeepApart) -> Done:
    """They are not asked about again."""
    one, other = sorted((command.one, command.other))
    for person in (one, other):
        resident_of(work, RECORD, person)
    row = {"one_id": one, "other_id": other, "by_id": work.actor.id, "at": work.now}
    work.session.execute(insert_new(work.session, _APART), [row])
    work.reply("keep_apart.done")
    return Done({"one": one, "other": other})


@handles(UndoJoin)
def undo_join(work: Work, command: UndoJoin) -> Done:
    """The latest of one's own, or the one that is named, if the person is within reach."""
    joined = _joined(work, command.number)
    kept = work.session.get(Person, joined.kept_id, populate_existing=True)
    oldest = work.book.residents.keep.joins
    too_old = (work.now - joined.at).days >= oldest
    if kept is None or kept.joined_into is not None or kept.forgotten_at is not None or too_old:
        raise Refusal("undo_join.too_late")
    resident_of(work, RECORD, joined.kept_id)
    part_records(work, joined)
    if {joined.kept_id, joined.gone_id} & set(work.tree.staff):
        registry_changed(work.session)
    work.session.accounts_moved = True
    for person in (joined.kept_id, joined.gone_id):
        note(work, Deed.PART, Subject.PERSON, person)
    work.reply("undo_join.done", name=kept.name)
    return Done({"kept": joined.kept_id, "gone": joined.gone_id})


def _joined(work: Work, number: int | None) -> Joined:
    query = select(Joined).where(col(Joined.undone_at).is_(None))
    mine = col(Joined.id) == number if number is not None else col(Joined.by_id) == work.actor.id
    found = work.session.execute(query.where(mine).order_by(col(Joined.id).desc()).limit(1)).scalar()
    if found is None:
        raise NotFound("undo_join.nothing")
    joined: Joined = found
    return joined
