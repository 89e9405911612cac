"""A group's robot on DingTalk: what is pasted of it, how its calls are signed, and what may go wrong."""

import asyncio
import base64
import hashlib
import hmac
import logging
import shutil
import subprocess
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Broken, Gone, Later, Outcome, Refused, Request, Sent, Untrusted
from bot.channels.dingtalk_robot import DingTalkRobotChannel, sign
from bot.channels.dingtalk_rules import OldTrouble, Trouble
from bot.channels.dingtalk_server import DingTalkServer
from handbook.robot_keys import read_dingtalk as read_robot
from tests.channels.stages import Now, outbound, run

TOKEN = "0123456789abcdef" * 4
SECRET = "SEC" + "0f1e2d3c" * 8
GROUP = "一网格工作群"


# ---- what is pasted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}", TOKEN),
        (f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN} {SECRET}", f"{TOKEN} {SECRET}"),
        (f"{SECRET}\nhttps://oapi.dingtalk.com/robot/send?access_token={TOKEN}\n", f"{TOKEN} {SECRET}"),
        (
            f"地址：https://oapi.dingtalk.com/robot/send?access_token={TOKEN}，密钥：{SECRET}。",
            f"{TOKEN} {SECRET}",
        ),
        (f"https://x.gov.cn/robot/send?a=1&access_token={TOKEN}&timestamp=1&sign=2", TOKEN),
        (f"{TOKEN} {SECRET}", f"{TOKEN} {SECRET}"),
        (f"access_token={TOKEN} access_token={TOKEN}", TOKEN),
    ],
)
def test_a_robot_is_read_out_of_what_is_pasted(words: str, read: str) -> None:
    assert read_robot(words) == read


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "没有看到"),
        ("机器人", "没有看到"),
        (SECRET, "没有看到"),
        ("https://oapi.dingtalk.com/robot/send?access_token=abc", "没有看到"),
        (f"access_token={TOKEN} access_token={'f' * 64}", "不止一个机器人"),
        (f"access_token={TOKEN} {SECRET} SEC{'a' * 64}", "不止一个 SEC"),
    ],
)
def test_what_is_no_robot_is_told_in_a_sentence_without_repeating_it(words: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as no:
        read_robot(words)

    assert TOKEN[:16] not in str(no.value)
    assert SECRET[:16] not in str(no.value)


@given(st.text(max_size=200))
def test_any_words_are_read_or_refused(words: str) -> None:
    try:
        read_robot(words)
    except ValueError as no:
        told = str(no)
    else:
        return
    assert told.endswith("。")


# ---- the signature ---------------------------------------------------------------------------------------


def test_the_sign_is_that_of_the_published_recipe() -> None:
    """`this is secret` stands in DingTalk's own page, with the steps but without what they give."""
    assert sign("this is secret", 1577262236757) == openssl("this is secret", 1577262236757)


def openssl(secret: str, milliseconds: int) -> str:
    """The steps of the page, by another program; by the bare definition of HMAC where there is none."""
    said = f"{milliseconds}\n{secret}".encode()
    if shutil.which("openssl"):
        command = ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"]
        return base64.b64encode(
            subprocess.run(command, input=said, capture_output=True, check=True).stdout
        ).decode()
    return by_definition(secret.encode(), said)


def by_definition(key: bytes, said: bytes) -> str:
    """RFC 2104, step by step."""
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(one ^ 0x36 for one in key) + said).digest()
    return base64.b64encode(hashlib.sha256(bytes(one ^ 0x5C for one in key) + inner).digest()).decode()


@given(st.text(max_size=100), st.integers(0, 10**14))
def test_the_sign_is_an_hmac_by_definition(secret: str, milliseconds: int) -> None:
    said = f"{milliseconds}\n{secret}".encode()

    assert sign(secret, milliseconds) == by_definition(secret.encode(), said)
    assert hmac.compare_digest(by_definition(secret.encode(), said), sign(secret, milliseconds))


