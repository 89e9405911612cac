"""The numbered parts of a Chinese address (3栋, 三组, 第一网格, 2单元501) and the words which say near what.

3栋, 3幢, 3号楼, 三号楼, 3#, ３栋楼 are one building.
"""

import re
from collections.abc import Collection
from typing import NamedTuple

from handbook.words import CHINESE_DIGITS, chinese_number, lowered, plain


class Part(NamedTuple):
    """One numbered part of an address and where in the text it stands."""

    kind: str
    number: str
    start: int
    end: int
    maybe: bool = False
    """In a sentence it may be a mere word: 垃圾一片."""

    @property
    def key(self) -> tuple[str, str]:
        """What two writings of the same part have in common."""
        return self.kind, self.number


_KINDS = (
    ("building", "号楼栋|(?:栋|幢|座|#)楼(?![上下道顶梯前后里])|号楼|号栋|号幢|#|栋|幢|座"),
    ("unit", "号?单元"),
    ("group", "村民小组|村民组|小组|组"),
    ("team", "生产队|队"),
    ("micro", "号?微网格|微格"),
    ("grid", "号?网格"),
    ("section", "片区|片组|片"),
    ("lane", "弄(?![好完干得成])|巷|胡同"),
    ("phase", "期|区"),
    ("floor", "楼|层"),
    ("number", "号(?![线码召称角店])"),
)
_WRITTEN = CHINESE_DIGITS.replace("两", "")  # 两栋楼 counts houses, it names none
_NUMBERED = "|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS)
_PART = re.compile(
    rf"(?<![\d.-])(?P<long>(\d{{1,3}})-(\d{{1,2}})-(\d{{3,4}}))(?![\d-])"
    rf"|第?(?P<n>\d{{1,4}}|[{_WRITTEN}]{{1,4}})\s?(?:{_NUMBERED})"
    rf"|(?<![a-z])(?P<letter>[a-h])(?:(?P<tower>栋|幢|座|号楼)|(?P<quarter>区))"
    rf"|(?P<room>(?<!\d)\d{{3,4}})(?:室|房间|房(?!子|屋))"
)
_ROOM_AFTER = re.compile(r"\s?(?P<room>\d{3,4})(?!\d|号|米|元|块|人|年|户|路|#)(?:室|房)?")
_HOLDS_ROOMS = frozenset({"building", "unit", "floor"})
_UNCOUNTED = frozenset({"一片", "一组", "一队", "一层", "一期"})  # 垃圾一片 is no 片

_SPOT = re.compile(
    "楼上|楼下|楼道|楼梯口?|楼顶|楼栋|门口|门前|门外|路口|路边|路旁|路中间|马路|巷口|巷子|弄堂|街上|街边|村口|村头|村尾|村里|村委会?|村部|"
    "广场|公园|学校|小学|中学|幼儿园|医院|卫生院|卫生室|菜市场|市场|超市|小卖部|商场|饭店|宾馆|银行|车站|公交站|停车场|车库|车棚|大门|东门|西门|南门|北门|"
    "侧门|后门|正门|单元口|单元门口?|电梯口?|走廊|过道|天台|阳台|院子|花坛|绿化带|池塘|水塘|河边|河道|河堤|桥头|桥下|桥上|桥|水库|山上|山脚|后山|田里|地里|工地|"
    "厂区|工厂|垃圾站|垃圾点|公厕|厕所|旁边|对面|附近|隔壁|后面|前面|东侧|西侧|南侧|北侧|东边|西边|南边|北边|东面|西面|南面|北面|拐角|转角|十字路口|丁字路口|"
    "三岔路口|交叉口|祠堂|活动中心|居委会|派出所|小区|社区|大厅|地下室|篮球场|加油站|家里|我家|家门口|屋里"
)
_NAMED = re.compile(
    r"[\u4e00-\u9fff]{2,}(?:路|街|巷|弄|道|村|庄|屯|湾|苑|花园|大厦|新村|镇)(?![灯面上边口况])"
)
_PLACE_BEFORE = re.compile(
    "(?:[\u4e00-\u9fff]{2,}(?:小区|社区|新村|花园|家园|公寓|大厦|[村屯庄湾苑城府园巷弄路街])|[\u4e00-\u9fff](?:村|庄|屯))的?\\s?$"
)
_LINK = re.compile(r"[\s的那、\-]*")
_SIGN = re.compile(r"[,。.!?;:()\s]")
_ENDED = re.compile(rf"$|的|{_SIGN.pattern}|{_SPOT.pattern}")
BEFORE = "在到住去来从是们我,。、;:!( "
"""What may stand before the name of a place."""
_EDGE = re.compile(r"^(?:边|旁|旁边|附近)的?(?=.)|^的")
_TALE = re.compile(r"又|还|没|被|把|在(?!建)|了|是|都|我家|我们家|有人|家里")
_RELATIVE = re.compile(r"(?:前面|后面|旁边|对面|附近|隔壁|[东西南北]边|我家|家里|屋里|小区|社区|村里)+")
"""Where no place was named, these tell nothing."""
_REACH = 5  # letters between a part and the spot it is told by: 3栋老王家门口


