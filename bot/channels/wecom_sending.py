"""What is said on WeCom: in pieces, each once, to one or to many, and what became of it for each."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, Final

from bot.channel import Broken, Gone, Outcome, Refused, Sent
from bot.channels.edge import Recent, fingerprint, writable
from bot.channels.wecom_cards import card_of, task_of
from bot.channels.wecom_client import Json, WeComClient, WeComError, outcome_of
from bot.channels.wecom_files import Kind, Uploads
from bot.channels.wecom_reading import Press
from bot.media import NoSuchMedia
from bot.message import Outbound

log = logging.getLogger(__name__)

MOST_TOGETHER: Final = 1000
"""Members one call may name; more are cut off without a word (channels.md 2.2)."""
LONGEST: Final = 2048
"""Bytes of UTF-8; what is longer is cut off without a word."""
DOUBTFUL: Final = timedelta(seconds=30)
"""How long WeCom itself leaves out what it has said already: a call that was cut may have taken effect, and
is tried again after one and five seconds. Any longer, and whoever asks for help twice would hear nothing.
"""
_HANDLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
"""What a member's account may be: "|" would name two, and "@all" everybody."""
Piece = Callable[[], Awaitable[Json | None]]
"""Makes one message's content; None where there is nothing to send."""


class Sender:
    """Says messages through an application.

    Args:
        client: of the application.
        agent_id: its number.
        uploads: files that go along.
        now: gives aware UTC.
        cards: whether choices are shown as buttons of a card.
    """

    def __init__(
        self,
        client: WeComClient,
        agent_id: int,
        uploads: Uploads,
        now: Callable[[], datetime],
        cards: bool,
    ) -> None:
        self._client = client
        self._agent_id = agent_id
        self._uploads = uploads
        self._now = now
        self._cards = cards
        self._halfway: Recent[int, list[str]] = Recent(5000)
        """WeCom's names of the pieces that were sent before a message failed, by mail id."""
        self._told: Recent[tuple[str, str], tuple[int, int, datetime]] = Recent(5000)
        """Mail, piece and time by account and content."""
        self._pressed: Recent[str, bool] = Recent(5000)
        """Codes that are used up."""

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        unfit = _unfit(message)
        if unfit is not None:
            return unfit
        return (await self._batch([message]))[0]

    async def send_together(self, messages: Sequence[Outbound]) -> Sequence[Outcome]:
        """Say the same to many; those of whom some pieces were said already hear the rest. Never raises."""
        outcomes = {message.mail_id: _unfit(message) for message in messages}
        fit = [message for message in messages if outcomes[message.mail_id] is None]
        rows = sorted(fit, key=lambda message: len(self._halfway.get(message.mail_id, ())))
        for _, alike in groupby(rows, key=lambda message: len(self._halfway.get(message.mail_id, ()))):
            batch = list(alike)
            apart = batch[0].group or (self._cards and batch[0].buttons)
            step = 1 if apart else MOST_TOGETHER
            for start in range(0, len(batch), step):
                some = batch[start : start + step]
                ended = zip(some, await self._batch(some), strict=True)
                outcomes |= {message.mail_id: outcome for message, outcome in ended}
        return [outcomes[message.mail_id] or Broken("not sent") for message in messages]

    async def recall(self, sent_as: str) -> bool:
        """Take back every piece; False when one of them stays. Raises ConnectionError.

        What was said to many in one call is taken back for all of them.
        """
        back = bool(sent_as)
        for name in sent_as.split(",") if sent_as else ():
            try:
                await self._client.post("message/recall", {"msgid": name})
            except WeComError as error:
                log.info("a message was not taken back: %s", error)
                back = False
        return back

    async def rest(self, press: Press) -> None:
        """Let a pressed card show that it was; its code is good for one use, so it is never tried again."""
        if not press.code or press.code in self._pressed:
            return
        self._pressed[press.code] = True
        body = {
            "userids": [press.handle],
            "agentid": self._agent_id,
            "response_code": press.code,
            "button": {"replace_name": "已选择"},
        }
        try:
            await self._client.post("message/update_template_card", body)
        except (WeComError, ConnectionError) as error:  # it stays pressable; a second press is told so
            log.info("a card was not put to rest: %s", error)

    # -- one batch ----------------------------------------------------------------------------------------

    async def _batch(self, messages: Sequence[Outbound]) -> list[Outcome]:
        """Say the same to all of these, who are equally far."""
        gone: dict[int, Outcome] = {}
        try:
            await self._say(messages, gone)
        except (WeComError, ConnectionError) as error:
            failed = outcome_of(error)
            return [gone.get(message.mail_id, failed) for message in messages]
        except Exception as error:
            log.exception("mail %d was not sent", messages[0].mail_id)
            return [gone.get(message.mail_id, Broken(type(error).__name__)) for message in messages]
        return [
            gone.get(message.mail_id) or Sent(",".join(filter(None, self._halfway.pop(message.mail_id, []))))
            for message in messages
        ]

    async def _say(self, messages: Sequence[Outbound], gone: dict[int, Outcome]) -> None:
        one = messages[0]
        start = len(self._halfway.get(one.mail_id, ()))
        for number, piece in list(enumerate(self._pieces(one)))[start:]:
            left = [message for message in messages if message.mail_id not in gone]
            if not left:
                return
            content = await piece()
            answer = {} if content is None else await self._call(left, number, content)
            gone |= _unreached(left, answer)
            for message in left:
                said = self._halfway.setdefault(message.mail_id, [])
                said.append(str(answer.get("msgid", "")))

    def _pieces(self, message: Outbound) -> list[Piece]:
        pieces: list[Piece] = [partial(self._file, key, "image") for key in message.photos]
        pieces += [partial(_text, part) for part in message.parts[:-1]]
        pieces += [partial(self._last, message, part) for part in message.parts[-1:]]
        return pieces + [partial(self._file, key, "file") for key in message.files]

    async def _last(self, message: Outbound, part: str) -> Json | None:
        """The last words, as a card where its limits allow; the numbers stand in it as well."""
        card = card_of(message, part) if self._cards and not message.group else None
        return {"msgtype": "template_card", "template_card": card} if card else await _text(part)

    async def _file(self, key: str, kind: Kind) -> Json | None:
        """One picture or file; one that is lost or not taken is left out, for the words matter more."""
        try:
            return {"msgtype": kind, kind: {"media_id": await self._uploads.media_id(key, kind)}}
        except (NoSuchMedia, OSError, ValueError) as error:
            if isinstance(error, ConnectionError):
                raise
            log.warning("a file cannot be read: %s", type(error).__name__, extra={"key": key})
        except WeComError as error:
            if not isinstance(outcome_of(error), Refused):
                raise
            log.warning("a file was not taken: %s", error, extra={"key": key})
        return None

    # -- one call -----------------------------------------------------------------------------------------

    async def _call(self, messages: Sequence[Outbound], number: int, content: Json) -> Json:
        try:
            return await self._post(messages, number, content)
        except WeComError as error:
            again = await self._instead(messages[0], content, error)
            if again is None:
                raise
        return await self._post(messages, number, again) if again else {}

    async def _instead(self, message: Outbound, content: Json, error: WeComError) -> Json | None:
        """What to say where WeCom does not take something; nothing for a lost file, None to give up."""
        kind = content["msgtype"]
        if kind == "template_card" and isinstance(outcome_of(error), Refused):
            if task_of(message) in error.words or "task_id" in error.words:
                return {}  # the card is there: a call that was cut had taken effect
            return await _text(message.parts[-1])
        if kind in ("image", "file") and error.code in (40007, 40004, 40009):
            log.warning("a file was not taken: %s", error)
            lost = self._uploads.forget(content[kind]["media_id"])
            return (await self._file(*lost) if lost else None) or {}
        return None

    async def _post(self, messages: Sequence[Outbound], number: int, content: Json) -> Json:
        if messages[0].group:
            return await self._client.post("appchat/send", {"chatid": messages[0].chat, **content, "safe": 0})
        body: Json = {
            "touser": "|".join(message.handle for message in messages),
            "agentid": self._agent_id,
            **content,
            "enable_duplicate_check": int(not self._repeats(messages, number, content)),
            "duplicate_check_interval": int(DOUBTFUL.total_seconds()),
        }
        return await self._client.post("message/send", body)

    def _repeats(self, messages: Sequence[Outbound], number: int, content: Json) -> bool:
        """Whether somebody is rightly told the same once more: by another message than a moment ago."""
        now, digest = self._now(), fingerprint(json.dumps(content, sort_keys=True).encode())
        found = False
        for message in messages:
            mail, piece, at = self._told.get((message.handle, digest), (message.mail_id, number, now))
            found = found or ((mail, piece) != (message.mail_id, number) and now < at + 2 * DOUBTFUL)
            self._told[message.handle, digest] = message.mail_id, number, now
        return found


def _unfit(message: Outbound) -> Outcome | None:
    """Why a message cannot be said to whom it is for; None where it can."""
    if not message.group and not _HANDLE.fullmatch(message.handle):
        return Gone("no member's account")
    if any(len(part.encode("utf-8", "replace")) > LONGEST for part in message.parts):
        return Refused("longer than WeCom shows")
    return None


async def _text(words: str) -> Json | None:
    shown = writable(words)
    return {"msgtype": "text", "text": {"content": shown}} if shown.strip() else None


def _unreached(messages: Sequence[Outbound], answer: dict[str, Any]) -> dict[int, Outcome]:
    """Those whom WeCom did not reach although the call went well; it writes their names in small letters."""
    lost: dict[str, str] = {}
    for field, why in (
        ("unlicenseduser", "没有接口许可"),
        ("invaliduser", "不在应用的可见范围内，或已离开企业"),
    ):
        names = answer.get(field)
        lost |= {name.casefold(): why for name in names.split("|")} if isinstance(names, str) else {}
    return {
        message.mail_id: Gone(lost[message.handle.casefold()])
        for message in messages
        if message.handle.casefold() in lost
    }
