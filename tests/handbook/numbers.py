"""Numbers as people type them, and numbers of the trade that only look like such; all made up."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

Maker = Callable[[Random], str]

PROVINCES = [
    "11",
    "12",
    "13",
    "14",
    "15",
    "21",
    "22",
    "23",
    "31",
    "32",
    "33",
    "34",
    "35",
    "36",
    "37",
    "41",
    "42",
    "43",
    "44",
    "45",
    "46",
    "50",
    "51",
    "52",
    "53",
    "54",
    "61",
    "62",
    "63",
    "64",
    "65",
]
SIGNS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CARS = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
BEFORE = (
    "",
    "电话",
    "请打",
    "张三",
    "李四的号码是",
    "我家在3栋,",
    "周一 ",
    "编号1002,",
    "2026-11-22 13:06 ",
    "找王五:",
    "1502 ",
)
AFTER = ("", "。", "一直打不通", ",0301-0001", " 1002", "三楼的", "谢谢", "\n3栋", "（王芳）", " 13:06")


def digits(chance: Random, length: int) -> str:
    """So many digits."""
    return "".join(chance.choices("0123456789", k=length))


def a_day(chance: Random, first: int = 1930, last: int = 2020) -> date:
    """Any day of these years."""
    start = date(first, 1, 1)
    return start + timedelta(chance.randrange((date(last, 12, 31) - start).days + 1))


# -- the numbers themselves --------------------------------------------------------------------------------


def mobile(chance: Random) -> str:
    """Eleven digits."""
    return f"1{chance.choice('3456789')}{digits(chance, 9)}"


def landline(chance: Random) -> str:
    """Area code and number, a dash between."""
    if chance.random() < 0.4:
        return f"{chance.choice(('010', '020', '021', '022', '023', '025', '027', '028'))}-{local(chance, 8)}"
    code = chance.choice(
        ("0591", "0595", "0577", "0574", "0775", "0774", "0559", "0311", "0371", "0431", "0898", "0931")
    )
    return f"{code}-{local(chance, chance.choice((7, 8)))}"


def local(chance: Random, length: int) -> str:
    """A number within one's own area."""
    return chance.choice("2345678") + digits(chance, length - 1)


def id_card(chance: Random) -> str:
    """Eighteen signs, the last one worked out by the standard's long sum."""
    county = f"{chance.randrange(1, 30):02}{chance.randrange(1, 32):02}"
    body = f"{chance.choice(PROVINCES)}{county}{a_day(chance):%Y%m%d}{chance.randrange(1, 1000):03}"
    rest = sum(int(digit) * (2 ** (17 - at) % 11) for at, digit in enumerate(body)) % 11
    return body + "0123456789X"[(12 - rest) % 11]


def old_id_card(chance: Random) -> str:
    """Fifteen digits."""
    county = f"{chance.randrange(1, 30):02}{chance.randrange(1, 32):02}"
    born = a_day(chance, 1930, 1999)
    return f"{chance.choice(PROVINCES)}{county}{born:%y%m%d}{chance.randrange(1, 1000):03}"


def bank_card(chance: Random) -> str:
    """Sixteen or nineteen digits that pass the check, with a first part as Chinese banks have it."""
    head, length = chance.choice(
        (
            ("6228", 19),
            ("6217", 19),
            ("6222", 19),
            ("622", 16),
            ("625", 16),
            ("4392", 16),
            ("5187", 16),
            ("9558", 19),
        )
    )
    body = head + digits(chance, length - len(head) - 1)
    return next(body + last for last in "0123456789" if divides(body + last))


def divides(number: str) -> bool:
    """The cards' sum, told the slow way."""
    total = 0
    for at, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def plate(chance: Random) -> str:
    """Five signs, or six for the new energy."""
    head = chance.choice(CARS) + chance.choice("ABCDEFGH")
    if chance.random() < 0.5:
        signs = digits(chance, 3) + chance.choice(SIGNS) + chance.choice(SIGNS)
        return head + "".join(chance.sample(signs, 5))
    if chance.random() < 0.5:
        return head + chance.choice("DFABCEGHJK") + chance.choice(SIGNS) + digits(chance, 4)
    return head + digits(chance, 5) + chance.choice("DF")


# -- how they are typed ------------------------------------------------------------------------------------


def grouped(number: str, sizes: tuple[int, ...], between: str) -> str:
    """In groups of these sizes, the last as long as it comes."""
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return between.join(part for part in (*parts, number[at:]) if part)


