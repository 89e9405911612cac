"""A group's robot on WeCom: what it says and shows, who is called, and what may go wrong."""

import asyncio
import io
import logging
import os
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image

from bot.channel import Broken, Gone, Later, Outcome, Refused, Request, Sent, Untrusted
from bot.channels.loopback import Reply
from bot.channels.wecom_robot import WeComRobotChannel
from bot.channels.wecom_robot_files import LARGEST, as_small_picture
from bot.channels.wecom_robot_server import WeComRobotServer
from bot.media import MediaStore
from tests.channels.pictures import picture
from tests.channels.stages import Now, outbound, run

GROUP = "一网格工作群"
KEY = "693a91f6-7fa3-4bc4-97a0-0ec251fa5aaa"


def noise(form: str, side: int = 1200) -> bytes:
    """A picture that no form makes small."""
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(out, form)
    return out.getvalue()


def at(server: WeComRobotServer, now: Now, media: MediaStore | None = None) -> WeComRobotChannel:
    return WeComRobotChannel(now=now, base_url=server.base_url, media=media)


async def say(
    channel: WeComRobotChannel, secret: str, *words: str, mail_id: int = 1, **more: object
) -> Outcome:
    message = outbound(*words, chat=GROUP, group=True, secret=secret, mail_id=mail_id, **more)
    return await channel.send(message)


# ---- speaking --------------------------------------------------------------------------------------------


def test_an_address_or_its_bare_key_will_do_and_no_host_is_taken_over() -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server:
            channel = at(server, now)
            key = server.add_robot(GROUP).rpartition("=")[2]
            elsewhere = f"https://192.0.2.1/cgi-bin/webhook/send?key={key.upper()}"
            for number, secret in enumerate((key, elsewhere)):
                assert await say(channel, secret, f"第{number}条", mail_id=number) == Sent("")
            await channel.stop()
            assert list(server.heard_in_group(GROUP)) == ["第0条", "第1条"]

    run(story())


def test_people_are_called_by_userid_or_mobile_and_never_all_of_them() -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server:
            channel = at(server, now)
            who = ("ChenJianGuo", "+86-13900001235", "@all")
            await say(channel, server.add_robot(GROUP), "请看", "再看", mentions=who)
            await channel.stop()

            assert [said.mentions for said in server.said] == [("ChenJianGuo", "13900001235"), ()]
            assert [said.text for said in server.said] == ["请看", "再看"]

    run(story())


def test_pictures_go_before_the_words_and_files_after_them(tmp_path: Path) -> None:
    async def story() -> None:
        now, media = Now(), MediaStore(tmp_path)
        photo, paper = media.keep(picture(), "photo"), media.keep("姓名,职务\n".encode())
        async with WeComRobotServer(now) as server:
            channel = at(server, now, media)
            secret = server.add_robot(GROUP)
            assert await say(channel, secret, "停水通知", photos=(photo,), files=(paper,)) == Sent("")
            await channel.stop()

            assert [said.kind for said in server.said] == ["image", "text", "file"]
            assert server.said[0].data == media.read(photo)
            assert server.said[2].data == media.read(paper)

    run(story())


def test_a_large_picture_is_made_to_fit(tmp_path: Path) -> None:
    async def story() -> None:
        now, media = Now(), MediaStore(tmp_path)
        photo = media.keep(noise("PNG"), "photo")
        assert len(media.read(photo)) > LARGEST
        async with WeComRobotServer(now) as server:
            channel = at(server, now, media)
            assert await say(channel, server.add_robot(GROUP), "看图", photos=(photo,)) == Sent("")
            await channel.stop()
            assert [said.kind for said in server.said] == ["image", "text"]

    run(story())


def test_what_was_seen_through_is_white_and_what_fits_stays_as_it_is() -> None:
    through = {}
    for form in ("WEBP", "PNG"):
        out = io.BytesIO()
        Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(out, form)
        through[form] = out.getvalue()
    drawn = Image.open(io.BytesIO(as_small_picture(through["WEBP"])))

    assert drawn.format == "JPEG"
    assert min(drawn.convert("L").tobytes()) > 250
    assert as_small_picture(through["PNG"]) == through["PNG"]


