"""What a resident says after a report: how it went, nobody need come, more about it, thanks, questions."""

from bot.forms import Turn, begin
from bot.message import Choice, Inbound
from bot.scene import Say, Scene, say
from bot.spoken import (
    Verdict,
    asks_machine,
    asks_number,
    asks_who_answers,
    followed,
    mended,
    needless,
    person_asked,
    policy_question,
    small,
    verdict,
)
from bot.talk import Talk
from handbook.phrases import Heard
from handbook.words import plain
from handlers.option import Option
from handlers.people import contact
from models import Incident

_MOST = 4
"""Cases that are offered by name."""
_FEW = 3
"""Letters that answer only what was just asked."""
_LOUD = ("exact", "likely")
_ANSWERS = frozenset(
    {
        "yes",
        "no",
        "ack",
        "thanks",
        "skip",
        "solved",
        "unsolved",
        "finish",
        "urge",
        "verify",
        "rework",
        "approve",
    }
    | {"arrive", "accept", "satisfied", "basically_satisfied", "dissatisfied", "self_handle"}
)
"""Heard in words that may as well tell how it went; what comes before them asks for something else."""
_ASK_BACK = {"partly": "answer.partly", "later": "answer.later"}
_KINDLY = {
    "thanks": ("small.thanks", "small.thanks_case"),
    "bye": ("small.bye", "small.bye"),
    "temper": ("small.temper", "small.temper_case"),
}
"""What to say, and what where the person has an open case."""
_OWN_WORD = frozenset({"satisfied", "basically_satisfied", "solved"})
"""Said alone after a result, these do what they say."""


def settled(scene: Scene, talk: Talk, heard: Heard, text: str) -> Turn | None:
    """An answer to 解决了吗?, or word that nobody need come: looked at before any single word is obeyed."""
    if not _is_resident(scene, talk) or heard.numbers or scene.work.book.danger.find(text) is not None:
        return None
    if asks_machine(text):
        return Turn(talk.with_form(None), (say("small.machine", Choice(label="找人帮忙", do="human")),))
    return _how_it_went(scene, talk, heard, text) or _not_needed(scene, talk, heard, text)


def more(scene: Scene, talk: Talk, heard: Heard, text: str, inbound: Inbound) -> Turn | None:
    """Thanks, questions about how things are done, and words that belong to a case that is already told."""
    if not _is_resident(scene, talk) or inbound.attachments or inbound.place or talk.loose.media:
        return None
    if scene.work.book.danger.find(text) is not None:
        return None
    asked = _question(scene, talk, heard, text)
    if asked is not None:
        return asked
    if heard.command not in (None, "thanks", "solved", "unsolved", "finish") and heard.certainty in _LOUD:
        return None
    if not followed(text).threatens or _case_spoken_of(scene, talk, text) is None:
        kind = _kindly(scene, talk, text)
        if kind is not None:
            return kind
    return _added(scene, talk, heard, text)


def _is_resident(scene: Scene, talk: Talk) -> bool:
    free = talk.form is None or talk.form.optional
    return free and not scene.group and not scene.work.actor.is_staff


# ---- how it went -----------------------------------------------------------------------------------------


def _asked(scene: Scene, talk: Talk) -> tuple[int, bool] | None:
    """The case last asked about, and whether nothing was said since; else the only one that waits."""
    waiting = scene.options("to_confirm")
    if waiting and talk.asks_whether_solved:
        return int(talk.choices[0].known["incident"]), True
    return (int(waiting[0].value), False) if len(waiting) == 1 else None


def _how_it_went(scene: Scene, talk: Talk, heard: Heard, text: str) -> Turn | None:
    said = verdict(text)
    if said is None or not _may_answer(heard, text):
        return None
    asked = _asked(scene, talk)
    if asked is None:
        return None
    case, just = asked
    if (not just and len(text) <= _FEW) or _is_elsewhere(scene, case, text):
        return None
    return _as_said(scene, talk.with_form(None), case, said, text)


def _may_answer(heard: Heard, text: str) -> bool:
    """Whether words may tell how it went: no command of another kind, and none that does it by itself."""
    if heard.certainty != "exact" or heard.command is None:
        return True
    alone = heard.command in _OWN_WORD and not heard.rest and text != "一般"
    return heard.command in _ANSWERS and not alone


def _as_said(scene: Scene, talk: Talk, case: int, said: Verdict, text: str) -> Turn:
    known = {"incident": case}
    reason = {} if said == "no" else {"reason": text}
    match said:
        case "solved":
            return begin(scene, talk, "solved", known)
        case "satisfied":
            return begin(scene, talk, "rate", {**known, "rating": "satisfied", **reason})
        case "no" | "unsolved":
            return begin(scene, talk, "unsolved", {**known, **reason})
        case "displeased":
            return _displeased(talk, case, text)
    yes = Choice(label="已解决", do="solved", known=known)
    no = Choice(label="未解决", do="unsolved", known={**known, **reason})
    return Turn(talk, (say(_ASK_BACK[said], yes, no, number=str(case)),))


def _displeased(talk: Talk, case: int, text: str) -> Turn:
    """不满意 leaves open whether it is mended: the rating is kept with either answer."""
    bad = {"incident": case, "rating": "dissatisfied", "reason": text}
    no = Choice(label="没解决，重新办", do="unsolved", known={"incident": case, "reason": text})
    yes = Choice(label="解决了，但不满意", do="rate", known=bad)
    return Turn(talk, (say("answer.displeased", no, yes, number=str(case)),))


