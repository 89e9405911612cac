"""One case as the board and the API show it: what it is, what happened, its clocks, people and photos."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import col

from handbook.personal import mask_name, mask_phone
from handlers import access
from handlers.actor import Actor
from handlers.cases import participants
from handlers.clocks import Kind, Leg
from handlers.dues import clocks_of
from handlers.showing import case_data
from handlers.timeline import Line, hidden_reporters, timeline
from handlers.work import Reading
from models import Attachment, Incident, Part, Person, Privacy
from web.photos import is_kept, photo_name

_PARTS: Final[Mapping[Part, str]] = {
    Part.REPORTER: "上报人",
    Part.HELPER: "协办人",
    Part.FOLLOWER: "关注人",
}
_CLOCKS: Final[Mapping[Kind, str]] = {
    Kind.RECEIPT: "受理",
    Kind.ACCEPT: "接单",
    Kind.ARRIVE: "到场",
    Kind.RESOLVE: "办结",
    Kind.ASSIGN: "重新派单",
    Kind.VERIFY: "核查",
    Kind.ARBITRATE: "裁定",
    Kind.APPROVE: "审批",
    Kind.SILENCE: "等居民确认",
    Kind.PAUSE: "挂账",
    Kind.TOP: "兜底",
}
_OUTCOMES: Final = {
    "met": "按时",
    "late": "超时完成",
    "missed": "已超时",
    "running": "进行中",
    "left": "已转走",
    "paused": "暂停",
}


@dataclass(frozen=True)
class ClockLine:
    """One running of one clock."""

    name: str
    started: datetime
    due: datetime | None
    ended: datetime | None
    outcome: str
    """met, late, missed, running, left or paused."""

    @property
    def words(self) -> str:
        """The outcome as people say it."""
        return _OUTCOMES[self.outcome]


@dataclass(frozen=True)
class PersonLine:
    """Somebody with a part in the case, so masked that a neighbour reading along learns little."""

    part: str
    name: str
    phone: str


@dataclass(frozen=True)
class CaseView:
    """Everything that is shown of a case."""

    data: dict[str, Any]
    lines: list[Line]
    clocks: list[ClockLine]
    people: list[PersonLine]
    photos: list[str]
    actor: Actor
    """Who looks at it."""


def case_view(reading: Reading, number: int) -> CaseView:
    """Read a case the actor may see. Raises NotFound alike for what is absent and what is not theirs."""
    incident = access.find(reading, number)
    return CaseView(
        case_data(reading, incident),
        timeline(reading, incident),
        [_clock(leg, reading.now) for leg in clocks_of(reading, incident).legs],
        _people(reading, incident),
        _photos(reading, incident),
        reading.actor,
    )


def _clock(leg: Leg, now: datetime) -> ClockLine:
    return ClockLine(_CLOCKS[leg.kind], leg.started, leg.due, leg.met or leg.left, _outcome(leg, now))


def _outcome(leg: Leg, now: datetime) -> str:
    if leg.met is not None:
        return "late" if leg.missed(now) else "met"
    if leg.left is not None:
        return "missed" if leg.due is not None and leg.left >= leg.due else "left"
    if leg.due is None:
        return "paused"
    return "missed" if leg.missed(now) else "running"


def _people(reading: Reading, incident: Incident) -> list[PersonLine]:
    parts = participants(reading, incident, *_PARTS)
    query = select(Person).where(col(Person.id).in_([part.person_id for part in parts]))
    people = {person.id: person for person in reading.session.execute(query).scalars()}
    hidden = hidden_reporters(reading, incident)
    return [
        _person(reading, hidden.get(part.person_id, incident.privacy), part.part, people[part.person_id])
        for part in parts
        if part.person_id in people
    ]


def _person(reading: Reading, privacy: Privacy, part: Part, person: Person) -> PersonLine:
    """`privacy`: what was asked for with the reporter's own report, perhaps merged into this case."""
    staff = reading.tree.staff.get(person.id or 0)
    if staff is not None and part is not Part.REPORTER:
        return PersonLine(_PARTS[part], staff.name, staff.phone or "")
    if privacy is not Privacy.OPEN and part is Part.REPORTER:
        return PersonLine(_PARTS[part], "匿名" if privacy is Privacy.ANONYMOUS else "保密", "")
    return PersonLine(_PARTS[part], mask_name(person.name), mask_phone(person.phone or ""))


def _photos(reading: Reading, incident: Incident) -> list[str]:
    query = select(col(Attachment.key)).where(
        col(Attachment.incident_id) == incident.id, col(Attachment.kind) == "photo"
    )
    keys = reading.session.execute(query.order_by(col(Attachment.id))).scalars()
    return [photo_name(key) for key in keys if is_kept(key)]