def test_what_is_lost_or_not_taken_is_left_out_and_the_words_go(tmp_path: Path) -> None:
    async def story() -> None:
        now, media = Now(), MediaStore(tmp_path)
        photo, paper = media.keep(picture(), "photo"), media.keep(b"12345678")
        lost, tiny = f"media:{'0' * 64}.jpg", media.keep(b"123")
        async with WeComRobotServer(now) as server:
            channel = at(server, now, media)
            secret = server.add_robot(GROUP)
            server.fail("send", 40009)
            assert await say(channel, secret, "停电", photos=(photo, lost), files=(tiny, paper)) == Sent("")
            assert [said.kind for said in server.said] == ["text", "file"]
            nothing = await say(channel, secret, " ", photos=(lost,), mail_id=2)
            await channel.stop()

            assert isinstance(nothing, Refused)

    run(story())


# ---- what goes wrong -------------------------------------------------------------------------------------


def test_a_robot_that_is_gone_or_switched_off_is_gone() -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server:
            channel = at(server, now)
            off, away = server.add_robot("二网格"), server.add_robot(GROUP)
            server.stop_robots("二网格")
            server.remove_robots(GROUP)
            outcomes = [await say(channel, secret, "灯") for secret in (off, away, KEY)]
            await channel.stop()

            for outcome in outcomes:
                assert isinstance(outcome, Gone)
                assert "重新绑定" in outcome.why

    run(story())


def test_over_twenty_a_minute_it_rests_and_asks_nobody_meanwhile() -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server:
            channel = at(server, now)
            secret, other = server.add_robot(GROUP), server.add_robot("二网格")
            outcomes = [await say(channel, secret, str(number), mail_id=number) for number in range(21)]
            assert outcomes == [Sent("")] * 20 + [Later(60)]
            calls = len(server.calls)
            now.go(seconds=25)
            assert await say(channel, secret, "再来", mail_id=20) == Later(35)
            assert len(server.calls) == calls
            assert await say(channel, other, "别的群", mail_id=22) == Sent("")
            now.go(seconds=36)
            assert await say(channel, secret, "再来", mail_id=20) == Sent("")
            await channel.stop()

    run(story())


def test_what_is_refused_counts_as_well() -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server, httpx.AsyncClient() as line:
            address = server.add_robot(GROUP)
            bodies = [{"msgtype": "text", "text": {"content": "灯" * 683}}] * 21
            codes = [(await line.post(address, json=body)).json()["errcode"] for body in bodies]

            assert codes == [40058] * 20 + [45009]
            assert server.said == []

    run(story())


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (Reply(None), Broken),
        (Reply(502, b"bad gateway"), Broken),
        (Reply(429, b""), Later),
        (Reply(200, b"<html>"), Broken),
        (Reply(200, b"[1]"), Broken),
        (Reply(200, b'{"errcode":"x"}'), Broken),
        (Reply(200, b"{}"), Broken),
        (-1, Broken),
        (45009, Later),
        (45033, Later),
        (40058, Refused),
        (44004, Refused),
        (999999, Refused),
        (93000, Gone),
        (93008, Gone),
    ],
)
def test_trouble_becomes_an_outcome(ending: int | Reply, kind: type[Outcome]) -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server:
            channel = at(server, now)
            secret = server.add_robot(GROUP)
            server.fail("send", ending)
            assert isinstance(await say(channel, secret, "灯"), kind)
            now.go(minutes=1)
            assert await say(channel, secret, "灯") == Sent("")
            await channel.stop()
            assert list(server.heard_in_group(GROUP)) == ["灯"]

    run(story())


def test_what_was_said_before_it_failed_is_not_said_again(tmp_path: Path) -> None:
    async def story() -> None:
        now, media = Now(), MediaStore(tmp_path)
        paper = media.keep(b"12345678")
        async with WeComRobotServer(now) as server:
            channel = at(server, now, media)
            secret = server.add_robot(GROUP)
            server.fail("upload_media", -1)
            assert isinstance(await say(channel, secret, "一", "二", files=(paper,)), Broken)
            assert await say(channel, secret, "一", "二", files=(paper,)) == Sent("")
            await channel.stop()
            assert [said.text for said in server.said] == ["一", "二", ""]

    run(story())


