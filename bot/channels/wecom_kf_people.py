"""Those who write to a stand-in's 微信客服 from personal WeChat: what they do, and what their phones show."""

import itertools
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.channels.datum import to_gcj02
from bot.channels.wecom_delivery import Courier, Delivery, xml_of
from bot.channels.wecom_kf_rules import WINDOW, Customer, Greeting
from bot.channels.wecom_rules import Json


class People:
    """People who write to one account of 微信客服.

    Args:
        courier: tells the account that there is something.
        corp_id: of the organisation.
        kf_id: the account.
        now: gives aware UTC.
    """

    channel = "wecom_kf"

    def __init__(self, courier: Courier, corp_id: str, kf_id: str, now: Callable[[], datetime]) -> None:
        self.courier = courier
        self.kf_id = kf_id
        self.customers: dict[str, Customer] = {}
        """By external_userid."""
        self.entries: list[Json] = []
        """Everything that can be pulled, oldest first."""
        self.media: dict[str, tuple[bytes, str, datetime]] = {}
        """Bytes, name and time of files, by media id."""
        self.codes: dict[str, Greeting] = {}
        self.tokens: dict[str, datetime] = {}
        """Those of callbacks, and when each was given."""
        self.silent = False
        """Callbacks get lost."""
        self._corp_id = corp_id
        self._now = now
        self._numbers = itertools.count(1)

    # -- what people do -----------------------------------------------------------------------------------

    async def say(self, user: str, text: str) -> None:
        """Write a text. Returns when the account knows that there is something."""
        await self.send(user, "text", {"content": text})

    async def say_in_group(self, group: str, user: str, words: str) -> None:
        """微信客服 is in no groups."""

    async def send_photo(self, user: str, data: bytes) -> None:
        """Send a picture."""
        await self.send(user, "image", {"media_id": self.keep_file(data, "photo.jpg")})

    async def send_voice(self, user: str, data: bytes) -> None:
        """Send a voice message (AMR)."""
        await self.send(user, "voice", {"media_id": self.keep_file(data, "voice.amr")})

    async def send_file(self, user: str, name: str, data: bytes) -> None:
        """Send a file."""
        await self.send(user, "file", {"media_id": self.keep_file(data, name), "filename": name})

    async def send_location(self, user: str, lat: float, lon: float, label: str = "") -> None:
        """Send where one is: WGS-84 degrees come in, and what the map shows goes out."""
        north, east = to_gcj02(lat, lon)
        where = {"latitude": round(north, 6), "longitude": round(east, 6), "name": label, "address": ""}
        await self.send(user, "location", where)

    async def press(self, user: str, label: str) -> None:
        """Tap on a line of the newest menu that has it. Raises LookupError where there is none."""
        for menu in reversed(self._of(user).menus):
            for words, name in menu:
                if label == words:
                    await self.send(user, "text", {"content": words, "menu_id": name})
                    return
        raise LookupError(f"no line {label!r} on the phone of {user}")

    async def enter(self, user: str, scene: str = "") -> None:
        """Open the chat; whoever has not written for two days may be greeted."""
        wrote = self._of(user).wrote_at
        event: Json = {"event_type": "enter_session", "open_kfid": self.kf_id, "external_userid": user}
        event |= {"scene": "xiaoge", "scene_param": scene} if scene else {}
        if wrote is None or self._now() >= wrote + WINDOW:
            code = f"code-{next(self._numbers)}"
            self.codes[code] = Greeting(user, self._now())
            event["welcome_code"] = code
        await self.happen(event)

    async def follow(self, user: str) -> None:
        """Nothing has to be followed: they open the chat."""
        await self.enter(user)

    async def unfollow(self, user: str) -> None:
        """They refuse: what was said last did not arrive."""
        event = {"event_type": "msg_send_fail", "open_kfid": self.kf_id, "external_userid": user}
        await self.happen({**event, "fail_msgid": "m", "fail_type": 10})

    async def scan(self, user: str, scene: str) -> None:
        """Scan a code, given by its payload or by the address it says."""
        query = parse_qs(urlsplit(scene).query).get("scene_param", [scene])
        await self.enter(user, query[0])

    async def take_back(self, user: str, msgid: str) -> None:
        """Recall something they wrote."""
        event = {"event_type": "user_recall_msg", "open_kfid": self.kf_id, "external_userid": user}
        await self.happen({**event, "recall_msgid": msgid})

    async def send(self, user: str, kind: str, content: Json) -> Json:
        """Send a message of any kind. Returns the entry that can be pulled."""
        customer = self._of(user)
        customer.wrote_at, customer.told = self._now(), 0
        return await self._put(
            {"external_userid": user, "open_kfid": self.kf_id, "origin": 3, "msgtype": kind, kind: content}
        )

    async def happen(self, event: Json) -> Json:
        """Let an event happen."""
        return await self._put({"origin": 4, "msgtype": "event", "event": event})

    async def _put(self, entry: Json) -> Json:
        at = int(self._now().timestamp())
        whole = {"msgid": f"msg-{next(self._numbers)}", "send_time": at, **entry}
        self.entries.append(whole)
        if self.courier.url and not self.silent:
            await self.call()
        return whole

    async def call(self) -> Delivery:
        """Tell the account that there is something, and give it a token."""
        token = secrets.token_hex(16)
        self.tokens[token] = self._now()
        fields: dict[str, Any] = {
            "ToUserName": self._corp_id,
            "CreateTime": int(self._now().timestamp()),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token,
            "OpenKfId": self.kf_id,
        }
        return await self.courier.deliver("kf_msg_or_event", xml_of(fields))

    def keep_file(self, data: bytes, name: str) -> str:
        """Keep a file for three days. Returns its media id."""
        media_id = f"media-{next(self._numbers)}"
        self.media[media_id] = data, name, self._now()
        return media_id

    def _of(self, user: str) -> Customer:
        return self.customers.setdefault(user, Customer())

    # -- what people see ----------------------------------------------------------------------------------

    def heard(self, user: str) -> list[str]:
        """Every text in somebody's chat, a menu's as well, oldest first."""
        return list(self._of(user).shown)

    def heard_in_group(self, group: str) -> list[str]:
        """Nothing: it is in no groups."""
        return []

    def pictures(self, user: str) -> list[bytes]:
        """Pictures that reached somebody."""
        return list(self._of(user).pictures)
