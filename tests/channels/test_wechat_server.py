"""The account's channel and the stand-in's rules: windows, tokens, scenes, files, templates, checks."""

import asyncio
from datetime import UTC
from pathlib import Path

import pytest

from bot.channel import Broken, Closed, Gone, Later, Refused, Sent
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wechat import WORDS
from bot.channels.wechat_knock import Template
from bot.channels.wechat_people import ACCOUNT
from bot.channels.wechat_rules import OUT_OF_ORDER
from bot.media import MediaStore
from bot.message import Inbound
from tests.channels.pictures import picture
from tests.channels.stages import Ear, outbound, run
from tests.channels.wechat_stage import COURIER, hooked, played, wechat

WANG = "6100001"


def test_five_messages_in_two_days_after_somebody_wrote_and_no_more() -> None:
    async def story() -> None:
        async with played() as (server, channel, clock):
            await server.say(WANG, "你好")
            for number in range(5):
                assert isinstance(await channel.send(outbound(f"第{number}", mail_id=number)), Sent)
            full = await channel.send(outbound("第6", mail_id=6))
            assert isinstance(full, Closed)
            assert "45047" in full.why
            await server.say(WANG, "还有吗")
            assert isinstance(await channel.send(outbound("第6", mail_id=6)), Sent)
            clock.wait(hours=48)
            late = await channel.send(outbound("第7", mail_id=7))
            assert isinstance(late, Closed)
            assert "45015" in late.why
            assert len(server.heard(WANG)) == 6

    run(story())


def test_a_letter_that_was_cut_short_goes_on_where_it_ended() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            parts = [str(number) for number in range(7)]
            assert isinstance(await channel.send(outbound(*parts)), Closed)
            await server.say(WANG, "还有吗")
            assert isinstance(await channel.send(outbound(*parts)), Sent)
            assert server.heard(WANG) == parts

    run(story())


def test_after_a_click_three_messages_within_a_minute() -> None:
    async def story() -> None:
        async with played() as (server, channel, clock):
            await server.follow(WANG)
            for number in range(3):
                assert isinstance(await channel.send(outbound("灯", mail_id=number)), Sent)
            assert isinstance(await channel.send(outbound("灯", mail_id=3)), Closed)
            await server.follow(WANG)
            clock.wait(seconds=60)
            assert isinstance(await channel.send(outbound("灯", mail_id=4)), Closed)

    run(story())


def test_whoever_left_is_gone_and_is_kept_as_that() -> None:
    async def story() -> None:
        left: list[str] = []

        async def leave(handle: str) -> None:
            left.append(handle)

        async with played(leave=leave) as (server, channel, _):
            async with hooked(server, channel):
                await server.follow(WANG)
                await server.unfollow(WANG)
            assert left == [WANG]
            assert isinstance(await channel.send(outbound("灯")), Gone)
            assert server.heard(WANG) == []

    run(story())


def test_who_left_while_nothing_could_be_kept_is_kept_with_the_next_delivery() -> None:
    async def story() -> None:
        left: list[str] = []
        troubles = [OSError("full")]

        async def leave(handle: str) -> None:
            if troubles:
                raise troubles.pop()
            left.append(handle)

        async with played(leave=leave) as (server, channel, _):
            async with hooked(server, channel):
                await server.unfollow(WANG)
                assert left == []
                await server.unfollow("6100002")
            assert sorted(left) == [WANG, "6100002"]

    run(story())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (45009, Later),
        (45011, Later),
        (40003, Gone),
        (43004, Gone),
        (45002, Refused),
        (87014, Refused),
        (-1, Broken),
        (40164, Broken),
        (40001, Broken),
        (48001, Closed),
        (None, Broken),
    ],
)
def test_what_wechat_says_is_an_outcome(code: int | None, kind: type) -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            server.fail("message/custom/send", code, times=2)
            outcome = await channel.send(outbound("灯"))
            assert isinstance(outcome, kind), outcome

    run(story())


