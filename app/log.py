"""Logs as lines of key=value on standard error, with nothing in them by which a person could be found."""

import logging
import re
import sys
import traceback
from typing import TextIO

from bot.tracing import current, place

_MASKS = (
    # A resident's number: region, birthday, serial and check sign (GB 11643).
    (re.compile(r"(?<![0-9])([1-9]\d{5})(?:18|19|20)\d{9}[\dXx](?![0-9])"), r"\1************"),
    # A mobile phone, also written in groups or with the country's number.
    (re.compile(r"(?<![0-9])((?:\+?86[ -]?)?1[3-9]\d)[ -]?\d{4}[ -]?\d{4}(?![0-9])"), r"\1********"),
    # A bot's token, which stands in the addresses of its platform.
    (re.compile(r"(?<![0-9])(\d{5,}):[A-Za-z0-9_-]{30,}"), r"\1:<token>"),
    # The password in a database's address.
    (re.compile(r"(\w+://[^\s:/@]+):[^\s/@]+@"), r"\1:***@"),
)
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_BARE = re.compile(r"[\w.:/+@*<>-]+")


def masked(text: str) -> str:
    """Return the text without phone numbers, residents' numbers and secrets; the rest stays readable."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


class Line(logging.Formatter):
    """One record as one line; a trace is kept within it, its lines told apart by `|`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level, logger, message, what was bound, what was given with it, and the trace."""
        facts = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "from": record.name,
            "says": record.getMessage(),
        }
        if place():
            facts["place"] = place()
        if current():
            facts["message"] = current()
        facts |= {name: str(value) for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info and record.exc_info[0]:
            facts["trace"] = " | ".join("".join(traceback.format_exception(*record.exc_info)).splitlines())
        return masked(" ".join(f"{name}={_value(value)}" for name, value in facts.items()))


def _value(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', "'").replace("\n", " | ").replace("\r", "") + '"'


def set_up(level: str, out: TextIO | None = None) -> None:
    """Send every logger of the process through one masking handler, the libraries' loggers too.

    Args:
        level: debug, info, warning or error; libraries speak from warning on.
        out: where lines go; standard error unless told.
    """
    handler = logging.StreamHandler(out or sys.stderr)
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, _number(level)))
    for name in ("xiaoge", "app", "bot", "handlers", "scheduler", "web"):
        logging.getLogger(name).setLevel(_number(level))
    logging.captureWarnings(True)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
