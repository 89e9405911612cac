"""Says in plain words whether this machine and its settings can be relied on, before anybody does."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from app.alone import NoUse
from app.findings import Finding, mind, ok, wrong
from app.fitting import OTHER_VERSION
from app.fitting import misfit_of as another_place
from app.listening import listen
from app.paths import no_database, told, trouble_with
from app.sealing import is_open_to_others, key_file, misfit_of, read_keys
from app.settings import Settings, unknown_names
from app.spare import backups, copied
from app.whole import is_guarded, must_be_whole
from bot.render import words
from handbook import BookError, open_book
from handbook.loading import places
from handlers.actor import CLOCK
from handlers.audit import prove
from handlers.founding import is_founded
from handlers.watching import CALENDAR_LEFT, troubles
from handlers.work import Desk
from models import Inbox, IncidentEvent, JobRun, Outbox
from models.database import Database, DatabaseTrouble, is_current, open_database
from models.facts import fsync_latency, sqlite_facts
from models.sealing import Keys, SealingTrouble
from scheduler.clock import SystemClock

GIGABYTE = 1024**3
LITTLE_SPACE = 1 * GIGABYTE
SLOW_FSYNC = 0.05
SMALL_DRIFT, LARGE_DRIFT = 5, 60
UNTRUE_FSYNC = 0.00005
"""Seconds; a disk that is quicker did not wait for the write."""


def check(settings: Settings, *, online: bool = False) -> Iterator[Finding]:
    """Look at everything in turn; each finding comes as soon as it is known.

    `online`: ask the channels too, which leaves this machine.
    """
    yield from map(mind, unknown_names())
    yield from books()
    yield from check_place(settings, online=online)


def check_place(settings: Settings, *, online: bool = False) -> Iterator[Finding]:
    """Look at what belongs to one place."""
    yield from _calendar(settings)
    yield from _disk(settings)
    yield from _room(settings)
    yield from _photos(settings)
    yield from _channels(settings)
    yield from _address(settings)
    yield from backups(settings)
    if online:
        from app.online import online as ask

        yield from ask(settings)
    try:
        yield from _database(settings)
    except NoUse as no:
        yield wrong(str(no))
    except (DatabaseTrouble, SQLAlchemyError) as trouble:
        yield wrong(f"The database cannot be used: {str(trouble).splitlines()[0]}")


def books() -> Iterator[Finding]:
    """Whether every book that ships can be read."""
    for place in places():
        try:
            yield ok(f"The book of {place} is sound (version {open_book(place).version}).")
        except BookError as error:
            yield wrong(f"The book of {place} is faulty: {error}")


def _calendar(settings: Settings) -> Iterator[Finding]:
    try:
        until = open_book(settings.place).holidays.known_until
    except BookError:
        return
    left = until - SystemClock().now().date()
    if left < timedelta():
        yield wrong(
            f"The holiday calendar ended on {until}: holidays are counted as working days. Add this year's "
            "to holidays.yaml."
        )
    elif left < CALENDAR_LEFT:
        yield mind(
            f"The holiday calendar ends on {until}: deadlines beyond it are marked uncertain. "
            "Add the new year to holidays.yaml as soon as it is announced."
        )
    else:
        yield ok(f"The holiday calendar is known until {until}.")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = _folder(settings)
    if folder is None:
        return
    free = shutil.disk_usage(folder).free
    shown = f"{free / GIGABYTE:.1f} GB are free on the database's disk."
    yield ok(shown) if free >= LITTLE_SPACE else wrong(shown)
    seconds = fsync_latency(folder)
    shown = f"The disk keeps a page for good in {seconds * 1000:.2f} ms"
    if seconds < UNTRUE_FSYNC:
        yield mind(f"{shown}: too quick to be true, a power cut may undo what was confirmed.")
    elif seconds > SLOW_FSYNC:
        yield mind(f"{shown}: slow, no answer comes sooner.")
    else:
        yield ok(f"{shown}.")


def _room(settings: Settings) -> Iterator[Finding]:
    """Free space where photos and backups are kept, if that is not the database's disk."""
    database = _folder(settings)
    seen = {database.stat().st_dev} if database else set()
    for what, folder in (("photos", settings.media), ("backups", settings.backups)):
        if folder is None or not folder.exists() or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        free = shutil.disk_usage(folder).free
        shown = f"{free / GIGABYTE:.1f} GB are free where {what} are kept."
        yield ok(shown) if free >= LITTLE_SPACE else wrong(shown)


