"""What people say when they write a notice: for whom, and when it is to be sent."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_PEOPLE = re.compile(r"全体|所有|每位|居民们?|住户|村民|群众|大家|的|给")
_WHOLE = re.compile(r"(?:全|本)(?:县|镇|街道|乡|社区|村|网格)")
_NOW = re.compile(r"现在|马上|立即|立刻|这就")
_AT = re.compile(
    r"(今天|今晚|今早|明天|明早|明晚|后天)?(早上|上午|中午|下午|晚上)?(\d{1,2})[点时::](半|[0-5]?\d)?"
)
_DAYS = {"明": 1, "后": 2}
_SPOKEN = ("十二", "十一", "十", "九", "八", "七", "六", "五", "四", "三", "两", "二", "一")
_NUMBERS = (12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 2, 1)


def place_words(words: str) -> str:
    """What is left to name a place when the words for people are taken out."""
    return _PEOPLE.sub("", words).strip(" ,，、。")


def kind_words(words: str) -> str:
    """What is left to name a kind of notice: 活动通知 is 活动."""
    return words.replace("通知", "").strip()


def is_whole(words: str) -> bool:
    """Whether words mean all of one's own area: 全镇."""
    return _WHOLE.fullmatch(words) is not None


def moment_said(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment that words name: 现在, 明天8点, 今晚七点半, 下午3点.

    Args:
        words: as they were said.
        now: aware.
        zone: of the place.

    Returns:
        aware UTC, never before `now`; None where the words name no moment, or one that has passed.
    """
    if _NOW.search(words):
        return now
    for spoken, number in zip(_SPOKEN, _NUMBERS, strict=True):
        words = words.replace(f"{spoken}点", f"{number}点")
    found = _AT.search(words.replace("：", ":"))
    at = _at(found, now.astimezone(zone)) if found is not None else None
    return at.astimezone(UTC) if at is not None and at >= now else None


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
