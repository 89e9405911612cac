"""The command line: `xiaoge serve`, `xiaoge demo` and the rest. A command loads only what it needs."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from app.commands import FAILED, MISUSED, complain, load_quickly, settings_of
from app.commands.channels import add_channels
from app.commands.grids import add_grids
from app.commands.keeping import add_keeping
from app.commands.lists import add_lists
from app.commands.people import add_people
from app.settings import Settings, WrongSetting, read_settings, trial_of, unknown_names

if TYPE_CHECKING:
    from app.places import Place

log = logging.getLogger("xiaoge.app")

NO_USE_CODE = 78
"""How the serving process ends when another start would meet the same (EX_CONFIG of sysexits.h)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        code = int(given.run(given))
        sys.stdout.flush()
        return code
    except WrongSetting as wrong:
        return complain(wrong, MISUSED)
    except BrokenPipeError:  # `xiaoge check-tree | head`: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as trouble:
        if _is_databases(trouble):
            return complain(f"The database cannot be used: {str(trouble).splitlines()[0]}", FAILED)
        if not _is_expected(trouble):
            raise
        return complain(trouble, FAILED)


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
    demo = add("demo", _demo, "try it: an invented town, everybody's seat, a clock that can be moved")
    demo.add_argument(
        "--with", dest="played", default="", metavar="wecom,dingtalk", help="platforms played on this machine"
    )
    add("talk", _talk, "try it in this terminal")
    migrate = add("migrate", _migrate, "bring the database's tables up to this version")
    migrate.add_argument("--held", action="store_true", help=argparse.SUPPRESS)
    add("found", _found, "write the place's example town into an empty database")
    check = add("check", _check, "say whether this machine and its settings can be relied on")
    check.add_argument("--online", action="store_true", help="ask the channels too, over the network")
    add_channels(add)
    add_people(add)
    add_lists(add)
    add_grids(add)
    add("places", _places, "list the places there are books for")
    add_keeping(add)
    return parser


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
    load_quickly()
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
        return complain(trouble, NO_USE_CODE)


def _all_or(name: str | None) -> "list[Place] | None":
    """The places that are served together; None where there is one. Raises WrongSetting for one alone."""
    from app.places import read_places

    if name is not None:
        raise WrongSetting("all places are served together: leave --place out.")
    return read_places()


def _serve_places(places: "list[Place]", number: int) -> int:
    """A place that cannot be served is no reason to end: it is tried again, and the others are served."""
    load_quickly()
    from app.branch import branches_of
    from app.serving import inherited, serve_places

    return 0 if serve_places(branches_of(places), inherited(number)) else FAILED


def _demo(given: argparse.Namespace) -> int:
    """Everything in one process: Ctrl-C ends it, and the next start goes on where it was."""
    load_quickly()
    from app.alone import alone
    from app.build import build
    from app.listening import listen
    from app.log import set_up
    from app.paths import must_keep_photos
    from app.playing import playing
    from app.registry import found
    from app.serving import serve
    from app.tables import bring_up_to_date

    settings = trial_of(settings_of(given), "demo")
    set_up("warning" if settings.log == "info" else settings.log)
    must_keep_photos(settings.media)
    _mind_names()
    with (
        alone(settings.database_url),
        listen(settings.host, settings.port) as listener,
        playing(given.played) as played,
    ):
        bring_up_to_date(settings.database_url)
        program = build(played.told(settings), demo=True)
        found(program.desk, "webchat", named=False)
        host, port = listener.getsockname()[:2]
        played.open(program.desk, program.clock.now, f"http://{host}:{port}")
        program.stages = played.stages
        print(
            f"小格已启动:{program.book.place.name}的一个虚构小镇\n"
            f"请用浏览器打开 http://{host}:{port}/ ,选一个人开始说话\n"
            + "".join(f"在{name}里试:http://{host}:{port}/play/{name}\n" for name in played.stages)
            + "按 Ctrl-C 结束,数据留着",
            flush=True,
        )
        return 0 if serve(program, listener) else FAILED


def _mind_names() -> None:
    for sentence in unknown_names():
        log.warning("%s", sentence)


def _talk(given: argparse.Namespace) -> int:
    import asyncio

    from app.alone import alone
    from app.log import set_up
    from app.tables import bring_up_to_date
    from app.talk import talk

    settings = trial_of(settings_of(given), "talk")
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

    url = settings_of(given).database_url
    with nullcontext() if given.held else alone(url):
        print(f"The tables have version {migrate(url)}.")
    return 0


def _found(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.registry import CannotDo, found_at
    from models.database import migrate

    settings = settings_of(given)
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
        check(settings_of(given), online=given.online)
        if places is None
        else check_places(places, online=given.online)
    )
    code = 0
    for finding in found:
        print(finding, flush=True)
        code = FAILED if finding.wrong else code
    return code


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


if __name__ == "__main__":
    sys.exit(main())
