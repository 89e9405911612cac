"""When a notice is to be sent, as people say it."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from handlers.refusal import Refusal

_NOW = re.compile(r"现在|马上|立即|立刻|这就")
_AT = re.compile(
    r"(今天|今晚|今早|明天|明早|明晚|后天)?(早上|上午|中午|下午|晚上)?(\d{1,2})[点时::](半|[0-5]?\d)?"
)
_DAYS = {"明": 1, "后": 2}
_SPOKEN = ("十二", "十一", "十", "九", "八", "七", "六", "五", "四", "三", "两", "二", "一")
_NUMBERS = (12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 2, 1)


def moment_said(words: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment that words name: 现在, 明天8点, 今晚七点半, 下午3点.

    Args:
        words: as they were said.
        now: aware.
        zone: of the place.

    Returns:
        aware UTC, never before `now`.

    Raises:
        Refusal: the words name no moment, or one that has passed.
    """
    if _NOW.search(words):
        return now
    for spoken, number in zip(_SPOKEN, _NUMBERS, strict=True):
        words = words.replace(f"{spoken}点", f"{number}点")
    found = _AT.search(words.replace("：", ":"))
    if found is None:
        raise Refusal("notice.when", said=words[:20])
    at = _at(found, now.astimezone(zone))
    if at is None or at < now:
        raise Refusal("notice.when", said=words[:20])
    return at.astimezone(UTC)


def _at(found: re.Match[str], local: datetime) -> datetime | None:
    day, part, hour, minute = found.groups()
    hours = int(hour)
    if hours < 12 and (part in ("下午", "晚上") or (day or "").endswith("晚")):
        hours += 12
    minutes = 30 if minute == "半" else int(minute or 0)
    if hours > 23:
        return None
    date = local + timedelta(days=_DAYS.get((day or "今")[0], 0))
    return date.replace(hour=hours, minute=minutes, second=0, microsecond=0)
