"""The whole program at a played WeChat: a code that is scanned, answers in time, windows that close."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import select, update
from sqlmodel import Session, col

from app.build import Program, build
from app.registry import found
from bot.channels.telegram_server import TelegramServer
from bot.channels.wechat_server import WeChatServer
from bot.channels.wecom_delivery import xml_of
from models import Account, Attachment, Inbox, Incident, MailState, Outbox, Person
from scheduler.clock import SystemClock
from tests.app.test_build import REPORT, at_telegram, rows, run, settings, soon
from tests.channels.pictures import picture
from web.app import make_app

RESIDENT = "oLinXiuYing-000000000001"
PHONE = "oLiQiang-new-phone-00001"


def at_wechat(server: WeChatServer) -> dict[str, str]:
    """Settings that make the stand-in the far end."""
    return {
        "WECHAT_APP_ID": server.app_id,
        "WECHAT_SECRET": server.secret,
        "WECHAT_TOKEN": server.callback_token,
        "WECHAT_KEY": server.callback_key,
        "WECHAT_BASE_URL": server.base_url,
    }


@asynccontextmanager
async def serving(url: str, folder: Path, server: WeChatServer, **more: str) -> AsyncIterator[Program]:
    """The program, its door open on this machine, and known to the stand-in."""
    program = build(settings(url, folder, **at_wechat(server), **more))
    if found(program.desk, "wechat"):
        move(program)
    for account in rows(program, Account):
        server._of(account.handle).spoke(server.now())
    await program.start()
    config = uvicorn.Config(
        make_app(program.parts()), host="127.0.0.1", port=0, log_config=None, lifespan="off"
    )
    door = uvicorn.Server(config)
    task = asyncio.create_task(door.serve())
    await soon(lambda: door.started or task.done())
    port = door.servers[0].sockets[0].getsockname()[1]
    await server.connect(f"http://127.0.0.1:{port}/hooks/wechat")
    try:
        yield program
    finally:
        door.should_exit = True
        await task
        await program.stop()


def move(program: Program) -> None:
    """Give the founded people accounts of a form that WeChat has."""
    with program.desk.work() as work:
        for number in work.session.execute(select(col(Account.id)).order_by(col(Account.id))).scalars():
            one = update(Account).where(col(Account.id) == number)
            work.session.execute(one.values(handle=f"oFollower{number:04}", chat=f"oFollower{number:04}"))


def handle_of(program: Program, name: str) -> str:
    with Session(program.database.reader) as session:
        query = select(col(Account.handle)).join(Person, col(Person.id) == col(Account.person_id))
        return str(session.execute(query.where(col(Person.name) == name)).scalars().first())


def told(server: WeChatServer, user: str, words: str) -> bool:
    return any(words in heard for heard in server.heard(user))


def passive(server: WeChatServer, user: str, words: str) -> bool:
    return any(words in heard for heard in server.followers[user].passive)


def letters(program: Program, state: MailState) -> Sequence[str]:
    return [mail.outcome or "" for mail in rows(program, Outbox) if mail.state is state]


def now_of() -> WeChatServer:
    return WeChatServer(now=SystemClock().now)


def test_an_answer_in_time_then_news_by_message_then_a_window_that_is_closed(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with now_of() as server, serving(sqlite_url, tmp_path, server) as program:
            await server.follow(RESIDENT)
            await server.say(RESIDENT, REPORT)
            assert passive(server, RESIDENT, "已登记"), server.heard(RESIDENT)
            await server.send_photo(RESIDENT, picture())
            await soon(lambda: any(one.key.startswith("media:") for one in rows(program, Attachment)))
            (case,) = rows(program, Incident)
            worker = _owner(program, case)
            await soon(lambda: told(server, worker, "接单"))
            await server.say(worker, "接单")
            await soon(lambda: told(server, RESIDENT, "已接单"))
            assert not passive(server, RESIDENT, "已接单"), "nobody had asked"

            server.followers[RESIDENT].windows.clear()  # two days pass
            await server.send_photo(worker, picture("PNG"))
            await server.say(worker, "办结 已更换灯泡")
            await soon(lambda: any(why.startswith("closed") for why in letters(program, MailState.WAITING)))
            assert not told(server, RESIDENT, "解决了吗")
            await server.say(RESIDENT, "进度")
            await soon(lambda: told(server, RESIDENT, "解决了吗"))
            assert passive(server, RESIDENT, "解决了吗")
            await server.say(RESIDENT, "1")
            await soon(lambda: told(server, RESIDENT, "已结案"))
            assert letters(program, MailState.DEAD) == []
            assert sum("解决了吗" in heard for heard in server.heard(RESIDENT)) == 1

    run(story())


def _owner(program: Program, case: Incident) -> str:
    with Session(program.database.reader) as session:
        query = select(col(Account.handle)).where(col(Account.person_id) == case.owner_id)
        return str(session.execute(query).scalars().one())


def test_an_invitation_is_printed_as_the_accounts_own_code_and_scanned(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with (
            now_of() as server,
            serving(sqlite_url, tmp_path, server, URL="http://pages.example") as program,
        ):
            await server.say(handle_of(program, "郑勇"), "邀请 李强")
            words = "\n".join(server.heard(handle_of(program, "郑勇")))
            link = re.search(r"http://pages\.example/paper\?c=(\w+)", words)
            assert link is not None, words
            base = server.courier.url.removesuffix("/hooks/wechat")
            async with httpx.AsyncClient(
                base_url=base, follow_redirects=True, headers={"accept": "text/html"}
            ) as browser:
                page = (await browser.post("/paper", data={"c": link[1]})).text
            assert "用微信扫这个码" in page
            ((url, (scene, until)),) = server.scenes.items()
            assert f"/join?c={scene}" in words
            assert 2.9 < (until - server.now()).total_seconds() / 86400 <= 3

            await server.scan(PHONE, url)
            await soon(lambda: told(server, PHONE, "手机号的后四位"))
            assert passive(server, PHONE, "手机号的后四位")
            await server.say(PHONE, "0006")
            await soon(lambda: told(server, PHONE, "绑定好了，您现在是网格员李强"))

    run(story())


def test_without_a_right_to_make_codes_the_link_itself_is_printed(sqlite_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            WeChatServer(verified=False, now=SystemClock().now) as server,
            serving(sqlite_url, tmp_path, server, URL="http://pages.example") as program,
        ):
            await server.say(handle_of(program, "郑勇"), "邀请 李强")
            words = "\n".join(server.heard(handle_of(program, "郑勇")))
            link = re.search(r"http://pages\.example/paper\?c=(\w+)", words)
            assert link is not None, "an account without 认证 answers all the same"
            base = server.courier.url.removesuffix("/hooks/wechat")
            async with httpx.AsyncClient(
                base_url=base, follow_redirects=True, headers={"accept": "text/html"}
            ) as browser:
                page = await browser.post("/paper", data={"c": link[1]})
            assert page.status_code == 200
            assert "用手机扫这个码" in page.text
            assert server.scenes == {}

    run(story())


def test_who_left_is_not_spoken_to_until_they_come_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with now_of() as server, serving(sqlite_url, tmp_path, server) as program:
            await server.follow(RESIDENT)
            await server.say(RESIDENT, REPORT)
            left = int(server.now().timestamp())
            await server.unfollow(RESIDENT)
            (gone,) = [one.handle for one in rows(program, Account) if one.gone]
            assert gone == RESIDENT
            (case,) = rows(program, Incident)
            await server.say(_owner(program, case), "接单")
            await soon(lambda: letters(program, MailState.DEAD))
            assert letters(program, MailState.DEAD) == ["no account"]
            assert not any(
                fields.get("touser") == RESIDENT for path, fields in server.calls if "send" in path
            )
            await soon(lambda: int(server.now().timestamp()) > left)  # an event is named by its second
            await server.follow(RESIDENT)
            assert [one.handle for one in rows(program, Account) if one.gone] == []

    run(story())


def test_a_closed_window_gives_way_to_the_persons_other_account(sqlite_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            now_of() as server,
            TelegramServer() as telegram,
            serving(sqlite_url, tmp_path, server, **at_telegram(telegram)) as program,
        ):
            await server.say(RESIDENT, REPORT)
            (case,) = rows(program, Incident)
            telegram.say(61001, "你好")
            await soon(lambda: any(one.channel == "telegram" for one in rows(program, Account)))
            with program.desk.work() as work:
                person = {"person_id": case.reporter_id, "used_at": server.now().replace(year=2020)}
                other = update(Account).where(col(Account.channel) == "telegram")
                work.session.execute(other.values(**person))
            server.followers[RESIDENT].windows.clear()
            await server.say(_owner(program, case), "接单")
            await soon(lambda: any("已接单" in one.text for one in telegram.sent))
            assert not told(server, RESIDENT, "已接单")

    run(story())


def test_a_delivery_that_comes_three_times_and_after_a_restart_is_one_case(
    migrated_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with now_of() as server:
            said = {
                "ToUserName": "gh_0000loopback",
                "FromUserName": RESIDENT,
                "CreateTime": int(server.now().timestamp()),
                "MsgType": "text",
                "Content": REPORT,
                "MsgId": 77,
            }
            server._of(RESIDENT).spoke(server.now())
            for _ in range(2):
                async with serving(migrated_url, tmp_path, server) as program:
                    xml = xml_of(said)
                    found = await asyncio.gather(*(server.courier.try_once(xml) for _ in range(3)))
                    assert all(answer is not None and answer.status_code == 200 for answer in found)
                    assert len(rows(program, Incident)) == len(rows(program, Inbox)) == 1
                    await program.postman.drain()
                    sent = [mail for mail in rows(program, Outbox) if mail.handle == RESIDENT]
                    assert {mail.state for mail in sent} == {MailState.SENT}

    run(story())


def test_killed_between_deciding_and_answering_the_words_come_by_message(
    sqlite_url: str, tmp_path: Path
) -> None:
    """A process without a postman hears and decides; the next one says what it owed."""

    async def story() -> None:
        async with now_of() as server, serving(sqlite_url, tmp_path, server) as program:
            program.postman.stop()
            await server.say(RESIDENT, REPORT)
            assert server.heard(RESIDENT) == [], "answered with nothing, in time, and not out of order"
            assert len(rows(program, Incident)) == 1
            async with serving(sqlite_url, tmp_path, server):
                await soon(lambda: told(server, RESIDENT, "已登记"))
            assert sum("已登记" in heard for heard in server.heard(RESIDENT)) == 1

    run(story())
