"""The file of places: what belongs to one is read as its own, and nothing is shared by oversight."""

from pathlib import Path

import pytest

from app.places import Place, place_called, read_places, secrets_in
from app.settings import WrongSetting
from models.sealing import new_key

TOKEN = "123456:fictional"


def written(folder: Path, words: str) -> dict[str, str]:
    """An environment that names a file with these words."""
    file = folder / "places.toml"
    file.write_text(words, "utf-8")
    return {"XIAOGE_PLACES": str(file)}


def table(name: str, *lines: str, book: str = "default") -> str:
    """A place's table with all that it must say."""
    own = (f'book = "{book}"', f'database = "sqlite:///var/{name}.db"', f'media = "var/{name}"')
    return "\n".join((f"[{name}]", *own, *lines, ""))


def read(folder: Path, *tables: str, **environment: str) -> list[Place]:
    """The places of a file."""
    found = read_places(written(folder, "\n".join(tables)) | environment)
    assert found is not None
    return found


def test_without_a_file_there_is_one_place_as_ever() -> None:
    assert read_places({}) is None
    assert place_called(None, {}).base == ""
    with pytest.raises(WrongSetting, match="--place is for several places"):
        place_called("minhou", {})


def test_each_place_has_its_own(tmp_path: Path) -> None:
    more = ('telegram_token = { env = "TOKEN" }', "secure = true", 'title = "永泰县"', "writers = 2")
    first, second = read(tmp_path, table("minhou"), table("yongtai", *more), TOKEN=TOKEN)
    one, two = first.must_be_usable(), second.must_be_usable()

    assert (one.database_url, two.database_url) == ("sqlite:///var/minhou.db", "sqlite:///var/yongtai.db")
    assert (one.telegram, two.telegram and two.telegram.token) == (None, TOKEN)
    assert (one.secure, two.secure) == (False, True)
    assert (one.base, two.base) == ("/minhou", "/yongtai")
    assert (one.url, two.url) == ("http://127.0.0.1:8000/minhou", "http://127.0.0.1:8000/yongtai")
    assert (two.title, two.writers) == ("永泰县", 2)
    assert TOKEN not in repr(second)


WECOM = (
    'wecom_corp_id = "ww00000000fictional"',
    "wecom_agent_id = {number}",
    'wecom_secret = "fictional-secret-number-{number}"',
    'wecom_callback_token = "fictional{number}"',
    'wecom_callback_key = "{number}ictional1fictional2fictional3fiction"',
)


def wecom(number: int) -> list[str]:
    """An application of the one organisation."""
    return [line.replace("{number}", str(number)) for line in WECOM]


def test_each_place_has_its_own_application_of_one_organisation(tmp_path: Path) -> None:
    both = read(tmp_path, table("minhou", *wecom(1000002)), table("yongtai", *wecom(1000003)))
    found = [place.must_be_usable().wecom for place in both]

    assert [one and one.agent_id for one in found] == [1000002, 1000003]
    assert "fictional-secret" not in repr(both)


def wechat(number: int) -> list[str]:
    """An official account with a secret of its own."""
    account = f"wechat_app_id = 'wx0000fictional{number}'"
    return [account, f"wechat_secret = 'fictional-secret-{number}'", f"wechat_token = 'fictional{number}'"]


def test_each_place_has_its_own_official_account(tmp_path: Path) -> None:
    both = read(tmp_path, table("minhou", *wechat(1)), table("yongtai", *wechat(2)))
    found = [place.must_be_usable().wechat for place in both]

    assert [one and one.app_id for one in found] == ["wx0000fictional1", "wx0000fictional2"]
    _, second = read(tmp_path, table("minhou", *wechat(1)), table("yongtai", *wechat(1)))
    assert "wechat_secret is also [minhou]'s" in second.trouble


def test_two_places_are_never_one_application(tmp_path: Path) -> None:
    _, second = read(tmp_path, table("minhou", *wecom(1000002)), table("yongtai", *wecom(1000002)))

    assert "wecom_secret is also [minhou]'s" in second.trouble
    assert "fictional-secret" not in second.trouble


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "http://b.example.cn:8000"),
        ({"XIAOGE_SECURE": "yes"}, "https://b.example.cn"),
        ({"XIAOGE_URL": "https://grid.example.cn:8443/x"}, "https://b.example.cn:8443"),
    ],
)
def test_a_place_with_a_host_of_its_own_is_found_there(
    tmp_path: Path, environment: dict[str, str], url: str
) -> None:
    first, second = read(tmp_path, table("aa"), table("bb", 'hostname = "B.example.cn"'), **environment)
    settings = second.must_be_usable()

    assert (first.hostname, second.hostname) == ("", "b.example.cn")
    assert (settings.base, settings.url) == ("", url)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (place,) = read(tmp_path, table("aa", f'telegram_token = {{ file = "{tmp_path / "token"}" }}'))
    telegram = place.must_be_usable().telegram

    assert telegram is not None
    assert telegram.token == TOKEN


