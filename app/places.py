"""Several places in one process: a file that names each with its book, its database and its own secrets.

What belongs to one place stands in its table and nowhere else, so that nothing is shared by oversight. A slip
in one place's table is that place's trouble; the others are served.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from app.settings import NAMES, PREFIX, Settings, WrongSetting, read_settings

FILE: Final = PREFIX + "PLACES"
_OF_PROCESS: Final = frozenset({"HOST", "PORT", "LOG", "PLACES"})
_FOR_ALL: Final = frozenset({"URL", "SECURE", "WRITERS"})
"""What the environment may say for all places, and a table for its own."""
_ALIASES: Final = {"book": "PLACE", "database": "DATABASE_URL"}
"""What is called otherwise in a table: there `place` would be the table itself."""
_OWN: Final = ("hostname", "title")
"""What only a table says."""
_SETTINGS: Final = {name.removeprefix(PREFIX) for name in NAMES} - _OF_PROCESS
KEYS: Final = frozenset({name.lower() for name in _SETTINGS - {"PLACE", "DATABASE_URL"}} | {*_ALIASES, *_OWN})
"""What a place's table may say."""
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,30}")
_TAKEN: Final = frozenset(
    {"api", "board", "chat", "demo", "healthz", "hooks", "in", "join", "media", "paper", "static"}
)
"""Names of our own pages: a place called so would be taken for one."""
_SECRETS: Final = ("token", "secret", "key", "keys")
"""How settings end by which a channel, or whoever reads a sealed phone, is trusted."""
_HOSTNAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True)
class Place:
    """One place of the file."""

    name: str
    hostname: str = ""
    settings: Settings | None = None
    """None: the table cannot be used."""
    trouble: str = ""
    own: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What its table says, secrets too."""

    @property
    def base(self) -> str:
        """How the paths of its pages begin."""
        return "" if self.hostname else f"/{self.name}"

    def must_be_usable(self) -> Settings:
        """Its settings. Raises WrongSetting, which says what is wrong with its table."""
        if self.settings is None:
            raise WrongSetting(self.trouble)
        return self.settings


def read_places(environment: Mapping[str, str] = os.environ) -> list[Place] | None:
    """Read the file of places; None where none is set, and the process serves one place by the environment.

    Raises:
        WrongSetting: the file as a whole cannot be used, or the environment holds what belongs to one place.
    """
    named = environment.get(FILE, "").strip()
    if not named:
        return None
    tables = _tables(Path(named))
    odd = sorted(
        name for name in NAMES & environment.keys() if name.removeprefix(PREFIX) not in _OF_PROCESS | _FOR_ALL
    )
    if odd:
        raise WrongSetting(
            f"{', '.join(odd)} would be shared by all places: put it into the table of one in {named}."
        )
    return _apart([_place(named, name, table, environment) for name, table in tables.items()])


def place_called(name: str | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of one place: of the one called so, or of the environment where there is no file.

    Raises:
        WrongSetting: there is no such place, its table cannot be used, or none of several is named.
    """
    places = read_places(environment)
    if places is None:
        if name is not None:
            raise WrongSetting(
                f"--place is for several places in one system: set {FILE} to the file of places."
            )
        return read_settings(environment)
    names = ", ".join(place.name for place in places)
    if name is None:
        raise WrongSetting(f"Which place? Say --place before the command; there are {names}.")
    found = next((place for place in places if place.name == name), None)
    if found is None:
        raise WrongSetting(f"There is no place {name!r}; there are {names}.")
    return found.must_be_usable()


def secrets_in(file: Path) -> list[str]:
    """Which keys of the file hold a secret itself, and not the name of where it is."""
    return [
        f"[{name}] {key}"
        for name, table in _tables(file).items()
        for key, value in table.items()
        if isinstance(value, str) and (key.endswith(_SECRETS) or (key == "database" and "@" in value))
    ]


