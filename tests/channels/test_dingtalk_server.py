"""The stand-in for DingTalk keeps the rules that a robot can run into, whoever calls it."""

import json
from typing import Any

import httpx
import pytest

from bot.channels.dingtalk_server import DingTalkServer
from bot.channels.far_end import FarEnd
from tests.channels.stages import Now, run

BOT = "/v1.0/robot/oToMessages/batchSend"


async def post(server: DingTalkServer, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as client:
        answer = await client.post(path, json=body, headers=headers)
        return answer.status_code, answer.json()


async def token_of(server: DingTalkServer) -> dict[str, str]:
    who = {"appKey": server.client_id, "appSecret": server.client_secret}
    _, got = await post(server, "/v1.0/oauth2/accessToken", who)
    return {"x-acs-dingtalk-access-token": got["accessToken"]}


def text(server: DingTalkServer, *people: str, words: str = "灯") -> dict[str, Any]:
    told = json.dumps({"content": words})
    return {"robotCode": server.robot_code, "userIds": people, "msgKey": "sampleText", "msgParam": told}


def test_it_is_a_platform_that_can_be_played() -> None:
    far_end: FarEnd = DingTalkServer(Now())

    assert far_end.channel == "dingtalk"
    assert far_end.heard("nobody") == far_end.heard_in_group("nowhere") == []


def test_nobody_gets_in_without_the_right_credentials() -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            wrong = {"appKey": server.client_id, "appSecret": "wrong"}
            assert (await post(server, "/v1.0/oauth2/accessToken", wrong))[0] == 400
            line = {"clientId": server.client_id, "clientSecret": "wrong", "subscriptions": []}
            assert await post(server, "/v1.0/gateway/connections/open", line) == (
                401,
                {"code": "authFailed", "message": "鉴权失败", "requestid": "0"},
            )
            assert (await post(server, BOT, text(server, "wang")))[1]["code"] == "InvalidAuthentication"

    run(story())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"robotCode": "another"}, "invalidParameter.robotCode.notExsit"),
        ({"userIds": []}, "MissinguserIds"),
        ({"userIds": ["wang"] * 21}, "invalidParameter.userIds.tooMany"),
        ({"userIds": ["nobody"]}, "staffId.notExisted"),
        ({"msgKey": "sampleCard"}, "invalidParameter.msgKey.invalid"),
        ({"msgParam": "{"}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": '{"content":" "}'}, "invalidParameter.msgParam.empty"),
        ({"msgParam": '{"content":"' + "灯" * 7000 + '"}'}, "invalidParameter.msgParam.tooLong"),
    ],
)
def test_what_is_wrong_with_a_message_is_refused(change: dict[str, Any], code: str) -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            server.join("wang")
            status, got = await post(server, BOT, text(server, "wang") | change, **await token_of(server))

            assert (status, got["code"]) == (400, code)
            assert server.sent == []

    run(story())


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"msgtype": "text", "text": {"content": " "}}, 40035),
        ({"msgtype": "card"}, 400105),
        ({"msgtype": "text", "text": {"content": "灯" * 7000}}, 460101),
        ({"msgtype": "text", "text": {"content": "灯" * 6000}}, 0),
    ],
)
def test_a_groups_robot_takes_twenty_thousand_bytes_of_text(body: dict[str, Any], number: int) -> None:
    async def story() -> None:
        async with DingTalkServer(Now()) as server:
            address = server.add_robot("群").removeprefix(server.base_url)

            assert (await post(server, address, body))[1]["errcode"] == number

    run(story())


def test_a_conversation_can_be_answered_for_an_hour_and_a_half() -> None:
    async def story() -> None:
        now = Now()
        async with DingTalkServer(now) as server:
            message = server.message("wang", msgtype="text", text={"content": "灯"})
            path = message["sessionWebhook"].removeprefix(server.base_url)
            body = {"msgtype": "text", "text": {"content": "答"}}
            assert (await post(server, path, body))[1]["errcode"] == 0
            now.go(minutes=90)
            assert (await post(server, path, body))[1]["errcode"] == 300001
            assert list(server.heard("wang")) == ["答"]

    run(story())
