"""What the application's robot says on DingTalk, by which way, and what becomes of it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Broken, Checks, Gone, Later, Outcome, Recalls, Refused, SendsTogether, Sent
from bot.channels.dingtalk import DingTalkChannel
from bot.channels.dingtalk_api import DingTalkError, outcome_of
from bot.channels.dingtalk_rules import OldTrouble, Trouble
from bot.channels.dingtalk_server import DingTalkServer
from bot.channels.loopback import Reply
from bot.media import MediaStore
from tests.channels.pictures import picture
from tests.channels.stages import Ear, Now, Rests, dingtalk, dingtalk_at, outbound, run

PUSH = "/v1.0/robot/oToMessages/batchSend"
SESSION = "/robot/sendBySession"
GROUP = "cidGroup=="


class Page(Trouble):
    """Something between us answers, and not DingTalk."""

    def __init__(self) -> None:
        super().__init__(403, "")

    def reply(self) -> Reply:
        return Reply(403, b"<html>please log in</html>", "text/html")


class Stage:
    """A town of people, the robot's channel, and a clock."""

    def __init__(self, server: DingTalkServer, channel: DingTalkChannel, now: Now, ear: Ear) -> None:
        self.server, self.channel, self.now, self.ear = server, channel, now, ear

    async def say(self, *parts: str, to: str = "wang", **more: Any) -> Outcome:
        return await self.channel.send(outbound(*parts, chat=to, **more))

    @property
    def ways(self) -> list[str]:
        return [said.way for said in self.server.sent]


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[Stage]:
    now, ear = Now(), Ear()
    async with DingTalkServer(now) as server:
        server.join("wang", "li")
        channel = dingtalk_at(server, now, rest=Rests(), **options)
        await channel.start(ear)
        try:
            yield Stage(server, channel, now, ear)
        finally:
            await channel.stop()


# ---- by which way ----------------------------------------------------------------------------------------


def test_an_answer_goes_by_the_open_door_and_a_push_when_it_has_closed() -> None:
    async def story() -> None:
        async with stage() as on:
            await on.say("先说")
            await on.server.say("wang", "灯")
            await on.server.gateway.quiet()
            await on.say("答", mail_id=2)
            await on.say("给别人", to="li", mail_id=3)
            on.now.go(minutes=90)
            await on.say("后来", mail_id=4)

            assert on.ways == ["push", "session", "push", "push"]
            assert list(on.server.heard("wang")) == ["先说", "答", "后来"]

    run(story())


def test_what_may_have_to_be_taken_back_is_pushed_though_a_door_is_open() -> None:
    async def story() -> None:
        async with stage() as on:
            await on.server.say("wang", "灯")
            await on.server.gateway.quiet()
            outcome = await on.say("停水通知", recallable=True)
            assert isinstance(outcome, Sent)
            assert await on.channel.recall(outbound("停水通知", chat="wang"), outcome.id)
            assert list(on.server.heard("wang")) == []

    run(story())


def test_a_door_that_closed_before_its_time_loses_nothing() -> None:
    async def story() -> None:
        async with stage() as on:
            await on.server.say("wang", "灯")
            await on.server.gateway.quiet()
            on.server.fail(SESSION, OldTrouble(300001, "session is not exist"))
            assert isinstance(await on.say("答"), Sent)
            await on.say("再答", mail_id=2)

            assert on.ways == ["push", "push"]

    run(story())


def test_in_a_group_it_answers_by_the_door_calls_people_and_pushes_later() -> None:
    async def story() -> None:
        async with stage() as on:
            await on.server.say_in_group(GROUP, "li", "待办")
            await on.server.gateway.quiet()
            await on.say("两件", to=GROUP, group=True, mentions=("li",))
            on.now.go(hours=2)
            await on.say("三件", to=GROUP, group=True, mail_id=2)

            assert on.ways == ["session", "push"]
            assert list(on.server.heard_in_group(GROUP)) == ["@li 两件", "三件"]
            assert on.server.sent[0].mentions == ("li",)

    run(story())


def test_somebody_of_another_organisation_is_answered_and_not_written_to_first() -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.outsiders.add("wai")
            await on.server.say("wai", "灯")
            await on.server.gateway.quiet()
            (heard,) = on.ear.heard
            assert isinstance(await on.say("答", to=heard.chat), Sent)
            on.now.go(hours=2)
            assert isinstance(await on.say("后来", to=heard.chat, mail_id=2), Gone)

            assert list(on.server.heard("wai")) == ["答"]

    run(story())


def test_several_parts_come_in_order_and_each_once() -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.fail(PUSH, None)
            assert isinstance(await on.say("一", "二"), Broken)
            on.server.fail(PUSH, None)
            assert isinstance(await on.say("一", "二"), Broken)
            outcome = await on.say("一", "二")

            assert isinstance(outcome, Sent)
            assert outcome.id.startswith("key")
            assert list(on.server.heard("wang")) == ["一", "二"]

    run(story())


# ---- what becomes of it ----------------------------------------------------------------------------------