def _tables(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except OSError as no:
        raise WrongSetting(f"{FILE} cannot be used: {file} cannot be read ({no.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as no:
        raise WrongSetting(f"{FILE} cannot be used: {file} is no TOML: {no}.") from None
    if not found:
        raise WrongSetting(
            f"{FILE} cannot be used: {file} names no place; write [its-name] and its settings."
        )
    for name, table in found.items():
        if not isinstance(table, dict):
            raise WrongSetting(f"{FILE} cannot be used: {name} in {file} stands in no place's table.")
        if not _NAME.fullmatch(name) or name in _TAKEN:
            raise WrongSetting(
                f"{FILE} cannot be used: {name!r} in {file} is no name for a place; take 2 to 31 of a-z, "
                f"0-9 and -, beginning with a letter, and none of {', '.join(sorted(_TAKEN))}."
            )
    return found


# ---- one place -------------------------------------------------------------------------------------------


def _place(file: str, name: str, table: dict[str, Any], environment: Mapping[str, str]) -> Place:
    hostname = str(table.get("hostname", "")).lower()
    try:
        _must_be_known(table)
        own = {key: _value(key, value, environment) for key, value in table.items() if key not in _OWN}
        settings = _settings(own, environment)
    except WrongSetting as wrong:
        return Place(name, hostname, trouble=f"{file}: [{name}] {wrong}")
    settings = replace(settings, name=name, hostname=hostname, title=str(table.get("title", "")))
    if "url" not in own:
        settings = replace(settings, url=_url(settings, environment))
    return Place(name, hostname, settings, own=own)


def _must_be_known(table: dict[str, Any]) -> None:
    for key in table:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, 1)
            raise WrongSetting(f"{key} is no setting{f': did you mean {near[0]}?' if near else '.'}")
    for key in ("book", "database", "media"):
        if key not in table:
            raise WrongSetting(f"{key} is missing: each place has its own.")
    if "hostname" in table and not _HOSTNAME.fullmatch(str(table["hostname"]).lower()):
        raise WrongSetting(f"hostname {table['hostname']!r} is no name of a host.")


def _settings(own: Mapping[str, str], environment: Mapping[str, str]) -> Settings:
    """Read a table as if it were the environment of a program of its own. Raises WrongSetting."""
    shared = {PREFIX + one: environment.get(PREFIX + one, "") for one in _OF_PROCESS | _FOR_ALL}
    told = {PREFIX + _ALIASES.get(key, key.upper()): value for key, value in own.items()}
    try:
        return read_settings(shared | told)
    except WrongSetting as wrong:
        raise WrongSetting(_in_the_files_words(str(wrong))) from None


def _value(key: str, value: Any, environment: Mapping[str, str]) -> str:
    """What is written, or stands where it says: {env = "NAME"}, {file = "/run/secrets/x"}."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, dict) and len(value) == 1:
        ((where, named),) = value.items()
        if where == "env" and isinstance(named, str):
            if named not in environment:
                raise WrongSetting(f"{key} should stand in the environment as {named}, which is not set.")
            return environment[named]
        if where == "file" and isinstance(named, str):
            try:
                return Path(named).read_text("utf-8").strip()
            except OSError as no:
                raise WrongSetting(
                    f"{key} should stand in {named}, which cannot be read ({no.strerror})."
                ) from None
    raise WrongSetting(f'{key} cannot be used: give a text, {{env = "NAME"}} or {{file = "PATH"}}.')


def _in_the_files_words(sentence: str) -> str:
    names = {PREFIX + setting: key for key, setting in _ALIASES.items()}
    return re.sub(rf"{PREFIX}([A-Z_]+)", lambda found: names.get(found[0], found[1].lower()), sentence)


def _url(settings: Settings, environment: Mapping[str, str]) -> str:
    """The place's address where its table names none: a part of the common one, or its host's name."""
    if not settings.hostname:
        return settings.url + settings.base
    if environment.get(PREFIX + "URL"):
        scheme, port = urlsplit(settings.url).scheme, urlsplit(settings.url).port
    else:
        scheme, port = ("https", None) if settings.secure else ("http", settings.port)
    return f"{scheme}://{settings.hostname}{f':{port}' if port else ''}"


# ---- none has anything of another's ----------------------------------------------------------------------


def _apart(places: Sequence[Place]) -> list[Place]:
    """Take out of use whatever place would share something with one that stands before it."""
    seen: dict[tuple[str, str], str] = {}
    found = []
    for place in places:
        own = set(_own(place))
        words = sorted(f"{key} is also [{seen[key, value]}]'s" for key, value in own if (key, value) in seen)
        trouble = f"[{place.name}] {', '.join(words)}: give each place its own."
        found.append(Place(place.name, place.hostname, trouble=trouble) if words else place)
        for one in own:
            seen.setdefault(one, place.name)
    return found


def _own(place: Place) -> Iterator[tuple[str, str]]:
    """What no two places may have in common, each in one writing."""
    if place.hostname:
        yield "hostname", place.hostname
    if place.settings is None:
        return
    yield "database", database_named(place.settings.database_url)
    yield "media", str(place.settings.media.resolve())
    yield "url", place.settings.url
    for key, value in place.own.items():
        if key.endswith(_SECRETS):
            yield from ((key, one) for one in re.split(r"[\s,]+", value.strip()) if one)
        elif key in ("backups", "test_hook"):
            yield key, str(Path(value).resolve())


def database_named(url: str) -> str:
    """Which database an address names, whoever logs in. The outer process asks too, and loads nothing."""
    if url.startswith("sqlite:"):
        return str(Path(url.partition(":///")[2]).resolve())
    parts = urlsplit(url)
    host = "localhost" if parts.hostname in (None, "127.0.0.1", "::1") else parts.hostname
    return f"{host}:{parts.port or 5432}{parts.path}"


def names_in(file: Path) -> set[str]:
    """Names of the environment under which the file says that something stands."""
    values = (value for table in _tables(file).values() for value in table.values())
    return {str(value["env"]) for value in values if isinstance(value, dict) and "env" in value}