def test_every_sign_passes_through_the_address_whatever_stands_in_it() -> None:
    """A sign holds +, / and =: quoted twice or not at all it would be another one."""

    async def story() -> None:
        now = Now()
        async with DingTalkServer(now) as server:
            secret = read_robot(f"{server.add_robot(GROUP, SECRET)} {SECRET}")
            channel = DingTalkRobotChannel(now=now, base_url=server.base_url)
            signs = set()
            for number in range(60):
                now.go(seconds=4)
                signs.add(sign(SECRET, int(now().timestamp() * 1000)))
                assert await say(channel, secret, f"第{number}条", number) == Sent("")
            await channel.stop()
            assert any("+" in one for one in signs)
            assert any("/" in one for one in signs)

    run(story())


# ---- speaking --------------------------------------------------------------------------------------------


async def say(
    channel: DingTalkRobotChannel, secret: str, words: str, mail_id: int = 1, **more: object
) -> Outcome:
    return await channel.send(outbound(words, chat=GROUP, group=True, secret=secret, mail_id=mail_id, **more))


def test_people_are_called_by_mobile_or_by_name() -> None:
    async def story() -> None:
        now = Now()
        async with DingTalkServer(now) as server:
            secret = read_robot(server.add_robot(GROUP))
            channel = DingTalkRobotChannel(now=now, base_url=server.base_url)
            await say(channel, secret, "请看", mentions=("13900001234", "user01", "+86-13900001235"))
            await channel.stop()
            (said,) = server.sent

            assert said.mentions == ("13900001234", "13900001235", "user01")
            assert said.text == "@13900001234 @13900001235 @user01 请看"

    run(story())


@pytest.mark.parametrize(
    ("settings", "words", "told"),
    [
        ({"keywords": ("网格",)}, "路灯", "关键词"),
        ({"addresses": ("203.0.113.9",)}, "路灯", "IP"),
        ({"secret": SECRET}, "路灯", "绑定时却没有密钥"),
    ],
)
def test_a_safety_setting_that_is_not_met_is_named(
    settings: dict[str, object], words: str, told: str
) -> None:
    async def story() -> None:
        now = Now()
        async with DingTalkServer(now) as server:
            secret = read_robot(server.add_robot(GROUP, **settings))  # type: ignore[arg-type]
            channel = DingTalkRobotChannel(now=now, base_url=server.base_url)
            outcome = await say(channel, secret, words)
            await channel.stop()

            assert isinstance(outcome, Refused)
            assert told in outcome.why
            assert server.sent == []

    run(story())


def test_a_key_of_another_robot_is_named() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            secret = read_robot(f"{server.add_robot(GROUP, SECRET)} SEC{'a' * 64}")
            channel = DingTalkRobotChannel(now=Now(), base_url=server.base_url)
            outcome = await say(channel, secret, "灯")
            await channel.stop()

            assert isinstance(outcome, Refused)
            assert "密钥不对" in outcome.why

    run(story())


def test_a_clock_that_is_wrong_is_named() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            wrong = Now()
            wrong.go(minutes=61)
            secret = read_robot(f"{server.add_robot(GROUP, SECRET)} {SECRET}")
            channel = DingTalkRobotChannel(now=wrong, base_url=server.base_url)
            outcome = await say(channel, secret, "灯")
            await channel.stop()

            assert isinstance(outcome, Refused)
            assert "校准服务器时间" in outcome.why

    run(story())


def test_a_keyword_that_is_there_will_do() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            channel = DingTalkRobotChannel(now=Now(), base_url=server.base_url)
            secret = read_robot(server.add_robot(GROUP, keywords=("网格",)))
            assert await say(channel, secret, "一网格:路灯修好了") == Sent("")
            await channel.stop()

    run(story())


def test_a_robot_that_is_gone_is_gone() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            channel = DingTalkRobotChannel(now=Now(), base_url=server.base_url)
            secret = read_robot(server.add_robot(GROUP))
            server.remove_robots(GROUP)
            outcome = await say(channel, secret, "灯")
            await channel.stop()

            assert isinstance(outcome, Gone)
            assert secret not in outcome.why

    run(story())


