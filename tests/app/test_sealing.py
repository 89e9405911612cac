"""Keys: made, kept, missed and changed; and phones that an earlier version kept plain."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.__main__ import main
from app.alone import NoUse
from app.build import build
from app.check import check
from app.sealing import key_file, new_keys, read_keys
from app.settings import Settings, WrongSetting, keys_in, read_settings
from models import Person
from models.database import open_database
from models.sealing import Keys, new_key, use
from tests.keys import ENVIRONMENT
from tests.town import founded

PHONES = Person.__table__.c  # type: ignore[attr-defined]


def settings(url: str, tmp_path: Path, **more: str) -> Settings:
    """A program of the default place, without keys unless they are given."""
    names = {"DATABASE_URL": url, "PLACE": "default", "MEDIA": str(tmp_path / "media"), **more}
    return read_settings({f"XIAOGE_{name}": value for name, value in names.items()})


def started(given: Settings) -> None:
    """Start a program, and end it."""
    build(given).database.close()


def raw_phones(url: str) -> list[str]:
    """Phones as they lie in the database."""
    database = open_database(url)
    with closing(database), database.reader.connect() as connection:
        return list(connection.execute(text("SELECT phone FROM person WHERE phone IS NOT NULL")).scalars())


def opened_phones(url: str) -> list[str]:
    """Phones as the program reads them."""
    database = open_database(url)
    with closing(database), database.reader.connect() as connection:
        query = select(PHONES.phone).where(PHONES.phone.is_not(None)).order_by(PHONES.id)
        return list(connection.execute(query).scalars())


def kept(url: str) -> Path:
    """The key file of a SQLite database."""
    file = key_file(url)
    assert file is not None
    return file


def with_people(url: str, given: Settings) -> None:
    """Found a town with the keys of a program, in a migrated database."""
    use(read_keys(given))
    database = open_database(url)
    with closing(database), database.writer.begin() as connection:
        connection.execute(
            Person.__table__.insert(),  # type: ignore[attr-defined]
            [{"name": "李强", "phone": "13800000001"}, {"name": "张大爷", "phone": "138 0000 0002"}],
        )


def findings(given: Settings) -> str:
    """What `xiaoge check` says."""
    return "\n".join(map(str, check(given)))


def test_a_key_file_is_made_once_beside_the_database_for_its_owner_alone(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = settings(sqlite_url, tmp_path)
    started(given)
    first = kept(sqlite_url).read_text()
    started(given)

    assert kept(sqlite_url).read_text() == first
    assert kept(sqlite_url).stat().st_mode & 0o777 == 0o600
    shown = capsys.readouterr()
    assert not any(key and key in shown.out + shown.err for key in keys_in(first).values())
    assert keys_in(first)["XIAOGE_KEYS"] not in repr(settings(sqlite_url, tmp_path, **keys_of(first)))


def keys_of(words: str) -> dict[str, str]:
    """Keys in the form of settings without their prefix."""
    return {name.removeprefix("XIAOGE_"): value for name, value in keys_in(words).items()}


def test_phones_lie_sealed_in_the_database(sqlite_url: str) -> None:
    with founded("default", sqlite_url):
        raw = raw_phones(sqlite_url)

    assert len(raw) > 3
    assert all(phone.startswith("s1:") for phone in raw)


def test_postgresql_wants_the_keys_in_the_environment(tmp_path: Path) -> None:
    with pytest.raises(NoUse, match=r"^XIAOGE_KEYS and XIAOGE_SEARCH_KEY are missing.*`xiaoge keys`"):
        build(settings("postgresql://db/xiaoge", tmp_path))


def test_one_key_alone_is_a_slip(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="XIAOGE_SEARCH_KEY is missing"):
        settings(sqlite_url, tmp_path, KEYS=new_key())


def test_what_is_no_key_is_told_and_not_repeated(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(NoUse, match="a sealing key is not 32 bytes") as caught:
        started(settings(sqlite_url, tmp_path, KEYS="geheim", SEARCH_KEY=new_key()))

    assert "geheim" not in str(caught.value)


def test_a_lost_key_file_is_never_replaced(sqlite_url: str, tmp_path: Path) -> None:
    given = settings(sqlite_url, tmp_path)
    with_people(sqlite_url, given)
    kept(sqlite_url).unlink()

    with pytest.raises(NoUse, match="is gone, and without it no phone"):
        started(given)
    assert not kept(sqlite_url).exists()


@pytest.mark.parametrize("wrong", ["XIAOGE_KEYS", "XIAOGE_SEARCH_KEY"])
def test_a_wrong_key_stops_the_start_and_check_names_it(sqlite_url: str, tmp_path: Path, wrong: str) -> None:
    with founded("default", sqlite_url):
        pass  # sealed with the keys of the tests
    keys = ENVIRONMENT | {wrong: new_key()}
    more = {name.removeprefix("XIAOGE_"): key for name, key in keys.items()}
    given = settings(sqlite_url, tmp_path, **more)

    with pytest.raises(NoUse) as caught:
        started(given)
    assert f"WRONG {caught.value}" in findings(given)
    assert ("search key" in str(caught.value)) == (wrong == "XIAOGE_SEARCH_KEY")


def test_phones_of_an_earlier_version_are_sealed_at_the_start(migrated_url: str, tmp_path: Path) -> None:
    database = open_database(migrated_url)
    with closing(database), database.writer.begin() as connection:
        for number in range(1, 4):
            connection.execute(
                text("INSERT INTO person (name, phone) VALUES ('张大爷', :phone)"),
                {"phone": f"138 0000 000{number}"},
            )
    given = settings(migrated_url, tmp_path, **keys_of(new_keys()))
    started(given)

    use(read_keys(given))
    assert all(phone.startswith("s1:") for phone in raw_phones(migrated_url))
    assert opened_phones(migrated_url) == [f"138 0000 000{number}" for number in range(1, 4)]
    database = open_database(migrated_url)
    with closing(database), database.reader.connect() as connection:
        digests = set(connection.execute(select(PHONES.phone_digest)).scalars())
    assert len(digests) == 3
    assert None not in digests


def test_keys_are_printed_for_an_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys"]) == 0
    found = keys_in(capsys.readouterr().out)

    assert len(Keys(found["XIAOGE_KEYS"], found["XIAOGE_SEARCH_KEY"]).names) == 1


def test_a_key_is_changed(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XIAOGE_DATABASE_URL", sqlite_url)
    given = settings(sqlite_url, tmp_path)
    with_people(sqlite_url, given)
    before, phones = keys_in(kept(sqlite_url).read_text()), opened_phones(sqlite_url)

    assert main(["keys", "rotate"]) == 0
    after = keys_in(kept(sqlite_url).read_text())
    assert f"{len(phones)} phones are sealed with it now" in capsys.readouterr().out
    assert after["XIAOGE_SEARCH_KEY"] == before["XIAOGE_SEARCH_KEY"]
    assert after["XIAOGE_KEYS"].split(",")[1:] == [before["XIAOGE_KEYS"]]
    assert kept(sqlite_url).stat().st_mode & 0o777 == 0o600
    use(read_keys(given))
    assert opened_phones(sqlite_url) == phones
    use(Keys(after["XIAOGE_KEYS"].split(",")[0], after["XIAOGE_SEARCH_KEY"]))
    assert opened_phones(sqlite_url) == phones


def test_a_key_file_that_others_can_read_is_told(sqlite_url: str, tmp_path: Path) -> None:
    given = settings(sqlite_url, tmp_path)
    started(given)
    with_people(sqlite_url, given)
    assert "Phones are sealed with the keys in" in findings(given)
    kept(sqlite_url).chmod(0o644)

    assert f"WRONG Others on this machine can read the keys: `chmod 600 {kept(sqlite_url)}`." in findings(
        given
    )
