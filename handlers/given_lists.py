"""Lists given in a chat: a leader sends a file, reads what it would bring, and says yes or no."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, InstanceOf
from sqlalchemy import func, select
from sqlmodel import col

from handlers.audit import note
from handlers.command import Ask, Command, Done, OwnCommand, handles
from handlers.importing import ENROL, UndoImport, undo_import
from handlers.material import Media
from handlers.papers import link_to
from handlers.private import own_chat
from handlers.refusal import NotAllowed, NotFound, Refusal
from handlers.registry.pieces import Overtaken, Piece
from handlers.tokens import actor_of
from handlers.tree import registry_changed, registry_version
from handlers.work import Work
from models import Deed, GivenList, Imported, ListState, PaperKind, Subject

KEPT: Final = timedelta(hours=24)
"""How long a file lies by: whoever has not said yes by then sends it again."""
LEFT: Final = timedelta(hours=1)
"""How much longer once it is written, for whoever still reads the report."""
LARGEST: Final = 20 * 1024 * 1024
"""Bytes of one file, as much as a channel lets a bot fetch."""
MOST_AT_ONCE: Final = 5
"""Files of one person that wait to be read."""
_SHOWN: Final = 3
"""Lines of each kind that are told in the chat; the report has all."""
_LISTS = re.compile(r"\.(?:xlsx?|xlsm|csv|et|ods|zip|rar|7z|numbers)$", re.IGNORECASE)
_READABLE = re.compile(r"\.(?:xlsx|xlsm|csv)$", re.IGNORECASE)
_FORMER = re.compile(r"\.(?:xls|et)$", re.IGNORECASE)
_TO_DO = (ListState.NEW, ListState.TO_WRITE)


def is_list(file: Media) -> bool:
    """Whether a file that came in a chat may be meant as a list to be brought in."""
    return file.kind == "file" and _LISTS.search(file.name) is not None


class _Enrolling(Command):
    """What is said in a chat alone, by whoever may bring in lists."""

    may: ClassVar[str | None] = ENROL
    in_api: ClassVar[bool] = False


class HowToImport(_Enrolling):
    """How lists are brought in."""

    name: ClassVar[str] = "how_to_import"
    stands_alone: ClassVar[bool] = True


class ConfirmList(_Enrolling):
    """Bring in what was shown."""

    name: ClassVar[str] = "confirm_list"
    number: Annotated[int, Ask("quiet"), Field(ge=0)] = 0
    """0: the latest that waits for a yes."""
    shown: Annotated[str, Ask("quiet")] = ""
    """What a button was offered for."""


class TakeBackImport(_Enrolling):
    """Take one's own import back as a whole."""

    name: ClassVar[str] = "take_back_import"
    stands_alone: ClassVar[bool] = True
    number: Annotated[int, Ask("quiet"), Field(ge=0)] = 0
    """0: the latest."""


class ListTemplate(_Enrolling):
    """Empty sheets to fill in."""

    name: ClassVar[str] = "list_template"
    stands_alone: ClassVar[bool] = True


class ExportLists(_Enrolling):
    """All lists of one's area, to take out."""

    name: ClassVar[str] = "export_lists"
    stands_alone: ClassVar[bool] = True


class BringList(Command):
    """A file was sent that may be a list; given by the talk."""

    name: ClassVar[str] = "bring_list"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    file: Media


class DropList(_Enrolling):
    """Do not bring in what was shown."""

    name: ClassVar[str] = "drop_list"
    in_menu: ClassVar[bool] = False
    number: int


# ---- what the sender says ------------------------------------------------------------------------------


@handles(HowToImport)
def how_to_import(work: Work, command: HowToImport) -> Done:
    """In words: the file itself is what begins it."""
    own_chat(work)
    work.reply("given.how")
    return Done()


