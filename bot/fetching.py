"""Fetches photos and files which a channel has only named, once the message that brought them is kept."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlmodel import Session, col

from bot.channel import Channel
from bot.lane import Lane
from bot.media import PICTURES, MediaStore, NotAPicture, TooLarge
from models import Attachment

log = logging.getLogger("xiaoge.fetching")

EVERY = 2.0
"""Seconds between two looks for new attachments."""
WAITS = (5, 30, 120, 600, 3600, 4 * 3600)
"""Seconds before each new try; the last one is repeated as long as a channel keeps its files."""
KEPT_BY_CHANNELS = timedelta(days=30)
AT_ONCE = 20
LOOK_AGAIN = 200
"""Rows."""

ATTACHMENTS = Attachment.__table__  # type: ignore[attr-defined]


@dataclass
class _Wanted:
    """A file that is not here yet."""

    since: datetime
    tries: int = 0
    not_before: datetime | None = None


class Fetcher:
    """Turns `telegram:<file id>` into `media:<sha256>.jpg`, or into `gone:<the same>` when it is lost.

    What is tried again when is not kept over a restart: then all that is missing is simply tried anew.
    Two processes may fetch the same file; both keep the same bytes under the same name.
    """

    def __init__(
        self, lane: Lane, channels: Mapping[str, Channel], media: MediaStore, now: Callable[[], datetime]
    ) -> None:
        """`now` gives aware UTC."""
        self._lane = lane
        self._channels = channels
        self._media = media
        self._now = now
        self._seen = 0
        """Id of the newest attachment that was looked at."""
        self._wanted: dict[str, _Wanted] = {}

    async def run(self) -> None:
        """Fetch until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:
                log.exception("a round of fetching failed")
            await asyncio.sleep(EVERY)

    async def round(self) -> int:
        """Look for new attachments and try what is due. Returns how many files are still missing."""
        await self._look()
        now = self._now()
        due = [key for key, file in self._wanted.items() if file.not_before is None or file.not_before <= now]
        for key in due[:AT_ONCE]:
            await self._try(key, self._wanted[key])
        return len(self._wanted)

    async def _look(self) -> None:
        """Some rows are looked at again: with several writers a lower id may be committed after a higher."""
        for number, key, at in await self._lane.run(self._new_rows, quiet=True):
            self._seen = max(self._seen, number)
            if key.partition(":")[0] in self._channels:
                self._wanted.setdefault(key, _Wanted(since=at))

    def _new_rows(self, session: Session) -> list[tuple[int, str, datetime]]:
        """By id, so that a large table is read through once per start and not once per look."""
        query = (
            select(ATTACHMENTS.c.id, ATTACHMENTS.c.key, ATTACHMENTS.c.at)
            .where(ATTACHMENTS.c.id > self._seen - LOOK_AGAIN)
            .order_by(ATTACHMENTS.c.id)
            .limit(1000)
        )
        return [(row.id, row.key, row.at) for row in session.execute(query)]

    async def _try(self, key: str, file: _Wanted) -> None:
        try:
            found = await self._channels[key.partition(":")[0]].fetch(key)
            new = f"gone:{key}" if found is None else await asyncio.to_thread(self._media.keep, *found)
        except (NotAPicture, TooLarge) as why:
            log.warning("an attachment cannot be kept: %s", type(why).__name__, extra={"key": key})
            new = f"gone:{key}"
        except Exception as trouble:  # noqa: BLE001 - the network or the disk: it may work later
            if not self._later(key, file, trouble):
                return
            new = f"gone:{key}"
        await self._lane.run(lambda session: _rename(session, key, new), quiet=True)
        del self._wanted[key]

    def _later(self, key: str, file: _Wanted, trouble: Exception) -> bool:
        """Plan another try. Returns whether this was the last one."""
        now = self._now()
        log.warning("an attachment was not fetched: %s", trouble, extra={"key": key, "tries": file.tries + 1})
        file.not_before = now + timedelta(seconds=WAITS[min(file.tries, len(WAITS) - 1)])
        file.tries += 1
        return now - file.since > KEPT_BY_CHANNELS


def _rename(session: Session, old: str, new: str) -> None:
    """Every row that names the file: the same photo may stand under two cases that were merged.

    What is kept as a picture is a photo, whatever the channel called it.
    """
    shown = {"kind": "photo"} if new.startswith("media:") and new.endswith(PICTURES) else {}
    session.execute(update(ATTACHMENTS).where(col(Attachment.key) == old).values(key=new, **shown))