def test_what_comes_behind_a_failed_letter_waits_for_it() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            server.fail("message/custom/send", -1)
            letters = [channel.send(outbound(str(number), mail_id=number)) for number in range(3)]
            first, *behind = await asyncio.gather(*letters)
            assert isinstance(first, Broken)
            assert all(isinstance(outcome, Later) for outcome in behind)
            assert server.heard(WANG) == []
            for number in range(3):
                assert isinstance(await channel.send(outbound(str(number), mail_id=number)), Sent)
            assert server.heard(WANG) == ["0", "1", "2"]

    run(story())


def test_one_token_for_all_and_a_new_one_when_it_is_refused() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            assert isinstance(await channel.send(outbound("一", mail_id=1)), Sent)
            server.expire_tokens()
            assert isinstance(await channel.send(outbound("二", mail_id=2)), Sent)
            server.void_tokens()
            assert isinstance(await channel.send(outbound("三", mail_id=3)), Sent)
            asked = [fields["force_refresh"] for path, fields in server.calls if path == "stable_token"]
            assert asked == [False, False, False, True]

    run(story())


def test_another_programs_new_token_does_not_void_ours() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            own = await channel.client.token()
            theirs = [
                server._give_token({"appid": server.app_id, "secret": server.secret}, stable=False)
                for _ in range(2)
            ]
            assert theirs[0]["access_token"] not in server._tokens
            assert await channel.client.token() == own
            assert isinstance(await channel.send(outbound("一")), Sent)

    run(story())


def test_no_secret_is_in_what_is_told() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            token = await channel.client.token()
            for code in (40164, 45002, -1, None):
                server.fail("message/custom/send", code)
                told = repr(await channel.send(outbound("灯")))
                assert token not in told
                assert server.secret not in told
            assert server.secret not in repr(vars(channel).keys())

    run(story())


def test_a_picture_goes_behind_the_words_and_one_that_is_lost_is_left_out(tmp_path: Path) -> None:
    async def story() -> None:
        media = MediaStore(tmp_path)
        key = media.keep(picture(), "photo")
        async with played(media=media) as (server, channel, _):
            await server.say(WANG, "你好")
            photos = (key, "media:" + "0" * 64 + ".jpg")
            assert isinstance(await channel.send(outbound("已更换灯泡", photos=photos)), Sent)
            assert server.heard(WANG) == ["已更换灯泡"]
            assert len(server.pictures(WANG)) == 1
            assert isinstance(await channel.send(outbound("再看看", mail_id=2, photos=(key,))), Sent)
            assert sum(path == "media/upload" for path, _ in server.calls) == 1
            full = outbound("最后", mail_id=3, photos=(key,))
            assert isinstance(await channel.send(full), Sent)
            assert server.heard(WANG)[-1] == "最后", "the words were worth more than the picture"

    run(story())


def test_what_people_send_is_fetched_within_three_days() -> None:
    async def story() -> None:
        heard: list[Inbound] = []
        async with played() as (server, channel, clock):
            async with hooked(server, channel, heard.extend) as door:
                door.channel._answering._patience = 0.01
                await server.send_photo(WANG, b"\xff\xd8\xff-a-photo")
                await server.send_voice(WANG, b"#!AMR-voice", "三栋路灯坏了。")
                await server.send_location(WANG, 26.15, 119.13, "幸福社区")
            photo, voice, place = heard
            assert await channel.fetch(photo.attachments[0].key) == (b"\xff\xd8\xff-a-photo", "jpg")
            assert voice.text == "三栋路灯坏了"
            assert place.place is not None
            assert (place.place.lat, place.place.lon) == pytest.approx((26.15, 119.13), abs=2e-6)
            clock.wait(days=3, seconds=1)
            assert await channel.fetch(photo.attachments[0].key) is None

    run(story())


def test_a_video_is_fetched_where_it_lies() -> None:
    async def story() -> None:
        async def video(call: Call) -> Reply:
            assert "access_token" not in call.query
            return Reply(200, b"moving", "video/mp4")

        async with LoopbackServer(video) as store, played() as (server, channel, _):
            address = f'{{"video_url": "{store.url}/v.mp4"}}'.encode()

            def told(fields: object) -> Reply:
                return Reply(200, address, "application/json")

            server._get_media = told  # type: ignore[method-assign]
            assert await channel.fetch("wechat:M-1") == (b"moving", "mp4")

    run(story())


