"""The command line: `xiaoge serve`, `xiaoge demo` and the rest. A command loads only what it needs."""

import argparse
import gc
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.grid_line import add_grids
from app.settings import Settings, WrongSetting, read_settings, unknown_names

if TYPE_CHECKING:
    from app.places import Place

log = logging.getLogger("xiaoge.app")

FAILED = 1
MISUSED = 2
NO_USE_CODE = 78
"""How the serving process ends when another start would meet the same (EX_CONFIG of sysexits.h)."""
_LONGEST = 3650
"""Days that a key may open its door."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except WrongSetting as wrong:
        return _complain(wrong, MISUSED)
    except KeyboardInterrupt:
        return 130
    except Exception as trouble:
        if _is_databases(trouble):
            return _complain(f"The database cannot be used: {str(trouble).splitlines()[0]}", FAILED)
        if not _is_expected(trouble):
            raise
        return _complain(trouble, FAILED)


def _complain(trouble: Exception | str, code: int) -> int:
    print(f"xiaoge: {trouble}", file=sys.stderr)
    return code


def _is_expected(trouble: Exception) -> bool:
    """Whether the message alone tells enough; everything else is a bug and shows its trace."""
    from app.backup import NoBackup
    from app.registry import CannotDo
    from app.restoring import CannotRestore
    from handbook import BookError
    from models.database import DatabaseTrouble

    return isinstance(trouble, (BookError, DatabaseTrouble, OSError, CannotDo, NoBackup, CannotRestore))


def _is_databases(trouble: Exception) -> bool:
    """Whether a server cannot be reached or a file is damaged; what else a database says is a bug of ours."""
    from sqlalchemy.exc import DatabaseError, OperationalError

    return isinstance(trouble, OperationalError) or type(trouble) is DatabaseError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xiaoge", description="小格: from a chat message to a result the reporter confirms."
    )
    parser.add_argument(
        "--place", metavar="NAME", help="of several in one system (XIAOGE_PLACES), the one meant"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "serve, and keep the address open over restarts").add_argument(
        "--fd", type=int, help="serve on a listening socket that is already open (the supervisor's)"
    )
    add("demo", _demo, "try it: an invented town, everybody's seat, a clock that can be moved")
    add("talk", _talk, "try it in this terminal")
    migrate = add("migrate", _migrate, "bring the database's tables up to this version")
    migrate.add_argument("--held", action="store_true", help=argparse.SUPPRESS)
    add("found", _found, "write the place's example town into an empty database")
    check = add("check", _check, "say whether this machine and its settings can be relied on")
    check.add_argument("--online", action="store_true", help="ask the channels too, over the network")
    _add_people(add)
    _add_lists(add)
    add_grids(add)
    keys = add("keys", _keys, "print new keys for an environment, or change the key that seals phones")
    keys.add_argument(
        "deed",
        nargs="?",
        choices=("rotate", "copy"),
        help="seal all with the newest key; keep a copy of the keys",
    )
    keys.add_argument("file", nargs="?", type=Path, help="where the copy goes")
    add("places", _places, "list the places there are books for")
    retention = add("retention", _retention, "take out what was kept for long enough (done every night)")
    retention.add_argument("--dry-run", action="store_true", help="only tell what would go")
    retention.add_argument("--closed", action="store_true", help="also what modules keep that are off now")
    _add_backups(add)
    return parser


def _add_people(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands that let people in."""
    admin = add("admin", _admin, "make somebody the first administrator, and print how they come in")
    admin.add_argument("person", help="the administrator's name")
    admin.add_argument("phone", type=_phone, help="their phone; its last four digits are asked for")
    token = add("token", _token, "give a person a key to the API, a board or a chat, or take it away")
    token.add_argument("person", help="the person's name, or their number where several are called so")
    token.add_argument("--scope", choices=("api", "board", "chat"), default="api")
    token.add_argument("--days", type=_days, default=90, help="for how many days it opens (90)")
    token.add_argument("--revoke", action="store_true", help="take all of the person's keys to it away")