SLIPS = {
    'telegram_tokn = "x"': "telegram_tokn is no setting: did you mean telegram_token",
    'telegram_token = "x"': "telegram_token cannot be used: a bot's token looks like",
    'telegram_token = { env = "NOT_THERE" }': "should stand in the environment as NOT_THERE",
    'telegram_token = { file = "not/there" }': "should stand in not/there, which cannot be read",
    'telegram_token = ["x"]': "telegram_token cannot be used: give a text",
    'hostname = "not a host"': "is no name of a host",
    'keys = "x"': "search_key is missing",
    "port = 80": "port is no setting",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_the_trouble_of_its_place_alone(tmp_path: Path, slip: str) -> None:
    good, bad = read(tmp_path, table("good"), table("bad", slip))

    assert good.settings is not None
    with pytest.raises(WrongSetting) as caught:
        bad.must_be_usable()
    assert "[bad]" in str(caught.value)
    assert SLIPS[slip] in str(caught.value)
    assert "XIAOGE_" not in str(caught.value)


@pytest.mark.parametrize("key", ["book", "database", "media"])
def test_what_each_place_must_have_is_asked_for(tmp_path: Path, key: str) -> None:
    words = "\n".join(line for line in table("aa").splitlines() if not line.startswith(key))
    (place,) = read(tmp_path, words)

    assert f"{key} is missing: each place has its own." in place.trouble


def test_a_book_that_is_not_there_is_told(tmp_path: Path) -> None:
    (place,) = read(tmp_path, table("aa", book="atlantis"))

    assert "book cannot be used: there is no place 'atlantis'" in place.trouble


SEARCH = new_key()
SHARED = [
    ('database = "sqlite:///var/../var/aa.db"', "database"),
    ('media = "var/aa/"', "media"),
    (f'telegram_token = "{TOKEN}"', "telegram_token"),
    ('telegram_secret = "0123456789abcdef"', "telegram_secret"),
    ('hostname = "a.example.cn"', "hostname"),
    ('url = "https://grid.example.cn"', "url"),
    ('backups = "kept"', "backups"),
    (f'search_key = "{SEARCH}"\nkeys = "{new_key()}"', "keys"),
]


@pytest.mark.parametrize(("line", "what"), SHARED, ids=[what for _, what in SHARED])
def test_nothing_is_shared(tmp_path: Path, line: str, what: str) -> None:
    """The second of two places is not served."""
    name = line.partition(" ")[0]
    others = [one for one in table("bb").splitlines() if not one.startswith(f"{name} ")]
    mine = [one for one in table("aa").splitlines() if not one.startswith(f"{name} ")]
    first, second = read(tmp_path, "\n".join([*mine, line, *others, line]))

    assert first.settings is not None
    assert f"{what} is also [aa]'s" in second.trouble


def test_one_database_under_two_addresses_is_one(tmp_path: Path) -> None:
    keys = [f'keys = "{new_key()}"\nsearch_key = "{new_key()}"' for _ in range(2)]
    addresses = ("postgresql://a:b@127.0.0.1/x", "postgresql://c@localhost:5432/x")
    tables = [
        f'[{name}]\nbook = "default"\nmedia = "var/{name}"\ndatabase = "{address}"\n{own}'
        for name, address, own in zip(("aa", "bb"), addresses, keys, strict=True)
    ]
    _, second = read(tmp_path, *tables)

    assert "database is also [aa]'s" in second.trouble


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "names no place"),
        ("[aa", "is no TOML"),
        ('book = "default"', "stands in no place's table"),
        ("[Minhou]", "is no name for a place"),
        ("[api]", "is no name for a place"),
    ],
)
def test_a_file_that_cannot_be_used_ends_the_start(tmp_path: Path, words: str, told: str) -> None:
    with pytest.raises(WrongSetting, match=told):
        read_places(written(tmp_path, words))
    with pytest.raises(WrongSetting, match="cannot be read"):
        read_places({"XIAOGE_PLACES": str(tmp_path / "none.toml")})


def test_what_belongs_to_one_place_is_not_taken_from_the_environment(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="XIAOGE_DATABASE_URL would be shared by all places"):
        read(tmp_path, table("aa"), XIAOGE_DATABASE_URL="sqlite:///var/x.db")


def test_a_command_is_about_one_place(tmp_path: Path) -> None:
    environment = written(tmp_path, table("aa") + table("bb", "x = 1"))

    assert place_called("aa", environment).name == "aa"
    with pytest.raises(WrongSetting, match=r"Which place.*there are aa, bb"):
        place_called(None, environment)
    with pytest.raises(WrongSetting, match="There is no place 'cc'; there are aa, bb"):
        place_called("cc", environment)
    with pytest.raises(WrongSetting, match="x is no setting"):
        place_called("bb", environment)


def test_secrets_that_lie_open_in_the_file_are_found(tmp_path: Path) -> None:
    own = ('telegram_token = { env = "T" }', 'telegram_secret = "0123456789abcdef"')
    environment = written(tmp_path, table("aa", *own))

    assert secrets_in(Path(environment["XIAOGE_PLACES"])) == ["[aa] telegram_secret"]
