"""Papers: links that open a report, an export or a poster once, for the one who asked for it."""

import secrets
from datetime import timedelta
from typing import Any, ClassVar, Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from handlers.actor import Actor
from handlers.audit import note
from handlers.command import Done, OwnCommand, handles
from handlers.refusal import Refusal
from handlers.tokens import LONGEST, actor_of, digest_of
from handlers.work import Reading, Work
from models import Deed, Paper, PaperKind, Subject

OPENS: Final = timedelta(minutes=10)
"""For how long a link opens its paper."""
LIES_OPEN: Final = timedelta(minutes=30)
"""For how long it may be read and printed where it was opened."""
_ABILITIES = {
    PaperKind.REPORT: "enrol",
    PaperKind.EXPORT: "enrol",
    PaperKind.POSTER: "administer",
}


class OpenPaper(OwnCommand):
    """Whoever brings a link is handed the paper; the web door gives it."""

    name: ClassVar[str] = "open_paper"
    secret: str


def link_to(
    work: Work, kind: PaperKind, about: int | None = None, data: dict[str, Any] | None = None
) -> str | None:
    """A link that opens a paper once, within ten minutes, for the actor; None where no pages are reached."""
    if not work.links.web or work.actor.id is None:
        return None
    work.session.execute(delete(Paper).where(col(Paper.until) <= work.now - LIES_OPEN))
    secret = f"b{secrets.token_hex(16)}"
    paper = Paper(
        kind=kind,
        person_id=work.actor.id,
        about_id=about,
        data=data or {},
        digest=digest_of(secret),
        until=work.now + OPENS,
    )
    work.session.add(paper)
    work.session.flush()
    return work.links.paper(secret)


@handles(OpenPaper)
def open_paper(work: Work, command: OpenPaper) -> Done:
    """The session's key is in what is done and nowhere else. What leaves the house by it is noted."""
    query = select(Paper).where(Paper.digest == digest_of(command.secret)).with_for_update()
    paper = work.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if paper is None or paper.used_at is not None or paper.until <= work.now:
        raise Refusal("paper.over")
    holder = actor_of(work.session, work.tree, paper.person_id)
    if holder is None or not holder.may(_ABILITIES[paper.kind]):
        raise Refusal("paper.over")
    key = secrets.token_urlsafe(32)
    paper.used_at, paper.session, paper.session_until = work.now, digest_of(key), work.now + LIES_OPEN
    work.session.add(paper)
    work.session.flush()
    work.actor = holder
    if paper.kind is PaperKind.EXPORT:
        note(work, Deed.EXPORT, Subject.REGISTRY)
    return Done({"paper": paper.id, "kind": str(paper.kind), "key": key, "person": holder.id})


def paper_open(reading: Reading, number: int, key: str) -> tuple[Paper, Actor] | None:
    """The paper that a session has before it and whose it is; None where there is none (any more)."""
    if not 0 < len(key) <= LONGEST:
        return None
    paper = _found(reading.session, number)
    if paper is None or paper.session != digest_of(key):
        return None
    if paper.session_until is None or paper.session_until <= reading.now:
        return None
    holder = actor_of(reading.session, reading.tree, paper.person_id)
    may = holder is not None and holder.may(_ABILITIES[paper.kind])
    return (paper, holder) if may and holder is not None else None


def _found(session: Session, number: int) -> Paper | None:
    return session.get(Paper, number)