def test_a_code_brings_whoever_scans_it_with_what_it_says() -> None:
    async def story() -> None:
        heard: list[Inbound] = []
        async with played() as (server, channel, clock):
            async with hooked(server, channel, heard.extend) as door:
                door.channel._answering._patience = 0.01
                url = await channel.scannable("Ab3-_secret", 3 * 86400)
                await server.scan(WANG, url)
                await server.scan(WANG, "Ab3-_secret")
                clock.wait(days=3)
                with pytest.raises(LookupError):
                    await server.scan(WANG, url)
            assert [message.start for message in heard] == ["Ab3-_secret"] * 2
            assert len({message.message_id for message in heard}) == 2
            await channel.scannable("x", 10**9)
            server.verified = False
            with pytest.raises(ConnectionError):
                await channel.scannable("y", 60)

    run(story())


def test_the_menu_says_its_words_and_is_never_fatal() -> None:
    async def story() -> None:
        heard: list[Inbound] = []
        async with played() as (server, channel, _):
            await channel.start(Ear())
            async with hooked(server, channel, heard.extend) as door:
                door.channel._answering._patience = 0.01
                while not server.menu:
                    await asyncio.sleep(0.005)
                assert tuple(server.menu) == WORDS
                await server.press(WANG, "上报")
            assert heard[0].text == "上报"
        async with played(verified=False) as (server, channel, _):
            await channel.start(Ear())
            while not any(path == "menu/create" for path, _ in server.calls):
                await asyncio.sleep(0.005)
            assert server.menu == {}

    run(story())


def test_somebody_whose_window_is_closed_is_knocked_for_once_a_day() -> None:
    async def story() -> None:
        template = Template("T-1")
        async with played(template=template, zone=UTC) as (server, channel, clock):
            server.templates.add("T-1")
            await server.say(WANG, "你好")
            clock.wait(hours=49)
            words = "事件 0301-0001 已办结，请您看一看是不是修好了。\n满意请回复 1"
            for number in range(2):
                assert isinstance(await channel.send(outbound(words, mail_id=number)), Closed)
            (knock,) = server.followers[WANG].knocks
            assert knock["character_string1"] == {"value": "0301-0001"}
            assert len(knock["thing2"]["value"]) <= 20
            assert knock["thing2"]["value"].startswith("事件 0301-0001")
            assert knock["time3"] == {"value": "2026-12-03 05:00"}
            clock.wait(hours=25)
            await channel.send(outbound(words, mail_id=3))
            assert len(server.followers[WANG].knocks) == 2

    run(story())


@pytest.mark.parametrize("body", ["ok", "<xml></xml>", "plain words", "{}"])
def test_a_wrong_answer_is_none(body: str) -> None:
    """It tells people that the account is out of order."""
    with pytest.raises(ValueError, match="answer"):
        COURIER.read(body, WANG, ACCOUNT)
    assert COURIER.read("success", WANG, ACCOUNT) == COURIER.read("", WANG, ACCOUNT) == ""


def test_nobody_answering_at_all_is_shown_as_out_of_order() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            async with hooked(server, channel) as door:
                door.writes = False
                delivery = await server.send(WANG, "text", Content="你好")
            assert delivery.tries == 3
            assert server.heard(WANG) == [OUT_OF_ORDER]

    run(story())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("nothing", ""),
        ("app", "XIAOGE_WECHAT_APP_ID"),
        ("secret", "XIAOGE_WECHAT_SECRET"),
        ("ip", "203.0.113.7"),
        ("unverified", "认证"),
        ("address", "服务器地址"),
        ("nowhere", "连不上微信"),
        ("busy", "过一会儿"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_in_plain_words(wrong: str, says: str) -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.courier.url = "" if wrong == "address" else "http://127.0.0.1:9/hooks/wechat"
            server.app_id = "wx_other" if wrong == "app" else server.app_id
            server.secret = "other" if wrong == "secret" else server.secret
            server.untrusted_ip = "203.0.113.7" if wrong == "ip" else ""
            server.verified = wrong != "unverified"
            if wrong == "busy":
                server.fail("callback/check", 45009)
            asked = wechat() if wrong == "nowhere" else channel
            found = await asked.check()
            assert len(found) == (1 if says else 0), found
            assert says in "".join(found)
            assert server.secret not in "".join(found)
            await asked.stop()

    run(story())
