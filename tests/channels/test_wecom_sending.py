"""What is said on WeCom: who hears it, what is shown, and what becomes of what is not taken."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Broken, Gone, Later, Outcome, Refused, Sent
from bot.channels.wecom_client import WeComClient, WeComError
from bot.media import MediaStore
from bot.message import Inbound, Outbound
from bot.tokens import LocalTokens
from tests.channels.pictures import picture
from tests.channels.stages import run
from tests.channels.wecom_stage import CORP, SECRET, hooked, played, wecom

WANG, LI = "WangFang", "LiQiang"
TWO = (("接单", "7:0"), ("转给别人", "7:1"))


def words(*parts: str, to: str = WANG, mail: int = 7, **more: Any) -> Outbound:
    return Outbound(mail_id=mail, chat=to, handle=to, parts=parts, **more)


def test_words_reach_the_member_and_his_plugin() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG)
            assert isinstance(await channel.send(words("新事件 E-1001\n1 接单  2 转给别人")), Sent)
            assert server.heard(WANG) == server.plugin_heard(WANG) == ["新事件 E-1001\n1 接单  2 转给别人"]
            assert server.heard("wangfang") == server.heard(WANG)

    run(story())


def test_who_is_not_a_member_is_gone_and_the_others_hear() -> None:
    """WeCom answers 0, with the lost ones in small letters."""

    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG, LI)
            server.unlicensed.add("liqiang")
            mails = [words("停水通知", to=to, mail=n) for n, to in enumerate((WANG, "ChenGui", LI))]
            found = await channel.send_together(mails)
            assert [type(outcome) for outcome in found] == [Sent, Gone, Gone]
            assert [path for path, _ in server.calls].count("message/send") == 1
            assert isinstance(await channel.send(words("灯", to="ChenGui")), Gone)

    run(story())


def test_two_thousand_and_one_are_told_in_three_calls() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            people = [f"user{number}" for number in range(2001)]
            server.meet(*people)
            mails = [words("停水", to=to, mail=n) for n, to in enumerate(people)]
            assert all(isinstance(one, Sent) for one in await channel.send_together(mails))
            assert [path for path, _ in server.calls].count("message/send") == 3
            assert len(server.shown) == 2001

    run(story())


@pytest.mark.parametrize("handle", ["@all", "a|b", "", "王芳", "a b"])
def test_nobody_is_addressed_who_was_not_meant(handle: str) -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG, "a", "b")
            assert isinstance(await channel.send(words("灯", to=handle)), Gone)
            assert [type(one) for one in await channel.send_together([words("灯", to=handle)])] == [Gone]
            assert server.shown == []

    run(story())


def test_groups_and_what_is_too_long_are_told_apart_even_together() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG, LI)
            chats = [await channel.create_chat(name, WANG, [WANG, LI]) for name in ("一格", "二格")]
            groups = [
                Outbound(mail_id=n, chat=chat, handle=chat, parts=("停水",), group=True)
                for n, chat in enumerate(chats)
            ]
            long = words("a" * 2049, mail=9)
            found = await channel.send_together([*groups, long])
            assert [type(outcome) for outcome in found] == [Sent, Sent, Refused]
            assert [server.heard_in_group(chat) for chat in chats] == [["停水"], ["停水"]]

    run(story())


def test_what_was_said_before_a_failure_is_not_said_again() -> None:
    async def story() -> None:
        async with played() as (server, channel, clock):
            server.meet(WANG)
            two = words("第一句", "第二句")
            assert isinstance(await channel.send(two), Sent)
            server.fail("message/send", None, times=1, done=True)
            assert isinstance(await channel.send(words("三", "四", mail=8)), Broken)
            clock.wait(seconds=11)
            assert isinstance(await channel.send(words("三", "四", mail=8)), Sent)
            assert server.heard(WANG) == ["第一句", "第二句", "三", "四"]

    run(story())


def test_the_same_answer_twice_is_said_twice() -> None:
    """Two questions a second apart deserve two answers; WeCom's check is for calls that were cut."""

    async def story() -> None:
        async with played() as (server, channel, clock):
            server.meet(WANG)
            for mail in (7, 8, 9):
                assert isinstance(await channel.send(words("帮助", mail=mail)), Sent)
                clock.wait(seconds=1)
            assert server.heard(WANG) == ["帮助"] * 3

    run(story())


@pytest.mark.parametrize(
    ("code", "kind"),
    [(45009, Later), (45033, Later), (60020, Broken), (-1, Broken), (40058, Refused), (81013, Gone)],
)
def test_every_no_has_its_outcome(code: int, kind: type[Outcome]) -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG)
            server.fail("message/send", code)
            outcome = await channel.send(words("灯"))
            assert isinstance(outcome, kind)
            assert SECRET not in repr(outcome)
            assert "token-" not in repr(outcome)
            assert isinstance(await channel.send(words("灯")), Sent)

    run(story())