def _photos(settings: Settings) -> Iterator[Finding]:
    trouble = trouble_with(settings.media)
    yield (
        ok(f"Photos are kept in {settings.media}.")
        if trouble is None
        else wrong(f"XIAOGE_MEDIA: {told(settings.media, trouble)}")
    )


def _address(settings: Settings) -> Iterator[Finding]:
    """Whether the address is this machine's; the port may be taken by the very program that is checked."""
    try:
        listen(settings.host, 0).close()
    except OSError as no:
        yield wrong(str(no))


def _folder(settings: Settings) -> Path | None:
    """Where a SQLite file lies or will lie; None for PostgreSQL, whose disk is its own."""
    address = make_url(settings.database_url)
    if address.get_backend_name() != "sqlite":
        return None
    folder = Path(address.database or ".").absolute().parent
    while not folder.exists():
        folder = folder.parent
    return folder


def _channels(settings: Settings) -> Iterator[Finding]:
    telegram = settings.telegram
    if telegram is None:
        yield ok("Telegram is off (XIAOGE_TELEGRAM_TOKEN is not set).")
    elif telegram.webhook_url:
        yield ok(f"Telegram posts to {telegram.webhook_url}, with a secret.")
    else:
        yield ok("Telegram is polled.")
    if settings.wecom:
        yield ok(
            f"WeCom's application {settings.wecom.agent_id} delivers to {settings.url}/hooks/wecom; "
            "`xiaoge channels check` asks WeCom."
        )
    if settings.wechat:
        mode = (
            "encrypted" if settings.wechat.key else "in plain text: choose 安全模式 and set XIAOGE_WECHAT_KEY"
        )
        yield (ok if settings.wechat.key else mind)(
            f"The official account delivers to {settings.url}/hooks/wechat, {mode}."
        )
    if settings.wecom_kf:
        yield ok(f"微信客服 delivers to {settings.url}/hooks/wecom_kf.")
    if settings.trial:
        yield wrong("XIAOGE_TEST_HOOK is set: anybody on this machine can speak as anybody. Unset it.")
    if not settings.secure and settings.host not in ("127.0.0.1", "localhost", "::1"):
        yield mind("Pages are served without https: put a proxy in front, and set XIAOGE_SECURE=yes.")


def _database(settings: Settings) -> Iterator[Finding]:
    _must_be_database(settings.database_url)
    if not is_current(settings.database_url):
        yield wrong(OTHER_VERSION.format(settings.command))
        return
    database = open_database(settings.database_url, keys=_keys_there(settings))
    try:
        must_be_whole(database)
        for look in _LOOKS:
            yield from look(database, settings)
    except SealingTrouble:
        return  # which key is missing was told before
    finally:
        database.close()


def _must_be_database(url: str) -> None:
    """Raise DatabaseTrouble for a file that is none, before anything else trips over it."""
    address = make_url(url)
    is_file = address.get_backend_name() == "sqlite"
    file = Path(address.database or "")
    if is_file and (trouble := no_database(file)):
        raise DatabaseTrouble(trouble)
    if is_file and file.exists() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        raise DatabaseTrouble(f"{file} or its folder may not be written to by whoever runs this.")


def _sqlite(database: Database, _: Settings) -> Iterator[Finding]:
    if database.kind != "sqlite":
        yield ok("PostgreSQL answers, and has the tables of this version.")
        return
    facts = sqlite_facts(database)
    sound = facts.synchronous in ("full", "extra") and facts.journal_mode == "wal"
    shown = f"SQLite {facts.version}: synchronous={facts.synchronous}, journal={facts.journal_mode}."
    yield ok(shown) if sound else wrong(shown)
    if not facts.wal_reset_fixed:
        yield mind(
            f"SQLite {facts.version} can damage a file that several programs write at once: let nothing but "
            "this program write to it."
        )


def _keys_there(settings: Settings) -> Keys | None:
    """The keys, if they can be had; what is amiss with them is told by `_keys`."""
    try:
        return read_keys(settings, make=False)
    except NoUse:
        return None


