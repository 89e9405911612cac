"""Filling a command: what is known is never asked, what is missing is asked one question at a time."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.message import Choice, Inbound
from bot.scene import Say, Scene, command_named, say
from bot.slots import Read, Unclear, lead_off, place_choices, read
from bot.talk import CONFIRM, Form, Talk
from handbook.personal import find_personal
from handbook.personal_kinds import Personal
from handlers.command import Ask, Command, ask_of

TRIES = 3
PLACE_TRIES = 2
"""Answers without a place after which a report is filed all the same."""
PLACED = frozenset({"report", "on_behalf"})
TELLING, ENOUGH = 5, 400
"""Letters of an answer that tells something, and of a report that is long enough."""
_WRONG = {"string_too_long": "slot.too_long", "string_pattern_mismatch": "slot.phone"}


@dataclass(frozen=True)
class Turn:
    """What a step leads to: the new state, things to say, and perhaps a command to perform."""

    talk: Talk
    says: tuple[Say, ...] = ()
    command: Command | None = None
    more: tuple[Command, ...] = ()
    """The same command for further cases: `接单 1和2`."""


def begin(
    scene: Scene, talk: Talk, name: str, known: dict[str, Any], rest: str = "", *, fresh: bool = True
) -> Turn:
    """Start a command with what is known, try the rest of the sentence on its fields, then ask or give it."""
    kind = command_named(name)
    if not scene.may(kind):
        return Turn(talk.with_form(None), (say("refusal.not_allowed"),))
    if fresh and talk.form is not None and talk.form.known and talk.form.command != name:
        talk = talk.shelve(scene.now)
    form = Form(command=name, known=known)
    return go_on(scene, talk.with_form(form), fill(scene, kind, form, rest))


def fill(scene: Scene, kind: type[Command], form: Form, rest: str) -> Form:
    """Try the words of the opening sentence on each field that is still missing."""
    known = dict(form.known)
    rest = _phone(kind, known, lead_off(rest))
    asks = [(name, ask_of(info)) for name, info in kind.model_fields.items() if name not in known]
    asks.sort(key=lambda pair: pair[1].kind == "text")  # free text takes what the others leave
    for name, ask in asks:
        if rest and ask.kind == "place" and kind.name not in PLACED:
            known.update(_told_place(scene, name, rest))
        elif rest and ask.kind not in ("quiet", "number", "place", "grid"):
            got = read(scene, ask, rest, None)
            if isinstance(got, Read):
                known[name] = got.value
                rest = got.rest
    return form.model_copy(update={"known": known})


def _told_place(scene: Scene, name: str, rest: str) -> dict[str, Any]:
    """A place that the sentence names beyond doubt; the words stay, for others may want them."""
    got = read(scene, Ask("place"), rest, None)
    return {name: got.value} if isinstance(got, Read) else {}


def _phone(kind: type[Command], known: dict[str, Any], rest: str) -> str:
    """A phone number in the sentence belongs to the field of that name; 代报 also names the person first."""
    if "phone" not in kind.model_fields:
        return rest
    found = next((number for number in find_personal(rest) if number.kind is Personal.PHONE), None)
    if found:
        known["phone"] = found.value
        rest = f"{rest[: found.start]} {rest[found.end :]}".strip()
    head, _, tail = rest.partition(" ")
    if "who" in kind.model_fields and "who" not in known and tail and len(head) <= 8:
        known["who"] = head
        rest = tail.strip()
    return rest


def go_on(scene: Scene, talk: Talk, form: Form) -> Turn:
    """Ask for the next missing field, ask for a yes, or give the command."""
    kind = command_named(form.command)
    for name, info in kind.model_fields.items():
        ask = ask_of(info)
        if name in form.known or ask.kind in ("quiet", "number"):
            continue
        if info.is_required() or (ask.offered and name not in form.asked):
            turn = _ask(scene, talk, form, name, ask)
            if turn is not None:
                return turn
            form = form.model_copy(
                update={"known": {**form.known, name: scene.options(ask.among or "")[0].value}}
            )
    if kind.confirm and not form.confirmed:
        return _confirm(talk, form)
    return _give(talk, kind, form)


def _ask(scene: Scene, talk: Talk, form: Form, name: str, ask: Ask) -> Turn | None:
    """The question for a field; None when there is only one possible answer, which is then taken."""
    options: tuple[Choice, ...] = ()
    if ask.kind in ("case", "person", "option") and ask.among != "categories":
        found = scene.options(ask.among or "")
        if ask.kind == "case" and not found:
            return Turn(talk.with_form(None), (say(f"none.{ask.among}"),))
        if ask.kind == "case" and len(found) == 1:
            return None
        options = tuple(Choice(label=o.label, known={"value": o.value}) for o in found[:9])
    asked = form.model_copy(
        update={"asking": name, "asked": (*form.asked, name), "options": options, "tries": 0}
    )
    return Turn(talk.with_form(asked), (question(asked),))


def question(form: Form) -> Say:
    """The words of the open question, by convention `<command>.<field>.ask`."""
    if form.asking == CONFIRM:
        return say(f"{form.command}.confirm", *form.options, **_shown(form))
    return say(f"{form.command}.{form.asking}.ask", *form.options, **_shown(form))


def _shown(form: Form) -> dict[str, object]:
    words = {name: str(form.known.get(name, "")) for name in ("what", "who")}
    return {"number": str(form.known.get("incident", "")), **words}


def _confirm(talk: Talk, form: Form) -> Turn:
    options = (Choice(label="确定", known={"value": True}), Choice(label="不了", known={"value": False}))
    asked = form.model_copy(update={"asking": CONFIRM, "options": options, "tries": 0})
    return Turn(talk.with_form(asked), (question(asked),))


def _give(talk: Talk, kind: type[Command], form: Form) -> Turn:
    fields = {name: value for name, value in form.known.items() if name in kind.model_fields}
    try:
        command = kind.model_validate(fields)
    except ValidationError as wrong:
        return _wrong(talk, form, wrong)
    return Turn(talk.with_form(None), (), command)


def _wrong(talk: Talk, form: Form, wrong: ValidationError) -> Turn:
    """A value that does not fit (too short, too long) is asked for again; what else is known is kept."""
    error = wrong.errors()[0]
    name = str(error["loc"][0])
    known = {key: value for key, value in form.known.items() if key != name}
    asked = form.model_copy(update={"known": known, "asking": name, "options": (), "tries": form.tries + 1})
    return Turn(talk.with_form(asked), (say(_WRONG.get(error["type"], "slot.too_short")),))


def answer(scene: Scene, talk: Talk, form: Form, text: str, inbound: Inbound) -> Turn:
    """Take the answer to the open question."""
    assert form.asking is not None
    if form.asking == CONFIRM:
        return _confirmed(scene, talk, form, text)
    ask = ask_of(command_named(form.command).model_fields[form.asking])
    got = read(scene, ask, text, inbound)
    if isinstance(got, Read):
        return take(scene, talk, form, got.value, got.extra)
    return _unclear(scene, talk, form, got, text)


def take(scene: Scene, talk: Talk, form: Form, value: Any, extra: dict[str, Any] | None = None) -> Turn:
    """Put a value into the field that was asked for and go on."""
    assert form.asking is not None
    if form.asking == CONFIRM:
        return _decided(scene, talk, form, bool(value))
    known = {**form.known, form.asking: value, **(extra or {})}
    if ask_of(command_named(form.command).model_fields[form.asking]).kind == "place":
        nearer = closer(scene, talk, form.model_copy(update={"known": known}), value)
        if nearer is not None:
            return nearer
    return go_on(
        scene, talk, form.model_copy(update={"known": known, "asking": None, "options": (), "tries": 0})
    )


def closer(scene: Scene, talk: Talk, form: Form, area: int) -> Turn | None:
    """Ask for the part of a wide area, once for each area: whoever does not know it says so by number."""
    parts = scene.areas(area)
    if not parts or scene.is_fine(area) or form.known.get("area") == area:
        return None
    whole = Choice(label="说不清，就这一带", known={"value": area})
    known = {name: value for name, value in form.known.items() if name != form.asking} | {"area": area}
    asked = form.model_copy(
        update={"known": known, "options": (*place_choices(scene, parts), whole), "tries": 0}
    )
    place = scene.work.tree.nodes[area].name
    return Turn(talk.with_form(asked), (say("slot.place_closer", *asked.options, place=place),))


def skip(scene: Scene, talk: Talk, form: Form) -> Turn:
    """Leave out a question that may be left out."""
    assert form.asking is not None
    info = command_named(form.command).model_fields.get(form.asking)
    if info is None or info.is_required():
        return Turn(talk, (say("slot.cannot_skip"), question(form)))
    known = {**form.known, form.asking: info.get_default()}
    return go_on(scene, talk, form.model_copy(update={"known": known, "asking": None, "options": ()}))


def back(scene: Scene, talk: Talk, form: Form) -> Turn:
    """Ask the question before this one again."""
    earlier = form.asked[:-1]
    if not earlier:
        return Turn(talk.with_form(None), (say("cancel.done"),))
    known = {key: value for key, value in form.known.items() if key != earlier[-1]}
    before = form.model_copy(
        update={"known": known, "asked": earlier[:-1], "asking": None, "options": (), "confirmed": False}
    )
    return go_on(scene, talk, before)


def _confirmed(scene: Scene, talk: Talk, form: Form, text: str) -> Turn:
    heard = scene.work.book.phrases.hear(text)
    if heard.command in ("yes", "no") and not heard.negated:
        return _decided(scene, talk, form, heard.command == "yes")
    return _unclear(scene, talk, form, None)


def _decided(scene: Scene, talk: Talk, form: Form, yes: bool) -> Turn:
    if not yes:
        return Turn(talk.with_form(None), (say("cancel.done"),))
    return go_on(scene, talk, form.model_copy(update={"confirmed": True, "asking": None, "options": ()}))


def _ask_of(form: Form) -> Ask:
    return ask_of(command_named(form.command).model_fields[form.asking or ""])


def _with_words(form: Form, text: str) -> Form:
    """What was said instead of a place (摩托车过不去) may help whoever goes there."""
    what = str(form.known["what"])
    if len(text) < TELLING or len(what) + len(text) > ENOUGH:
        return form
    return form.model_copy(update={"known": {**form.known, "what": f"{what}，{text}"}})


def _somewhere(scene: Scene, talk: Talk, form: Form) -> Turn:
    """A report is never lost for want of a place: the best guess, else one's own area, and somebody asks."""
    guessed = [choice.known["value"] for choice in form.options if scene.is_fine(choice.known["value"])]
    near = scene.own_grid() or (guessed[0] if len(guessed) == 1 else None)
    area = form.known.get("area") or scene.work.actor.home_grid_id or scene.work.tree.root.id
    known = {**form.known, "grid": near or area}
    if "placed" in command_named(form.command).model_fields:
        known["placed"] = False
    turn = go_on(scene, talk, form.model_copy(update={"known": known, "asking": None, "options": ()}))
    return Turn(turn.talk, (*turn.says, say("slot.place_later")), turn.command, turn.more)


def _unclear(scene: Scene, talk: Talk, form: Form, got: Unclear | None, text: str = "") -> Turn:
    """Asked again with help; after the third time a human is offered, and the form is kept."""
    tries = form.tries + 1
    ask = None if form.asking in (None, CONFIRM) else _ask_of(form)
    if ask is not None and ask.kind == "place" and form.command in PLACED and "what" in form.known:
        form = _with_words(form, text)
        if tries >= PLACE_TRIES:
            return _somewhere(scene, talk, form)
    options = got.choices if got is not None and got.choices else form.options
    asked = form.model_copy(update={"tries": tries, "options": options})
    if tries >= TRIES:
        return Turn(
            talk.with_form(asked).shelve(scene.now),
            (say("slot.give_up", Choice(label="找人帮忙", do="human")),),
        )
    if got is not None:
        return Turn(talk.with_form(asked), (say(got.text, *options, **_shown(form)),))
    return Turn(talk.with_form(asked), (say("slot.again"), question(asked)))
