"""What may be wrong with an application's settings, asked of WeCom and said so that it can be mended."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.channels.wecom_client import Json, WeComClient, WeComError

SKEW: Final = timedelta(minutes=5)
_FROM_IP: Final = re.compile(r"from ip:\s*([0-9a-fA-F.:]+)")
_SAID: Final = {
    40013: "企业 ID 不对：请核对 XIAOGE_WECOM_CORP_ID，在管理后台“我的企业-企业信息”最下面。",
    40001: "应用的 Secret 不对：请核对 XIAOGE_WECOM_SECRET，在管理后台“应用管理”里打开本应用查看。",
    40056: "AgentId 不对：请核对 XIAOGE_WECOM_AGENT_ID，和 Secret 在同一页上。",
    301002: "Secret 和 AgentId 不是同一个应用的：XIAOGE_WECOM_SECRET 和 _AGENT_ID 要抄自同一页。",
    45009: "今天或这一分钟调用企业微信太多，被暂时限制：过一会儿再查。",
}
_SAME: Final = {
    40014: 40001,
    41004: 40001,
    41002: 40013,
    42001: 40001,
    60011: 301002,
    40011: 40056,
    45033: 45009,
}
"""Codes that mean the same to whoever has to mend it."""


async def check_application(client: WeComClient, agent_id: int, now: Callable[[], datetime]) -> Sequence[str]:
    """A sentence for each thing to mend. Never raises. See `Checks`."""
    try:
        await client.token()
        agent = await client.get("agent/get", agentid=agent_id)
    except WeComError as error:
        return [say(error)]
    except ConnectionError as error:
        return [
            f"连不上企业微信（{error}）：请检查网络、代理和 XIAOGE_WECOM_BASE_URL。",
        ]
    found = [*_seen_by_nobody(agent), *clock(client.server_time, now())]
    if agent.get("close"):
        found.append("应用被停用了：请在管理后台“应用管理”里打开本应用，点“启用”。")
    return found


def say(error: WeComError) -> str:
    """An error of WeCom's in words that say what to do, and where."""
    if error.code == 60020:
        from_ip = _FROM_IP.search(error.words)
        ip = f" {from_ip[1]} " if from_ip else "（在这台服务器上查）"
        return (
            f"这台服务器的出口 IP{ip}不在可信名单里：在管理后台打开本应用，填进“企业可信IP”。"
            "填之前要先设好“网页授权及JS-SDK”的可信域名，或“接收消息”的 URL，否则那一栏是灰的。"
        )
    known = _SAID.get(_SAME.get(error.code, error.code))
    told = f"企业微信回答错误 {error.code}（{error.words[:80]}）"
    return known or f"{told}：请在企业微信开发者中心查这个错误码。"


def _seen_by_nobody(agent: Json) -> list[str]:
    seen = (
        agent.get("allow_userinfos", {}).get("user"),
        agent.get("allow_partys", {}).get("partyid"),
        agent.get("allow_tags", {}).get("tagid"),
    )
    if any(seen):
        return []
    return ["没有人看得见这个应用：请在管理后台打开本应用，把网格员所在的部门加进“可见范围”。"]


def clock(theirs: datetime | None, ours: datetime) -> list[str]:
    """What is wrong with our clock. Tokens are kept by it, so one that is wrong keeps them too long."""
    if theirs is None or abs(theirs - ours) <= SKEW:
        return []
    minutes = round(abs((theirs - ours).total_seconds()) / 60)
    way = "慢" if theirs > ours else "快"
    return [f"这台服务器的时钟{way}了约 {minutes} 分钟：请打开自动对时（timedatectl set-ntp true）。"]