def test_waits_grow_while_wecom_says_it_is_too_much() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG)
            server.fail("message/send", 45009, times=8)
            found = [await channel.send(words("灯")) for _ in range(8)]
            seconds = [one.seconds for one in found if isinstance(one, Later)]
            assert seconds == [60, 120, 240, 480, 960, 1920, 3600, 3600]

    run(story())


def test_a_stale_token_is_replaced_once() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG)
            await channel.send(words("一", mail=1))
            server.expire_tokens()
            assert isinstance(await channel.send(words("二", mail=2)), Sent)
            assert [path for path, _ in server.calls].count("gettoken") == 2
            server.fail("message/send", 40014, times=9)
            assert isinstance(await channel.send(words("三", mail=3)), Broken)
            assert [path for path, _ in server.calls].count("gettoken") == 3

    run(story())


def test_nothing_of_an_error_tells_a_secret() -> None:
    async def story() -> list[str]:
        client = WeComClient(CORP, SECRET, LocalTokens(), base_url="http://127.0.0.1:9", patience=1)
        with pytest.raises(ConnectionError) as caught:
            await client.token()
        await client.close()
        async with played() as (server, channel, _):
            wrong = wecom(base_url=server.base_url)
            wrong.client._secret = "another-secret"
            with pytest.raises(WeComError) as refused:
                await wrong.client.token()
            await wrong.stop()
            return [repr(caught.value), repr(refused.value), repr(refused.value.__context__), repr(channel)]

    said = " ".join(run(story()))
    assert SECRET not in said
    assert "another-secret" not in said


# -- cards ---------------------------------------------------------------------------------------------------


def test_choices_are_buttons_only_where_cards_are_wanted() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG)
            await channel.send(words("新事件\n1 接单  2 转给别人", buttons=TWO))
            assert server.shown[0].kind == "text"

    run(story())


def test_a_pressed_card_is_put_to_rest_once() -> None:
    async def story() -> None:
        async with played(cards=True) as (server, channel, _):
            heard: list[Inbound] = []
            server.meet(WANG)
            async with hooked(server, channel, heard.extend):
                assert isinstance(await channel.send(words("新事件\n1 接单  2 转给别人", buttons=TWO)), Sent)
                assert server.heard(WANG) == ["新事件\n1 接单  2 转给别人"]
                assert server.plugin_heard(WANG) == []
                await server.press(WANG, "转给别人")
                async with asyncio.timeout(5):
                    while not server.shown[0].rested:
                        await asyncio.sleep(0.01)
                assert [one.pressed for one in heard] == ["7:1"]
                assert server.shown[0].rested == "已选择"
                with pytest.raises(LookupError):
                    await server.press(WANG, "接单")

    run(story())


def test_a_press_that_comes_again_uses_its_code_once() -> None:
    async def story() -> None:
        async with played(cards=True) as (server, channel, _):
            server.meet(WANG)
            fields = {"EventKey": "7:1", "TaskId": "mail-7-x", "ResponseCode": "code-9"}
            async with hooked(server, channel, lambda _: None):
                for _ in range(3):
                    await server.happen(WANG, "template_card_event", **fields)
                await channel.stop()
            assert [path for path, _ in server.calls].count("message/update_template_card") <= 1

    run(story())


@pytest.mark.parametrize(
    ("buttons", "text"),
    [
        (tuple((f"第{n}项", f"7:{n}") for n in range(7)), "选"),
        ((("一个比十个字还要长的选项名称", "7:0"),), "选"),
        (TWO, "长" * 113),
    ],
    ids=["seven", "long label", "long words"],
)
def test_what_a_card_would_cut_is_said_in_words(buttons: Any, text: str) -> None:
    async def story() -> None:
        async with played(cards=True) as (server, channel, _):
            server.meet(WANG)
            async with hooked(server, channel, lambda _: None):
                assert isinstance(await channel.send(words(text, buttons=buttons)), Sent)
            assert server.plugin_heard(WANG) == [text]

    run(story())


def test_a_card_that_is_not_taken_is_said_in_words() -> None:
    """Without a callback address nobody could press: WeCom refuses the card, not the words."""

    async def story() -> None:
        async with played(cards=True) as (server, channel, _):
            server.meet(WANG)
            assert isinstance(await channel.send(words("1 接单", buttons=TWO)), Sent)
            assert server.plugin_heard(WANG) == ["1 接单"]

    run(story())


# -- files, groups, taking back ----------------------------------------------------------------------------


def test_pictures_are_laid_down_once_and_again_when_they_are_old(tmp_path: Path) -> None:
    async def story() -> None:
        media = MediaStore(tmp_path)
        keys = (
            media.keep(picture()),
            media.keep(picture("WEBP"), "photo"),
            "media:lost",
            f"media:{'0' * 64}.jpg",
        )
        async with played(media=media) as (server, channel, clock):
            server.meet(WANG)
            for mail, days in enumerate((0, 1, 3)):
                clock.wait(days=days)
                assert isinstance(await channel.send(words("照片", mail=mail, photos=keys)), Sent)
            assert len(server.media) == 4
            assert len(server.pictures(WANG)) == 6
            assert server.heard(WANG) == ["照片"] * 3

    run(story())


