"""What comes beside words: photos, voice messages, videos, files; kept as what they are."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from handbook import Book
from handlers.work import Work
from models import Attachment, Incident

ATTACHMENTS = Attachment.__table__  # type: ignore[attr-defined]


class Media(BaseModel):
    """A photo, voice message, video or file that came with a message."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_max_length=4000)

    kind: Literal["photo", "voice", "video", "file"]
    key: str
    """`media:<sha256>.<ext>` when the bytes are kept, else `<channel>:<its own id>` until they are fetched.
    """
    name: str = ""
    """What a file is called, where its sender's device says so."""
    size: int = 0
    """Bytes, as the channel says before anything is fetched; 0: not known."""


def _as_photo(value: Any) -> Any:
    return {"kind": "photo", "key": value} if isinstance(value, str) else value


Given = Annotated[Media, BeforeValidator(_as_photo, json_schema_input_type=str | Media)]
"""As it may be handed in: a bare key is a photo's, for callers of the API and for talks of older versions."""


def in_words(book: Book, media: Sequence[Media]) -> str:
    """What to call them in a sentence: 照片, 语音 ..., or 附件 where they are of several kinds."""
    kinds = {item.kind for item in media}
    return book.text(f"given.{kinds.pop()}" if len(kinds) == 1 else "given.mixed")


def attach(work: Work, incident: Incident, media: Sequence[Media]) -> None:
    """Put them to a case; their bytes are kept or fetched apart from this work."""
    rows = [
        {
            "incident_id": incident.id,
            "person_id": work.actor.id,
            "kind": item.kind,
            "key": item.key,
            "at": work.now,
        }
        for item in media
    ]
    if rows:
        work.session.later(ATTACHMENTS, rows)
