"""微信客服: people write from personal WeChat without following anything; what they say is pulled."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from bot.channel import Accept, Answer, Can, Outcome, Request, Window
from bot.channels.insist import Rest
from bot.channels.wecom_check import clock, say
from bot.channels.wecom_client import BASE_URL, WeComClient, WeComError, field_of
from bot.channels.wecom_envelope import Envelope, read_xml
from bot.channels.wecom_files import Uploads
from bot.channels.wecom_kf_pulling import Bury, Puller, log_unreadable
from bot.channels.wecom_kf_reading import NAME, REFUSED, Heard
from bot.channels.wecom_kf_sending import LONGEST, Sender
from bot.cursors import Cursors
from bot.leases import Leases
from bot.media import LARGEST, MediaStore
from bot.message import Inbound, Outbound
from bot.tokens import Tokens

log = logging.getLogger(__name__)

Leave = Callable[[str], Awaitable[None]]
"""Keeps that an account has turned away from us."""
_SCENE: Final = "xiaoge"
"""Tells our own codes from others in WeCom's figures."""


async def stay(_: str) -> None:
    """Nobody keeps who has left, where there is no database."""


class WeComKfChannel:
    """One account of 微信客服.

    Args:
        corp_id: of the organisation.
        kf_id: the account, open_kfid.
        secret: of 微信客服, not an application's.
        callback_token: signs what WeCom delivers.
        callback_key: encrypts it (EncodingAESKey).
        tokens: where the access token is shared with other processes.
        cursors: where it is kept how far the messages are.
        leases: which process pulls.
        now: gives aware UTC.
        media: where photos to be sent are read from.
        leave: keeps who wants to hear no more.
        bury: keeps what was pulled and cannot be read.
        base_url: another server than WeCom's own.
        patience: seconds until a call that is not answered is given up.
        rest: waits between failures.
    """

    name = NAME
    can = Can(
        buttons=True,
        photos=True,
        places=True,
        longest=LONGEST,
        per_second=50.0,
        window=Window(timedelta(hours=48), 5),
        at_once=5,
    )

    def __init__(
        self,
        corp_id: str,
        kf_id: str,
        secret: str,
        *,
        callback_token: str,
        callback_key: str,
        tokens: Tokens,
        cursors: Cursors,
        leases: Leases,
        now: Callable[[], datetime],
        media: MediaStore | None = None,
        leave: Leave = stay,
        bury: Bury = log_unreadable,
        base_url: str = BASE_URL,
        patience: float = 10.0,
        rest: Rest = asyncio.sleep,
    ) -> None:
        self.client = WeComClient(corp_id, secret, tokens, base_url=base_url, patience=patience, name=NAME)
        self._kf_id = kf_id
        self._envelope = Envelope(callback_token, callback_key, corp_id)
        self._sender = Sender(self.client, kf_id, Uploads(self.client, media, now, NAME), now)
        self._leave = leave
        self._now = now
        self._puller = Puller(
            self.client, kf_id, cursors, leases, notice=self._notice, bury=bury, now=now, rest=rest
        )
        self._task: asyncio.Task[None] | None = None
        self._address = ""

    # -- hearing ------------------------------------------------------------------------------------------

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Read WeCom's word that there is something; what it is, is pulled. See `Channel.parse`."""
        data = read_xml(self._envelope.open(request))
        mine = data.get("OpenKfId") in (None, "", self._kf_id)
        if data.get("Event") == "kf_msg_or_event" and mine:
            token = data.get("Token")
            self._puller.call(token if isinstance(token, str) else "")
        return ()

    def greet(self, request: Request) -> str:
        """Prove that the address is ours. See `Greets`."""
        return self._envelope.greet(request)

    async def answer(self, request: Request, inbounds: Sequence[Inbound]) -> Answer:
        """Nothing can be said in the answer."""
        return Answer("")

    async def _notice(self, heard: Heard) -> None:
        """Who came may be greeted; who refused is left alone; what else did not arrive is told in the log."""
        if heard.came is not None:
            self._sender.may_greet(heard.came)
        if heard.failed is not None:
            log.warning("a message did not arrive: %s", heard.failed.why)
            if heard.failed.kind == REFUSED:
                await self._leave(heard.failed.handle)

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        return await self._sender.send(message)

    async def scannable(self, start: str, seconds: int) -> str:
        """The account's own address with the payload behind it. It does not end; the payload does.

        See `Scans`.
        """
        try:
            if not self._address:
                made = await self.client.post(
                    "kf/add_contact_way", {"open_kfid": self._kf_id, "scene": _SCENE}
                )
                self._address = field_of(made, "url")
        except WeComError as error:
            raise ConnectionError(str(error)) from None
        joint = "&" if "?" in self._address else "?"
        return f"{self._address}{joint}scene_param={quote(start, safe='')}"

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
        try:
            await self.client.token()
            accounts = (await self.client.post("kf/account/list", {"offset": 0, "limit": 100})).get(
                "account_list"
            )
        except WeComError as error:
            return [_say(error)]
        except ConnectionError as error:
            return [f"连不上企业微信（{error}）：请检查网络、代理和 XIAOGE_WECOM_BASE_URL。"]
        mine = [one for one in accounts or () if one.get("open_kfid") == self._kf_id]
        found = [] if mine else ["没有这个客服帐号：请核对 XIAOGE_WECOM_KF_ID（open_kfid，以 wk 开头）。"]
        if mine and mine[0].get("manage_privilege") is False:
            found.append(
                "没有把这个客服帐号交给 API 管理："
                "在管理后台“微信客服-API”里，把它加进“可调用接口的客服帐号”。"
            )
        return [*found, *clock(self.client.server_time, self._now())]

    async def start(self, accept: Accept) -> None:
        """Begin to pull."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._puller.run(accept), name=self.name)

    async def stop(self) -> None:
        """Pull no more, and release connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.client.close()


def _say(error: WeComError) -> str:
    if error.code in (40001, 40014, 42001, 41004):
        return (
            "微信客服的 Secret 不对：请核对 XIAOGE_WECOM_KF_SECRET，在管理后台“微信客服-API”那一页；"
            "自建应用的 Secret 不能用在这里。"
        )
    return say(error)
