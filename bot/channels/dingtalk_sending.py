"""What DingTalk's robot says: by the door a conversation left open, else by the interfaces that push."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import httpx

from bot.channel import Broken, Gone, Later, Outcome, Refused, Sent
from bot.channels.caller import Closed
from bot.channels.dingtalk_api import Api, DingTalkError, outcome_of
from bot.channels.dingtalk_reading import Door
from bot.channels.edge import Recent, writable
from bot.media import MediaStore, NoSuchMedia
from bot.message import Outbound

log = logging.getLogger(__name__)

TOGETHER: Final = 20
"""Most people in one call."""
_LARGEST_PICTURE: Final = 20 * 1024 * 1024
_FLOW: Final = 60.0
"""Seconds until somebody is written to again whom the platform held back for the moment."""
_OUTSIDE: Final = "$:LWCP"
"""How names of people begin who belong to no organisation of ours: a robot cannot write to them first."""


class _HeldBack(Exception):
    """The platform did not write to this person, for the moment or for good."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


class Sender:
    """Says messages through an application's robot.

    Args:
        api: of the application.
        media: where photos and files to be sent are read from.
        now: gives aware UTC.
    """

    def __init__(self, api: Api, media: MediaStore | None, now: Callable[[], datetime]) -> None:
        self._api = api
        self._media = media
        self._now = now
        self.doors: Recent[str, Door] = Recent(5000)
        """By which chats are answered; what is forgotten is pushed instead."""
        self._halfway: Recent[int, list[str]] = Recent(1000)
        """Pieces of a message that were said before it failed, by mail id."""

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        try:
            said = self._halfway.setdefault(message.mail_id, [])
            for piece in self._pieces(message)[len(said) :]:
                said.append(await piece())
            self._halfway.pop(message.mail_id, None)
            return Sent(",".join(name for name in said if name))
        except _HeldBack as no:
            return no.outcome
        except (DingTalkError, httpx.HTTPError, Closed) as error:
            return outcome_of(error)
        except Exception as error:
            log.exception("mail %d was not sent", message.mail_id)
            return Broken(type(error).__name__)

    def _pieces(self, message: Outbound) -> list[Callable[[], Awaitable[str]]]:
        shown = [partial(self._show, message, key) for key in message.photos]
        words = [
            partial(self._write, message, writable(part), not number)
            for number, part in enumerate(message.parts)
        ]
        files = [partial(self._attach, message, key) for key in message.files]
        return [*shown, *words, *files]

    # -- words --------------------------------------------------------------------------------------------

    async def _write(self, message: Outbound, words: str, first: bool) -> str:
        door = self.doors.get(message.chat)
        if door is not None and not message.recallable and self._now() < door.until:
            try:
                await self._api.answer(door.address, _answer(words, message.mentions if first else ()))
                return ""
            except DingTalkError as error:
                if error.throttled or error.status >= 500:
                    raise
                self.doors.pop(message.chat, None)  # it has closed before its time
        return await self._push(message, "sampleText", {"content": words})

    async def _push(self, message: Outbound, kind: str, what: dict[str, str]) -> str:
        """Write first. Returns the platform's name of it, by which it can be taken back."""
        common = {"robotCode": self._api.app.robot_code, "msgKey": kind, "msgParam": _json(what)}
        if message.group:
            wanted = {**common, "openConversationId": message.chat}
            return _name(await self._api.call("/v1.0/robot/groupMessages/send", wanted))
        if message.handle.startswith(_OUTSIDE):
            raise _HeldBack(Gone("this person belongs to no organisation of the robot's"))
        told = await self._api.call(
            "/v1.0/robot/oToMessages/batchSend", {**common, "userIds": [message.handle]}
        )
        held = _held_back(told, message.handle)
        if held is not None:
            raise _HeldBack(held)
        return _name(told)

    # -- to many ------------------------------------------------------------------------------------------

    async def send_together(self, messages: Sequence[Outbound]) -> Sequence[Outcome]:
        """Say the same to many. See `SendsTogether`.

        What is more than one text, or goes into a group, is said to each alone.
        """
        first = messages[0]
        simple = len(first.parts) == 1 and not first.photos and not first.files
        if not simple or any(one.group or one.handle.startswith(_OUTSIDE) for one in messages):
            return [await self.send(one) for one in messages]
        body = {
            "robotCode": self._api.app.robot_code,
            "userIds": [one.handle for one in messages],
            "msgKey": "sampleText",
            "msgParam": _json({"content": writable(first.parts[0])}),
        }
        try:
            told = await self._api.call("/v1.0/robot/oToMessages/batchSend", body)
        except (DingTalkError, httpx.HTTPError, Closed) as error:
            outcome = outcome_of(error)
            if isinstance(outcome, Gone | Refused):  # for the sake of one of them: nobody else is to suffer
                return [await self.send(one) for one in messages]
            return [outcome] * len(messages)
        except Exception as error:
            log.exception("%d letters were not sent", len(messages))
            return [Broken(type(error).__name__)] * len(messages)
        return [_held_back(told, one.handle) or Sent(_name(told)) for one in messages]

    async def recall(self, message: Outbound, sent_as: str) -> bool:
        """Take a message back. See `Recalls`.

        What answered by an open door has no name and stays; what was said to many at once goes for all.
        """
        if not sent_as:
            return False
        names = sent_as.split(",")
        body: dict[str, Any] = {"robotCode": self._api.app.robot_code, "processQueryKeys": names}
        path = "/v1.0/robot/otoMessages/batchRecall"
        if message.group:
            body["openConversationId"] = message.chat
            path = "/v1.0/robot/groupMessages/recall"
        try:
            told = await self._api.call(path, body)
        except DingTalkError as error:
            if error.throttled or error.status >= 500:
                raise ConnectionError(str(error)) from None
            return False
        except (httpx.HTTPError, Closed) as error:
            raise ConnectionError(type(error).__name__) from None
        return set(names) <= set(told.get("successResult") or ())

    # -- pictures and files -------------------------------------------------------------------------------

    async def _show(self, message: Outbound, key: str) -> str:
        """Send one photo; one that is lost or not taken is left out, for the words matter more."""
        data = self._read(key)
        if data is None or len(data) > _LARGEST_PICTURE:
            return ""
        try:
            name = await self._api.upload("image", key.removeprefix("media:"), data)
            return await self._push(message, "sampleImageMsg", {"photoURL": name})
        except DingTalkError as error:
            return _left_out(key, error)

    async def _attach(self, message: Outbound, key: str) -> str:
        data = self._read(key)
        if data is None:
            return ""
        ending = key.rpartition(".")[2]
        try:
            name = await self._api.upload("file", key.removeprefix("media:"), data)
            what = {"mediaId": name, "fileName": f"附件.{ending}", "fileType": ending}
            return await self._push(message, "sampleFile", what)
        except DingTalkError as error:
            return _left_out(key, error)

    def _read(self, key: str) -> bytes | None:
        try:
            if self._media is None:
                raise NoSuchMedia(key)
            return self._media.read(key)
        except (NoSuchMedia, OSError) as error:
            log.warning("%s cannot be read: %s", key, error)
            return None