def _is_elsewhere(scene: Scene, case: int, text: str) -> bool:
    """Whether words are about another matter: another place beyond doubt, or another kind and a place."""
    place = scene.find_place(text)
    incident = scene.work.session.get(Incident, case)
    if place.best is None or incident is None:
        return False
    kind = scene.work.book.kinds.propose(text)
    other = kind.sure and kind.category != incident.category
    return other or (place.sure and place.best != incident.grid_id)


# ---- nobody need come ------------------------------------------------------------------------------------


def _not_needed(scene: Scene, talk: Talk, heard: Heard, text: str) -> Turn | None:
    """Offered by number, for it ends the case; never taken for a new one."""
    outright = needless(text)
    if not outright and not mended(text):
        return None
    if heard.command == "cancel" and heard.certainty == "exact" and not heard.rest and len(text) <= 6:
        return None
    kind = scene.work.book.kinds.propose(text).category
    changeable = scene.options("changeable")
    same = [option for option in changeable if kind is not None and option.category == kind]
    if not changeable or (kind is not None and not same and not outright):
        return None
    spoken = [o for o in changeable if o.value in (talk.last_filed, talk.last_case)]
    meant = (same if len(same) == 1 else spoken or changeable)[:_MOST]
    if any(_is_elsewhere(scene, int(option.value), text) for option in meant):
        return None
    return Turn(talk.with_form(None), (_offer_end(meant),))


def _offer_end(meant: list[Option]) -> Say:
    if len(meant) == 1:
        known = {"incident": meant[0].value}
        end = Choice(label="不用办了", do="withdraw", known=known)
        return say("needless.one", end, Choice(label="还要办", do="show", known=known), case=meant[0].label)
    ends = [Choice(label=f"不用办了：{o.label}", do="withdraw", known={"incident": o.value}) for o in meant]
    return say("needless.which", *ends, Choice(label="都还要办", do="progress"))


# ---- questions -------------------------------------------------------------------------------------------


def _question(scene: Scene, talk: Talk, heard: Heard, text: str) -> Turn | None:
    """What is answered and never filed: how things are done, who answers, which number, what this is."""
    talk = talk.with_form(None)
    if asks_number(text) and heard.certainty != "exact":
        return begin(scene, talk, "progress", {})
    if asks_who_answers(text):
        return begin(scene, talk, "human", {})
    name = person_asked(text) if heard.certainty not in _LOUD else None
    if name is not None and scene.work.book.kinds.propose(text).category is None:
        return begin(scene, talk, "human", {"who": name})
    if heard.command != "report" and policy_question(text):
        note = Choice(label="记下来让网格员回复", do="report", known={"what": text})
        no = Choice(label="不用", do="menu")
        return Turn(talk, (say("policy.whom", note, no, whom=_whom(scene)),))
    return None


def _whom(scene: Scene) -> str:
    found = contact(scene.work)
    return f"{found.person}（{found.phone}）" if found is not None else "村（社区）"


# ---- kind words ------------------------------------------------------------------------------------------


def _kindly(scene: Scene, talk: Talk, text: str) -> Turn | None:
    tone = small(text)
    if tone is None or (tone == "temper" and scene.find_place(text).best is not None):
        return None
    case = _case_spoken_of(scene, talk, text)
    stands = case.label if case is not None else ""
    alone, beside = _KINDLY[tone]
    return Turn(talk, (say(beside if stands else alone, case=stands),))


# ---- more about a case -----------------------------------------------------------------------------------


def _case_spoken_of(scene: Scene, talk: Talk, text: str) -> Option | None:
    """The open report that words without a name go on about: the one in this talk, of this kind, or the only
    one.
    """
    open_ones = scene.options("reported")
    for option in open_ones:
        if option.value in (talk.last_filed, talk.last_case):
            return option
    kind = scene.work.book.kinds.propose(text).category
    same = [option for option in open_ones if kind is not None and option.category == kind]
    found = same or open_ones
    return found[0] if len(found) == 1 else None


def _added(scene: Scene, talk: Talk, heard: Heard, text: str) -> Turn | None:
    said = followed(text)
    fresh = talk.last_filed is None and talk.last_case is None
    if fresh and not (said.threatens or said.refers):
        return None  # most first reports: what they are is told without asking the database
    case = _case_spoken_of(scene, talk, text)
    if case is None or _is_elsewhere(scene, int(case.value), text):
        return None
    kind = scene.work.book.kinds.propose(text).category
    if kind is not None and kind != case.category and not (said.threatens or said.detail):
        return None
    in_talk = case.value in (talk.last_filed, talk.last_case)
    if said.threatens or (said.urges and said.refers):
        return _urged(scene, talk, case, sorry=said.threatens)
    if heard.command is not None or not (said.refers or (in_talk and (said.detail or _goes_on(heard, text)))):
        return None
    return begin(scene, talk.with_form(None), "explain", {"incident": case.value, "note": text})


def _goes_on(heard: Heard, text: str) -> bool:
    """Words in the talk of a case that mean nothing alone are more about it."""
    return len(plain(text)) >= 5 and not heard.suggestions and not text.isascii()


def _urged(scene: Scene, talk: Talk, case: Option, *, sorry: bool) -> Turn:
    turn = begin(scene, talk.with_form(None), "urge", {"incident": case.value})
    return Turn(turn.talk, (*turn.says, *((say("small.sorry"),) if sorry else ())), turn.command)
