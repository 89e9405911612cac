"""WeCom's messages and events: what each of them says, and whose it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bot.channel import Unreadable
from bot.channels.delivered import moment_of, must, place_at, text_of
from bot.channels.edge import fingerprint
from bot.message import Attachment, Inbound

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
    if text_of(data, "MsgType") != "event" or text_of(data, "Event") != "template_card_event":
        return None
    return Press(
        must(data, "FromUserName"),
        must(data, "EventKey"),
        text_of(data, "TaskId"),
        text_of(data, "ResponseCode"),
    )


def _messages(data: dict[str, Any]) -> Sequence[Inbound]:
    kind = must(data, "MsgType").lower()
    if kind == "event":
        return _event(data)
    said = _said(kind, data)
    if said is None:
        return ()
    return (Inbound(**_common(data, must(data, "MsgId")), **said),)


def _said(kind: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """What a message says; None for kinds that do not concern us."""
    if kind == "text":
        text = text_of(data, "Content")
        return {"text": text} if text.strip() else None
    if kind == "location":
        return _where(data)
    if kind == "link":
        lines = (text_of(data, name) for name in ("Title", "Description", "Url"))
        return {"text": "\n".join(line for line in lines if line)}
    if kind in _FILES:
        return {"attachments": (_file(_FILES[kind], data),)}
    return None


def _file(kind: Literal["photo", "voice", "video", "file"], data: dict[str, Any]) -> Attachment:
    name = (text_of(data, "FileName") or text_of(data, "Title"))[:_LONGEST_KEY] if kind == "file" else ""
    size = text_of(data, "FileSize")
    return Attachment(
        kind=kind,
        key=f"{NAME}:{must(data, 'MediaId')}",
        name=name,
        size=int(size) if size.isdecimal() and len(size) < 16 else 0,
    )


def _where(data: dict[str, Any]) -> dict[str, Any]:
    """A location message is GCJ-02, as the map shows it (channels.md 2.6)."""
    lat, lon = float(must(data, "Location_X")), float(must(data, "Location_Y"))
    return {"place": place_at(lat, lon, text_of(data, "Label"))}


def _event(data: dict[str, Any]) -> Sequence[Inbound]:
    """Events have no number: whoever did it and when is their name (channels.md 2.1)."""
    readers: dict[str, Callable[[dict[str, Any]], Sequence[Inbound]]] = {
        "subscribe": _welcome,
        "enter_agent": _welcome,
        "click": _click,
        "template_card_event": _press,
    }
    reader = readers.get(must(data, "Event").lower())
    return reader(data) if reader else ()


def _welcome(data: dict[str, Any]) -> Sequence[Inbound]:
    """Whoever comes for the first time is shown the menu; the one name for ever makes it the only time.

    WeCom tells of it each time somebody opens the application.
    """
    common = _common(data, f"welcome:{must(data, 'FromUserName')}")
    return (Inbound(**common, text=WORDS[0]),)


def _click(data: dict[str, Any]) -> Sequence[Inbound]:
    word = must(data, "EventKey")
    return (Inbound(**_common(data, _event_name(data)), text=word),)


def _press(data: dict[str, Any]) -> Sequence[Inbound]:
    press = press_of(data)
    assert press is not None
    return (Inbound(**_common(data, _event_name(data)), pressed=press.payload),)


def _event_name(data: dict[str, Any]) -> str:
    parts = (must(data, "FromUserName"), must(data, "CreateTime"), must(data, "EventKey"))
    return f"event:{':'.join(parts)}"[: 2 * _LONGEST_KEY]


def _common(data: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Everything said to an application is said to it alone: chat and account are one."""
    handle = must(data, "FromUserName")
    at = moment_of(must(data, "CreateTime"))
    return {"channel": NAME, "message_id": message_id, "chat": handle, "handle": handle, "sent_at": at}
