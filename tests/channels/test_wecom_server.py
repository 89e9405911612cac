"""The stand-in keeps WeCom's rules: what it refuses, what it drops without a word, and how it delivers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import requests
from wechatpy.enterprise import WeChatClient

from bot.channels.far_end import FarEnd
from bot.channels.loopback import Call, LoopbackServer, Reply
from bot.channels.wecom_server import WeComServer
from bot.message import Inbound, Outbound
from tests.channels.stages import run
from tests.channels.wecom_stage import AGENT, CORP, SECRET, Clock, hooked, played, server, wecom

WANG = "WangFang"


@asynccontextmanager
async def calling() -> AsyncIterator[tuple[WeComServer, Clock, Callable[..., Any]]]:
    """The stand-in, its clock, and a way to call it by hand that gives the answer's JSON."""
    clock = Clock()
    async with server(clock) as platform, httpx.AsyncClient(trust_env=False) as http:

        async def call(path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
            url = f"{platform.base_url}/cgi-bin/{path}"
            verb = "GET" if body is None else "POST"
            answer = await http.request(verb, url, params=query, json=body)
            assert answer.status_code == 200
            return answer.json()

        yield platform, clock, call


def text(to: str = WANG, content: str = "灯", **more: Any) -> dict[str, Any]:
    return {"touser": to, "agentid": AGENT, "msgtype": "text", "text": {"content": content}, **more}


def test_tokens_are_one_until_they_are_old() -> None:
    async def story() -> None:
        async with calling() as (_, clock, call):
            assert (await call("gettoken", corpid="wwother", corpsecret=SECRET))["errcode"] == 40013
            assert (await call("gettoken", corpid=CORP, corpsecret="no"))["errcode"] == 40001
            first = await call("gettoken", corpid=CORP, corpsecret=SECRET)
            clock.wait(hours=1)
            again = await call("gettoken", corpid=CORP, corpsecret=SECRET)
            assert (again["access_token"], again["expires_in"]) == (first["access_token"], 3600)
            clock.wait(hours=2)
            old = first["access_token"]
            assert (await call("message/send", text(), access_token=old))["errcode"] == 42001
            assert (await call("message/send", text(), access_token="none"))["errcode"] == 40014
            assert (await call("message/send", text()))["errcode"] == 41001
            assert (await call("gettoken", corpid=CORP, corpsecret=SECRET))["access_token"] != old

    run(story())


@asynccontextmanager
async def let_in() -> AsyncIterator[tuple[WeComServer, Clock, Callable[..., Any]]]:
    async with calling() as (platform, clock, call):
        platform.meet(WANG)

        async def trusted(path: str, body: dict[str, Any]) -> Any:
            token = (await call("gettoken", corpid=CORP, corpsecret=SECRET))["access_token"]
            return await call(path, body, access_token=token)

        yield platform, clock, trusted


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"agentid": 9}, 40056),
        ({"touser": "nobody"}, 81013),
        ({"touser": ""}, 81013),
        ({"msgtype": "hologram"}, 40008),
        ({"text": {"content": " "}}, 44004),
        ({"text": "灯"}, 40058),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        ({"msgtype": "template_card", "template_card": {}}, 40058),
        ({}, 0),
    ],
)
def test_messages_keep_to_the_rules(fields: dict[str, Any], code: int) -> None:
    async def story() -> int:
        async with let_in() as (_, _, call):
            return int((await call("message/send", {**text(), **fields}))["errcode"])

    assert run(story()) == code


def test_what_is_too_long_or_too_much_is_cut_off_or_dropped_without_a_word() -> None:
    async def story() -> None:
        async with let_in() as (platform, clock, call):
            assert (await call("message/send", text(content="网" * 700)))["errcode"] == 0
            assert platform.heard(WANG) == ["网" * 682]
            for number in range(31):
                assert (await call("message/send", text(content=str(number))))["errcode"] == 0
            assert len(platform.heard(WANG)) == 30
            assert [dropped.text for dropped in platform.dropped] == ["29", "30"]
            clock.wait(minutes=1)
            await call("message/send", text(content="again"))
            assert platform.heard(WANG)[-1] == "again"
            many = "|".join([*(f"x{n}" for n in range(1000)), WANG])
            assert (await call("message/send", text(to=many)))["errcode"] == 81013

    run(story())


def test_the_same_words_within_the_time_are_dropped_where_that_was_asked_for() -> None:
    async def story() -> None:
        async with let_in() as (platform, clock, call):
            double: dict[str, Any] = {"enable_duplicate_check": 1, "duplicate_check_interval": 60}
            for _ in range(2):
                await call("message/send", text(**double))
            assert platform.heard(WANG) == ["灯"]
            await call("message/send", text())
            clock.wait(seconds=60)
            await call("message/send", text(**double))
            assert platform.heard(WANG) == ["灯"] * 3

    run(story())


def test_ten_thousand_calls_a_minute_are_the_most() -> None:
    async def story() -> None:
        async with calling() as (platform, clock, call):
            platform._per_minute.most = 5
            asked = {"corpid": CORP, "corpsecret": SECRET}
            codes = [(await call("gettoken", **asked))["errcode"] for _ in range(7)]
            assert codes == [0] * 5 + [45009] * 2
            clock.wait(seconds=59)
            assert (await call("gettoken", **asked))["errcode"] == 45009
            clock.wait(seconds=2)
            assert (await call("gettoken", **asked))["errcode"] == 0

    run(story())


