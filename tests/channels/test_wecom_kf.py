"""微信客服's channel against the stand-in: pulled once, in order, by one; said within the window."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.channel import Broken, Closed, Gone, Later, Outcome, Refused, Sent, Unreadable
from bot.channels.wecom_kf_server import WeComKfServer
from bot.cursors import LocalCursors
from bot.media import MediaStore
from bot.message import Inbound
from tests.channels.pictures import picture
from tests.channels.stages import Ear, Rests, outbound, run
from tests.channels.wecom_kf_stage import hooked, played, wecom_kf

WANG = "6100001"


async def until(true: object) -> None:
    while not true():  # type: ignore[operator]
        await asyncio.sleep(0.002)


def pulls(server: WeComKfServer) -> int:
    return sum(path == "kf/sync_msg" for path, _ in server.calls)


def test_what_people_say_is_pulled_when_they_say_it() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, _), hooked(server, channel):
            await channel.start(ear)
            await server.say(WANG, "3栋楼下路灯坏了")
            await server.send_location(WANG, 26.15, 119.13, "幸福社区")
            await server.send_photo(WANG, b"\xff\xd8\xff-a-photo")
            await until(lambda: len(ear.heard) == 3)
            assert ear.texts[0] == "3栋楼下路灯坏了"
            place = ear.heard[1].place
            assert place is not None
            assert (place.lat, place.lon) == pytest.approx((26.15, 119.13), abs=2e-6)
            key = ear.heard[2].attachments[0].key
            assert await channel.fetch(key) == (b"\xff\xd8\xff-a-photo", "jpg")

    run(story())


def test_pages_are_pulled_to_the_end_and_each_cursor_is_kept_behind_its_messages() -> None:
    async def story() -> None:
        ear, cursors = Ear(), LocalCursors()
        async with played(cursors=cursors) as (server, channel, clock):
            server.page = 2
            for number in range(5):
                await server.say(WANG, str(number))
            kept: list[str] = []
            ear.before = lambda: kept.append(cursors.kept.get(f"wecom_kf:{server.kf_id}", ""))
            await channel._puller.pull(ear)
            assert ear.texts == ["0", "1", "2", "3", "4"]
            assert kept == ["", "cursor-2", "cursor-4"]
            assert cursors.kept == {f"wecom_kf:{server.kf_id}": "cursor-5"}
            clock.wait(minutes=1)
            await channel._puller.pull(ear)
            assert len(ear.heard) == 5

    run(story())


def test_what_was_pulled_and_not_kept_is_pulled_again() -> None:
    async def story() -> None:
        ear = Ear()
        ear.troubles = [OSError("disk full")]
        rests = Rests()
        async with played(rest=rests) as (server, channel, _):
            await server.say(WANG, "路灯坏了")
            await channel.start(ear)
            await until(lambda: ear.heard)
            assert ear.texts == ["路灯坏了"]
            assert rests.seconds == [1.0]
            assert pulls(server) == 2

    run(story())


def test_a_process_that_died_between_the_messages_and_the_cursor_pulls_them_again() -> None:
    class Dying(LocalCursors):
        async def keep(self, name: str, value: str) -> None:
            raise asyncio.CancelledError

    async def story() -> None:
        first, second = Ear(), Ear()
        async with played(cursors=Dying()) as (server, channel, _):
            await server.say(WANG, "路灯坏了")
            with pytest.raises(asyncio.CancelledError):
                await channel._puller.pull(first)
            successor = wecom_kf(base_url=server.base_url)
            await successor._puller.pull(second)
            await successor.stop()
        assert first.heard == second.heard != []

    run(story())


def test_a_callback_that_was_lost_is_made_up_for_at_the_next_start() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, _), hooked(server, channel):
            server.silent = True
            await server.say(WANG, "路灯坏了")
            await channel.start(ear)
            await until(lambda: ear.heard)
            await server.say(WANG, "又坏了")
            await channel.stop()
            await channel.start(ear)
            await until(lambda: len(ear.heard) == 2)

    run(story())


class OneLease:
    """A lease that another process holds until it is let go."""

    def __init__(self) -> None:
        self.free = False
        self.asked = 0
        self.given_back = 0

    async def take(self, name: str) -> bool:
        self.asked += 1
        return self.free

    async def give_back(self, name: str) -> None:
        self.given_back += 1


def test_only_whoever_holds_the_lease_pulls() -> None:
    async def story() -> None:
        ear, lease = Ear(), OneLease()
        async with played(leases=lease) as (server, channel, _), hooked(server, channel):
            await channel.start(ear)
            await server.say(WANG, "路灯坏了")
            await until(lambda: lease.asked >= 2)
            assert pulls(server) == 0
            lease.free = True
            await server.say(WANG, "还是黑的")
            await until(lambda: len(ear.heard) == 2)
            await until(lambda: lease.given_back)

    run(story())


def test_a_token_that_is_over_is_done_without() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, clock), hooked(server, channel):
            await server.say(WANG, "路灯坏了")
            clock.wait(minutes=9)
            await channel._puller.pull(ear)
            assert len(ear.heard) == 1
            clock.wait(minutes=5)
            await channel._puller.pull(ear)
            used = [fields.get("token") is not None for path, fields in server.calls if path == "kf/sync_msg"]
            assert used == [True, True, False]

    run(story())


def test_what_was_said_before_it_was_ever_connected_is_not_answered_days_later() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, clock):
            await server.say(WANG, "三天前的话")
            clock.wait(days=2)
            await server.say(WANG, "刚才的话")
            await channel._puller.pull(ear)
            assert ear.texts == ["刚才的话"]

    run(story())


def test_what_nobody_can_read_is_buried_and_the_rest_is_heard() -> None:
    async def story() -> None:
        ear, buried = Ear(), list[str]()

        async def bury(trouble: Unreadable, body: bytes) -> None:
            buried.append(trouble.message_id)

        async with played(bury=bury) as (server, channel, _):
            odd = await server.send(WANG, "image", {})
            await server.say(WANG, "路灯坏了")
            await channel._puller.pull(ear)
            assert (buried, ear.texts) == ([odd["msgid"]], ["路灯坏了"])

    run(story())


def test_who_comes_is_greeted_by_the_code_once() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, clock):
            await server.enter(WANG)
            await channel._puller.pull(ear)
            assert ear.texts == ["菜单"]
            assert isinstance(await channel.send(outbound("您好，我是小格。")), Sent)
            assert server.heard(WANG) == ["您好，我是小格。"]
            second = await channel.send(outbound("还有", mail_id=2))
            assert isinstance(second, Closed)
            assert "95002" in second.why
            await server.enter(WANG)
            await channel._puller.pull(ear)
            clock.wait(seconds=21)
            assert isinstance(await channel.send(outbound("晚了", mail_id=3)), Closed)

    run(story())


def test_who_comes_by_a_code_brings_what_it_says() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, _):
            url = await channel.scannable("Ab3-_secret", 3600)
            await server.scan(WANG, url)
            await channel._puller.pull(ear)
            assert [message.start for message in ear.heard] == ["Ab3-_secret"]
            await channel.scannable("another", 3600)
            assert sum(path == "kf/add_contact_way" for path, _ in server.calls) == 1
            server.managed = False
            channel._address = ""
            with pytest.raises(ConnectionError):
                await channel.scannable("x", 60)

    run(story())


def test_who_refuses_is_kept_as_gone() -> None:
    async def story() -> None:
        left: list[str] = []

        async def leave(handle: str) -> None:
            left.append(handle)

        async with played(leave=leave) as (server, channel, _):
            await server.unfollow(WANG)
            await channel._puller.pull(Ear())
            assert left == [WANG]

    run(story())


def test_choices_are_a_menu_whose_lines_are_presses_and_the_numbers_stand_in_it() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            words = "修好了吗？\n1 修好了  2 没有"
            buttons = (("修好了", "17:0"), ("没有", "17:1"))
            assert isinstance(await channel.send(outbound(words, buttons=buttons)), Sent)
            assert server.heard(WANG) == [words]
            await server.press(WANG, "没有")
            await channel._puller.pull(ear)
            assert ear.heard[-1].pressed == "17:1"

    run(story())


@pytest.mark.parametrize(
    "buttons",
    [
        tuple((str(number), f"1:{number}") for number in range(11)),
        (("长" * 43, "1:0"),),
        (("", "1:0"),),
    ],
    ids=["many", "long", "empty"],
)
def test_a_menu_that_does_not_fit_is_words(buttons: tuple[tuple[str, str], ...]) -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            assert isinstance(await channel.send(outbound("选一个", buttons=buttons)), Sent)
            assert server.heard(WANG) == ["选一个"]
            assert server.customers[WANG].menus == []

    run(story())


def test_a_menu_that_is_refused_is_said_as_words() -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            server.fail("kf/send_msg", 95009)
            assert isinstance(await channel.send(outbound("选一个", buttons=(("好", "1:0"),))), Sent)
            assert server.heard(WANG) == ["选一个"]

    run(story())


def test_five_messages_within_two_days_and_a_letter_goes_on_where_it_ended() -> None:
    async def story() -> None:
        async with played() as (server, channel, clock):
            await server.say(WANG, "你好")
            parts = [str(number) for number in range(7)]
            full = await channel.send(outbound(*parts))
            assert isinstance(full, Closed)
            assert full.why.startswith("95001")
            await server.say(WANG, "还有吗")
            assert isinstance(await channel.send(outbound(*parts)), Sent)
            assert server.heard(WANG) == parts
            clock.wait(hours=48)
            late = await channel.send(outbound("晚了", mail_id=2))
            assert isinstance(late, Closed)
            assert "48 小时" in late.why

    run(story())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (45009, Later),
        (40096, Gone),
        (95000, Broken),
        (60020, Broken),
        (-1, Broken),
        (95013, Closed),
        (95016, Closed),
        (40058, Refused),
        (None, Broken),
    ],
)
def test_what_the_platform_says_is_an_outcome(code: int | None, kind: type[Outcome]) -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            server.fail("kf/send_msg", code, times=2)
            outcome = await channel.send(outbound("灯"))
            assert isinstance(outcome, kind), outcome
            assert server.secret not in repr(outcome)

    run(story())


def test_a_picture_goes_behind_the_words(tmp_path: Path) -> None:
    async def story() -> None:
        media = MediaStore(tmp_path)
        key = media.keep(picture(), "photo")
        async with played(media=media) as (server, channel, _):
            await server.say(WANG, "你好")
            lost = "media:" + "0" * 64 + ".jpg"
            assert isinstance(await channel.send(outbound("已更换", photos=(key, lost))), Sent)
            assert (server.heard(WANG), len(server.pictures(WANG))) == (["已更换"], 1)

    run(story())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("nothing", ""),
        ("secret", "XIAOGE_WECOM_KF_SECRET"),
        ("ip", "203.0.113.7"),
        ("account", "XIAOGE_WECOM_KF_ID"),
        ("unmanaged", "可调用接口的客服帐号"),
        ("nowhere", "连不上企业微信"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_in_plain_words(wrong: str, says: str) -> None:
    async def story() -> None:
        async with played() as (server, channel, _):
            server.secret = "other" if wrong == "secret" else server.secret
            server.untrusted_ip = "203.0.113.7" if wrong == "ip" else ""
            server.kf_id = "wkother" if wrong == "account" else server.kf_id
            server.managed = wrong != "unmanaged"
            asked = wecom_kf() if wrong == "nowhere" else channel
            found: Sequence[str] = await asked.check()
            assert len(found) == (1 if says else 0), found
            assert says in "".join(found)
            await asked.stop()

    run(story())


def test_what_is_heard_bears_the_channels_name() -> None:
    async def story() -> None:
        ear = Ear()
        async with played() as (server, channel, _):
            await server.say(WANG, "你好")
            await channel._puller.pull(ear)
            assert [type(one) for one in ear.heard] == [Inbound]
            assert ear.heard[0].chat_key == f"wecom_kf|{WANG}|{WANG}"

    run(story())
