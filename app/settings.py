"""What the machine decides, read from the environment alone: addresses, secrets, which channels are on."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from app import dingtalk_settings, wechat_settings, wecom_settings
from app.dingtalk_settings import DingTalk
from app.wechat_settings import WeChat, WeComKf
from app.wecom_settings import WeCom

T = TypeVar("T")

PREFIX = "XIAOGE_"
NAMES = frozenset(
    PREFIX + name
    for name in (
        *("DATABASE_URL", "PLACE", "HOST", "PORT", "URL", "SECURE", "MEDIA", "LOG", "WRITERS", "TEST_HOOK"),
        *("KEYS", "SEARCH_KEY", "PLACES", "BACKUPS", "METRICS_KEY", "HEARTBEAT_URL"),
        *("TELEGRAM_TOKEN", "TELEGRAM_SECRET", "TELEGRAM_WEBHOOK_URL", "TELEGRAM_BASE_URL"),
        *dingtalk_settings.NAMES,
        *wecom_settings.NAMES,
        *wechat_settings.NAMES,
    )
)
LEVELS = ("debug", "info", "warning", "error")
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBERS = re.compile(r"[\d.]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


class WrongSetting(Exception):
    """A setting cannot be used; the message is a plain sentence that names it and says what is wanted."""


@dataclass(frozen=True)
class Telegram:
    """What is needed to be a Telegram bot. Without a webhook's address it polls."""

    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    webhook_url: str | None = None
    base_url: str = "https://api.telegram.org"

    @property
    def calls(self) -> str:
        """Where the Bot API is, as Telegram's library wants it."""
        return f"{self.base_url}/bot"

    @property
    def files(self) -> str:
        """Where files are fetched."""
        return f"{self.base_url}/file/bot"