def parts_in(text: str) -> tuple[Part, ...]:
    """Find the numbered parts of an address in a text, so that 三号楼 and 3栋 are found as the same.

    Args:
        text: already `plain`.

    Returns:
        the parts in the order of the text, without those that may be mere words.
    """
    return tuple(part for part in all_parts_in(text) if not part.maybe)


def all_parts_in(text: str) -> tuple[Part, ...]:
    """Find the numbered parts in a place's name, where 一队 counts as 二队 does; arguments as `parts_in`."""
    low = lowered(text)
    found: list[Part] = []
    at = 0
    while match := _PART.search(low, at):
        at = match.end()
        parts = _read(match)
        found.extend(parts)
        room = _ROOM_AFTER.match(low, at) if parts and parts[-1].kind in _HOLDS_ROOMS else None
        if room:
            at = room.end()
            found.append(Part("room", room["room"], *room.span()))
    return tuple(found)


def _read(match: re.Match[str]) -> list[Part]:
    start, end = match.span()
    if match["long"]:
        kinds = zip(("building", "unit", "room"), match["long"].split("-"), strict=True)
        return [Part(kind, str(int(number)), start, end) for kind, number in kinds]
    if match["letter"]:
        return [Part("building" if match["tower"] else "phase", match["letter"], start, end)]
    if match["room"]:
        return [Part("room", match["room"], start, end)]
    number = chinese_number(match["n"])
    kind = next(kind for kind, _ in _KINDS if match[kind])
    return [] if number is None else [Part(kind, str(number), start, end, match[0] in _UNCOUNTED)]


def split_name(name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Split a place's name into what it is called and the numbers it ends with: 幸福小区3栋, 三组.

    Args:
        name: already `plain`.

    Returns:
        the bare name, empty for a mere number, and the keys of its parts.
    """
    parts = list(all_parts_in(name))
    kept: list[Part] = []
    end = len(name)
    while parts and parts[-1].end == end:
        kept.insert(0, parts[-1])
        end = parts.pop().start
    return name[:end].strip(), tuple(part.key for part in kept)


def spelt_alike(text: str) -> str:
    """Write the numbered parts of a name one way, so that 榕桥三队 and 榕桥3队 compare as equal."""
    said, at, spelt = plain(text), 0, ""
    for part in all_parts_in(said):
        spelt += f"{said[at : part.start]}{part.number}{part.kind}"
        at = part.end
    return spelt + said[at:]


def parts_beside(text: str, ends: Collection[int]) -> tuple[Part, ...]:
    """Find the numbered parts of a sentence, and 一队 too where it stands as a place does: 榕桥一队, 一队5栋.

    Args:
        text: already `plain`.
        ends: where names of places end in it.
    """
    found: list[Part] = []
    parts = all_parts_in(text)
    for part, after in zip(parts, (*parts, None)[1:], strict=True):
        named = part.start in ends or (found and found[-1].end == part.start)
        begins = part.start == 0 or text[part.start - 1] in BEFORE
        goes_on = _ENDED.match(text, part.end) or (after is not None and after.start == part.end)
        if not part.maybe or named or (begins and goes_on):
            found.append(part)
    return tuple(found)


def spot_words(text: str) -> bool:
    """Tell whether a sentence says at all where something is; one which does not has to be asked.

    Args:
        text: a message as typed.
    """
    return bool(_SPOT.search(text) or _NAMED.search(text) or parts_in(text))


def is_spot(word: str) -> bool:
    """Tell whether a word is a mere spot such as 门口 or 桥头, which every place has."""
    return _SPOT.fullmatch(word) is not None


def detail_after(text: str, at: int, parts: tuple[Part, ...]) -> str:
    """Take the rest of an address, for whoever has to find the spot: 2单元501门口.

    Args:
        text: already `plain`.
        at: where the resolved place ends.
        parts: the parts of the text which were not resolved.

    Returns:
        the words as typed; empty when nothing more was said.
    """
    link = _LINK.match(text, at)
    start = end = link.end() if link else at
    while step := _next_end(text, end, parts):
        end = step
    return _part_of_place(text[start:end])


def _part_of_place(words: str) -> str:
    """The words, or only the spot they end with where they tell a tale: 家又在楼道 is 楼道."""
    words = _EDGE.sub("", words)
    if not _TALE.search(words):
        return words
    spots = [spot[0] for spot in _SPOT.finditer(words)]
    return spots[-1] if spots else ""


def first_detail(text: str, parts: tuple[Part, ...]) -> str:
    """Take the first words which tell a spot, where no known place was named at all."""
    spot = _SPOT.search(text)
    starts = [part.start for part in parts] + ([spot.start()] if spot else [])
    words = detail_after(text, min(starts), parts) if starts else ""
    return "" if _RELATIVE.fullmatch(words) else words


def stands_in_unknown(text: str, at: int) -> bool:
    """Tell whether a number stands right after the name of some other place: 王家屯3栋 is not our 3栋."""
    return _PLACE_BEFORE.search(text, 0, at) is not None


def _next_end(text: str, at: int, parts: tuple[Part, ...]) -> int | None:
    link = _LINK.match(text, at)
    start = link.end() if link else at
    for part in parts:
        if part.start == start:
            return part.end
    spot = _SPOT.search(text, start, start + _REACH + 4)
    if spot and spot.start() - start <= _REACH and not _SIGN.search(text, start, spot.start()):
        return spot.end()
    return None
