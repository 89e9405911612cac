"""An official account's messages and events: what each of them says, and whose it is."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from bot.channel import Unreadable
from bot.channels.delivered import moment_of, must, place_at, text_of
from bot.channels.edge import fingerprint
from bot.message import Attachment, Inbound

NAME: Final = "wechat"
"""What the channel is called in addresses and keys."""
MENU: Final = "菜单"
SCENE: Final = "qrscene_"
"""How the scene begins of a code that somebody scanned who did not follow yet."""
_LONGEST_NAME: Final = 200
_FILES: Final[dict[str, Literal["photo", "voice", "video"]]] = {
    "image": "photo",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
}


def read(data: dict[str, Any], xml: str) -> Sequence[Inbound]:
    """The one edge where fields of any shape become messages.

    Args:
        data: the fields.
        xml: where they stood, to call it by.

    Raises:
        Unreadable: they have no shape that is known.
    """
    try:
        return _messages(data)
    except Exception as error:
        raise Unreadable(fingerprint(xml.encode("utf-8", "replace")), type(error).__name__) from error


def has_left(data: dict[str, Any]) -> str | None:
    """The account of whoever stopped following, if that is what happened."""
    if text_of(data, "MsgType") == "event" and text_of(data, "Event").lower() == "unsubscribe":
        return text_of(data, "FromUserName") or None
    return None


def _messages(data: dict[str, Any]) -> Sequence[Inbound]:
    kind = must(data, "MsgType").lower()
    if kind == "event":
        return _event(data)
    said = _said(kind, data)
    if said is None:
        return ()
    return (Inbound(**_common(data, text_of(data, "MsgId") or _event_name(data, kind)), **said),)


def _said(kind: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """What a message says; None for kinds that do not concern us."""
    if kind == "text":
        text = text_of(data, "Content")
        return {"text": text} if text.strip() else None
    if kind == "location":
        there = float(must(data, "Location_X")), float(must(data, "Location_Y"))
        return {"place": place_at(*there, text_of(data, "Label"))}
    if kind == "link":
        lines = (text_of(data, name) for name in ("Title", "Description", "Url"))
        return {"text": "\n".join(line for line in lines if line)}
    if kind in _FILES:
        file = Attachment(kind=_FILES[kind], key=f"{NAME}:{must(data, 'MediaId')}")
        return {"text": _heard(data), "attachments": (file,)}
    return None


def _heard(data: dict[str, Any]) -> str:
    """What the platform understood of a voice message, where it does; a full stop ends it."""
    return text_of(data, "Recognition").strip().removesuffix("。")


def _event(data: dict[str, Any]) -> Sequence[Inbound]:
    """Events have no number: whoever did it and when is their name. A reported position is left alone."""
    readers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "subscribe": _followed,
        "scan": lambda data: {"start": must(data, "EventKey")},
        "click": lambda data: {"text": must(data, "EventKey")},
    }
    event = must(data, "Event").lower()
    reader = readers.get(event)
    if reader is None:
        return ()
    return (Inbound(**_common(data, _event_name(data, event)), **reader(data)),)


def _followed(data: dict[str, Any]) -> dict[str, Any]:
    """Whoever comes by a code comes with what it says; others are shown the menu."""
    scene = text_of(data, "EventKey").removeprefix(SCENE)
    return {"start": scene} if scene else {"text": MENU}


def _event_name(data: dict[str, Any], event: str) -> str:
    parts = (must(data, "FromUserName"), must(data, "CreateTime"), event, text_of(data, "EventKey"))
    return f"event:{':'.join(parts)}"[:_LONGEST_NAME]


def _common(data: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Everything said to an account is said to it alone: chat and account are one."""
    handle = must(data, "FromUserName")
    at = moment_of(must(data, "CreateTime"))
    return {"channel": NAME, "message_id": message_id, "chat": handle, "handle": handle, "sent_at": at}
