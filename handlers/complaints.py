"""Complaints about those who serve: they go to somebody above, and never to whom they name."""

import re

from handlers.promise import Promise
from handlers.work import Reading
from models import Incident

_BAD = (
    r"态度.{0,4}(?:差|恶劣|不好|坏|凶|不行|蛮横)|不办事|不做事|不干事|不作为|乱作为|不管事|不理人|不理我|不接电话|不负责"
    r"|收(?:了|我|他|她|人家?|别人)*(?:的)?(?:钱|礼|好处|红包|烟)|(?:要|拿|吃)(?:了|我|的)*(?:好处|红包|回扣|钱)"
    r"|吃拿卡要|乱收费|推诿|推三阻四|踢皮球|敷衍|糊弄|偏心|徇私|受贿|索贿|贪污|贪钱|克扣|走后门|滥用"
    r"|骂(?:人|我|老人)|凶(?:我|人|巴巴)|欺负|打(?:人|我)|威胁|刁难|为难|骗|失职|玩忽|摸鱼|不像话|耍流氓"
)
_ROLES = (
    "网格员|网格长|楼栋?长|片长|村?组长|村?支?书记|村?主任|村长|村干部|社区干部|村委会?|居委会?"
    "|工作人员|办事员|镇领导|干部"
)
_AGAINST = "投诉|举报|告(?!诉)|检举|控告"
_PLAIN = re.compile(
    "收(?:了|我|我们|人家)*(?:的)?(?:钱|礼|红包)(?:了|却|还|又|也|就是)*不(?:办事|干事|做事)|吃拿卡要|索贿|受贿"
)
"""Nobody but an official can be meant."""
_FEEBLE = 2
"""Letters a name must have to be looked for in a sentence."""
_SECRETARY = "书记"


def named_staff(reading: Reading, text: str) -> list[int]:
    """The people with a post whose names stand in a text."""
    return [
        person
        for person, actor in reading.tree.staff.items()
        if len(actor.name) >= _FEEBLE and actor.name in text
    ]


def is_complaint(reading: Reading, text: str) -> bool:
    """Whether a report is about the conduct of somebody who serves there, and about nothing else.

    "跟网格员说了三次没人管，下水道还堵着" is about the drain: who deals with it should have it.
    """
    if reading.tree.staff and _PLAIN.search(text):
        return True
    names = "|".join(re.escape(reading.tree.staff[person].name) for person in named_staff(reading, text))
    whom = f"(?:{_ROLES}{'|' + names if names else ''})"
    told = re.search(f"(?:{_AGAINST}).{{0,6}}{whom}(?!说|反映|讲)|{whom}.{{0,8}}(?:{_BAD})", text)
    return told is not None and not _is_about_a_thing(reading, text)


def _is_about_a_thing(reading: Reading, text: str) -> bool:
    """Whether the words tell of a kind of case besides the conduct of those who serve."""
    book = reading.book
    proposal = book.kinds.propose(text)
    if proposal.category is None or not proposal.sure:
        return False
    return proposal.category not in _CONDUCT


_CONDUCT = frozenset({"1111"})
"""The kinds under which complaints about those who serve are filed."""


def complained_of(reading: Reading, text: str, grid_id: int) -> frozenset[int]:
    """Who must not hear of a complaint: those it names, and those of the branch whose role it names."""
    if not is_complaint(reading, text):
        return frozenset()
    keepers = {p for node in reading.tree.upward(grid_id) for p in reading.tree.keepers(node.id)}
    by_role = {
        p for p in keepers if any(_is_meant(reading, post.role, text) for post in reading.tree.staff[p].posts)
    }
    return frozenset({*named_staff(reading, text), *by_role})


def _is_meant(reading: Reading, role: str, text: str) -> bool:
    name = reading.book.role_name(role)
    return name in text or (_SECRETARY in name and _SECRETARY in text)


def above_complaint(
    reading: Reading, incident: Incident, promise: Promise
) -> tuple[tuple[int, ...], int] | None:
    """(people, rung) who may have a complaint: from village or community up, without whom it names."""
    accused = complained_of(reading, incident.what, incident.grid_id)
    book, tree = reading.book, reading.tree
    lowest = book.level_index(book.incidents.zero_level)
    for node in tree.upward(incident.grid_id):
        people = tuple(p for p in tree.keepers(node.id) if p not in accused)
        if book.level_index(node.level) <= lowest and people:
            return people, _rung(promise, node.level)
    return None


def _rung(promise: Promise, level: str) -> int:
    """The rung of a ladder on a level; its top for whoever stands above it."""
    return next((at for at, rung in enumerate(promise.ladder) if rung.to == level), promise.top)


def hidden_words(reading: Reading) -> list[str]:
    """Words by which a secret case may speak of the reader: their name, and 书记 where that is their post."""
    roles = [reading.book.role_name(post.role) for post in reading.actor.posts]
    secretary = [_SECRETARY] if any(_SECRETARY in role for role in roles) else []
    name = reading.actor.name
    return [*([name] if len(name) >= _FEEBLE else []), *secretary]
