"""The members of a stand-in WeCom: what they do on their phones, and what their clients show."""

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from bot.channels.datum import to_gcj02
from bot.channels.wecom_delivery import Courier, Delivery, xml_of
from bot.channels.wecom_rules import Code, Shown

_CLIENT_SHOWS: Final = ("text", "markdown", "template_card")


class People:
    """Members who write to one application, and read what it says.

    Args:
        courier: brings what they do to the application.
        corp_id: of the organisation.
        agent_id: of the application.
        now: gives aware UTC.
    """

    channel = "wecom"

    def __init__(self, courier: Courier, corp_id: str, agent_id: int, now: Callable[[], datetime]) -> None:
        self.courier = courier
        self.members: dict[str, str] = {}
        """Accounts of whoever may see the application, by the account in small letters."""
        self.unlicensed: set[str] = set()
        """Members without an interface licence, in small letters."""
        self.shown: list[Shown] = []
        """Everything that reached somebody's client, oldest first."""
        self.media: dict[str, tuple[bytes, str, datetime]] = {}
        """Bytes, name and time of files, by media id."""
        self.codes: dict[str, Code] = {}
        self._corp_id = corp_id
        self._agent_id = agent_id
        self._now = now
        self._numbers = itertools.count(7_000_000_001)

    # -- what people do -----------------------------------------------------------------------------------

    def meet(self, *users: str) -> None:
        """Take members into the application's visible range."""
        self.members |= {user.casefold(): user for user in users}

    def leave(self, user: str) -> None:
        """Somebody leaves the organisation."""
        self.members.pop(user.casefold(), None)

    async def say(self, user: str, text: str) -> None:
        """Write a text to the application. Returns when it is answered, or given up."""
        await self.send(user, "text", Content=text)

    async def say_in_group(self, group: str, user: str, words: str) -> None:
        """An application hears nothing in groups, its own among them."""

    async def send_photo(self, user: str, data: bytes) -> None:
        """Send a picture; WeCom lets no words go with it."""
        media_id = self.keep_file(data, "photo.jpg")
        await self.send(user, "image", PicUrl="http://127.0.0.1/none.jpg", MediaId=media_id)

    async def send_voice(self, user: str, data: bytes) -> None:
        """Send a voice message (AMR)."""
        await self.send(user, "voice", MediaId=self.keep_file(data, "voice.amr"), Format="amr")

    async def send_file(self, user: str, name: str, data: bytes) -> None:
        """Send a file."""
        media_id = self.keep_file(data, name)
        await self.send(user, "file", MediaId=media_id, FileName=name, FileSize=len(data))

    async def send_location(self, user: str, lat: float, lon: float, label: str = "") -> None:
        """Send where one is.

        Args:
            user: whose phone it is.
            lat: WGS-84 degrees; what goes out is what the map shows.
            lon: the same.
            label: the map's words for it.
        """
        north, east = (f"{degrees:.6f}" for degrees in to_gcj02(lat, lon))
        await self.send(user, "location", Location_X=north, Location_Y=east, Scale=15, Label=label)

    async def press(self, user: str, label: str) -> None:
        """Press a button of the newest card that has it. Raises LookupError where there is none."""
        for shown in reversed(self._of(user)):
            key = next((key for name, key in shown.buttons if label in (name, key)), None)
            if key is not None and not shown.rested:
                code = f"press{next(self._numbers)}"
                self.codes[code] = Code(shown.task, self._now())
                more = {"TaskId": shown.task, "CardType": "button_interaction", "ResponseCode": code}
                await self.happen(user, "template_card_event", EventKey=key, **more)
                return
        raise LookupError(f"no button {label!r} on the phone of {user}")

    async def click(self, user: str, key: str) -> None:
        """Choose from the application's menu."""
        await self.happen(user, "click", EventKey=key)

    async def enter(self, user: str) -> None:
        """Open the application."""
        await self.happen(user, "enter_agent", EventKey="")

    async def send(self, user: str, kind: str, **content: Any) -> Delivery:
        """Send a message of any kind."""
        number = next(self._numbers)
        fields = {"MsgType": kind, **content, "MsgId": number}
        return await self.courier.deliver(str(number), xml_of(self._from(user) | fields))

    async def happen(self, user: str, event: str, **content: Any) -> Delivery:
        """Let an event happen."""
        fields = {"MsgType": "event", "Event": event, **content}
        return await self.courier.deliver(event, xml_of(self._from(user) | fields))

    def keep_file(self, data: bytes, name: str) -> str:
        """Keep a file for three days. Returns its media id."""
        media_id = f"media-{next(self._numbers)}"
        self.media[media_id] = data, name, self._now()
        return media_id

    def _from(self, user: str) -> dict[str, Any]:
        self.meet(user)
        at = int(self._now().timestamp())
        return {
            "ToUserName": self._corp_id,
            "FromUserName": user,
            "CreateTime": at,
            "AgentID": self._agent_id,
        }

    # -- what people see ----------------------------------------------------------------------------------

    def heard(self, user: str) -> list[str]:
        """Every text that WeCom's own client shows, a card's as well, oldest first."""
        return [shown.text for shown in self._of(user) if shown.kind in _CLIENT_SHOWS and not shown.recalled]

    def plugin_heard(self, user: str) -> list[str]:
        """The same of 微信插件: it shows neither cards nor markdown, and takes nothing back."""
        return [shown.text for shown in self._of(user) if shown.kind == "text"]

    def pictures(self, user: str) -> list[bytes]:
        """Pictures that reached somebody."""
        return [shown.data for shown in self._of(user) if shown.kind == "image"]

    def heard_in_group(self, chat: str) -> list[str]:
        """Every text in one of the application's groups."""
        return [shown.text for shown in self.shown if shown.to == f"chat:{chat}" and shown.kind == "text"]

    def _of(self, user: str) -> list[Shown]:
        return [shown for shown in self.shown if shown.to == user.casefold()]