def _add_backups(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands for the day after."""
    backup = add("backup", _backup, "copy the database while it is in use")
    backup.add_argument(
        "file", type=Path, nargs="?", help="unless told a new one in the folder XIAOGE_BACKUPS"
    )
    backup.add_argument("--photos", action="store_true", help="put the photos in as well")
    restore = add("restore", _restore, "bring a backup back, while no program works on the database")
    restore.add_argument("file", type=Path)
    restore.add_argument("--replace", action="store_true", help="put aside what is there")


def _add_lists(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands for the office's own lists."""
    bring = add("import", _import, "bring in lists of grids, people, households (Excel, CSV)")
    bring.add_argument("files", nargs="*", type=Path, metavar="FILE")
    bring.add_argument("--dry-run", action="store_true", help="only tell what would come of it")
    bring.add_argument("--yes", action="store_true", help="do not ask")
    bring.add_argument("--divisions", metavar="350121", help="the official names of a county")
    bring.add_argument("--template", type=Path, metavar="OUT.xlsx", help="write empty sheets to fill in")
    bring.add_argument("--wrong", type=Path, metavar="OUT.csv", help="write every wrong line and its reason")
    undo = add("undo-import", _undo_import, "take an import back as a whole")
    undo.add_argument("number", type=int)
    export = add("export", _export, "write grids, people and households as lists")
    export.add_argument("file", type=Path, metavar="OUT.xlsx")


def _days(words: str) -> int:
    """A lifetime. Raises ArgumentTypeError for one that ends before it begins, or outlives its holder."""
    if not (words.isascii() and words.isdecimal() and 1 <= int(words[:9]) <= _LONGEST):
        raise argparse.ArgumentTypeError(f"{words[:20]!r} is no number of days from 1 to {_LONGEST}.")
    return int(words)


def _phone(words: str) -> str:
    """A mobile number. Raises ArgumentTypeError for anything else."""
    if not (len(words) == 11 and words.isascii() and words.isdecimal() and words.startswith("1")):
        raise argparse.ArgumentTypeError("the phone is a number of 11 digits that begins with 1.")
    return words


# ---- serving -----------------------------------------------------------------------------------------------


def _serve(given: argparse.Namespace) -> int:
    """The outer process only holds the socket; the inner one does everything, and may be replaced."""
    from app.log import set_up
    from app.paths import must_keep_photos

    places, settings = _all_or(given.place), read_settings()
    set_up(settings.log)
    if places is None:
        must_keep_photos(settings.media)
    if given.fd is not None:
        return _serve_inside(settings, given.fd) if places is None else _serve_places(places, given.fd)
    _mind_names()
    from app.supervisor import (
        supervise,
    )  # and nothing else: what it loads stays, and delays the inner process

    command = [sys.executable, "-m", "app", "serve", "--fd"]
    code = supervise(lambda fd: [*command, str(fd)], settings.host, settings.port, hopeless=NO_USE_CODE)
    return FAILED if code == NO_USE_CODE else code


def _serve_inside(settings: Settings, number: int) -> int:
    _load_quickly()
    from app.alone import alone
    from app.build import build
    from app.registry import found
    from app.serving import inherited, serve
    from app.tables import bring_up_to_date
    from handbook import BookError
    from models.database import DatabaseTrouble

    try:
        with alone(settings.database_url):
            bring_up_to_date(settings.database_url)
            program = build(settings)
            if found(program.desk):
                log.warning("the registry was empty: the example town of %s is in it now", settings.place)
            return 0 if serve(program, inherited(number)) else FAILED
    except (BookError, DatabaseTrouble) as trouble:
        return _complain(trouble, NO_USE_CODE)


def _all_or(name: str | None) -> "list[Place] | None":
    """The places that are served together; None where there is one. Raises WrongSetting for one alone."""
    from app.places import read_places

    if name is not None:
        raise WrongSetting("all places are served together: leave --place out.")
    return read_places()


def _serve_places(places: "list[Place]", number: int) -> int:
    """A place that cannot be served is no reason to end: it is tried again, and the others are served."""
    _load_quickly()
    from app.branch import branches_of
    from app.serving import inherited, serve_places

    return 0 if serve_places(branches_of(places), inherited(number)) else FAILED


def _settings(given: argparse.Namespace) -> Settings:
    """The settings of the place that a command is about."""
    from app.places import place_called

    return place_called(given.place)


def _demo(given: argparse.Namespace) -> int:
    """Everything in one process: Ctrl-C ends it, and the next start goes on where it was."""
    _load_quickly()
    from app.alone import alone
    from app.build import build
    from app.listening import listen
    from app.log import set_up
    from app.paths import must_keep_photos
    from app.registry import found
    from app.serving import serve
    from app.tables import bring_up_to_date

    settings = _own_database(given, "demo")
    set_up("warning" if settings.log == "info" else settings.log)
    must_keep_photos(settings.media)
    _mind_names()
    with alone(settings.database_url), listen(settings.host, settings.port) as listener:
        bring_up_to_date(settings.database_url)
        program = build(settings, demo=True)
        found(program.desk, "webchat", named=False)
        host, port = listener.getsockname()[:2]
        print(
            f"小格已启动:{program.book.place.name}的一个虚构小镇\n"
            f"请用浏览器打开 http://{host}:{port}/ ,选一个人开始说话\n"
            "按 Ctrl-C 结束,数据留着",
            flush=True,
        )
        return 0 if serve(program, listener) else FAILED


def _mind_names() -> None:
    for sentence in unknown_names():
        log.warning("%s", sentence)


def _load_quickly() -> None:
    """Stop the collector until all is loaded: it would look at the same modules again and again."""
    gc.disable()


def _own_database(given: argparse.Namespace, name: str) -> Settings:
    """A trial never touches the real database, and each place has its own."""
    settings = _settings(given)
    if settings.name:
        url = f"sqlite:///var/{name}-{settings.name}.db"
        return replace(settings, database_url=url, name="", hostname="", telegram=None)
    return read_settings(database=f"sqlite:///var/{name}-{settings.place}.db")


def _talk(given: argparse.Namespace) -> int:
    import asyncio

    from app.alone import alone
    from app.log import set_up
    from app.tables import bring_up_to_date
    from app.talk import talk

    settings = _own_database(given, "talk")
    set_up("error")
    with alone(settings.database_url):
        bring_up_to_date(settings.database_url)
        asyncio.run(talk(settings))
    return 0


# ---- looking after it --------------------------------------------------------------------------------------


def _migrate(given: argparse.Namespace) -> int:
    """`--held`: whoever calls holds the database already."""
    from app.alone import alone
    from models.database import migrate

    url = _settings(given).database_url
    with nullcontext() if given.held else alone(url):
        print(f"The tables have version {migrate(url)}.")
    return 0


def _found(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.registry import CannotDo, found_at
    from models.database import migrate

    settings = _settings(given)
    with alone(settings.database_url):
        migrate(settings.database_url)
        if not found_at(settings):
            raise CannotDo("The registry is not empty, so nothing was written.")
    print(f"The example town of {settings.place} is in the database.")
    return 0


def _check(given: argparse.Namespace) -> int:
    from app.check import check
    from app.check_places import check_places
    from app.places import read_places

    places = None if given.place else read_places()
    found = (
        check(_settings(given), online=given.online)
        if places is None
        else check_places(places, online=given.online)
    )
    code = 0
    for finding in found:
        print(finding, flush=True)
        code = FAILED if finding.wrong else code
    return code


def _token(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.registry import make_token, revoke_tokens

    settings = _settings(given)
    with alone(settings.database_url):
        if given.revoke:
            revoke_tokens(settings, given.person, given.scope)
            print(f"No key of {given.person} opens {given.scope} any more.")
        else:
            print(make_token(settings, given.person, given.scope, given.days))
    return 0


def _import(given: argparse.Namespace) -> int:
    from app.lists import Bar, bring_in, read_files, summary, write_template, write_wrong

    settings = _settings(given)
    if given.template is not None:
        write_template(settings, given.template)
        print(f"{given.template} is written: fill it in and bring it in.")
        return 0
    if not given.files and given.divisions is None:
        return _complain(ValueError("name a file, --divisions or --template."), MISUSED)
    _load_quickly()
    bar, at_once = Bar(), given.yes and not given.dry_run
    lists = read_files(settings, given.files, given.divisions, bar)
    report = bring_in(settings, lists, dry_run=not at_once)
    bar.end()
    print(*summary(report), sep="\n", flush=True)
    if given.wrong is not None:
        write_wrong(report, given.wrong)
    brings = report["counts"]["new"] + report["counts"]["changed"]
    if brings and not given.dry_run and not given.yes and _agreed():
        report = bring_in(settings, lists, dry_run=False)
        bar.end()
    if report["number"] is not None:
        print(f"已导入，撤销：xiaoge undo-import {report['number']}")
    elif not brings:
        print("没有要导入的。")
    return FAILED if report["counts"]["wrong"] else 0


def _agreed() -> bool:
    """Ask whoever sits there; where nobody does, nothing is done."""
    try:
        return input("现在导入？有误的行不导入。(y/N) ").strip().lower() in ("y", "yes", "是")
    except EOFError:
        return False


def _undo_import(given: argparse.Namespace) -> int:
    from app.lists import take_back

    take_back(_settings(given), given.number)
    print(f"第 {given.number} 号导入已全部撤销。")
    return 0


def _export(given: argparse.Namespace) -> int:
    from app.lists import write_everything
    from app.noting import note_taken
    from handbook import open_book
    from models import Deed

    settings = _settings(given)
    write_everything(settings, given.file)
    note_taken(settings, open_book(settings.place), Deed.EXPORT)
    print(f"{given.file} is written. It holds phones: keep it safe.")
    return 0


def _admin(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.registry import make_administrator

    settings = _settings(given)
    with alone(settings.database_url):
        code, links = make_administrator(settings, given.person, given.phone)
    print(
        f"{given.person} is an administrator now. Within 10 minutes: start the program, and in a private\n"
        f"chat with it {given.person} writes  绑定 {code}  and then the last four digits of the phone.\n"
        f"Or within three days, in a browser: {links[-1]}\n"
        "Whichever is used first ends the other. From then on 邀请 姓名 brings in everybody else."
    )
    return 0


def _keys(given: argparse.Namespace) -> int:
    from app.sealing import new_keys

    if given.deed is None:
        print(new_keys(), end="")
        return 0
    if given.deed == "copy":
        return _copy_keys(given)
    from app.alone import alone
    from app.sealing import rotate

    settings = _settings(given)
    with alone(settings.database_url):
        count, made = rotate(settings)
    print(f"A new key was put into {made}." if made else "The newest key of XIAOGE_KEYS was taken.")
    print(f"{count} phones are sealed with it now. Older keys open older backups: keep them too.")
    return 0


def _retention(given: argparse.Namespace) -> int:
    from app.retention import take_out, would_go

    settings = _settings(given)
    lines = would_go(settings, closed=given.closed)
    print(*lines or ["没有到期的。"], sep="\n", flush=True)
    if lines and not given.dry_run:
        went = take_out(settings, closed=given.closed)
        print(f"已清理 {sum(went.values()):,} 条。")
    return 0


def _copy_keys(given: argparse.Namespace) -> int:
    from app.spare import copy_keys

    if given.file is None:
        return _complain("name the file that the copy goes into: `xiaoge keys copy FILE`.", MISUSED)
    name = copy_keys(_settings(given), given.file)
    print(
        f"The keys are in {given.file} (the newest is {name}): keep it on another disk, apart from backups."
    )
    return 0


def _places(_: argparse.Namespace) -> int:
    from app.places import read_places
    from handbook.loading import open_book, places

    served = read_places()
    for place in served or ():
        settings = place.settings
        print(f"{place.name:16} {f'{settings.place:10} {settings.url}' if settings else place.trouble}")
    for key in places() if served is None else ():
        print(f"{key:10} {open_book(key).place.name}")
    return 0


def _backup(given: argparse.Namespace) -> int:
    from app.backup import back_up
    from app.noting import note_taken
    from handbook import open_book
    from models import Deed

    settings = _settings(given)
    target = given.file or _next_backup(settings)
    manifest = back_up(settings, target, photos=given.photos)
    note_taken(settings, open_book(settings.place), Deed.BACKUP)
    photos = manifest.photos
    told = (
        f"{photos['files']:,} photos are in it."
        if given.photos
        else f"{photos['files']:,} photos lie in {photos['folder']}: copy them too, or say --photos."
    )
    print(
        f"{target} is written and whole: {target.stat().st_size:,} bytes. {told} "
        "The keys that seal phones are not in it: keep their copy apart from it."
    )
    return 0


def _next_backup(settings: Settings) -> Path:
    """A name that tells whose it is and of when."""
    from scheduler.clock import SystemClock

    if settings.backups is None:
        raise WrongSetting("Name the file, or set XIAOGE_BACKUPS to the folder where backups are kept.")
    return settings.backups / f"{settings.name or settings.place}-{SystemClock().now():%Y-%m-%dT%H%M%S}Z.tar"


def _restore(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.restore import restore, told

    settings = _settings(given)
    with alone(settings.database_url):
        done = restore(settings, given.file, replace=given.replace)
    print(*told(settings, done), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
