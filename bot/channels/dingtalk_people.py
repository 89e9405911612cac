"""The people of the stand-in for DingTalk: what they do, what they hear, and what their settings are."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.channels.dingtalk_gateway import MESSAGES, Gateway
from bot.channels.dingtalk_rules import GroupRobot, Json, Rate

DOOR: Final = timedelta(minutes=90)
"""So long an answer into a conversation is taken by the address that came with a message."""
ROBOT: Final = "$:LWCP_v1:$robot"


@dataclass(frozen=True)
class Said:
    """One message of the robot's; `way` is how it came: session, push or robot."""

    id: str
    chat: str
    text: str
    way: str
    kind: str = "sampleText"
    mentions: tuple[str, ...] = ()
    data: bytes | None = field(default=None, repr=False)


class DingTalkPeople:
    """An organisation on DingTalk, with people, groups and one application's robot.

    Args:
        now: gives aware UTC.
        gateway: brings what people say to the robot.
    """

    channel = "dingtalk"
    base_url: str
    robot_code: str

    def __init__(self, now: Callable[[], datetime], gateway: Gateway) -> None:
        self.sent: list[Said] = []
        self.names: dict[str, str] = {}
        self.people: set[str] = set()
        self.outsiders: set[str] = set()
        """People of other organisations, whom a robot cannot write to first."""
        self.slowed: set[str] = set()
        """People who are held back for the moment."""
        self.groups: set[str] = set()
        """Groups in which the robot is."""
        self.gateway = gateway
        self._now = now
        self._numbers = itertools.count(1)
        self._doors: dict[str, tuple[str, datetime]] = {}
        """Chat and end of each address that answers, by its session."""
        self._files: dict[str, bytes] = {}
        self._robots: dict[str, GroupRobot] = {}

    # -- what people do -----------------------------------------------------------------------------------

    async def say(self, user: str, words: str) -> None:
        """A person writes to the robot alone."""
        self.deliver(self.message(user, msgtype="text", text={"content": words}))

    async def say_in_group(self, group: str, user: str, words: str) -> None:
        """A person speaks to the robot in a group; DingTalk takes the @ out of the words."""
        self.deliver(self.message(user, group, msgtype="text", text={"content": f" {words}"}))

    async def send_photo(self, user: str, data: bytes) -> None:
        """A person sends a picture."""
        self.deliver(self.message(user, msgtype="picture", content={"downloadCode": self.keep(data)}))

    async def send_document(self, user: str, name: str, data: bytes) -> None:
        """A person sends a file."""
        content = {"downloadCode": self.keep(data), "fileName": name, "spaceId": "1", "fileId": "1"}
        self.deliver(self.message(user, msgtype="file", content=content))

    def deliver(self, message: Json) -> str:
        """Deliver a message until it is confirmed. Returns the frame's number."""
        return self.gateway.put("CALLBACK", MESSAGES, json.dumps(message, ensure_ascii=False))

    def message(self, user: str, group: str | None = None, **content: Any) -> Json:
        """What the gateway tells of a message by somebody."""
        number = next(self._numbers)
        chat = group or f"cid-{user}"
        self.groups |= {group} if group else set()
        outside = user in self.outsiders
        self.people |= set() if outside else {user}
        session = f"session{number}"
        until = self._now() + DOOR
        self._doors[session] = (group or user, until)
        body: Json = {
            "conversationId": chat,
            "conversationType": "2" if group else "1",
            "chatbotCorpId": "ding-corp",
            "chatbotUserId": ROBOT,
            "msgId": f"msg{number}",
            "senderNick": self.names.get(user, user),
            "senderId": f"$:LWCP_v1:${user}",
            "senderCorpId": "ding-other" if outside else "ding-corp",
            "createAt": int(self._now().timestamp() * 1000),
            "sessionWebhook": f"{self.base_url}/robot/sendBySession?session={session}",
            "sessionWebhookExpiredTime": int(until.timestamp() * 1000),
            "robotCode": self.robot_code,
            **({} if outside else {"senderStaffId": user}),
            **content,
        }
        if group:
            body |= {"conversationTitle": group, "isInAtList": True, "atUsers": [{"dingtalkId": ROBOT}]}
        return body

    def keep(self, data: bytes) -> str:
        """Keep a file of somebody's. Returns the code by which it is fetched."""
        code = f"code{next(self._numbers):06}=="
        self._files[code] = data
        return code

    def forget_files(self) -> None:
        """Take away what people sent, as DingTalk does after a while."""
        self._files.clear()

    def heard(self, user: str) -> Sequence[str]:
        """Texts the robot said to a person alone, oldest first."""
        return [said.text for said in self.sent if said.chat == user and said.kind == "sampleText"]

    def heard_in_group(self, group: str) -> Sequence[str]:
        """Texts that were said in a group, oldest first."""
        return self.heard(group)

    def join(self, *people: str) -> None:
        """Let people be of the organisation who have not written yet."""
        self.people |= set(people)

    def leave(self, user: str) -> None:
        """Somebody leaves the organisation."""
        self.people.discard(user)

    def add_robot(
        self,
        group: str,
        secret: str = "",
        keywords: tuple[str, ...] = (),
        addresses: tuple[str, ...] = (),
    ) -> str:
        """People put a robot of their own into a group. Returns its webhook address, as they copy it."""
        token = f"{next(self._numbers):064x}"
        self._robots[token] = GroupRobot(group, Rate(self._now), secret, keywords, addresses)
        return f"{self.base_url}/robot/send?access_token={token}"

    def remove_robots(self, group: str) -> None:
        """People take their robots out of a group."""
        self._robots = {token: one for token, one in self._robots.items() if one.group != group}
