"""What may be wrong with an official account's settings, asked of WeChat and said so as to be mended."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from bot.channels.wechat_client import FORBIDDEN, WeChatClient
from bot.channels.wecom_check import clock
from bot.channels.wecom_client import WeComError

_IP: Final = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]*:[0-9a-fA-F:.]+")
_NO_ADDRESS: Final = frozenset({40201, 40202, 40203})
_SAID: Final = {
    40013: "AppID 不对：请核对 XIAOGE_WECHAT_APP_ID，在公众平台“设置与开发-开发接口管理-基本配置”。",
    40125: "AppSecret 不对：请核对 XIAOGE_WECHAT_SECRET；忘了只能在“基本配置”里重置，重置后旧的马上作废。",
    48001: "公众号没有认证或没有这个权限：只能在对方说话时回复，不能主动通知，也不能扫码绑定。"
    "请在公众平台“设置与开发-账号详情”里办认证；政务号一般是服务号。",
    45009: "今天调用微信太多，被暂时限制：过一会儿再查。",
    40243: "AppSecret 被冻结了：请在公众平台“基本配置”里解冻。",
}
_SAME: Final = {40001: 40125, 40002: 40125, 41002: 40013, 41004: 40125, 45011: 45009}
"""Codes that mean the same to whoever has to mend it."""


async def check_account(client: WeChatClient, now: Callable[[], datetime]) -> Sequence[str]:
    """A sentence for each thing to mend. Never raises. See `Checks`."""
    try:
        await client.token()
        found = [*await _server(client), *await _rights(client)]
    except WeComError as error:
        return [say(error)]
    except ConnectionError as error:
        return [f"连不上微信（{error}）：请检查网络、代理和 XIAOGE_WECHAT_BASE_URL。"]
    return [*found, *clock(client.server_time, now())]


async def _server(client: WeChatClient) -> list[str]:
    """Whether WeChat knows where to deliver: it is asked to look our own address up."""
    try:
        await client.post("callback/check", {"action": "dns", "check_operator": "DEFAULT"})
    except WeComError as error:
        if error.code in _NO_ADDRESS:
            return [
                "公众号没有设置服务器地址：请在“基本配置-服务器配置”里填 https://您的域名/hooks/wechat，"
                "Token 和 EncodingAESKey 与 XIAOGE_WECHAT_TOKEN、_KEY 一致，选“安全模式”，再点“启用”。"
            ]
        if error.code != FORBIDDEN:
            raise
    return []


async def _rights(client: WeChatClient) -> list[str]:
    """Whether it may do more than answer: a code that is good for a minute harms nobody."""
    scene = {"action_info": {"scene": {"scene_str": "check"}}, "action_name": "QR_STR_SCENE"}
    try:
        await client.post("qrcode/create", {"expire_seconds": 60, **scene})
    except WeComError as error:
        if error.code != FORBIDDEN:
            raise
        return [_SAID[FORBIDDEN]]
    return []


def say(error: WeComError) -> str:
    """An error of WeChat's in words that say what to do, and where."""
    if error.code == 40164:
        found = _IP.search(error.words)
        ip = f" {found[0]} " if found else "（在这台服务器上查）"
        return (
            f"这台服务器的出口 IP{ip}不在白名单里：在公众平台“基本配置-IP白名单”里加上，"
            "几分钟后生效；不加就拿不到 access_token，什么也发不出去。"
        )
    known = _SAID.get(_SAME.get(error.code, error.code))
    told = f"微信回答错误 {error.code}（{error.words[:80]}）"
    return known or f"{told}：请在微信开发者文档“全局返回码”里查这个错误码。"
