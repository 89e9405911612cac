"""微信客服's messages and events as they are pulled: what each of them says, and whose it is."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bot.channel import Unreadable
from bot.channels.delivered import moment_of, must, place_at, text_of
from bot.channels.edge import fingerprint, writable
from bot.message import Attachment, Inbound

NAME: Final = "wecom_kf"
"""What the channel is called in addresses and keys."""
MENU: Final = "菜单"
_CUSTOMER: Final = 3
"""`origin` of what a person sent; 4 is the system, 5 somebody of the organisation."""
_SYSTEM: Final = 4
_FILES: Final[dict[str, Literal["photo", "voice", "video", "file"]]] = {
    "image": "photo",
    "voice": "voice",
    "video": "video",
    "file": "file",
}
_WHY: Final = {
    1: "客服帐号已被删除",
    2: "应用被关闭",
    4: "会话超过 48 小时",
    5: "会话已关闭",
    6: "超过 5 条",
    8: "企业主体未验证",
    10: "对方拒收",
}
REFUSED: Final = 10
"""`fail_type` of whoever wants to hear no more."""


@dataclass(frozen=True)
class Came:
    """Somebody has opened the chat; by the code they may be greeted once, within twenty seconds."""

    handle: str
    code: str = field(repr=False)


@dataclass(frozen=True)
class Failed:
    """A message that was taken did not arrive after all."""

    handle: str
    kind: int
    why: str


@dataclass(frozen=True)
class Heard:
    """What one entry of a pulled list comes to."""

    inbound: Inbound | None = None
    came: Came | None = None
    failed: Failed | None = None


def read(entry: Any) -> Heard:
    """The one edge where an entry of any shape becomes a message.

    Raises:
        Unreadable: it has no shape that is known.
    """
    try:
        return _read(writable(entry))
    except Exception as error:
        name = entry.get("msgid") if isinstance(entry, dict) else None
        known = name if isinstance(name, str) and 0 < len(name) <= 80 else None
        raise Unreadable(known or fingerprint(repr(entry).encode("utf-8", "replace")), str(error)) from error


def _read(entry: dict[str, Any]) -> Heard:
    origin, kind = entry.get("origin"), must(entry, "msgtype")
    if kind == "event":
        return _event(entry, _object(entry, "event")) if origin == _SYSTEM else Heard()
    if origin != _CUSTOMER:
        return Heard()  # what colleagues write in the same chat
    said = _said(kind, _object(entry, kind) if kind in entry else {})
    if said is None:
        return Heard()
    return Heard(Inbound(**_common(entry, must(entry, "external_userid")), **said))


def _said(kind: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """What a message says; None for kinds that do not concern us."""
    if kind == "text":
        pressed = text_of(content, "menu_id")
        words = text_of(content, "content")
        return ({"pressed": pressed} if pressed else {"text": words}) if pressed or words.strip() else None
    if kind == "location":
        where = "，".join(filter(None, (text_of(content, "name"), text_of(content, "address"))))
        return {"place": place_at(float(content["latitude"]), float(content["longitude"]), where)}
    if kind in ("link", "miniprogram"):
        lines = (text_of(content, name) for name in ("title", "desc", "url"))
        words = "\n".join(line for line in lines if line)
        return {"text": words} if words else None
    if kind in _FILES:
        name = text_of(content, "filename")[:100] if kind == "file" else ""
        key = f"{NAME}:{must(content, 'media_id')}"
        return {"attachments": (Attachment(kind=_FILES[kind], key=key, name=name),)}
    return None


def _event(entry: dict[str, Any], event: dict[str, Any]) -> Heard:
    kind = must(event, "event_type")
    if kind == "enter_session":
        return _came(entry, event)
    if kind == "msg_send_fail":
        why = int(event.get("fail_type") or 0)
        return Heard(failed=Failed(must(event, "external_userid"), why, _WHY.get(why, f"原因 {why}")))
    return Heard()  # user_recall_msg among them: what was reported stays reported; 撤回 takes it back


def _came(entry: dict[str, Any], event: dict[str, Any]) -> Heard:
    """Whoever comes with a payload brings it; others are shown the menu where they may be greeted at all."""
    handle, code = must(event, "external_userid"), text_of(event, "welcome_code")
    start = text_of(event, "scene_param")
    came = Came(handle, code) if code else None
    if not (start or code):
        return Heard()
    said: dict[str, Any] = {"start": start} if start else {"text": MENU}
    return Heard(Inbound(**_common(entry, handle), **said), came)


def _object(entry: dict[str, Any], name: str) -> dict[str, Any]:
    found = entry[name]
    if not isinstance(found, dict):
        raise TypeError(f"no {name}")
    return found


def _common(entry: dict[str, Any], handle: str) -> dict[str, Any]:
    """Everything is said to the account alone: chat and account are one."""
    return {
        "channel": NAME,
        "message_id": must(entry, "msgid")[:200],
        "chat": handle,
        "handle": handle,
        "sent_at": moment_of(entry["send_time"]),
    }
