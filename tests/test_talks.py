"""Plays every talk in every place it claims to hold in, on a channel with buttons and on one without."""

from pathlib import Path

import pytest

from bot.channel import Can
from handbook.loading import places
from tests.talk_script import Stage, Talk, read
from tests.town import BUTTONS, PLAIN, founded

FOLDER = Path(__file__).parent / "talks"
ALL = tuple(place for place in places() if place != "default")
TALKS = [read(path, ALL) for path in sorted(FOLDER.glob("*.talk"))]
CASES = [(talk, place) for talk in TALKS for place in talk.places]


@pytest.mark.parametrize("can", [BUTTONS, PLAIN], ids=["buttons", "plain"])
@pytest.mark.parametrize(("talk", "place"), CASES, ids=[f"{t.path.stem}-{place}" for t, place in CASES])
def test_talk(talk: Talk, place: str, can: Can, sqlite_url: str) -> None:
    with founded(place, sqlite_url, can=can, now=talk.start) as town:
        Stage(town, talk).play()


def test_every_talk_says_what_it_proves() -> None:
    unnamed = [talk.path.name for talk in TALKS if not talk.title or not talk.rows]

    assert unnamed == []