def card(task: str = "t1", **more: Any) -> dict[str, Any]:
    buttons = [{"text": "接单", "style": 1, "key": "7:0"}]
    fields: dict[str, Any] = {"card_type": "button_interaction", "sub_title_text": "选", "task_id": task}
    fields |= {"button_list": buttons}
    return {
        "touser": WANG,
        "agentid": AGENT,
        "msgtype": "template_card",
        "template_card": {**fields, **more},
    }


def test_a_cards_code_is_good_for_one_use_within_three_days() -> None:
    async def story() -> None:
        async with let_in() as (platform, clock, call):
            platform.courier.url = "http://127.0.0.1:9/"
            assert (await call("message/send", card(task="no spaces")))["errcode"] == 40058
            code = (await call("message/send", card()))["response_code"]
            assert (await call("message/send", card()))["errcode"] == 40058
            path = "message/update_template_card"
            update = {"agentid": AGENT, "response_code": code, "button": {"replace_name": "已选择"}}
            assert (await call(path, {**update, "userids": WANG}))["errcode"] == 40058
            assert (await call(path, {**update, "userids": [WANG]}))["errcode"] == 0
            assert (await call(path, {**update, "userids": [WANG]}))["errcode"] == 40058
            late = (await call("message/send", card(task="t2")))["response_code"]
            clock.wait(hours=73)
            update = {**update, "response_code": late, "userids": [WANG]}
            assert (await call(path, update))["errcode"] == 40058

    run(story())


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 0),
        ({"userlist": [WANG]}, 86006),
        ({"userlist": [WANG, "resident"]}, 86007),
        ({"owner": "resident"}, 86005),
    ],
)
def test_a_group_is_of_members_alone(fields: dict[str, Any], code: int) -> None:
    async def story() -> int:
        async with let_in() as (platform, _, call):
            platform.meet("LiQiang")
            group = {"name": "一格", "owner": WANG, "userlist": [WANG, "LiQiang"], **fields}
            return int((await call("appchat/create", group))["errcode"])

    assert run(story()) == code


# -- how it delivers -----------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(platform: WeComServer, *replies: Reply | None) -> AsyncIterator[list[Call]]:
    """An application that answers so, one reply after the other; None never answers."""
    calls: list[Call] = []

    async def answer(call: Call) -> Reply:
        calls.append(call)
        reply = replies[min(len(calls), len(replies)) - 1]
        if reply is None:
            await asyncio.Event().wait()
        assert reply is not None
        return reply

    async with LoopbackServer(answer) as door:
        platform.courier.url = door.url
        yield calls


@pytest.mark.parametrize(
    ("replies", "tries"),
    [
        ([Reply(200)], 1),
        ([Reply(503), Reply(200)], 2),
        ([Reply(403)], 3),
        ([Reply(None), Reply(None), Reply(200)], 3),
        ([None, Reply(200)], 2),
    ],
    ids=["taken", "again", "never", "cut", "slow"],
)
def test_what_is_not_taken_in_time_comes_three_times(replies: list[Reply | None], tries: int) -> None:
    async def story() -> None:
        async with server(patience=0.2, rest=0) as platform, answering(platform, *replies) as calls:
            await platform.say(WANG, "灯")
            assert len(calls) == platform.courier.deliveries[0].tries == tries
            heard = {message.message_id for call in calls for message in parsed(call)}
            assert len(heard) == 1

    def parsed(call: Call) -> list[Inbound]:
        from bot.channel import Request

        return list(wecom().parse(Request(call.headers, call.query, call.body)))

    run(story())


def test_an_address_that_cannot_decrypt_is_not_taken() -> None:
    async def story() -> None:
        async with played() as (platform, _, _):
            stranger = wecom(callback_key="x" * 43)
            with pytest.raises(ConnectionError):
                async with hooked(platform, stranger, lambda _: None):
                    pass
            assert platform.courier.url == ""

    run(story())


def test_it_is_a_far_end_that_a_demo_can_show() -> None:
    async def story() -> None:
        async with played() as (platform, channel, _):
            far: FarEnd = platform
            async with hooked(platform, channel, lambda _: None):
                await far.say(WANG, "灯")
                await far.say_in_group("chat", WANG, "灯")
            await channel.send(Outbound(mail_id=1, chat=WANG, handle=WANG, parts=("已登记",)))
            assert (far.channel, far.heard(WANG), far.heard_in_group("chat")) == ("wecom", ["已登记"], [])
            assert [delivery.taken for delivery in platform.courier.deliveries] == [True]

    run(story())


# -- another client's words for the same --------------------------------------------------------------------


class _Recorder(requests.Session):
    """Keeps what wechatpy would send."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[dict[str, Any]] = []

    def request(self, method: Any, url: Any, *_: Any, **more: Any) -> Any:
        import json

        self.bodies.append(json.loads(more["data"]))
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b'{"errcode":0,"errmsg":"ok","invaliduser":""}'
        answer.url = str(url)
        return answer


def test_wechatpys_own_client_says_it_alike() -> None:
    """The oracle for request bodies: what both send says the same under the same names."""
    recorder = _Recorder()
    client = WeChatClient(CORP, SECRET, access_token="given")
    client._http = recorder
    client.expires_at = 9_999_999_999
    client.message.send_text(AGENT, WANG, "灯")

    async def story() -> dict[str, Any]:
        async with played() as (platform, channel, _):
            platform.meet(WANG)
            await channel.send(Outbound(mail_id=1, chat=WANG, handle=WANG, parts=("灯",)))
            return platform.calls[-1][1]

    ours = run(story())
    (theirs,) = recorder.bodies
    for name in ("touser", "msgtype", "text"):
        assert ours[name] == theirs[name]
    assert str(ours["agentid"]) == str(theirs["agentid"])
    assert timedelta(seconds=ours["duplicate_check_interval"]) <= timedelta(hours=4)
