"""What an application says on a stand-in WeCom: to members, on cards, in files, in groups of its own."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.channels.edge import fingerprint
from bot.channels.loopback import Reply
from bot.channels.wecom_delivery import Courier
from bot.channels.wecom_people import People
from bot.channels.wecom_rules import (
    CODE_HOURS,
    HOUR,
    MEDIA_DAYS,
    MINUTE,
    MOST_TOGETHER,
    RECALL_HOURS,
    Code,
    Counter,
    Json,
    Shown,
    Trouble,
    check_card,
    check_chat,
    check_content,
    check_upload,
    truncated,
)


class Speaking(People):
    """The calls by which something reaches people, with what WeCom checks of each. Arguments as `People`."""

    def __init__(self, courier: Courier, corp_id: str, agent_id: int, now: Callable[[], datetime]) -> None:
        super().__init__(courier, corp_id, agent_id, now)
        self.now = now
        self.agent_id = agent_id
        self.visible_to_all = True
        """The application's visible range is the whole organisation."""
        self.chats: dict[str, tuple[str, ...]] = {}
        self.dropped: list[Shown] = []
        """What was dropped without a word."""
        self._member_minute, self._member_hour = Counter(30, MINUTE), Counter(1000, HOUR)
        self._chat_minute = Counter(200, MINUTE)
        self._said: dict[tuple[str, str], datetime] = {}
        self._tasks: set[str] = set()
        self._number = 0

    def _must_be_ours(self, fields: Json) -> None:
        if str(fields.get("agentid")) != str(self.agent_id):
            raise Trouble(40056, "invalid agentid")

    # -- messages -----------------------------------------------------------------------------------------

    def _send(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        kind = check_content(fields)
        buttons = self._card(fields) if kind == "template_card" else ()
        asked = [name for name in str(fields.get("touser", "")).split("|") if name][:MOST_TOGETHER]
        lost = [name for name in asked if name.casefold() not in self.members]
        unlicensed = [name for name in asked if name.casefold() in self.unlicensed]
        reached = [name for name in asked if name not in lost and name not in unlicensed]
        if not asked or len(lost) == len(asked):
            raise Trouble(81013, "user & party & tag all invalid")
        message = self._shown("", kind, fields, buttons)
        for name in reached:
            self._arrive(name.casefold(), message, fields)
        found: Json = {"msgid": message.id}
        found |= {"invaliduser": "|".join(lost).lower()} if lost else {}
        found |= {"unlicenseduser": "|".join(unlicensed).lower()} if unlicensed else {}
        if message.task:
            code = f"code-{self._next()}"
            self.codes[code] = Code(message.task, self.now())
            found["response_code"] = code
        return found

    def _card(self, fields: Json) -> tuple[tuple[str, str], ...]:
        if not self.courier.url:
            raise Trouble(40058, "the application has no callback address, so nobody could press")
        card = fields["template_card"]
        buttons = check_card(card, self._tasks)
        self._tasks.add(str(card["task_id"]))
        return buttons

    def _shown(self, to: str, kind: str, fields: Json, buttons: tuple[tuple[str, str], ...]) -> Shown:
        content = fields[kind]
        text, data = truncated(str(content.get("content", ""))), b""
        if kind == "template_card":
            title = content.get("main_title", {}).get("title", "")
            text = "\n".join(part for part in (title, content.get("sub_title_text", "")) if part)
        elif "media_id" in content:
            data = self._media_of(str(content["media_id"]))[0]
        task = str(content.get("task_id", ""))
        return Shown(f"msg-{self._next()}", to, kind, text, self.now(), buttons, task, data)

    def _arrive(self, to: str, message: Shown, fields: Json) -> None:
        """Reach one member; what is too much, or was said already, is dropped without a word."""
        arrived = Shown(**{**vars(message), "to": to})
        again = fields.get("enable_duplicate_check") and self._is_double(to, fields)
        now = self.now()
        if again or self._member_minute.full(to, now) or self._member_hour.full(to, now):
            self.dropped.append(arrived)
        else:
            self.shown.append(arrived)

    def _is_double(self, to: str, fields: Json) -> bool:
        interval = timedelta(seconds=min(int(fields.get("duplicate_check_interval", 1800)), 4 * 3600))
        kind = fields["msgtype"]
        said = to, fingerprint(json.dumps(fields[kind], sort_keys=True).encode())
        last = self._said.get(said)
        double = last is not None and self.now() < last + interval
        if not double:
            self._said[said] = self.now()
        return double

    def _recall(self, fields: Json) -> Json:
        told = [shown for shown in self.shown if shown.id == fields.get("msgid")]
        if not told or self.now() > told[0].at + RECALL_HOURS:
            raise Trouble(40058, "invalid msgid, or it is too late")
        for shown in told:
            shown.recalled = True
        return {}

    def _update_card(self, fields: Json) -> Json:
        self._must_be_ours(fields)
        if not isinstance(fields.get("userids"), list):
            raise Trouble(40058, "userids is an array here")
        code = self.codes.get(str(fields.get("response_code")))
        if code is None or code.used or self.now() > code.at + CODE_HOURS:
            raise Trouble(40058, "invalid response_code")
        code.used = True
        names = {str(name).casefold() for name in fields["userids"]}
        for shown in self.shown:
            if shown.task == code.task and shown.to in names:
                shown.rested = str(fields.get("button", {}).get("replace_name", ""))
        return {"invaliduser": []}

    # -- files --------------------------------------------------------------------------------------------

    def _upload(self, fields: Json, files: dict[str, bytes]) -> Json:
        kind = str(fields.get("type", ""))
        if "media" not in files:
            raise Trouble(41005, "media data missing")
        media_id = self.keep_file(check_upload(kind, files["media"]), kind)
        return {"type": kind, "media_id": media_id, "created_at": str(int(self.now().timestamp()))}

    def _media_of(self, media_id: str) -> tuple[bytes, str]:
        data, name, at = self.media.get(media_id, (b"", "", None))
        if at is None or self.now() > at + MEDIA_DAYS:
            raise Trouble(40007, "invalid media_id")
        return data, name

    def _get_media(self, fields: Json) -> Reply:
        data, name = self._media_of(str(fields.get("media_id")))
        plain = name.encode("ascii", "replace").decode()
        head = (("Content-Disposition", f'attachment; filename="{plain}"'),)
        return Reply(200, data, "application/octet-stream", head)

    # -- groups of the application's own ------------------------------------------------------------------

    def _create_chat(self, fields: Json) -> Json:
        if not self.visible_to_all:
            raise Trouble(48002, "api forbidden")
        people = check_chat(fields, list(self.members.values()))
        chat = str(fields.get("chatid") or f"chat-{self._next()}")
        if chat in self.chats:
            raise Trouble(86215, "chatid already exists")
        self.chats[chat] = people
        return {"chatid": chat}

    def _send_to_chat(self, fields: Json) -> Json:
        if not self.visible_to_all:
            raise Trouble(48002, "api forbidden")
        chat = str(fields.get("chatid"))
        if chat not in self.chats:
            raise Trouble(86003, "chatid not exist")
        message = self._shown(f"chat:{chat}", check_content(fields), fields, ())
        (self.dropped if self._chat_minute.full(chat, self.now()) else self.shown).append(message)
        return {}

    def _next(self) -> int:
        self._number += 1
        return self._number