def full_width(text: str) -> str:
    """As a Chinese keyboard writes it."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def chinese(text: str, chance: Random) -> str:
    """As it is spoken, and as a voice message comes in writing."""
    one, none, two = chance.choice("一幺"), chance.choice("〇零"), chance.choice("二二二两")
    return text.translate(dict(zip(map(ord, "0123456789"), f"{none}{one}{two}三四五六七八九", strict=True)))


def typed(number: str, shapes: tuple[tuple[int, ...], ...], chance: Random) -> str:
    """One of the ways to type it: as it is, in groups, sign by sign, full width, in Chinese digits."""
    sizes = chance.choice((*shapes, (), (), (1,) * len(number)))
    between = chance.choice((" ", "-", ".", "　", " - ", "－", "·", "\u00a0", "—", "\u200b"))
    written = grouped(number, sizes, between)
    return chance.choice((str, str, str, full_width, lambda text: chinese(text, chance)))(written)


def typed_mobile(chance: Random) -> str:
    """A mobile phone, now and then with the country."""
    written = typed(mobile(chance), ((3, 4), (3, 4), (4, 3), (3, 3), (3,), (7,), (3, 2, 2, 2)), chance)
    return (
        chance.choice(
            ("", "", "", "", "+86", "+86 ", "86", "0086", "+86-", "（+86）")[
                : None if written[0] == "1" else 4
            ]
        )
        + written
    )


def typed_landline(chance: Random) -> str:
    """A landline with its area code."""
    area, _, number = landline(chance).partition("-")
    half = f"{number[:-4]}{chance.choice('- ')}{number[-4:]}"
    pair = chance.choice(
        (
            f"{area}-{number}",
            f"{area}{number}",
            f"({area}){number}",
            f"（{area}）{number}",
            f"{area} {number}",
        )
    )
    written = chance.choice((pair, pair, f"{area}-{half}", " ".join(area + number)))
    return chance.choice((str, str, full_width, lambda text: chinese(text, chance)))(written)


def typed_id_card(chance: Random) -> str:
    """A residents' number, an X in either case."""
    written = typed(id_card(chance), ((6, 8), (6, 4, 4), (3, 3, 4, 4), (14,)), chance)
    return written.lower() if chance.random() < 0.3 else written


def typed_old_id_card(chance: Random) -> str:
    """A residents' number of the old kind."""
    return typed(old_id_card(chance), ((6, 6),), chance)


def typed_bank_card(chance: Random) -> str:
    """A card, in fours as it is printed, or after its first six."""
    return typed(bank_card(chance), ((4, 4, 4, 4), (4, 4, 4, 4), (6,)), chance)


def typed_plate(chance: Random) -> str:
    """A plate as it is read off a car."""
    sign = plate(chance)
    between = chance.choice(("", "", "·", " ", "-", "."))
    written = chance.choice((sign[:2] + between + sign[2:], sign[0] + between + sign[1:], " ".join(sign)))
    return chance.choice((str, str, str.lower, full_width, lambda text: chinese(text, chance)))(written)


def said(written: str, chance: Random) -> tuple[str, int, int]:
    """A message with the number in it, and where it stands."""
    before, after = chance.choice(BEFORE), chance.choice(AFTER)
    return before + written + after, len(before), len(before) + len(written)


# -- what is no personal number ------------------------------------------------------------------------------


def case_number(chance: Random) -> str:
    """1002, 0301-0001."""
    by_day = f"{a_day(chance):%m%d}-{chance.randrange(1, 3000):04}"
    return chance.choice(
        (by_day, str(chance.randrange(1000, 99999)), f"{by_day} {chance.randrange(1, 9999):04}")
    )


def moment(chance: Random) -> str:
    """A day and a time."""
    forms = (
        "%Y-%m-%d %H:%M:%S",
        "%Y.%m.%d",
        "%Y%m%d",
        "%Y/%m/%d %H:%M",
        "%Y年%m月%d日%H点%M分",
        "%m-%d %H.%M",
        "%Y%m%d%H%M%S",
    )
    written = f"{a_day(chance, 1990, 2040):{chance.choice(forms)}}"
    return written.replace("00:00", f"{chance.randrange(24):02}:{chance.randrange(60):02}")


def span(chance: Random) -> str:
    """From one time of a day to another, or a row of them."""
    times = [
        f"{chance.randrange(24):02}{chance.choice(('', ':', '.'))}{chance.randrange(60):02}" for _ in range(3)
    ]
    return chance.choice(("-", " ", "至", "~")).join(times[: chance.randrange(2, 4)])


def amount(chance: Random) -> str:
    """Money, with and without its commas and cents."""
    value = chance.randrange(10 ** chance.randrange(2, 13)) / 100
    return f"{chance.choice(('', '￥', '共'))}{value:{chance.choice((',.2f', '.2f', '.0f'))}}元"


def reading(chance: Random) -> str:
    """Meters are read in rows."""
    return chance.choice((" ", "-", "到", ",")).join(
        digits(chance, chance.randrange(4, 8)) for _ in range(chance.randrange(1, 3))
    )


def order(chance: Random) -> str:
    """Order and parcel numbers: of lengths which no personal number has, or beginning with the day."""
    if chance.random() < 0.5:
        return f"{a_day(chance, 2015, 2030):%Y%m%d}{digits(chance, chance.randrange(4, 10))}"
    return digits(chance, chance.choice((8, 9, 10, 13, 14, 20, 22, 24)))


def division(chance: Random) -> str:
    """The statistical code of a village, or of a grid in it, as the rule for codes makes them."""
    county = f"{chance.choice(PROVINCES)}{chance.randrange(1, 24):02}{chance.randrange(1, 32):02}"
    town = chance.choice((chance.randrange(1, 20), chance.randrange(100, 125), chance.randrange(200, 225)))
    village = chance.choice((chance.randrange(1, 60), chance.randrange(200, 250)))
    serial = chance.choice(("", f"{chance.randrange(1, 60):03}", f"{chance.randrange(1, 60):04}"))
    return f"{county}{town:03}{village:03}{serial}"


def address(chance: Random) -> str:
    """Houses, entrances and rooms: 302, 1502."""
    house, entrance = chance.randrange(1, 60), chance.randrange(1, 6)
    rooms = [f"{chance.randrange(1, 34)}{chance.randrange(1, 9):02}" for _ in range(chance.randrange(1, 5))]
    row = chance.choice((" ", "-", "、")).join(rooms)
    one = rooms[0]
    return chance.choice(
        (f"{house}-{entrance}-{one}", f"{house}栋{entrance}单元{one}室", row, f"{house}号楼 {row}")
    )