def test_over_twenty_a_minute_it_rests_for_ten_and_asks_nobody_meanwhile() -> None:
    async def story() -> None:
        now = Now()
        async with DingTalkServer(now) as server:
            channel = DingTalkRobotChannel(now=now, base_url=server.base_url)
            secret, other = read_robot(server.add_robot(GROUP)), read_robot(server.add_robot("二网格"))
            outcomes = [await say(channel, secret, str(number), number) for number in range(21)]
            assert outcomes[:20] == [Sent("")] * 20
            assert outcomes[20] == Later(600)
            calls = len(server.calls)
            now.go(minutes=4)
            assert await say(channel, secret, "再来", 21) == Later(360)
            assert len(server.calls) == calls
            assert await say(channel, other, "别的群", 22) == Sent("")
            now.go(minutes=6)
            assert await say(channel, secret, "再来", 21) == Sent("")
            await channel.stop()

    run(story())


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (None, Broken),
        (Trouble(500, "system.err"), Broken),
        (Trouble(429, "toomany"), Later),
        (OldTrouble(-1, "系统繁忙"), Broken),
        (OldTrouble(410100, "发送速度太快而限流"), Later),
        (OldTrouble(430102, "含有不合适的文本"), Refused),
        (OldTrouble(310000, "某种新的说法"), Refused),
        (OldTrouble(40035, "缺少参数 access_token"), Gone),
        (OldTrouble(400102, "机器人已停用"), Gone),
    ],
)
def test_trouble_becomes_an_outcome(trouble: Trouble | None, kind: type[Outcome]) -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            channel = DingTalkRobotChannel(now=Now(), base_url=server.base_url)
            secret = read_robot(server.add_robot(GROUP))
            server.fail("/robot/send", trouble)
            assert isinstance(await say(channel, secret, "灯"), kind)
            await channel.stop()

    run(story())


def test_what_was_said_before_it_failed_is_not_said_again() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            channel = DingTalkRobotChannel(now=Now(), base_url=server.base_url)
            message = outbound("一", "二", chat=GROUP, group=True, secret=read_robot(server.add_robot(GROUP)))
            server.fail("/robot/send", OldTrouble(430102, "x"))
            assert isinstance(await channel.send(message), Refused)
            assert isinstance(await channel.send(message), Sent)
            assert list(server.heard_in_group(GROUP)) == ["一", "二"]
            again = message.model_copy(update={"mail_id": 2})
            server.sent.clear()
            server.fail("/robot/send")
            server.remove_robots(GROUP)
            assert isinstance(await channel.send(again), Gone)
            await channel.stop()

    run(story())


def test_without_a_key_nothing_is_asked() -> None:
    async def story() -> None:
        channel = DingTalkRobotChannel(now=Now(), base_url="http://127.0.0.1:9")
        assert isinstance(await channel.send(outbound("灯", group=True)), Refused)
        assert await channel.fetch("dingtalk_robot:x") is None

    run(story())


def test_it_hears_nothing_and_says_what_it_can() -> None:
    channel = DingTalkRobotChannel(now=Now())

    with pytest.raises(Untrusted):
        channel.parse(Request({}, {}, b"{}"))
    assert not channel.can.private
    assert not channel.can.webhook
    assert channel.can.group_push
    assert [(rate.per, rate.most, rate.within) for rate in channel.can.rates] == [
        ("group", 18, timedelta(minutes=1))
    ]


def test_its_key_is_in_no_log_and_no_outcome(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> list[Outcome]:
        now = Now()
        async with DingTalkServer(now) as server:
            address = server.add_robot(GROUP, SECRET)
            secret = read_robot(f"{address} {SECRET}")
            channel = DingTalkRobotChannel(now=now, base_url=server.base_url)
            server.fail("/robot/send", None, Trouble(500, "x"), OldTrouble(310000, f"sign {SECRET}"))
            outcomes = [await say(channel, secret, "灯", number) for number in range(4)]
            outcomes.append(await say(channel, secret + "\ud800", "灯", 9))
            wrong = DingTalkRobotChannel(now=now, base_url="http://127.0.0.1:9")
            outcomes.append(await say(wrong, secret, "灯", 5))
            await asyncio.gather(channel.stop(), wrong.stop())
            keys.extend([address.rpartition("=")[2], SECRET])
            return outcomes

    keys: list[str] = []
    with caplog.at_level(logging.DEBUG):
        outcomes = run(story())
    for key in keys:
        assert key not in caplog.text
        assert key not in repr(outcomes)
