"""Free text first: when a sentence is a report, and what of it is already clear."""

import re
from collections.abc import Sequence
from typing import Any

from bot.facts import facts, offer
from bot.forms import Turn, answer, begin, closer
from bot.message import Choice, Inbound
from bot.scene import Scene, say
from bot.slots import place_choices
from bot.talk import Form, Loose, Talk
from handbook.places import Guess, spot_words
from handbook.signs import as_written
from handlers.complaints import CONDUCT, is_complaint, named_staff
from handlers.grids.boundaries import grid_at
from handlers.material import in_words

LONGEST = 2000
"""Letters of an alarm that are kept: it must not be refused for its length."""
MATERIAL = frozenset({"report", "self_handle", "on_behalf"})
"""Commands whose words are a report."""
_QUIET = (
    (re.compile(r"匿名[,,。\s]*|不(?:想|要|愿)?留名[,,。\s]*"), "anonymous"),
    (re.compile(r"(?:请|要|务必)?(?:替我|帮我)?保密[,,。!!\s]*|别说是我(?:说的|报的)?[,,。!!\s]*"), "secret"),
)


def is_report(scene: Scene, text: str) -> bool:
    """Whether a free sentence says that something is the matter somewhere."""
    if scene.work.book.danger.find(text) is not None or is_complaint(scene.work, text):
        return True
    proposal = scene.work.book.kinds.propose(text)
    if proposal.category is not None and len(text) >= 4:
        return True
    return len(text) >= 8 and spot_words(text)


def file_text(
    scene: Scene, talk: Talk, text: str, inbound: Inbound, *, name: str = "report", **known: Any
) -> Turn:
    """A report in one turn when what and where are clear; otherwise exactly the missing question."""
    what, privacy = _privacy(as_written(text))
    if scene.work.book.danger.find(what) is not None:
        what = what[:LONGEST]
    fields: dict[str, Any] = {**known, "what": what, **brought(talk, inbound, known.get("media", ()))}
    if privacy is not None and name == "report":
        fields["privacy"] = privacy
    fields.update(_kind(scene, what))
    talk = talk.model_copy(update={"loose": Loose()})
    several = facts(scene, what) if name == "report" and not scene.group else ()
    if several:
        first = {"category": several[0].category, "grid": several[0].grid, "spot": several[0].spot}
        return offer(begin(scene, talk, name, {**fields, **first}), several, fields)
    where = _where(scene, what, fields)
    if isinstance(where, dict):
        return begin(scene, talk, name, {**fields, **where})
    if scene.work.book.danger.find(what) is not None:
        fallback = scene.work.actor.home_grid_id or _any_grid(where) or scene.work.tree.root.id
        return begin(scene, talk, name, {**fields, "grid": fallback, "placed": False})
    return _ask_where(scene, talk, name, fields, where)


def _privacy(text: str) -> tuple[str, str | None]:
    for pattern, privacy in _QUIET:
        if pattern.search(text):
            rest = pattern.sub("", text).strip()
            return (rest or text), privacy
    return text, None


def brought(talk: Talk, inbound: Inbound, before: Sequence[Any] = ()) -> dict[str, Any]:
    """What came beside the words, once each. `before`: what an earlier answer brought."""
    known = Loose(media=tuple(before)).media
    media = tuple(dict.fromkeys((*known, *talk.loose.media, *inbound.attachments)))
    found: dict[str, Any] = {"media": media} if media else {}
    if inbound.place is not None:
        found.update(lat=inbound.place.lat, lon=inbound.place.lon)
    elif talk.loose.lat is not None:
        found.update(lat=talk.loose.lat, lon=talk.loose.lon)
    return found


def _kind(scene: Scene, what: str) -> dict[str, Any]:
    danger = scene.work.book.danger.find(what)
    if danger is not None:
        return {"category": danger.category}
    if is_complaint(scene.work, what):
        return {"category": CONDUCT}
    proposal = scene.work.book.kinds.propose(what)
    return {"category": proposal.category} if proposal.category is not None else {}