def test_who_is_not_there_is_gone_and_who_is_held_back_comes_later() -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.slowed.add("li")
            assert isinstance(await on.say("灯", to="nobody"), Gone)
            assert await on.say("灯", to="li", mail_id=2) == Later(60)
            assert isinstance(await on.say("灯", to="cidUnknown==", group=True, mail_id=3), Gone)

    run(story())


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (None, Broken),
        (Trouble(500, "system.err"), Broken),
        (Trouble(400, "system.err"), Broken),
        (Trouble(403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"), Later),
        (Trouble(429, "Throttling.User"), Later),
        (Trouble(400, "invalidParameter.robotCode.notExsit"), Broken),
        (Trouble(403, "Forbidden.AccessDenied.AccessTokenPermissionDenied"), Broken),
        (Trouble(400, "param.contentUnsafe"), Refused),
        (Trouble(400, "staffId.notExisted"), Gone),
        (OldTrouble(90018, "qps"), Later),
        (Page(), Broken),
    ],
)
def test_trouble_becomes_an_outcome(trouble: Trouble | None, expected: type[Outcome]) -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.fail(PUSH, trouble)
            assert isinstance(await on.say("灯"), expected)

    run(story())


def test_a_stale_token_is_renewed_once_and_a_wrong_secret_does_not_go_round() -> None:
    async def story() -> None:
        async with stage() as on:
            await on.say("灯")
            on.server.fail(PUSH, Trouble(401, "InvalidAuthentication"))
            assert isinstance(await on.say("路", mail_id=2), Sent)
            on.server.fail(PUSH, *[Trouble(401, "InvalidAuthentication")] * 5)
            assert isinstance(await on.say("井", mail_id=3), Broken)

            assert on.server.tokens_given == 3

    run(story())


def test_too_fast_in_a_group_waits_ten_minutes() -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.groups.add(GROUP)
            outcomes = [
                await on.say(str(number), to=GROUP, group=True, mail_id=number) for number in range(21)
            ]
            assert all(isinstance(outcome, Sent) for outcome in outcomes[:20])
            assert outcomes[20] == Later(600)

    run(story())


def test_numbers_of_errors_are_not_taken_for_parts_of_others() -> None:
    assert DingTalkError(200, "40001").stale
    assert not DingTalkError(200, "400013").stale
    assert outcome_of(ValueError("https://x?access_token=abc")) == Broken("ValueError")


# ---- to many ---------------------------------------------------------------------------------------------


def test_twenty_people_are_told_in_one_call_and_each_has_an_outcome() -> None:
    async def story() -> None:
        async with stage() as on:
            people = [f"P{number}" for number in range(20)]
            on.server.join(*people[:18])
            on.server.slowed.add("P3")
            outcomes = await on.channel.send_together(
                [outbound("停水", chat=one, mail_id=number) for number, one in enumerate(people)]
            )
            calls = [path for path, _ in on.server.calls if path == PUSH]

            assert len(calls) == 1
            assert [type(outcome) for outcome in outcomes] == [Sent] * 3 + [Later] + [Sent] * 14 + [Gone] * 2
            assert [list(on.server.heard(one)) for one in people[:4]] == [["停水"]] * 3 + [[]]

    run(story())


def test_what_is_not_one_text_is_said_to_each_alone() -> None:
    async def story() -> None:
        async with stage() as on:
            both = [
                outbound("一", "二", chat=one, mail_id=number) for number, one in enumerate(("wang", "li"))
            ]
            outcomes = await on.channel.send_together(both)

            assert all(isinstance(outcome, Sent) for outcome in outcomes)
            assert list(on.server.heard("wang")) == list(on.server.heard("li")) == ["一", "二"]

    run(story())


@pytest.mark.parametrize(("trouble", "expected"), [(None, Broken), (Trouble(429, "x"), Later)])
def test_a_call_for_many_that_fails_fails_for_all(trouble: Trouble | None, expected: type[Outcome]) -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.fail(PUSH, trouble)
            outcomes = await on.channel.send_together([outbound("停水", chat=one) for one in ("wang", "li")])
            assert [type(outcome) for outcome in outcomes] == [expected] * 2

    run(story())


def test_one_who_is_not_there_does_not_make_the_others_gone() -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.fail(PUSH, Trouble(400, "staffId.notExisted"))
            outcomes = await on.channel.send_together(
                [
                    outbound("停水", chat=one, mail_id=number)
                    for number, one in enumerate(("wang", "nobody", "li"))
                ]
            )

            assert [type(outcome) for outcome in outcomes] == [Sent, Gone, Sent]

    run(story())


def test_what_was_pushed_can_be_taken_back() -> None:
    async def story() -> None:
        async with stage() as on:
            on.server.groups.add(GROUP)
            alone, group = outbound("灯", chat="wang"), outbound("路", chat=GROUP, group=True, mail_id=2)
            names = []
            for message in (alone, group):
                outcome = await on.channel.send(message)
                assert isinstance(outcome, Sent)
                names.append(outcome.id)
            assert await on.channel.recall(alone, names[0])
            assert await on.channel.recall(group, names[1])
            assert not await on.channel.recall(alone, names[0])
            assert not await on.channel.recall(alone, "")
            long = await on.say("一", "二", mail_id=3)
            assert isinstance(long, Sent)
            assert await on.channel.recall(alone, long.id)
            assert on.server.sent == []
            on.server.fail("/v1.0/robot/otoMessages/batchRecall", None)
            with pytest.raises(ConnectionError):
                await on.channel.recall(alone, names[0])

    run(story())


