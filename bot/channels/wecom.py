"""WeCom's self-built application (企业微信自建应用): what it hears by callback, and says by its API."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.channel import Accept, Answer, Can, Outcome, Rate, Request
from bot.channels.edge import Recent
from bot.channels.insist import Rest, insist
from bot.channels.wecom_check import check_application
from bot.channels.wecom_client import BASE_URL, WeComClient, WeComError
from bot.channels.wecom_envelope import Envelope, read_xml
from bot.channels.wecom_files import Uploads
from bot.channels.wecom_reading import NAME, WORDS, Press, press_of, read
from bot.channels.wecom_sending import LONGEST, MOST_TOGETHER, Sender
from bot.media import LARGEST, MediaStore
from bot.message import Inbound, Outbound
from bot.tokens import Tokens

log = logging.getLogger(__name__)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RATES: Final = (
    Rate("chat", 25, MINUTE),
    Rate("chat", 900, HOUR),
    Rate("group", 150, MINUTE),
    Rate("channel", 9_000, MINUTE),
    Rate("channel", 140_000, HOUR),
)
"""WeCom drops without a word what a member gets over 30 a minute (channels.md 2.2, 2.10)."""


class WeComChannel:
    """One application of an organisation.

    Args:
        corp_id: of the organisation.
        agent_id: the application's number.
        secret: the application's.
        callback_token: signs what WeCom delivers.
        callback_key: encrypts it (EncodingAESKey).
        tokens: where the access token is shared with other processes.
        now: gives aware UTC.
        media: where photos and files to be sent are read from.
        base_url: another server than WeCom's own.
        cards: show choices as buttons; 微信插件 shows no cards, so they are for organisations whose people
            all use WeCom's own client.
        patience: seconds until a call that is not answered is given up.
        rest: waits between failures.
    """

    name = NAME

    def __init__(
        self,
        corp_id: str,
        agent_id: int,
        secret: str,
        *,
        callback_token: str,
        callback_key: str,
        tokens: Tokens,
        now: Callable[[], datetime],
        media: MediaStore | None = None,
        base_url: str = BASE_URL,
        cards: bool = False,
        patience: float = 10.0,
        rest: Rest = asyncio.sleep,
    ) -> None:
        self.can = Can(
            buttons=cards,
            photos=True,
            places=True,
            group_push=True,
            files=True,
            longest=LONGEST,
            per_second=100.0,
            rates=RATES,
            together=MOST_TOGETHER,
            at_once=5,
        )
        self.client = WeComClient(
            corp_id, secret, tokens, base_url=base_url, patience=patience, name=f"{NAME}:{agent_id}"
        )
        self._agent_id = agent_id
        self._envelope = Envelope(callback_token, callback_key, corp_id)
        self._uploads = Uploads(self.client, media, now)
        self._sender = Sender(self.client, agent_id, self._uploads, now, cards)
        self._now = now
        self._insist = partial(insist, rest=rest, tell=str)
        self._presses: Recent[tuple[str, str], Press] = Recent(1000)
        """Cards that wait to be put to rest, by account and message."""
        self._tasks: set[asyncio.Task[None]] = set()

    # -- hearing ------------------------------------------------------------------------------------------

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Read what WeCom posted. See `Channel.parse`."""
        xml = self._envelope.open(request)
        data = read_xml(xml)
        inbounds = read(data, xml)
        if inbounds and inbounds[0].pressed is not None:
            press = press_of(data)
            assert press is not None
            self._presses[press.handle, inbounds[0].message_id] = press
        return inbounds

    def greet(self, request: Request) -> str:
        """Prove that the address is ours. See `Greets`."""
        return self._envelope.greet(request)

    async def answer(self, request: Request, inbounds: Sequence[Inbound]) -> Answer:
        """Answer with nothing at once: WeCom cuts the line after five seconds and delivers again.

        What there is to say goes out by the API. A pressed card is put to rest beside that.
        """
        for inbound in inbounds:
            press = self._presses.pop((inbound.handle, inbound.message_id), None)
            if press is not None:
                self._begin(self._sender.rest(press))
        return Answer("")

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        return await self._sender.send(message)

    async def send_together(self, messages: Sequence[Outbound]) -> Sequence[Outcome]:
        """Say the same to up to a thousand members. See `SendsTogether`."""
        return await self._sender.send_together(messages)

    async def recall(self, message: Outbound, sent_as: str) -> bool:
        """Take a message back within 24 hours, in WeCom's client but not in 微信插件. See `Recalls`."""
        return not message.group and await self._sender.recall(sent_as)

    async def create_chat(self, name: str, owner: str, members: Sequence[str], chat: str = "") -> str:
        """Make a group of the application's own (应用群), into which it may push.

        Args:
            name: of the group, at most 50 characters.
            owner: a member's account.
            members: 2 to 2000 accounts, the owner's among them; nobody from outside.
            chat: what to call it by; WeCom makes a name where none is given.

        Returns:
            WeCom's name of the group.

        Raises:
            WeComError: refused: 48002 where the application's visible range is not the whole organisation.
            ConnectionError: not reached.
        """
        body = {"name": name[:50], "owner": owner, "userlist": list(members)}
        made = await self.client.post("appchat/create", body | ({"chatid": chat} if chat else {}))
        return str(made.get("chatid", chat))

    # -- fetching -----------------------------------------------------------------------------------------

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Download an attachment of at most 20 MB within three days. See `Channel.fetch`.

        Raises ConnectionError when it should be tried again.
        """
        channel, _, media_id = key.partition(":")
        if channel != self.name or not media_id:
            return None
        try:
            found = await self.client.download(media_id, LARGEST)
        except WeComError as error:
            raise ConnectionError(str(error)) from None
        return None if found is None else (found.data, found.ending)

    # -- settings -----------------------------------------------------------------------------------------

    async def check(self) -> Sequence[str]:
        """Ask WeCom whether the settings are right. See `Checks`."""
        return await check_application(self.client, self._agent_id, self._now)

    async def start(self, accept: Accept) -> None:
        """Offer the menu; what people say comes by callback."""
        self._begin(self._insist(self._offer_menu))

    async def stop(self) -> None:
        """Release connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    async def _offer_menu(self) -> None:
        """Three buttons, the third with the rest below it; an ornament, where WeCom does not want it."""
        buttons = [{"type": "click", "name": word, "key": word} for word in WORDS]
        menu = {"button": [*buttons[:2], {"name": "更多", "sub_button": buttons[2:]}]}
        try:
            await self.client.post("menu/create", menu, agentid=self._agent_id)
        except WeComError as error:
            log.warning("the application's menu was not made: %s", error)

    def _begin(self, story: Coroutine[Any, Any, None]) -> None:
        """Do something beside; it is ended with the channel."""
        task = asyncio.create_task(story, name=self.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