@handles(BringList)
def bring_list(work: Work, command: BringList) -> Done:
    """Kept to be read beside all writing; what is clear from its name is said at once."""
    back, file = own_chat(work), command.file
    if work.actor.id is None or not work.actor.may(ENROL):
        raise NotAllowed("given.not_yours")
    if _FORMER.search(file.name):
        raise Refusal("sheet.old", name=file.name)
    if not _READABLE.search(file.name):
        raise Refusal("sheet.not_one", name=file.name)
    if file.size > LARGEST:
        raise Refusal("sheet.too_large", name=file.name, most=LARGEST // 1024 // 1024)
    mine = (col(GivenList.person_id) == work.actor.id, col(GivenList.state).in_(_TO_DO))
    if work.session.execute(select(func.count()).where(*mine)).scalar_one() >= MOST_AT_ONCE:
        raise Refusal("given.busy")
    row = GivenList(
        person_id=work.actor.id,
        channel=back.channel,
        chat=back.chat,
        handle=back.handle,
        name=file.name,
        file=file.key,
        at=work.now,
        until=work.now + KEPT,
    )
    work.session.add(row)
    work.session.flush()
    return Done({"list": row.id})


@handles(ConfirmList)
def confirm_list(work: Work, command: ConfirmList) -> Done:
    """Writing takes its time, and is done beside; what is wanted is what was told last."""
    own_chat(work)
    given = _own(work, command.number)
    if given.state is ListState.TO_WRITE:
        raise Refusal("given.being_written", name=given.name)
    if given.state is ListState.WRITTEN:
        raise Refusal("given.written_already", name=given.name, number=given.imported_id)
    if given.state is not ListState.SHOWN or given.until <= work.now:
        raise Refusal("given.over")
    if command.shown and command.shown != given.shown:
        raise Refusal("given.look_again", number=given.id)
    given.state, given.tries, given.until = ListState.TO_WRITE, 0, work.now + KEPT
    _keep(work, given)
    return Done({"list": given.id})


@handles(DropList)
def drop_list(work: Work, command: DropList) -> Done:
    """Its file is deleted at once."""
    own_chat(work)
    given = _own(work, command.number)
    if given.state is not ListState.SHOWN:
        raise Refusal("given.over")
    given.state, given.until = ListState.OVER, work.now
    _keep(work, given)
    work.reply("given.dropped", name=given.name)
    return Done({"list": given.id})


def _own(work: Work, number: int) -> GivenList:
    """One's own list, held until the work ends. Raises NotFound: another's is not there."""
    query = select(GivenList).where(col(GivenList.person_id) == work.actor.id)
    if number:
        query = query.where(col(GivenList.id) == number)
    else:
        query = query.where(col(GivenList.state) == ListState.SHOWN)
    query = query.order_by(col(GivenList.id).desc()).limit(1).with_for_update()
    found: GivenList | None = work.session.execute(
        query.execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("given.none")
    return found


def _keep(work: Work, given: GivenList) -> None:
    work.session.add(given)
    work.session.flush()


@handles(TakeBackImport)
def take_back_import(work: Work, command: TakeBackImport) -> Done:
    """Without a number the latest is named first: one number more is no nuisance, a wrong undo is."""
    own_chat(work)
    if command.number:
        done = undo_import(work, UndoImport(number=command.number))
        work.reply("given.undone", number=command.number)
        return done
    mine = (col(Imported.by_id) == work.actor.id, col(Imported.undone_at).is_(None))
    latest = work.session.execute(
        select(Imported).where(*mine).order_by(col(Imported.id).desc()).limit(1)
    ).scalar_one_or_none()
    if latest is None:
        raise Refusal("given.nothing_to_undo")
    yes = {"label": work.word("given.undo"), "do": "take_back_import", "known": {"number": latest.id}}
    no = {"label": work.word("given.keep"), "do": "keep", "zero": True}
    work.reply("given.which_undo", choices=[yes, no], number=latest.id, name=latest.file, at=latest.at)
    return Done({"number": latest.id})


@handles(ListTemplate)
def list_template(work: Work, command: ListTemplate) -> Done:
    """Nobody's data is in it, so its address is for everybody."""
    own_chat(work)
    if not work.links.template:
        raise Refusal("given.no_pages")
    work.reply("given.template", link=work.links.template)
    return Done({"link": work.links.template})


@handles(ExportLists)
def export_lists(work: Work, command: ExportLists) -> Done:
    """A link for once; that the lists left the house is noted when it is opened."""
    own_chat(work)
    link = link_to(work, PaperKind.EXPORT)
    if link is None:
        raise Refusal("given.no_pages")
    work.reply("given.export", link=link)
    return Done()


# ---- what came of it: told by whoever reads and writes ------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What a list would bring, as it is told."""

    digest: str
    counts: dict[str, int]
    sheets: list[dict[str, Any]]
    wrong: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    report: str
    """Key of the whole report."""


class _Reader(OwnCommand):
    """What no person gives: whoever reads and writes the lists does, and the sender is answered."""

    number: int


class TakeUp(_Reader):
    """Begin with a list, so that no other process does the same meanwhile."""

    name: ClassVar[str] = "take_up_list"
    lease: InstanceOf[timedelta]


class KeepFile(_Reader):
    """The bytes of a list are here now."""

    name: ClassVar[str] = "keep_list_file"
    key: str


class TellSlow(_Reader):
    """It takes a while."""

    name: ClassVar[str] = "tell_slow_list"
    lease: InstanceOf[timedelta]
    say: bool


class ShowList(_Reader):
    """Tell what a list would bring."""

    name: ClassVar[str] = "show_list"
    found: InstanceOf[Shown]


class GiveUpList(_Reader):
    """A list is of no use; tell why."""

    name: ClassVar[str] = "give_up_list"
    why: InstanceOf[Refusal]


class WritePiece(_Reader):
    """Write a piece of a list."""

    name: ClassVar[str] = "write_list_piece"
    piece: InstanceOf[Piece]
    digest: str
    lease: InstanceOf[timedelta]


class EndWriting(_Reader):
    """All of a list is written."""

    name: ClassVar[str] = "end_writing_list"


class ForgetFile(_Reader):
    """The file of a list is deleted."""

    name: ClassVar[str] = "forget_list_file"


def _held(work: Work, number: int, *states: ListState) -> GivenList:
    """A list that still stands where its reader believes; the work goes on in its sender's name.

    Raises Refusal: another has been quicker.
    """
    query = select(GivenList).where(col(GivenList.id) == number).with_for_update()
    found: GivenList = work.session.execute(query.execution_options(populate_existing=True)).scalar_one()
    if found.state not in states:
        raise Refusal("given.over")
    work.actor = actor_of(work.session, work.tree, found.person_id) or work.actor
    return found


@handles(TakeUp)
def take_up(work: Work, command: TakeUp) -> Done:
    """Refused while another process is at it."""
    given = _held(work, command.number, *_TO_DO)
    if given.lease_until is not None and given.lease_until > work.now:
        raise Refusal("given.being_written", name=given.name)
    given.lease_until = work.now + command.lease
    given.tries += 1
    _keep(work, given)
    return Done({"tries": given.tries})


@handles(KeepFile)
def keep_file(work: Work, command: KeepFile) -> Done:
    """From now on a restart needs no channel for it."""
    given = _held(work, command.number, *_TO_DO)
    given.file = command.key
    _keep(work, given)
    return Done()


@handles(TellSlow)
def tell_slow(work: Work, command: TellSlow) -> Done:
    """Said once for reading and once for writing; the lease is renewed each time."""
    given = _held(work, command.number, *_TO_DO)
    given.lease_until = work.now + command.lease
    _keep(work, given)
    if command.say and given.state is ListState.NEW:
        work.reply("given.reading", name=given.name)
    elif command.say:
        work.reply("given.writing", name=given.name)
    return Done()


@handles(ShowList)
def show_list(work: Work, command: ShowList) -> Done:
    """Told with a yes and a no, unless it would bring nothing."""
    given, found = _held(work, command.number, *_TO_DO), command.found
    again = given.state is ListState.TO_WRITE
    link = link_to(work, PaperKind.REPORT, given.id)
    brings = bool(found.counts["new"] + found.counts["changed"])
    given.state = ListState.SHOWN if brings else ListState.OVER
    given.shown, given.counts, given.report = found.digest, found.counts, found.report
    given.lease_until, given.tries, given.until = None, 0, work.now + KEPT
    _keep(work, given)
    told: dict[str, Any] = {"name": given.name, **_lines(work, found), "more": _more(work, link)}
    if not brings:
        work.reply("given.nothing_new", **told)
    elif again:
        work.reply("given.shown_again", choices=_yes_or_no(work, given), number=given.id, **told)
    else:
        work.reply("given.shown", choices=_yes_or_no(work, given), number=given.id, **told)
    return Done()


def _yes_or_no(work: Work, given: GivenList) -> list[dict[str, Any]]:
    known = {"number": given.id, "shown": given.shown}
    return [
        {"label": work.word("given.yes"), "do": "confirm_list", "known": known},
        {
            "label": work.word("given.no"),
            "do": "drop_list",
            "known": {"number": given.id},
            "zero": True,
        },
    ]


def _lines(work: Work, found: Shown) -> dict[str, str]:
    sheets = [work.word("given.sheet", sheet=sheet["sheet"], **sheet["counts"]) for sheet in found.sheets]
    wrong = [work.word("given.wrong_line", **_line(line, "reason")) for line in found.wrong[:_SHOWN]]
    changed = [work.word("given.changed_line", **_line(line, "what")) for line in found.changed[:_SHOWN]]
    return {"sheets": "\n".join(sheets), "lines": "\n".join([*wrong, *changed])}


def _line(line: dict[str, Any], said: str) -> dict[str, Any]:
    return {"sheet": line["sheet"], "row": line["row"], "said": line[said]}


def _more(work: Work, link: str | None) -> str:
    return work.word("given.more", link=link) if link else ""


@handles(GiveUpList)
def give_up(work: Work, command: GiveUpList) -> Done:
    """Said in the words of what refused it; its file is deleted at once."""
    given = _held(work, command.number, *_TO_DO)
    given.state, given.until, given.lease_until = ListState.OVER, work.now, None
    _keep(work, given)
    work.reply(command.why.text, **command.why.args_)
    if given.imported_id is not None:
        registry_changed(work.session)
        work.reply("given.half", number=given.imported_id)
    return Done()


@handles(WritePiece)
def write_piece(work: Work, command: WritePiece) -> Done:
    """Refused once anybody else has changed the registry since it was compared."""
    given = _held(work, command.number, ListState.TO_WRITE)
    if registry_version(work.session) != command.piece.version:
        raise Refusal("given.look_again", number=given.id)
    imported = _imported(work, given, command.digest)
    try:
        command.piece.write(work, imported)
    except Overtaken:
        raise Refusal("given.look_again", number=given.id) from None
    given.lease_until = work.now + command.lease
    work.session.add(imported)
    _keep(work, given)
    return Done({"number": imported.id})


def _imported(work: Work, given: GivenList, digest: str) -> Imported:
    """The import that a list becomes: entered with its first piece, and noted."""
    if given.imported_id is not None:
        known = work.session.get(Imported, given.imported_id, populate_existing=True)
        assert known is not None
        return known
    made = Imported(file=given.name, digest=digest, by_id=given.person_id, at=work.now, counts=given.counts)
    work.session.add(made)
    work.session.flush()
    assert made.id is not None
    given.imported_id = made.id
    note(work, Deed.IMPORT, Subject.IMPORT, made.id)
    return made


@handles(EndWriting)
def end_writing(work: Work, command: EndWriting) -> Done:
    """Everybody sees the new registry from now on; the file is kept no longer."""
    given = _held(work, command.number, ListState.TO_WRITE)
    given.state, given.lease_until, given.until = ListState.WRITTEN, None, work.now + LEFT
    _keep(work, given)
    registry_changed(work.session)
    work.reply("given.done", name=given.name, number=given.imported_id, **_counted(given))
    return Done({"number": given.imported_id})


def _counted(given: GivenList) -> dict[str, Any]:
    return {"new": given.counts.get("new", 0), "changed": given.counts.get("changed", 0)}


@handles(ForgetFile)
def forget_file(work: Work, command: ForgetFile) -> Done:
    """Whatever was not said yes to is over with it."""
    given = _held(work, command.number, *ListState)
    given.file = given.report = None
    if given.state is not ListState.WRITTEN:
        given.state = ListState.OVER
    _keep(work, given)
    return Done()