def test_the_channel_is_what_it_says_it_is() -> None:
    channel = dingtalk()

    assert isinstance(channel, SendsTogether)
    assert isinstance(channel, Recalls)
    assert isinstance(channel, Checks)
    assert channel.can.together == 20
    assert not channel.can.webhook


# ---- pictures and files ----------------------------------------------------------------------------------


def test_pictures_and_files_go_along(tmp_path: Path) -> None:
    async def story() -> None:
        media = MediaStore(tmp_path)
        photo, sheet = media.keep(picture(), "photo"), media.keep(b"a sheet", "bin")
        async with stage(media=media) as on:
            assert isinstance(await on.say("看", photos=(photo,), files=(sheet,)), Sent)

            assert [said.kind for said in on.server.sent] == ["sampleImageMsg", "sampleText", "sampleFile"]
            assert on.server.sent[0].data == media.read(photo)

    run(story())


def test_a_picture_that_is_lost_or_not_taken_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        media = MediaStore(tmp_path)
        photo = media.keep(picture(), "photo")
        async with stage(media=media) as on:
            on.server.fail("/media/upload", OldTrouble(40005, "不合法的文件大小"))
            assert isinstance(await on.say("看", photos=(photo, "media:lost", "x")), Sent)
            assert list(on.server.heard("wang")) == ["看"]

            on.server.fail(
                "/media/upload", Trouble(403, "Forbidden.AccessDenied.AccessTokenPermissionDenied")
            )
            assert isinstance(await on.say("还看", photos=(photo,), mail_id=4), Sent)
            on.server.sent.pop()

            on.server.fail("/media/upload", OldTrouble(40014, "不合法的access_token"))
            assert isinstance(await on.say("再看", photos=(photo,), mail_id=2), Sent)
            assert [said.kind for said in on.server.sent] == ["sampleText", "sampleImageMsg", "sampleText"]

            on.server.fail("/media/upload", None)
            assert isinstance(await on.say("又看", photos=(photo,), mail_id=3), Broken)

    run(story())
    assert "was not taken" in caplog.text
    assert "cannot be read" in caplog.text


def test_what_people_sent_is_fetched_until_it_is_gone() -> None:
    async def story() -> None:
        async with stage() as on:
            data = picture()
            await on.server.send_photo("wang", data)
            await on.server.gateway.quiet()
            key = on.ear.heard[0].attachments[0].key
            assert await on.channel.fetch(key) == (data, "jpg")
            path = "/v1.0/robot/messageFiles/download"
            for trouble in (
                None,
                Trouble(500, "system.err"),
                Trouble(403, "Forbidden.AccessDenied.QpsLimit"),
            ):
                on.server.fail(path, trouble)
                with pytest.raises(ConnectionError):
                    await on.channel.fetch(key)
            on.server.forget_files()
            assert await on.channel.fetch(key) is None

    run(story())


# ---- checking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, None),
        ({"client_secret": "another"}, "Client Secret"),
        ({"stream_on": False}, "Stream 模式"),
        ({"published": False}, "RobotCode"),
        ({"allowed": False}, "服务器出口IP"),
    ],
)
def test_what_is_wrong_with_the_settings_is_told_in_plain_words(
    wrong: dict[str, Any], told: str | None
) -> None:
    async def story() -> list[str]:
        now = Now()
        async with DingTalkServer(now) as server:
            channel = dingtalk_at(server, now)
            for name, value in wrong.items():
                setattr(server, name, value)
            return await checked(channel)

    found = run(story())
    assert len(found) == (1 if told else 0)
    assert told is None or told in found[0]
    assert "a-secret-of-loopback" not in str(found)


async def checked(channel: DingTalkChannel) -> list[str]:
    found = list(await channel.check())
    await channel.stop()
    return found


def test_a_platform_that_cannot_be_reached_is_told() -> None:
    found = run(checked(dingtalk()))

    assert len(found) == 1
    assert "连不上钉钉" in found[0]


def test_no_secret_is_in_any_log_or_outcome(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    async def story() -> list[Outcome]:
        media = MediaStore(tmp_path)
        photo = media.keep(picture(), "photo")
        async with stage(media=media) as on:
            await on.server.say("wang", "灯")
            await on.server.gateway.quiet()
            on.server.fail(SESSION, None)
            on.server.fail(PUSH, None, Trouble(500, "system.err"))
            return [await on.say("看", photos=(photo,), mail_id=number) for number in range(5)]

    with caplog.at_level(logging.DEBUG):
        outcomes = run(story())
    for secret in ("a-secret-of-loopback", "token-", "session="):
        assert secret not in caplog.text
        assert secret not in repr(outcomes)