def test_a_picture_that_wecom_lost_early_is_laid_down_again(tmp_path: Path) -> None:
    async def story() -> None:
        media = MediaStore(tmp_path)
        key = media.keep(picture())
        async with played(media=media) as (server, channel, _):
            server.meet(WANG)
            for mail in (1, 2):
                assert isinstance(await channel.send(words("照片", mail=mail, photos=(key,))), Sent)
                server.media.clear()
            assert len(server.pictures(WANG)) == 2
            assert isinstance(await channel.send(words("旧的", mail=3, photos=("wecom:old",))), Sent)
            assert server.heard(WANG)[-1] == "旧的"

    run(story())


def test_a_picture_from_a_member_is_fetched_within_three_days() -> None:
    async def story() -> None:
        async with played() as (server, channel, clock):
            key = f"wecom:{server.keep_file(picture(), 'photo.jpg')}"
            assert await channel.fetch(key) == (picture(), "jpg")
            server.expire_tokens()
            assert await channel.fetch(key) == (picture(), "jpg")
            clock.wait(days=3, seconds=1)
            assert await channel.fetch(key) is None
            large = server.keep_file(bytes(20 * 1024 * 1024 + 1), "film.mp4")
            assert await channel.fetch(f"wecom:{large}") is None
            server.untrusted_ip = "203.0.113.9"
            with pytest.raises(ConnectionError):
                await channel.fetch(key)

    run(story())


def test_a_message_is_taken_back_within_a_day() -> None:
    async def story() -> None:
        async with played() as (server, channel, clock):
            server.meet(WANG)
            sent = await channel.send(words("一", "二"))
            assert isinstance(sent, Sent)
            assert await channel.recall(words("一", "二"), sent.id)
            assert server.heard(WANG) == []
            assert server.plugin_heard(WANG) == ["一", "二"]
            late = await channel.send(words("三", mail=8))
            assert isinstance(late, Sent)
            clock.wait(hours=25)
            assert not await channel.recall(words("三", mail=8), late.id)
            assert not await channel.recall(words("三", mail=8), "")

    run(story())


def test_an_application_speaks_in_its_own_groups() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.meet(WANG, LI)
            chat = await channel.create_chat("幸福社区第一网格", WANG, [WANG, LI])
            group = Outbound(mail_id=1, chat=chat, handle=chat, parts=("停水",), group=True)
            assert isinstance(await channel.send(group), Sent)
            assert server.heard_in_group(chat) == ["停水"]
            lost = group.model_copy(update={"chat": "none"})
            assert isinstance(await channel.send(lost), Refused)
            server.visible_to_all = False
            refused = await channel.send(group)
            assert isinstance(refused, Refused)
            assert "根部门" in refused.why

    run(story())


# -- what is wrong with the settings -----------------------------------------------------------------------


async def checked(**wrong: Any) -> list[str]:
    async with played() as (server, channel, clock):
        if wrong.get("members", True):
            server.meet(WANG)
        server.corp_id = wrong.get("corp_id", server.corp_id)
        server.secret = wrong.get("secret", server.secret)
        server.agent_id = wrong.get("agent_id", server.agent_id)
        server.untrusted_ip = wrong.get("ip", "")
        if "minutes" in wrong:
            behind = clock.now + timedelta(minutes=wrong["minutes"])
            server.now = lambda: behind
        found = list(await channel.check())
        assert SECRET not in " ".join(found)
        return found


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"corp_id": "wwother"}, "XIAOGE_WECOM_CORP_ID"),
        ({"secret": "other"}, "XIAOGE_WECOM_SECRET"),
        ({"agent_id": 9}, "XIAOGE_WECOM_AGENT_ID"),
        ({"ip": "203.0.113.9"}, "203.0.113.9"),
        ({"ip": "203.0.113.9"}, "企业可信IP"),
        ({"members": False}, "可见范围"),
        ({"minutes": 9}, "时钟慢了约 9 分钟"),
        ({"minutes": -20}, "时钟快了约 20 分钟"),
    ],
)
def test_what_is_wrong_is_told_so_that_it_can_be_mended(wrong: dict[str, Any], says: str) -> None:
    (sentence,) = run(checked(**wrong))

    assert says in sentence


def test_nothing_is_said_where_all_is_well_and_where_wecom_is_not_reached_it_is() -> None:
    assert run(checked()) == []
    (sentence,) = run(wecom().check())
    assert "连不上" in sentence


def test_the_menu_says_the_words_that_a_click_says() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await channel.start(accept=lambda _: asyncio.sleep(0))
            async with asyncio.timeout(5):
                while not server.menu:
                    await asyncio.sleep(0.01)
            assert [one["name"] for one in server.menu["button"]] == ["菜单", "待办", "更多"]

    run(story())
