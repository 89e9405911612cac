"""Those who follow a stand-in's official account: what they do on their phones, and what these show."""

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.channels.datum import to_gcj02
from bot.channels.wechat_delivery import WeChatCourier
from bot.channels.wechat_rules import CAME, OUT_OF_ORDER, Follower
from bot.channels.wecom_delivery import Delivery, xml_of

ACCOUNT = "gh_0000loopback"
"""What WeChat calls the account in what it delivers."""


class People:
    """People who write to one account, and read what it says.

    Args:
        courier: brings what they do to the account.
        now: gives aware UTC.
    """

    channel = "wechat"

    def __init__(self, courier: WeChatCourier, now: Callable[[], datetime]) -> None:
        self.courier = courier
        self.followers: dict[str, Follower] = {}
        """By OpenID."""
        self.media: dict[str, tuple[bytes, str, datetime]] = {}
        """Bytes, name and time of files, by media id."""
        self.scenes: dict[str, tuple[str, datetime]] = {}
        """Scene and end of codes, by what the code says."""
        self.menu: dict[str, str] = {}
        """What an entry says, by its label."""
        self._now = now
        self._numbers = itertools.count(23_000_000_000_000_001)

    # -- what people do -----------------------------------------------------------------------------------

    async def say(self, user: str, text: str) -> None:
        """Write a text to the account. Returns when it is answered, or given up."""
        await self.send(user, "text", Content=text)

    async def say_in_group(self, group: str, user: str, words: str) -> None:
        """An official account is in no groups."""

    async def send_photo(self, user: str, data: bytes) -> None:
        """Send a picture; WeChat lets no words go with it."""
        media_id = self.keep_file(data, "photo.jpg")
        await self.send(user, "image", PicUrl="http://127.0.0.1/none.jpg", MediaId=media_id)

    async def send_voice(self, user: str, data: bytes, words: str = "") -> None:
        """Send a voice message (AMR); `words` are what the platform understands of it, where it does."""
        heard = {"Recognition": words} if words else {}
        await self.send(user, "voice", MediaId=self.keep_file(data, "voice.amr"), Format="amr", **heard)

    async def send_location(self, user: str, lat: float, lon: float, label: str = "") -> None:
        """Send where one is: WGS-84 degrees come in, and what the map shows goes out."""
        north, east = (f"{degrees:.6f}" for degrees in to_gcj02(lat, lon))
        await self.send(user, "location", Location_X=north, Location_Y=east, Scale=15, Label=label)

    async def follow(self, user: str) -> None:
        """Begin to follow the account, found by its name."""
        await self._come(user, "subscribe", EventKey="")

    async def unfollow(self, user: str) -> None:
        """Follow it no more."""
        self._of(user).follows = False
        self._of(user).windows.clear()
        await self.happen(user, "unsubscribe", EventKey="")

    async def scan(self, user: str, scene: str) -> None:
        """Scan a code, given by its scene or by what it says. Raises LookupError where it is not good."""
        said = next((url for url, (name, _) in self.scenes.items() if scene in (name, url)), None)
        if said is None or self._now() >= self.scenes[said][1]:
            raise LookupError("this code is not good any more")
        name, follows = self.scenes[said][0], user in self.followers and self.followers[user].follows
        key = name if follows else f"qrscene_{name}"
        await self._come(user, "SCAN" if follows else "subscribe", EventKey=key, Ticket=f"ticket-{name[:8]}")

    async def press(self, user: str, label: str) -> None:
        """Choose from the menu. Raises LookupError where it has no such entry."""
        if label not in self.menu:
            raise LookupError(f"no entry {label!r} in the menu")
        await self._come(user, "CLICK", EventKey=self.menu[label])

    async def send(self, user: str, kind: str, **content: Any) -> Delivery:
        """Send a message of any kind."""
        number = next(self._numbers)
        self._of(user).spoke(self._now())
        fields = {"MsgType": kind, **content, "MsgId": number}
        return await self.deliver(user, str(number), xml_of(self._from(user) | fields))

    async def happen(self, user: str, event: str, **content: Any) -> Delivery:
        """Let an event happen."""
        fields = {"MsgType": "event", "Event": event, **content}
        return await self.deliver(user, event, xml_of(self._from(user) | fields))

    async def deliver(self, user: str, name: str, xml: str) -> Delivery:
        """Bring something to the account, and show what it answers."""
        delivery = await self.courier.deliver(name, xml)
        if not self.courier.url:
            return delivery
        try:
            words = self.courier.read(delivery.bodies[-1], user, ACCOUNT) if delivery.taken else OUT_OF_ORDER
        except ValueError:
            words = OUT_OF_ORDER
        if words and self._of(user).follows:
            self._of(user).shown.append(words)
            self._of(user).passive.append(words)
        return delivery

    async def _come(self, user: str, event: str, **content: Any) -> None:
        self._of(user).follows = True
        self._of(user).open_for(self._now(), *CAME)
        await self.happen(user, event, **content)

    def keep_file(self, data: bytes, name: str) -> str:
        """Keep a file for three days. Returns its media id."""
        media_id = f"media-{next(self._numbers)}"
        self.media[media_id] = data, name, self._now()
        return media_id

    def _from(self, user: str) -> dict[str, Any]:
        return {"ToUserName": ACCOUNT, "FromUserName": user, "CreateTime": int(self._now().timestamp())}

    def _of(self, user: str) -> Follower:
        return self.followers.setdefault(user, Follower())

    # -- what people see ----------------------------------------------------------------------------------

    def heard(self, user: str) -> list[str]:
        """Every text in somebody's chat with the account, oldest first."""
        return list(self._of(user).shown)

    def heard_in_group(self, group: str) -> list[str]:
        """Nothing: it is in no groups."""
        return []

    def pictures(self, user: str) -> list[bytes]:
        """Pictures that reached somebody."""
        return list(self._of(user).pictures)
