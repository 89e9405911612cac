"""WeCom's messages and events: what each of them says, and whose it is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from bot.channel import Unreadable
from bot.channels.datum import to_wgs84
from bot.channels.edge import fingerprint
from bot.message import Attachment, Inbound, Place

NAME: Final = "wecom"
"""What the channel is called in addresses and keys."""
WORDS: Final = ("菜单", "待办", "进度", "撤回", "取消", "帮助")
"""What the application's menu offers; a click says the word."""
_LONGEST_KEY: Final = 100
_FILES: Final[dict[str, Literal["photo", "voice", "video", "file"]]] = {
    "image": "photo",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "file": "file",
}


@dataclass(frozen=True)
class Press:
    """A button of a card that was pressed: its card is put to rest by a code that is good for one use."""

    handle: str
    payload: str
    task: str
    code: str = field(repr=False)


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


def press_of(data: dict[str, Any]) -> Press | None:
    """The press of a card's button, if it is one. Raises KeyError or TypeError for what is none by halves."""
    if _text(data, "MsgType") != "event" or _text(data, "Event") != "template_card_event":
        return None
    return Press(
        _must(data, "FromUserName"),
        _must(data, "EventKey"),
        _text(data, "TaskId"),
        _text(data, "ResponseCode"),
    )


def _messages(data: dict[str, Any]) -> Sequence[Inbound]:
    kind = _must(data, "MsgType").lower()
    if kind == "event":
        return _event(data)
    said = _said(kind, data)
    if said is None:
        return ()
    return (Inbound(**_common(data, _must(data, "MsgId")), **said),)


def _said(kind: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """What a message says; None for kinds that do not concern us."""
    if kind == "text":
        text = _text(data, "Content")
        return {"text": text} if text.strip() else None
    if kind == "location":
        return _where(data)
    if kind == "link":
        lines = (_text(data, name) for name in ("Title", "Description", "Url"))
        return {"text": "\n".join(line for line in lines if line)}
    if kind in _FILES:
        return {"attachments": (_file(_FILES[kind], data),)}
    return None


def _file(kind: Literal["photo", "voice", "video", "file"], data: dict[str, Any]) -> Attachment:
    name = (_text(data, "FileName") or _text(data, "Title"))[:_LONGEST_KEY] if kind == "file" else ""
    size = _text(data, "FileSize")
    return Attachment(
        kind=kind,
        key=f"{NAME}:{_must(data, 'MediaId')}",
        name=name,
        size=int(size) if size.isdecimal() and len(size) < 16 else 0,
    )


def _where(data: dict[str, Any]) -> dict[str, Any]:
    """A location message is GCJ-02, as the map shows it (channels.md 2.6)."""
    words = _text(data, "Label")
    lat, lon = float(_must(data, "Location_X")), float(_must(data, "Location_Y"))
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        raise ValueError("no place on earth")
    there = to_wgs84(lat, lon)
    return {"place": Place(lat=round(there[0], 7), lon=round(there[1], 7), words=words)}


def _event(data: dict[str, Any]) -> Sequence[Inbound]:
    """Events have no number: whoever did it and when is their name (channels.md 2.1)."""
    readers: dict[str, Callable[[dict[str, Any]], Sequence[Inbound]]] = {
        "subscribe": _welcome,
        "enter_agent": _welcome,
        "click": _click,
        "template_card_event": _press,
    }
    reader = readers.get(_must(data, "Event").lower())
    return reader(data) if reader else ()


def _welcome(data: dict[str, Any]) -> Sequence[Inbound]:
    """Whoever comes for the first time is shown the menu; the one name for ever makes it the only time.

    WeCom tells of it each time somebody opens the application.
    """
    common = _common(data, f"welcome:{_must(data, 'FromUserName')}")
    return (Inbound(**common, text=WORDS[0]),)


def _click(data: dict[str, Any]) -> Sequence[Inbound]:
    word = _must(data, "EventKey")
    return (Inbound(**_common(data, _event_name(data)), text=word),)


def _press(data: dict[str, Any]) -> Sequence[Inbound]:
    press = press_of(data)
    assert press is not None
    return (Inbound(**_common(data, _event_name(data)), pressed=press.payload),)


def _event_name(data: dict[str, Any]) -> str:
    parts = (_must(data, "FromUserName"), _must(data, "CreateTime"), _must(data, "EventKey"))
    return f"event:{':'.join(parts)}"[: 2 * _LONGEST_KEY]


def _common(data: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Everything said to an application is said to it alone: chat and account are one."""
    handle = _must(data, "FromUserName")
    at = datetime.fromtimestamp(int(_must(data, "CreateTime")), UTC)
    return {"channel": NAME, "message_id": message_id, "chat": handle, "handle": handle, "sent_at": at}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _must(data: dict[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str) or not value:
        raise TypeError(f"no {name}")
    return value
