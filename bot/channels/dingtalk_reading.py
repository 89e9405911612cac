"""What people say to DingTalk's robot: each delivery's message, and to whom it was said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from bot.channel import Unreadable
from bot.channels.edge import fingerprint, load_json
from bot.message import Attachment, Inbound, Quoted
from handbook.personal import find_personal

NAME: Final = "dingtalk"
"""What the channel is called in addresses and keys."""
MENU: Final = "菜单"
"""What a mention with nothing beside it stands for."""
LONGEST_NAME: Final = 100
_FILES: Final[Mapping[str, Literal["photo", "voice", "video", "file"]]] = {
    "picture": "photo",
    "audio": "voice",
    "video": "video",
    "file": "file",
}


@dataclass(frozen=True)
class Door:
    """An address that answers into one conversation for about an hour and a half."""

    address: str = field(repr=False)
    until: datetime


def read(data: str) -> tuple[Inbound | None, Door | None]:
    """The one edge where what the gateway delivers becomes a message.

    Returns:
        The message, none for what does not concern us, and the door by which its chat is answered.

    Raises:
        Unreadable: it has no shape that is known.
    """
    name = ""
    try:
        body = load_json(data.encode("utf-8", "replace"))
        name = str(body["msgId"])
        return _message(body), _door(body)
    except Exception as error:
        raise Unreadable(
            name[:80] or fingerprint(data.encode("utf-8", "replace")), type(error).__name__
        ) from error


def _message(body: dict[str, Any]) -> Inbound | None:
    group = str(body["conversationType"]) == "2"
    text, attachments = _content(body)
    quoted = _quoted(body)
    handle = str(body.get("senderStaffId") or body["senderId"])
    said: dict[str, Any] = {
        "channel": NAME,
        "message_id": _must(body["msgId"]),
        "chat": _must(body["conversationId"]) if group else handle,
        "handle": _must(handle),
        "sender_name": str(body.get("senderNick") or ""),
        "group": group,
        "sent_at": _moment(body.get("createAt")),
    }
    if group and body.get("isInAtList") is False and not (quoted and quoted.by_us):
        return Inbound(**said, text=text, addressed=False) if find_personal(text) else None
    if group and not (text or attachments):
        text = MENU
    if not (text or attachments):
        return None
    return Inbound(**said, text=text, attachments=attachments, quoted=quoted)


def _must(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError("no name")
    return name


def _content(body: dict[str, Any]) -> tuple[str, tuple[Attachment, ...]]:
    """Words and what came beside them. Of speech the platform's own reading is kept as words."""
    kind = str(body["msgtype"])
    if kind == "text":
        return str(body["text"]["content"]).strip(), ()
    content = _object(body.get("content"))
    if kind == "richText":
        return _rich(content.get("richText") or ())
    if kind not in _FILES:
        return "", ()  # a card, a link, a sticker: nothing that could be answered
    file = _file(_FILES[kind], content)
    return str(content.get("recognition") or "").strip(), (file,) if file else ()


def _object(content: Any) -> dict[str, Any]:
    """Some versions of the platform write the content as a text that holds JSON."""
    found = load_json(content.encode()) if isinstance(content, str) else content
    if not isinstance(found, dict):
        raise TypeError("no content")
    return found


def _rich(pieces: Any) -> tuple[str, tuple[Attachment, ...]]:
    words = [_words(piece) for piece in pieces]
    files = [_file("photo", piece) for piece in pieces if piece.get("type") == "picture"]
    return "".join(words).strip(), tuple(file for file in files if file)


def _words(piece: dict[str, Any]) -> str:
    """A piece that is quoted is written otherwise than one that is said."""
    if "text" in piece:
        return str(piece["text"])
    return str(piece.get("content") or "") if piece.get("msgType") == "text" else ""


def _file(kind: Literal["photo", "voice", "video", "file"], content: dict[str, Any]) -> Attachment | None:
    code = content.get("downloadCode") or content.get("pictureDownloadCode")
    if not isinstance(code, str) or not code:
        return None
    name = str(content.get("fileName") or "")[-LONGEST_NAME:] if kind == "file" else ""
    return Attachment(kind=kind, key=f"{NAME}:{code}", name=name)


def _quoted(body: dict[str, Any]) -> Quoted | None:
    """What the words answer; the platform tells it with texts alone."""
    replied = _object(body.get("text") or {}).get("repliedMsg") if body["msgtype"] == "text" else None
    if not isinstance(replied, dict):
        return None
    sender = str(replied.get("senderId") or "")
    text, attachments = _quoted_content(str(replied.get("msgType") or ""), replied.get("content"))
    return Quoted(
        message_id=str(replied.get("msgId") or ""),
        text=text,
        attachments=attachments,
        by_us=bool(sender) and sender == body.get("chatbotUserId"),
    )


def _quoted_content(kind: str, content: Any) -> tuple[str, tuple[Attachment, ...]]:
    if isinstance(content, str) and not content.startswith("{"):
        return content.strip(), ()
    held = _object(content or {})
    if kind == "richText":
        return _rich(held.get("richText") or ())
    if kind in _FILES:
        file = _file(_FILES[kind], held)
        return "", (file,) if file else ()
    return str(held.get("text") or held.get("content") or "").strip(), ()


def _door(body: dict[str, Any]) -> Door | None:
    address, until = body.get("sessionWebhook"), _moment(body.get("sessionWebhookExpiredTime"))
    if not isinstance(address, str) or not address.startswith(("https://", "http://")) or until is None:
        return None
    return Door(address, until)


def _moment(milliseconds: Any) -> datetime | None:
    if type(milliseconds) is not int:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
