"""What may be wrong with a DingTalk application, asked of the platform and said in plain words."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import httpx

from bot.channels.dingtalk_api import Api, DingTalkError

CONSOLE: Final = "钉钉开放平台（open-dev.dingtalk.com）"
_NOBODYS: Final = "xiaoge-check"
"""A file that nobody ever sent: asked for, it shows whether the robot is known and has the right."""

_UNREACHABLE: Final = (
    "连不上钉钉（{code}）：请检查服务器能否访问外网，也请核对 XIAOGE_DINGTALK_BASE_URL "
    "和 XIAOGE_DINGTALK_OLD_BASE_URL 这两个地址。"
)
_CREDENTIALS: Final = (
    f"钉钉不认这组凭证：请到{CONSOLE}的“凭证与基础信息”重新复制 Client ID 和 Client Secret，"
    "填进 XIAOGE_DINGTALK_CLIENT_ID 和 XIAOGE_DINGTALK_CLIENT_SECRET，注意前后不要有空格。"
)
_ADDRESS: Final = f"服务器的出口 IP 不在白名单里：请到{CONSOLE}的“安全设置”把它加进“服务器出口IP”。"
_STREAM: Final = (
    f"机器人没有打开 Stream 模式：请到{CONSOLE}的“机器人”把消息接收模式选成“Stream 模式”，再发布一次。"
)
_ROBOT: Final = (
    f"钉钉没有找到这个机器人：请到{CONSOLE}的“机器人”复制 RobotCode，填进 XIAOGE_DINGTALK_ROBOT_CODE；"
    "机器人要先“发布”，应用要有已上线的版本。"
)
_RIGHT: Final = f"应用少一项权限：请到{CONSOLE}的“权限管理”开通“企业内机器人发送消息权限”。"
_ODD: Final = "钉钉没有接受（{code}）：请对照 docs/channels.md 的钉钉一节检查应用。"


async def troubles(api: Api) -> Sequence[str]:
    """A sentence for each thing to mend, none when all is well. Never raises, names no secret.

    Whether somebody's line is open is not disturbed: a line is only asked for, and not taken.
    """

    async def credentials() -> Any:
        return await api.fetch_token()

    async def line() -> Any:
        return await api.open_line()

    async def robot() -> Any:
        return await api.call(
            "/v1.0/robot/messageFiles/download",
            {"downloadCode": _NOBODYS, "robotCode": api.app.robot_code},
        )

    first = await _ask(credentials, _credentials)
    if first:
        return [first]
    found = [await _ask(line, _line), await _ask(robot, _robot)]
    return list(dict.fromkeys(one for one in found if one))


async def _ask(call: Callable[[], Awaitable[Any]], meaning: Callable[[DingTalkError], str]) -> str:
    """What is wrong with one thing; empty when nothing is."""
    try:
        await call()
    except DingTalkError as error:
        if error.is_(("ipnotinwhitelist", "notinwhitelist", "60020")):
            return _ADDRESS
        return "" if error.throttled else meaning(error)
    except httpx.HTTPError as error:
        return _UNREACHABLE.format(code=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - an answer of no shape that is known
        return _ODD.format(code=type(error).__name__)
    return ""


def _credentials(error: DingTalkError) -> str:
    if error.status >= 500:
        return _UNREACHABLE.format(code=error)
    return _CREDENTIALS


def _line(error: DingTalkError) -> str:
    if error.status == 401 or error.is_(("authfailed",)):
        return _CREDENTIALS
    if error.status >= 500:
        return _UNREACHABLE.format(code=error)
    return _STREAM


def _robot(error: DingTalkError) -> str:
    if error.is_(("downloadcode",)):
        return ""  # the robot is known, and may fetch: only this file is nobody's
    if error.is_(("accessdenied", "permission", "robotcode.auth")):
        return _RIGHT
    return _ROBOT if error.is_(("robotcode", "resource.not.found")) else _ODD.format(code=error)
