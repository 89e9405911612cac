"""Platforms that the demo plays on this machine, so that a whole conversation is seen without an account."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Table

from app.dingtalk_settings import DingTalk
from app.settings import Settings, WrongSetting
from app.wecom_settings import WeCom
from bot.channels.dingtalk_server import DingTalkServer
from bot.channels.far_end import FarEnd
from bot.channels.wecom_server import WeComServer
from handlers.actor import CLOCK
from handlers.cases import role_and_name
from handlers.tokens import seats
from handlers.work import Desk
from handlers.writing import insert_new
from models import Account
from web.playing import Stage

ACCOUNTS: Table = Account.__table__  # type: ignore[attr-defined]
PLAYED: Final = ("wecom", "dingtalk")
_SEATS: Final = ("resident", "neighbour", "worker", "worker2", "community", "town", "leader")
_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""When these accounts were used last: the demo's own page stays the way to people until one writes here."""
_GROUP: Final = "工作群"
_PATIENCE: Final = 20.0


@dataclass
class Played:
    """The stand-ins that run, and the settings by which a program takes them for the platforms."""

    loop: asyncio.AbstractEventLoop
    wecom: WeComServer | None = None
    dingtalk: DingTalkServer | None = None
    stages: dict[str, Stage] = field(default_factory=dict)
    _now: Callable[[], datetime] = lambda: _LONG_AGO

    def now(self) -> datetime:
        """The time by which the platforms count: the program's."""
        return self._now()

    def told(self, settings: Settings) -> Settings:
        """The settings with the stand-ins in the platforms' places."""
        if self.wecom is not None:
            at = self.wecom
            keys = (at.secret, at.callback_token, at.callback_key)
            settings = replace(
                settings, wecom=WeCom(at.corp_id, at.agent_id, *keys, base_url=at.base_url, cards=False)
            )
        if self.dingtalk is not None:
            at_ding = self.dingtalk
            base, app = at_ding.base_url, (at_ding.client_id, at_ding.client_secret, at_ding.robot_code)
            settings = replace(settings, dingtalk=DingTalk(base, base, *app))
        return settings

    def open(self, desk: Desk, now: Callable[[], datetime], url: str) -> None:
        """Give the demo's people accounts there, and tell the platforms where the program is.

        Args:
            desk: of the program, which does not write yet.
            now: the program's clock.
            url: where its pages are; it need not listen yet.
        """
        self._now = now
        people = _people(desk)
        far_ends: list[FarEnd] = [one for one in (self.wecom, self.dingtalk) if one is not None]
        for far_end in far_ends:
            _enrol(desk, far_end.channel, people)
            groups = {_GROUP: _GROUP} if far_end.channel == "dingtalk" else {}
            names = {seat: name for seat, (_, name) in people.items()}
            self.stages[far_end.channel] = Stage(far_end, self.loop, names, groups)
        if self.wecom is not None:
            self.wecom.meet(*people)
            story = _connect(self.wecom, f"{url}/hooks/wecom")
            self.stages["wecom"].ready = asyncio.run_coroutine_threadsafe(story, self.loop)
        if self.dingtalk is not None:
            self.dingtalk.join(*people)
            self.dingtalk.names.update({seat: name for seat, (_, name) in people.items()})


def _people(desk: Desk) -> Mapping[str, tuple[int, str]]:
    """Seat -> the person's number, and role and name."""
    with desk.reading(CLOCK) as reading:
        found = seats(reading.session)
        return {seat: (found[seat], role_and_name(reading, found[seat])) for seat in _SEATS if seat in found}


def _enrol(desk: Desk, channel: str, people: Mapping[str, tuple[int, str]]) -> None:
    rows = [
        {
            "channel": channel,
            "handle": seat,
            "chat": seat,
            "person_id": person,
            "used_at": _LONG_AGO,
            "gone": False,
        }
        for seat, (person, _) in people.items()
    ]
    with desk.session() as session:
        session.execute(insert_new(session, ACCOUNTS), rows)


async def _connect(server: WeComServer, url: str) -> None:
    """Try until the program listens."""
    for _ in range(200):
        with suppress(Exception):  # while the program starts it may not answer, or not in time
            await server.connect(url)
            return
        await asyncio.sleep(0.2)


@contextmanager
def playing(names: str) -> Iterator[Played]:
    """Run stand-ins in a thread of their own.

    `names`: wecom, dingtalk, a comma between; empty: none. Raises WrongSetting for any other.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in PLAYED:
            raise WrongSetting(f"{name} cannot be played here; there are {', '.join(PLAYED)}.")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="played platforms", daemon=True)
    thread.start()
    played = Played(loop)
    stack = AsyncExitStack()

    def there(story: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(story, loop).result(_PATIENCE)

    there(_enter(stack, played, wanted))
    try:
        yield played
    finally:
        there(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        loop.close()


async def _enter(stack: AsyncExitStack, played: Played, wanted: list[str]) -> None:
    if "wecom" in wanted:
        played.wecom = await stack.enter_async_context(WeComServer(now=played.now))
    if "dingtalk" in wanted:
        played.dingtalk = await stack.enter_async_context(DingTalkServer(played.now))