@pytest.mark.parametrize("secret", ["", "机器人", f"{KEY} {KEY.replace('6', '7')}", "0" * 64])
def test_without_one_key_of_its_own_nothing_is_asked(secret: str) -> None:
    async def story() -> None:
        channel = WeComRobotChannel(now=Now(), base_url="http://127.0.0.1:9")
        assert isinstance(await say(channel, secret, "灯"), Refused)
        assert await channel.fetch("wecom_robot:x") is None

    run(story())


def test_a_text_too_long_is_refused_before_its_first_part_is_said() -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server:
            channel = at(server, now)
            assert isinstance(await say(channel, server.add_robot(GROUP), "一", "灯" * 683), Refused)
            await channel.stop()
            assert server.calls == []

    run(story())


def test_it_hears_nothing_and_says_what_it_can() -> None:
    channel = WeComRobotChannel(now=Now())

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
        async with WeComRobotServer(now) as server:
            secret = server.add_robot(GROUP)
            keys.append(secret.rpartition("=")[2])
            channel = at(server, now)
            server.fail("send", Reply(None), Reply(500), 40058, 93000, -1)
            outcomes = [await say(channel, secret, "灯", mail_id=number) for number in range(5)]
            wrong = WeComRobotChannel(now=now, base_url="http://127.0.0.1:9")
            outcomes.append(await say(wrong, secret, "灯"))
            odd = WeComRobotChannel(now=now, base_url="http://127.0.0.1:999999")
            outcomes.append(await say(odd, secret, "灯"))
            await asyncio.gather(channel.stop(), wrong.stop(), odd.stop())
            assert keys[0] not in repr(vars(channel))
            return outcomes

    keys: list[str] = []
    with caplog.at_level(logging.DEBUG):
        outcomes = run(story())
    assert not any(isinstance(outcome, Sent) for outcome in outcomes)
    assert keys[0] not in caplog.text
    assert keys[0] not in repr(outcomes)


# ---- the stand-in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msgtype": "text", "text": {"content": " "}}, 44004),
        ({"msgtype": "text"}, 40058),
        ({"msgtype": "voice", "voice": {}}, 40008),
        ({"msgtype": "image", "image": {"base64": "!", "md5": ""}}, 40058),
        ({"msgtype": "image", "image": {"base64": "AAAA", "md5": ""}}, 40005),
        ({"msgtype": "image", "image": {"base64": "/9j/", "md5": "x"}}, 301019),
        ({"msgtype": "image", "image": {"base64": "", "md5": ""}}, 40009),
        ({"msgtype": "file", "file": {"media_id": "nobody's"}}, 40007),
        ({"msgtype": "markdown_v2", "markdown_v2": {"content": "a" * 4097}}, 40058),
        ([], 40058),
    ],
)
def test_the_stand_in_refuses_what_wecom_refuses(body: object, code: int) -> None:
    async def story() -> None:
        async with WeComRobotServer(Now()) as server, httpx.AsyncClient() as line:
            answer = await line.post(server.add_robot(GROUP), json=body)
            assert answer.json()["errcode"] == code

    run(story())


def test_a_file_is_good_for_three_days_and_for_its_own_robot_alone() -> None:
    async def story() -> None:
        now = Now()
        async with WeComRobotServer(now) as server, httpx.AsyncClient() as line:
            mine, other = server.add_robot(GROUP), server.add_robot("二网格")
            up = mine.replace("send?", "upload_media?type=file&")
            media_id = (await line.post(up, files={"media": ("a.txt", b"12345678")})).json()["media_id"]
            body = {"msgtype": "file", "file": {"media_id": media_id}}
            codes = [(await line.post(where, json=body)).json()["errcode"] for where in (mine, other)]
            now.go(days=3)
            codes.append((await line.post(mine, json=body)).json()["errcode"])

            assert codes == [0, 40007, 40007]

    run(story())
