"""WeChat's official account (微信公众号): hears by its server address, answers there, speaks by its API."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final

from bot.channel import Accept, Answer, Can, Outcome, Rate, Request, Window
from bot.channels.insist import Rest, insist
from bot.channels.wechat_answering import LONGEST, Answering
from bot.channels.wechat_check import check_account
from bot.channels.wechat_client import BASE_URL, WeChatClient
from bot.channels.wechat_envelope import WeChatEnvelope
from bot.channels.wechat_knock import Knock, Template
from bot.channels.wechat_reading import NAME, has_left, read
from bot.channels.wechat_sending import Sender
from bot.channels.wecom_client import WeComError, field_of
from bot.channels.wecom_envelope import read_xml
from bot.channels.wecom_files import Uploads
from bot.media import LARGEST, MediaStore
from bot.message import Inbound, Outbound
from bot.tokens import Tokens

log = logging.getLogger(__name__)

WORDS: Final = ("帮助", "上报", "进度")
"""What the menu at the foot of the chat offers; a click says the word."""
LONGEST_SCENE: Final = timedelta(days=30)
NOTHING: Final = "success"
"""What WeChat reads where nothing is said; anything else, and people are told that the account is down."""
Leave = Callable[[str], Awaitable[None]]
"""Keeps that an account has turned away from us."""


async def stay(_: str) -> None:
    """Nobody keeps who has left, where there is no database."""


class WeChatChannel:
    """One official account.

    Args:
        app_id: of the account.
        secret: its AppSecret.
        callback_token: signs what WeChat delivers.
        callback_key: encrypts it (EncodingAESKey); empty for 明文模式.
        tokens: where the access token is shared with other processes.
        now: gives aware UTC.
        media: where photos to be sent are read from.
        leave: keeps who has stopped following.
        template: a message by which somebody may be asked to write, where the window is closed.
        zone: the place's.
        base_url: another server than WeChat's own.
        patience: seconds until a call that is not answered is given up.
        answering: the answers that are open.
        rest: waits between failures.
    """

    name = NAME
    can = Can(
        photos=True,
        places=True,
        longest=LONGEST,
        per_second=50.0,
        per_chat_second=10.0,
        rates=(Rate("channel", 400_000, timedelta(days=1)),),
        window=Window(timedelta(hours=48), 5),
        in_row=10,
        at_once=20,
    )

    def __init__(
        self,
        app_id: str,
        secret: str,
        *,
        callback_token: str,
        callback_key: str = "",
        tokens: Tokens,
        now: Callable[[], datetime],
        media: MediaStore | None = None,
        leave: Leave = stay,
        template: Template | None = None,
        zone: tzinfo = UTC,
        base_url: str = BASE_URL,
        patience: float = 10.0,
        answering: Answering | None = None,
        rest: Rest = asyncio.sleep,
    ) -> None:
        self.client = WeChatClient(app_id, secret, tokens, base_url=base_url, patience=patience)
        self._envelope = WeChatEnvelope(callback_token, callback_key, app_id, now)
        self._answering = answering or Answering()
        knock = Knock(self.client, template, zone) if template else None
        uploads = Uploads(self.client, media, now, NAME)
        self._sender = Sender(self.client, self._answering, uploads, knock, now)
        self._now = now
        self._leave = leave
        self._left: set[str] = set()
        """Whoever has stopped following, until that is kept."""
        self._own_name = ""
        """What WeChat calls the account (gh_...): an answer has to say so."""
        self._insist = partial(insist, rest=rest, tell=str)
        self._tasks: set[asyncio.Task[None]] = set()

    # -- hearing ------------------------------------------------------------------------------------------

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Read what WeChat posted. See `Channel.parse`."""
        xml = self._envelope.open(request)
        data = read_xml(xml)
        inbounds = read(data, xml)
        name = data.get("ToUserName")
        self._own_name = name if isinstance(name, str) and name else self._own_name
        gone = has_left(data)
        if gone is not None:
            self._left.add(gone)
        return inbounds

    def greet(self, request: Request) -> str:
        """Prove that the address is ours. See `Greets`."""
        return self._envelope.greet(request)

    async def answer(self, request: Request, inbounds: Sequence[Inbound]) -> Answer:
        """Wait up to four seconds for what is said to whoever wrote. See `Answers`."""
        await self._keep_who_left()
        for inbound in inbounds:
            self._left.discard(inbound.handle)
            told = await self._answering.wait(inbound.handle, inbound.message_id, request.arrived)
            if told is not None:
                sealed = self._envelope.answer(inbound.handle, self._own_name, told.words)
                return Answer(sealed.body, sealed.kind, told.sent)
        return Answer(NOTHING)

    async def _keep_who_left(self) -> None:
        """What cannot be kept now is kept with the next delivery; WeChat refuses what is sent to them."""
        for handle in list(self._left):
            try:
                await self._leave(handle)
                self._left.discard(handle)
            except Exception as error:  # noqa: BLE001 - an answer never fails for it
                log.warning("who has left was not kept: %s", type(error).__name__)

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        return await self._sender.send(message)

    async def scannable(self, start: str, seconds: int) -> str:
        """What a QR code has to say so that whoever scans it comes with a payload. See `Scans`."""
        most = int(LONGEST_SCENE.total_seconds())
        body = {
            "expire_seconds": min(max(seconds, 60), most),
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": start}},
        }
        try:
            return field_of(await self.client.post("qrcode/create", body), "url")
        except WeComError as error:
            raise ConnectionError(str(error)) from None

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
        """Ask WeChat whether the settings are right. See `Checks`."""
        return await check_account(self.client, self._now)

    async def start(self, accept: Accept) -> None:
        """Offer the menu; what people say comes to the server address."""
        self._begin(self._insist(self._offer_menu))

    async def stop(self) -> None:
        """Release connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    async def _offer_menu(self) -> None:
        """An ornament, which an account without 认证 does not get."""
        buttons = [{"type": "click", "name": word, "key": word} for word in WORDS]
        try:
            await self.client.post("menu/create", {"button": buttons})
        except WeComError as error:
            log.warning("the account's menu was not made: %s", error)

    def _begin(self, story: Coroutine[Any, Any, None]) -> None:
        """Do something beside; it is ended with the channel."""
        task = asyncio.create_task(story, name=self.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