@dataclass(frozen=True)
class Settings:
    """All that the program is told by the machine it runs on."""

    database_url: str
    place: str
    host: str
    port: int
    url: str
    """Under which address people reach the pages, for links sent to them; no slash at the end."""
    secure: bool
    """Pages are reached over https (a proxy in front): cookies never travel without it."""
    media: Path
    log: str
    writers: int
    """Works at once on PostgreSQL; SQLite has one writer whatever is said."""
    telegram: Telegram | None
    trial: Path | None
    """File in which a trial's channel notes what it sent (XIAOGE_TEST_HOOK); never set in earnest."""
    keys: str = field(default="", repr=False)
    """What seals phones, newest first; empty where a file beside a SQLite database holds the keys."""
    search_key: str = field(default="", repr=False)
    """By which sealed phones are found; it never changes."""
    backups: Path | None = None
    """Folder where backups are kept, if one is told of."""
    metrics_key: str = field(default="", repr=False)
    """What monitoring shows to read the figures; empty: there is no such page."""
    heartbeat_url: str = field(default="", repr=False)
    """Asked for every few minutes while all is well, so that somebody outside notices when it stops."""
    name: str = ""
    """Short name of the place where one process serves several; empty: it serves this one alone."""
    title: str = ""
    """What people call the place, where its book is also another's; empty: what the book calls it."""
    hostname: str = ""
    """Under which the place is asked for, instead of by a path."""
    dingtalk: DingTalk = field(default_factory=DingTalk)
    wecom: WeCom | None = None
    wechat: WeChat | None = None
    wecom_kf: WeComKf | None = None
    wecom_robots: str = wecom_settings.BASE
    """Where groups' own robots on WeCom are."""

    @property
    def command(self) -> str:
        """How commands for this place begin."""
        return f"xiaoge --place {self.name}" if self.name else "xiaoge"

    @property
    def base(self) -> str:
        """How the paths of the place's pages begin: empty, or its name after a slash."""
        return f"/{self.name}" if self.name and not self.hostname else ""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the environment, so that a mistake is told in one sentence at the start and not by a trace later.

    Args:
        environment: names and values; the process's own unless told.

    Raises:
        WrongSetting: a value cannot be used.
    """
    read = _Reader(environment)
    host = read("HOST", "127.0.0.1", _host)
    port = read("PORT", "8000", _port)
    return Settings(
        database_url=read("DATABASE_URL", "sqlite:///var/xiaoge.db", _database),
        place=read("PLACE", "minhou", _place),
        host=host,
        port=port,
        url=read("URL", f"http://{f'[{host}]' if ':' in host else host}:{port}", _address).rstrip("/"),
        secure=read("SECURE", "no", _yes),
        media=read("MEDIA", "var/media", Path),
        log=read("LOG", "info", _level),
        writers=read("WRITERS", "4", _writers),
        telegram=_telegram(read),
        dingtalk=_dingtalk(read),
        wecom=_wecom(read),
        wechat=_wechat(read),
        wecom_kf=_wecom_kf(read),
        wecom_robots=wecom_settings.read_robot_base(read, _address),
        trial=_trial(read, host),
        backups=read("BACKUPS", "", Path) if read.has("BACKUPS") else None,
        metrics_key=read("METRICS_KEY", "", _secret),
        heartbeat_url=read("HEARTBEAT_URL", "", _address),
        **_keys(read),
    )


def trial_of(settings: Settings, trial: str) -> Settings:
    """Give a trial everything of its own, whatever the settings say: it invents people, and moves the clock.

    `trial`: how its files are called, as in var/demo-minhou.db; each place has its own.
    """
    own = f"var/{trial}-{settings.name or settings.place}"
    return replace(
        settings,
        database_url=f"sqlite:///{own}.db",
        media=Path(f"{own}-media"),
        url=settings.url.removesuffix(settings.base),
        telegram=None,
        dingtalk=DingTalk(),
        wecom=None,
        wechat=None,
        wecom_kf=None,
        wecom_robots=wecom_settings.BASE,
        heartbeat_url="",
        name="",
        hostname="",
    )


def _keys(read: "_Reader") -> dict[str, str]:
    """Both or none: one alone is a slip that would be noticed late."""
    found = {"keys": read("KEYS", "", str), "search_key": read("SEARCH_KEY", "", str)}
    if bool(found["keys"]) != bool(found["search_key"]):
        missing = "XIAOGE_KEYS" if found["search_key"] else "XIAOGE_SEARCH_KEY"
        raise WrongSetting(
            f"{missing} is missing: phones are sealed with one key and found by another, and `xiaoge keys` "
            "prints both."
        )
    return found


def keys_in(file: str) -> dict[str, str]:
    """Read lines of NAME=value, as a key file holds them and `xiaoge keys` prints them."""
    pairs = (line.strip().partition("=") for line in file.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def unknown_names(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Say of each name that looks like a setting and is none, in a sentence, which one may be meant.

    A slip in a name is the one mistake that nothing else shows: the setting is simply not set.
    """
    odd = sorted(name for name in environment if name.startswith(PREFIX) and name not in NAMES)
    return [_unknown(name) for name in odd]


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    meant = {known.removeprefix(PREFIX): known for known in NAMES}
    near = get_close_matches(name.removeprefix(PREFIX).upper(), meant, 1)
    return f"{name} is no setting and changes nothing{f': did you mean {meant[near[0]]}?' if near else '.'}"


