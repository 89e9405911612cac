"""The self-check where one process serves several places: the file itself, then each place in turn."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from app.check import books, check_place
from app.findings import Finding, mind, ok, wrong
from app.places import FILE, Place, names_in, secrets_in
from app.sealing import is_open_to_others
from app.settings import unknown_names


def check_places(
    places: Sequence[Place], *, online: bool = False, environment: Mapping[str, str] = os.environ
) -> Iterator[Finding]:
    """Look at everything in turn; a finding about a place begins with its name."""
    file = Path(environment[FILE])
    known = names_in(file)
    yield from map(mind, unknown_names({name: "" for name in environment if name not in known}))
    yield from _file(file, len(places))
    yield from books()
    for place in places:
        if place.settings is None:
            yield wrong(place.trouble)
            continue
        for finding in check_place(place.settings, online=online):
            yield Finding(finding.good, f"[{place.name}] {finding.words}", finding.wrong)


def _file(file: Path, count: int) -> Iterator[Finding]:
    secrets = secrets_in(file)
    if secrets and is_open_to_others(file):
        yield wrong(
            f"Others on this machine can read {file}, which holds {', '.join(secrets)}: `chmod 600 {file}`, "
            'or write {env = "NAME"} there.'
        )
    else:
        yield ok(f"{file} names {count} places.")
