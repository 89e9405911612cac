"""One's own: what is kept beyond the minimum and what for; taking a yes back, saying that it is wrong."""

from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import select, update
from sqlmodel import col

from handbook.personal import masked
from handlers.audit import note
from handlers.cases import role_and_name, someone_above
from handlers.command import Ask, Command, Done, handles
from handlers.phones import hide_numbers
from handlers.refusal import Refusal
from handlers.residents.details import AGREEMENTS, drop, kept_of
from handlers.residents.moving import where_lived
from handlers.residents.scope import HOMES, Door, door_label
from handlers.work import Reading, Work
from handlers.writing import insert_new
from models import Deed, Person, Subject


class WithdrawConsent(Command):
    """Take back my yes: what was kept by it is deleted."""

    name: ClassVar[str] = "withdraw_consent"
    what: Annotated[str, Ask("text"), Field(max_length=40)] = ""


class SayWrong(Command):
    """Something that is kept of me is wrong: whoever serves my home is asked to put it right."""

    name: ClassVar[str] = "say_wrong"
    hides: ClassVar[bool] = True
    what: Annotated[str, Ask("text"), Field(min_length=1, max_length=200)]


@handles(WithdrawConsent)
def withdraw_consent(work: Work, command: WithdrawConsent) -> Done:
    """What does not need a yes is named with its reason; being forgotten is a word of its own."""
    me = _me(work)
    own = details_of(work, me)
    wanted = [
        one for one in own if command.what and (one["module"] in command.what or one["value"] in command.what)
    ]
    if not command.what or not wanted:
        return _offer(work, own)
    free = [one for one in wanted if one["consent"]]
    if not free:
        raise Refusal("withdraw_consent.by_duty", what=wanted[0]["module"], purpose=wanted[0]["purpose"])
    for key in dict.fromkeys(one["key"] for one in free):
        _withdraw(work, me, key)
    names = "、".join(dict.fromkeys(one["module"] for one in free))
    work.reply("withdraw_consent.done", what=names)
    return Done({"withdrawn": [one["key"] for one in free]})


def _withdraw(work: Work, me: int, module: str) -> None:
    drop(work, module, person=me)
    # what a list told was kept without a yes of its own
    row = {"person_id": me, "module": module, "given_at": work.now}
    work.session.execute(insert_new(work.session, AGREEMENTS), [row])
    mine = (AGREEMENTS.c.person_id == me, AGREEMENTS.c.module == module)
    work.session.execute(update(AGREEMENTS).where(*mine).values(withdrawn_at=work.now))
    note(work, Deed.WITHDRAW, Subject.PERSON, me)


def _offer(work: Work, own: list[dict[str, Any]]) -> Done:
    free = list(dict.fromkeys(one["module"] for one in own if one["consent"]))
    if not free:
        forget = {"label": work.word("menu.forget_me"), "do": "forget_me", "known": {}}
        raise Refusal("withdraw_consent.nothing", choices=[forget])
    choices = [{"label": name, "do": "withdraw_consent", "known": {"what": name}} for name in free]
    work.reply("withdraw_consent.which", choices=choices)
    return Done({"modules": free})


@handles(SayWrong)
def say_wrong(work: Work, command: SayWrong) -> Done:
    """Nothing is changed by it: whoever wrote it down looks at it together with the resident."""
    me = _me(work)
    person = work.session.get(Person, me)
    grid = _grid_of(work, me)
    keeper = someone_above(work, grid, "record", besides=(me,)) if grid is not None else None
    if person is None or keeper is None:
        raise Refusal("say_wrong.nobody")
    work.tell(
        keeper,
        "say_wrong.keeper",
        key=f"wrong:{work.channel}:{work.message_id}",
        name=person.name,
        place=work.tree.named(grid or work.tree.root.id),
        what=masked(command.what),
    )
    hide_numbers(work)
    work.reply("say_wrong.done", who=role_and_name(work, keeper))
    return Done({"told": keeper})


def _me(work: Work) -> int:
    if work.actor.id is None:
        raise Refusal("my_data.nothing")
    return work.actor.id


def _grid_of(reading: Reading, me: int) -> int | None:
    """Where somebody lives, as far as it is known."""
    for home in reversed(where_lived(reading, me)):
        if home.until is None:
            row = reading.session.execute(select(HOMES).where(HOMES.c.id == home.household_id)).one()
            return int(row.grid_id)
    return reading.actor.home_grid_id


# ---- what is kept of one ---------------------------------------------------------------------------------


def homes_of(reading: Reading, person_id: int) -> list[dict[str, Any]]:
    """Everywhere somebody lives and lived, as a file holds it."""
    found = []
    for home in where_lived(reading, person_id):
        row = reading.session.execute(select(HOMES).where(HOMES.c.id == home.household_id)).one()
        door = Door(row.id, row.grid_id, row.address, row.door)
        found.append({"place": door_label(reading, door), "since": home.since, "until": home.until})
    return found


def details_of(reading: Reading, person_id: int) -> list[dict[str, Any]]:
    """What the modules keep of somebody, each with what it is for, since when, and by whom it was noted."""
    modules = reading.book.residents.on
    return [
        {
            "key": one.module,
            "module": modules[one.module].name,
            "value": one.shown(reading, modules[one.module]),
            "purpose": modules[one.module].purpose,
            "consent": modules[one.module].consent,
            "since": one.since,
            "noted_by": _noted_by(reading, one.by_id),
        }
        for one in kept_of(reading, [person_id]).get(person_id, ())
    ]


def whole_details_of(reading: Reading, person_id: int) -> list[dict[str, Any]]:
    """The same with what is sealed, for the file that somebody takes along."""
    kept = kept_of(reading, [person_id]).get(person_id, ())
    return [
        {**one, "value": whole.hidden or one["value"]}
        for one, whole in zip(details_of(reading, person_id), kept, strict=True)
    ]


def _noted_by(reading: Reading, person_id: int | None) -> str:
    if person_id is None:
        return reading.word("detail.by_list")
    name = reading.session.execute(select(col(Person.name)).where(col(Person.id) == person_id)).scalar()
    return role_and_name(reading, person_id) if person_id in reading.tree.staff else name or ""
