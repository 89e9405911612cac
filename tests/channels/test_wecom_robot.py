"""WeCom's group robots: said in pieces, each once; what an error number means; the key stands nowhere."""

import json
import logging
from collections.abc import Sequence

import pytest

from bot.channel import Broken, Gone, Later, Outcome, Refused, Request, Sent, Untrusted
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wecom_robot import LONGEST, WeComRobotChannel
from bot.message import Outbound
from tests.channels.stages import run

KEY = "693a91f6-7a0c-4bc4-97a0-0ec21fa05aaa"


def letter(*parts: str, secret: str = KEY, mentions: tuple[str, ...] = ()) -> Outbound:
    return Outbound(
        mail_id=1, chat="g1", handle="g1", parts=parts, group=True, secret=secret, mentions=mentions
    )


def told(message: Outbound, codes: Sequence[int | None], tries: int = 1) -> tuple[list[Outcome], list[Call]]:
    """Send against a robot that answers with these numbers, then 0; None cuts the line."""
    left, calls = list(codes), []

    async def robot(call: Call) -> Reply:
        calls.append(call)
        code = left.pop(0) if left else 0
        return Reply(None) if code is None else Reply(200, json.dumps({"errcode": code}).encode())

    async def story() -> list[Outcome]:
        async with LoopbackServer(robot) as server:
            channel = WeComRobotChannel(base_url=server.url)
            outcomes = [await channel.send(message) for _ in range(tries)]
            await channel.stop()
            return outcomes

    return run(story()), calls


def test_words_and_whoever_is_called() -> None:
    (outcome,), (first, second) = told(letter("明天停水", "请储水", mentions=("LiQiang",)), [])

    assert outcome == Sent("")
    assert first.query == {"key": KEY}
    assert json.loads(first.body) == {
        "msgtype": "text",
        "text": {"content": "明天停水", "mentioned_list": ["LiQiang"]},
    }
    assert json.loads(second.body)["text"] == {"content": "请储水"}


def test_what_was_said_is_not_said_again() -> None:
    outcomes, calls = told(letter("一", "二"), [0, None], tries=2)

    assert isinstance(outcomes[0], Broken)
    assert outcomes[1] == Sent("")
    assert [json.loads(call.body)["text"]["content"] for call in calls] == ["一", "二", "二"]


@pytest.mark.parametrize(
    ("code", "kind"), [(45009, Later), (93000, Gone), (-1, Broken), (40008, Refused), (None, Broken)]
)
def test_an_error_number_becomes_an_outcome(
    code: int | None, kind: type[Outcome], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (outcome,), _ = told(letter("灯"), [code])

    assert isinstance(outcome, kind)
    assert KEY not in repr(outcome) + caplog.text + repr(letter("灯"))


def test_what_cannot_go_is_not_tried() -> None:
    for message in (letter("灯", secret=""), letter("a" * (LONGEST + 1))):
        (outcome,), calls = told(message, [])

        assert isinstance(outcome, Refused)
        assert calls == []
    with pytest.raises(Untrusted):
        WeComRobotChannel().parse(Request({}, {}, b"{}"))
