"""Talks: acceptance tests in plain Chinese, one line per message, read from tests/talks/*.talk.

# 居民报修路灯,网格员接单办结              a comment; the first one is the talk's title
条目: 1, 17, 34                            rows of the feature table it proves
地方: 所有                                 the places it must hold in (default: default)
时间: 2026-11-23 09:00                     the town's clock at the start
居民 > 3栋楼下路灯坏了                     somebody (a seat or a name) says something
居民 < 已登记:{A} …路灯                    the next message that matches; … is anything, {A} a number
居民 <x 超时                               among what they were told since, nothing matches this
居民 < 没有                                nothing new was told to them at all
网格员 按 接单                             a button, or its number where there are no buttons
居民 发照片 路灯照片                       a photo, with or without words
社区 发名单 人员.csv 姓名,职务,网格/张三,网格员,第一网格   a file of lines, parted by strokes
居民 群里说 路灯坏了                       to the bot, in a group; 群里聊: to the others in it
群 < …                                     what the bot said in the group
居民 发位置 30.0011,112.0011               a place
(过了 25 小时)                             time passes; also 分钟, 天
(到 2026-11-24 08:10)                      until a moment of the place's time
(重启)                                     the program is stopped and started again
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.town import GROUP, START, Town

SEATS = {
    "居民": "resident",
    "邻居": "neighbour",
    "网格员": "worker",
    "网格员二": "worker2",
    "社区": "community",
    "镇": "town",
    "县": "county",
    "领导": "leader",
    "部门": "unit",
}
_SENDS = re.compile(r"^(\S+) (按|发照片|发名单|发位置|群里说|群里聊) ?(.*)$")
_UNITS = {"分钟": "minutes", "小时": "hours", "天": "days"}
_MARKS = str.maketrans("，：；？！（）", ",:;?!()")
"""A talk is typed with whatever marks the keyboard has: full-width and half-width ones count as the same."""


@dataclass(frozen=True)
class Line:
    """One line of a talk."""

    number: int
    text: str


@dataclass
class Talk:
    """A talk as it stands in its file."""

    path: Path
    title: str = ""
    rows: tuple[int, ...] = ()
    places: tuple[str, ...] = ("default",)
    start: datetime = START
    lines: list[Line] = field(default_factory=list)


class TalkFailed(AssertionError):
    """A talk did not go as it is written."""


def read(path: Path, all_places: tuple[str, ...]) -> Talk:
    """Read a talk file. Raises ValueError for a line that is not of the form."""
    talk = Talk(path)
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line:
            continue
        if line.startswith("#"):
            talk.title = talk.title or line.lstrip("# ")
        elif line.startswith("条目:"):
            talk.rows = tuple(int(row) for row in re.findall(r"\d+", line))
        elif line.startswith("地方:"):
            words = line.partition(":")[2].strip()
            talk.places = all_places if words == "所有" else tuple(re.split(r"[、, ]+", words))
        elif line.startswith("时间:"):
            talk.start = _moment(line.partition(":")[2].strip())
        else:
            talk.lines.append(Line(number, line))
    return talk


def _moment(words: str) -> datetime:
    local = datetime.strptime(words, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    return local - timedelta(hours=8)


@dataclass
class Stage:
    """Plays a talk in a town."""

    town: Town
    talk: Talk
    numbers: dict[str, str] = field(default_factory=dict)
    unread: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)

    def play(self) -> None:
        """Play all lines. Raises TalkFailed with the line and what was really said."""
        for line in self.talk.lines:
            try:
                self._line(line.text)
            except AssertionError as wrong:
                raise TalkFailed(f"{self.talk.path.name}:{line.number}: {line.text}\n{wrong}") from wrong

    def _line(self, text: str) -> None:
        if text.startswith("("):
            self._time(text.strip("()"))
        elif found := re.match(r"^(\S+) > (.*)$", text):
            who, words = found.groups()
            self.town.send(self.town.inbound(self._who(who), self._filled(words)))
        elif found := re.match(r"^(\S+) <x (.*)$", text):
            self._never(*found.groups())
        elif found := re.match(r"^(\S+) < (.*)$", text):
            self._hears(*found.groups())
        elif not self._sends(text):
            raise ValueError(f"not a line of a talk: {text}")

    def _sends(self, text: str) -> bool:
        """Something other than words in a private chat. Returns whether the line is one of those."""
        found = _SENDS.match(text)
        if found is None:
            return False
        who, what, rest = self._who(found[1]), found[2], found[3]
        match what:
            case "按":
                self.town.press(who, rest)
            case "发照片":
                self.town.photo(who, rest)
            case "发名单":
                name, _, lines = rest.partition(" ")
                self.town.file(who, name, self._filled(lines).replace("/", "\n").encode())
            case "发位置":
                lat, lon = map(float, rest.split(","))
                self.town.place(who, lat, lon)
            case _:
                self._in_group(who, rest, addressed=what == "群里说")
                return True
        self._unhear(found[1])
        return True

    def _in_group(self, who: str, words: str, *, addressed: bool) -> None:
        """The group answers under its own name; what one is told aside is one's own."""
        said = {"chat": GROUP, "group": True, "addressed": addressed}
        self.town.send(self.town.inbound(who, self._filled(words), **said))

    def _unhear(self, who: str) -> None:
        """What the helper method read on the way is still unread for the talk."""
        name = self.town.name(self._who(who))
        self.town.read[name] = min(self.town.read[name], len(self.said.get(name, [])))

    def _who(self, who: str) -> str:
        seat = SEATS.get(who)
        return seat if seat in self.town.seats else who

    def _filled(self, words: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda m: self.numbers.get(m[1], m[0]), words)

    def _time(self, words: str) -> None:
        if words == "重启":
            self.town.restart()
            return
        if found := re.match(r"^过了 ?([\d.]+) ?(分钟|小时|天)$", words):
            self.town.wait(**{_UNITS[found[2]]: float(found[1])})
            return
        if found := re.match(r"^到 ?(\d{4}-\d\d-\d\d \d\d:\d\d)$", words):
            self.town.until(_moment(found[1]))
            return
        raise ValueError(f"not a time: {words}")

    # ---- hearing -----------------------------------------------------------------------------------------

    def _new(self, who: str) -> list[str]:
        name = self.town.name(self._who(who))
        news = self.town.news(name)
        self.said.setdefault(name, []).extend(news)
        waiting = self.unread.setdefault(name, [])
        waiting.extend(news)
        return waiting

    def _hears(self, who: str, wanted: str) -> None:
        waiting = self._new(who)
        if wanted == "没有":
            assert not waiting, f"told: {waiting}"
            return
        pattern = self._pattern(wanted)
        for index, message in enumerate(waiting):
            found = pattern.search(message.translate(_MARKS))
            if found:
                self.numbers.update({name: number for name, number in found.groupdict().items() if number})
                del waiting[: index + 1]
                return
        raise AssertionError("told instead: " + ("\n---\n".join(waiting) or "(nothing)"))

    def _never(self, who: str, unwanted: str) -> None:
        pattern = self._pattern(unwanted)
        told = [message for message in self._new(who) if pattern.search(message.translate(_MARKS))]
        assert not told, f"told: {told}"

    def _pattern(self, words: str) -> re.Pattern[str]:
        pieces = []
        for piece in re.split(r"(…|\{\w+\})", words.translate(_MARKS)):
            if piece == "…":
                pieces.append(r"[\s\S]*?")
            elif piece.startswith("{") and piece[1:-1] in self.numbers:
                pieces.append(re.escape(self.numbers[piece[1:-1]]))
            elif piece.startswith("{"):
                pieces.append(rf"(?P<{piece[1:-1]}>\d+)")
            else:
                pieces.append(re.escape(piece))
        return re.compile("".join(pieces))