class _Reader:
    """Reads one setting after the other; an empty value counts as none."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __call__(self, name: str, default: str, form: Callable[[str], T]) -> T:
        value = self._environment.get(PREFIX + name, "").strip() or default
        try:
            return form(value)
        except ValueError as why:
            raise WrongSetting(f"{PREFIX}{name} cannot be used: {why}") from None

    def has(self, name: str) -> bool:
        """Tell whether a setting is there."""
        return bool(self._environment.get(PREFIX + name, "").strip())


def _database(value: str) -> str:
    """The message never repeats the value: a URL may hold a password."""
    if not value.startswith(("sqlite:///", "postgresql:", "postgresql+psycopg:", "postgres:")):
        raise ValueError(
            "give a database like sqlite:///var/xiaoge.db or postgresql://user:password@host/name."
        )
    if value.startswith("sqlite:") and "?" in value:
        raise ValueError(
            "a SQLite file is named without anything behind a question mark, which would do nothing."
        )
    if value.endswith((":memory:", "sqlite:///")):
        raise ValueError(
            "a database in memory would forget everything; name a file: sqlite:///var/xiaoge.db."
        )
    try:
        _ = urlsplit(value).port
    except ValueError:
        raise ValueError("the port in it is no number from 0 to 65535.") from None
    return "postgresql:" + value.removeprefix("postgres:") if value.startswith("postgres:") else value


def _place(value: str) -> str:
    """Looked up by its folder: the outer process reads the settings too, and opens no book."""
    origin = getattr(find_spec("handbook"), "origin", None) or ""
    places = sorted(sheet.parent.name for sheet in Path(origin).parent.glob("*/place.yaml"))
    if value not in places:
        raise ValueError(f"there is no place {value!r}; there are {', '.join(places)}.")
    return value


def _host(value: str) -> str:
    """An address or a name; whether this machine has it is seen when it listens."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        if _HOST_NAME.fullmatch(value) and not _NUMBERS.fullmatch(value):
            return value
    raise ValueError(f"{value!r} is no address of a machine; give one like 127.0.0.1, 0.0.0.0 or its name.")


def _port(value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value) <= 65535:
        raise ValueError(f"{value!r} is no port; give a number from 1 to 65535.")
    return int(value)


def _yes(value: str) -> bool:
    if value.lower() not in ("yes", "no", "1", "0"):
        raise ValueError(f"{value!r} is neither yes nor no.")
    return value.lower() in ("yes", "1")


def _writers(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 32:
        raise ValueError(f"{value!r} is no number from 1 to 32.")
    return int(value)


def _level(value: str) -> str:
    if value.lower() not in LEVELS:
        raise ValueError(f"{value!r} is not one of {', '.join(LEVELS)}.")
    return value.lower()


def _telegram(read: _Reader) -> Telegram | None:
    if not read.has("TELEGRAM_TOKEN"):
        return None
    webhook = read("TELEGRAM_WEBHOOK_URL", "", _address) or None
    secret = read("TELEGRAM_SECRET", "", _secret)
    if webhook and not secret:
        raise WrongSetting(
            "XIAOGE_TELEGRAM_SECRET is missing: with a webhook anybody could speak as Telegram without it."
        )
    base = read("TELEGRAM_BASE_URL", "https://api.telegram.org", _address).rstrip("/")
    return Telegram(read("TELEGRAM_TOKEN", "", _token), secret, webhook, base)


def _dingtalk(read: _Reader) -> DingTalk:
    try:
        return dingtalk_settings.read_dingtalk(read, _address)
    except ValueError as why:
        raise WrongSetting(str(why)) from None


def _wecom(read: _Reader) -> WeCom | None:
    try:
        return wecom_settings.read_wecom(read, _address, _yes)
    except ValueError as why:
        raise WrongSetting(str(why)) from None


def _wechat(read: _Reader) -> WeChat | None:
    try:
        return wechat_settings.read_wechat(read, _address)
    except ValueError as why:
        raise WrongSetting(str(why)) from None


def _wecom_kf(read: _Reader) -> WeComKf | None:
    try:
        return wechat_settings.read_kf(read, _address)
    except ValueError as why:
        raise WrongSetting(str(why)) from None


def _token(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise ValueError("a bot's token looks like 123456:ABC-DEF.")
    return value


def _secret(value: str) -> str:
    if value and not _SECRET.fullmatch(value):
        raise ValueError("give 16 to 256 letters, digits, _ or -.")
    return value


def _address(value: str) -> str:
    if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
        raise ValueError("give an address that begins with https://.")
    return value


def _trial(read: _Reader, host: str) -> Path | None:
    """A trial's door trusts whoever comes, so it opens to this machine alone."""
    if not read.has("TEST_HOOK"):
        return None
    if not _is_loopback(host):
        raise WrongSetting("XIAOGE_TEST_HOOK is for trials on this machine: listen on 127.0.0.1 or unset it.")
    return read("TEST_HOOK", "", Path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