def _left_out(key: str, error: DingTalkError) -> str:
    if error.status < 500 and not error.stale and isinstance(outcome_of(error), Refused | Broken):
        log.warning("%s was not taken: %s", key, error)
        return ""
    raise error


def _answer(words: str, mentions: Sequence[str]) -> dict[str, Any]:
    called = "".join(f"@{name} " for name in mentions)
    at = {"atUserIds": list(mentions), "isAtAll": False}
    return {"msgtype": "text", "text": {"content": called + words}, "at": at}


def _held_back(told: dict[str, Any], handle: str) -> Outcome | None:
    """What became of one of many: the call goes well although some were not written to.

    The platform writes their names as it likes, large or small.
    """

    def named(field: str) -> bool:
        return handle.lower() in {str(one).lower() for one in told.get(field) or ()}

    if named("flowControlledStaffIdList"):
        return Later(_FLOW)
    if named("invalidStaffIdList"):
        return Gone("no such person in the organisation")
    if named("filteredStaffIdList"):
        return Refused("钉钉没有把这条消息发给本人（filteredStaffIdList）；请检查机器人的可见范围。")
    return None


def _name(told: dict[str, Any]) -> str:
    return str(told.get("processQueryKey") or "")


def _json(what: dict[str, str]) -> str:
    return json.dumps(what, ensure_ascii=False)
