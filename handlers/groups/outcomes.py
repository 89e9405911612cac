"""What becomes of something said in a group, after what became of its letter."""

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from models import GroupPost, MailState, Outbox, PostState

OPEN = (PostState.PREPARED, PostState.WAITING_OWNER)


def follow_letter(session: Session, mail_id: int, now: datetime, *, handed: str | None = None) -> None:
    """Move the post on whose letter was just sent, handed to the group's owner, or given up.

    `handed` is the platform's own name of what waits for the owner; a post that has ended stays as it is.
    """
    query = select(col(Outbox.post_id), col(Outbox.state), col(Outbox.outcome), col(Outbox.words))
    letter = session.execute(query.where(col(Outbox.id) == mail_id)).first()
    if letter is None or letter.post_id is None:
        return
    post = update(GroupPost).where(col(GroupPost.id) == letter.post_id, col(GroupPost.state).in_(OPEN))
    if letter.state == MailState.SENT and handed is not None:
        waiting = {"state": PostState.WAITING_OWNER, "asked_at": now, "handed": handed}
        session.execute(post.values(**waiting, words=letter.words))
    elif letter.state == MailState.SENT:
        session.execute(post.values(state=PostState.SENT, ended_at=now, words=letter.words))
    elif letter.state in (MailState.DEAD, MailState.DROPPED):
        ended = PostState.FAILED if letter.state == MailState.DEAD else PostState.DROPPED
        session.execute(post.values(state=ended, ended_at=now, why=letter.outcome))