def _keys(database: Database, settings: Settings) -> Iterator[Finding]:
    """Whether phones can be read and found; without keys nothing is looked at that holds any."""
    file = None if settings.keys else key_file(settings.database_url)
    if file is not None and not file.exists() and not _has_people(database):
        yield ok(f"Keys that seal phones will be made and kept in {file}.")
        return
    try:
        keys = read_keys(settings, make=False)
    except NoUse as no:
        yield wrong(str(no))
        return
    with database.reader.connect() as connection:
        misfit = misfit_of(connection, keys)
    if misfit:
        yield wrong(misfit)
        return
    where = "XIAOGE_KEYS" if file is None else str(file)
    yield ok(f"Phones are sealed with the keys in {where}. Keep a copy of them, apart from the backups.")
    yield from copied(settings, keys)
    if file is not None and is_open_to_others(file):
        yield wrong(f"Others on this machine can read the keys: `chmod 600 {file}`.")


def _has_people(database: Database) -> bool:
    with Session(database.reader) as session:
        return is_founded(session)


def _audit(database: Database, _: Settings) -> Iterator[Finding]:
    with database.reader.connect() as connection:
        if not is_guarded(connection):
            yield wrong("Lines of the audit could be changed, for their triggers are gone: restore a backup.")
    with Session(database.reader) as session:
        proof = prove(session)
    if proof.broken_at is not None:
        yield wrong(
            f"The audit was tampered with: line {proof.broken_at} is not what was written there. Keep the "
            "database as it is, and compare it with the backups."
        )
    else:
        yield ok(f"The audit is whole: {proof.lines} lines, the last one ends with {proof.end[-12:]}.")


def _clock(database: Database, _: Settings) -> Iterator[Finding]:
    """Against what the database has seen, and against the server's own clock."""
    now = SystemClock().now()
    with Session(database.reader) as session:
        moments = (col(JobRun.at), col(Inbox.received_at), col(IncidentEvent.at), col(Outbox.at))
        seen = [session.execute(select(func.max(moment))).scalar() for moment in moments]
        servers = session.execute(select(func.clock_timestamp())).scalar() if _is_server(database) else None
    newest = max((at for at in seen if at is not None), default=now)
    if newest > now + timedelta(minutes=5):
        yield wrong(
            f"The machine's clock shows {now:%Y-%m-%d %H:%M} UTC, before what the database holds of "
            f"{newest:%Y-%m-%d %H:%M}: set it right (NTP), or deadlines stand still until then."
        )
    else:
        yield ok(f"The machine's clock shows {now:%Y-%m-%d %H:%M} UTC.")
    if servers is not None:
        yield from _drift((servers - now).total_seconds())


def _is_server(database: Database) -> bool:
    return database.kind == "postgresql"


def _drift(seconds: float) -> Iterator[Finding]:
    if abs(seconds) < SMALL_DRIFT:
        return
    shown = f"PostgreSQL's clock differs from this machine's by {seconds:.0f} s: set both by NTP."
    yield wrong(shown) if abs(seconds) > LARGE_DRIFT else mind(shown)


_WILL_BE_FOUNDED = "The registry is empty: `xiaoge serve` will write the example town into it."
_EMPTY = (
    "The registry is empty, so the place is not served: `{0} import` lists, or `{0} found` the example town."
)


def _watch(database: Database, settings: Settings) -> Iterator[Finding]:
    """What the watch would tell the people who look after the system."""
    book = open_book(settings.place)
    with Session(database.reader) as session:
        if not is_founded(session):
            yield mind(_EMPTY.format(settings.command) if settings.name else _WILL_BE_FOUNDED)
            return
        misfit = another_place(session, book, SystemClock().now())
    if misfit is not None:
        yield wrong(misfit)
        return
    with Desk(database, book, SystemClock().now).reading(CLOCK) as reading:
        found = troubles(reading)
    for trouble in found:
        yield mind(words(book, trouble.text, trouble.args))
    if not found:
        yield ok("The watch finds nothing that must never be.")


_LOOKS: tuple[Callable[[Database, Settings], Iterator[Finding]], ...] = (
    _sqlite,
    _clock,
    _keys,
    _audit,
    _watch,
)