def _where(scene: Scene, what: str, fields: dict[str, Any]) -> dict[str, Any] | Guess:
    """The grid and the exact spot when they are clear; the doubtful guess otherwise."""
    guess = scene.find_place(what)
    if guess.sure and guess.best is not None and scene.is_fine(guess.best):
        return {"grid": guess.best, "spot": guess.detail}
    if fields.get("lat") is not None:
        node = grid_at(scene.work, fields["lat"], fields["lon"])
        if node is not None:
            return {"grid": node.id}
    own = scene.own_grid() or _of_complaint(scene, what)
    if own is not None and not guess.candidates:
        return {"grid": own, "spot": guess.detail, "placed": False}
    return guess


def _of_complaint(scene: Scene, what: str) -> int | None:
    """Who is complained of by name tells where it was."""
    if not is_complaint(scene.work, what):
        return None
    staff = [scene.work.tree.staff[person] for person in named_staff(scene.work, what)]
    return staff[0].posts[0].grid_id if staff else None


def _any_grid(guess: Guess) -> int | None:
    return guess.best or (guess.candidates[0].id if guess.candidates else None)


def _ask_where(scene: Scene, talk: Talk, name: str, fields: dict[str, Any], guess: Guess) -> Turn:
    grids = [candidate.id for candidate in guess.candidates[:5] if scene.is_fine(candidate.id)]
    own = scene.own_grid()
    if own is not None and grids and own not in grids:
        grids.append(own)
    options = place_choices(scene, grids)
    form = Form(command=name, known=fields, asking="grid", asked=("grid",), options=options)
    if guess.sure and guess.best is not None and (nearer := closer(scene, talk, form, guess.best)):
        return nearer
    key = "report.grid.which" if options else "report.grid.ask"
    return Turn(talk.with_form(form), (say(key, *options, what=fields["what"][:20]),))


def material(scene: Scene, talk: Talk, inbound: Inbound) -> Turn:
    """Photos or a place without words: to the open form, to the case just spoken of, or kept until words
    come.
    """
    form = talk.form
    if form is not None and form.asking == "grid" and inbound.place is not None:
        return answer(scene, talk, form, "", inbound)
    media = inbound.attachments
    if form is not None and not form.optional:
        known = {**form.known, "media": (*form.known.get("media", ()), *media)}
        kept = form.model_copy(update={"known": known})
        return Turn(talk.with_form(kept), (say("material.kept"),))
    case = talk.last_case or (talk.alarm.case if talk.alarm is not None else None)
    if case is not None:
        fields: dict[str, Any] = {"incident": case, "media": media}
        if inbound.place is not None:
            fields.update(lat=inbound.place.lat, lon=inbound.place.lon)
        return begin(scene, talk.with_form(None), "add_material", fields)
    loose = Loose(media=(*talk.loose.media, *media), lat=talk.loose.lat, lon=talk.loose.lon)
    if inbound.place is not None:
        loose = loose.model_copy(update={"lat": inbound.place.lat, "lon": inbound.place.lon})
    talk = talk.model_copy(update={"loose": loose})
    if not media:
        return Turn(talk, (say("material.place"),))
    first = not loose.media[len(media) :]
    return Turn(talk, (say("material.first", kind=in_words(scene.work.book, media)),) if first else ())


def doubtful(talk: Talk, text: str, inbound: Inbound) -> Turn:
    """Perhaps a report, perhaps chatter: ask once, and keep the words."""
    fields: dict[str, Any] = {"what": text, **brought(talk, inbound)}
    about = talk.last_filed or talk.last_case
    more = () if about is None else (_more(about, text, fields),)
    choices = (
        *more,
        Choice(label="是，上报这件事", do="report", known=fields),
        Choice(label="不是", do="menu"),
    )
    return Turn(talk, (say("unclear.is_it_a_report", *choices, what=text[:20]),))


def _more(case: int, text: str, fields: dict[str, Any]) -> Choice:
    """Words after a case was spoken of are mostly more about it."""
    told = {name: value for name, value in fields.items() if name != "what"}
    return Choice(label=f"补充到{case}", do="add_material", known={"incident": case, "note": text, **told})


def located(scene: Scene, talk: Talk, form: Form, inbound: Inbound) -> Turn:
    """The words of a report are known: read the place from them before asking for it."""
    known = {key: value for key, value in form.known.items() if key != "what"}
    return file_text(
        scene, talk.with_form(None), str(form.known["what"]), inbound, name=form.command, **known
    )
