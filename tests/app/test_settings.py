"""Settings: what is read, and what a wrong value is answered with."""

from pathlib import Path

import pytest

from app.settings import Settings, WrongSetting, read_settings, unknown_names

TOKEN = "123456:a-fictional-token"
SECRET = "a-fictional-secret"


def read(**values: str) -> Settings:
    """Read settings given without their prefix."""
    return read_settings({f"XIAOGE_{name}": value for name, value in values.items()})


def test_without_any_setting_it_runs_on_this_machine_alone() -> None:
    settings = read_settings({})

    assert settings.database_url == "sqlite:///var/xiaoge.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.place == "minhou"
    assert settings.telegram is None
    assert settings.trial is None
    assert not settings.secure


def test_every_setting_is_read() -> None:
    settings = read(
        DATABASE_URL="postgresql://xiaoge:geheim@db/xiaoge",
        PLACE="yinzhou",
        HOST="0.0.0.0",
        PORT="80",
        SECURE="yes",
        MEDIA="photos",
        LOG="DEBUG",
        WRITERS="8",
        TELEGRAM_TOKEN=TOKEN,
        TELEGRAM_SECRET=SECRET,
        TELEGRAM_WEBHOOK_URL="https://example.org/hooks/telegram",
        TELEGRAM_BASE_URL="http://127.0.0.1:8081/",
    )

    assert settings.place == "yinzhou"
    assert (settings.host, settings.port, settings.secure) == ("0.0.0.0", 80, True)
    assert (settings.media, settings.log, settings.writers) == (Path("photos"), "debug", 8)
    assert settings.telegram is not None
    assert settings.telegram.calls == "http://127.0.0.1:8081/bot"
    assert settings.telegram.files == "http://127.0.0.1:8081/file/bot"
    assert settings.telegram.webhook_url == "https://example.org/hooks/telegram"


def test_an_empty_value_counts_as_none() -> None:
    assert read(PORT="", TELEGRAM_TOKEN=" ", TEST_HOOK="") == read_settings({})


def test_secrets_are_not_shown() -> None:
    settings = read(TELEGRAM_TOKEN=TOKEN, TELEGRAM_SECRET=SECRET)

    assert "fictional" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://root:geheim@db/x", "give a database like"),
        ("DATABASE_URL", "postgresql://u:geheim@h:abc/d", "the port in it is no number"),
        ("DATABASE_URL", "sqlite://", "give a database like"),
        ("PLACE", "atlantis", "there is no place 'atlantis'; there are default, minhou"),
        ("PORT", "eighty", "is no port"),
        ("PORT", "65536", "is no port"),
        ("PORT", "-1", "is no port"),
        ("LOG", "loud", "is not one of debug, info"),
        ("WRITERS", "0", "is no number from 1 to 32"),
        ("SECURE", "perhaps", "neither yes nor no"),
        ("TELEGRAM_TOKEN", "no token", "a bot's token looks like"),
    ],
)
def test_a_wrong_value_is_answered_with_one_sentence(name: str, value: str, says: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        read(**{name: value})

    sentence = str(caught.value)
    assert sentence.startswith(f"XIAOGE_{name} cannot be used: ")
    assert says in sentence
    assert "geheim" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"TELEGRAM_WEBHOOK_URL": "https://example.org/hooks/telegram"}, "XIAOGE_TELEGRAM_SECRET is missing"),
        ({"TELEGRAM_WEBHOOK_URL": "example.org", "TELEGRAM_SECRET": SECRET}, "begins with https://"),
        ({"TELEGRAM_SECRET": "short"}, "16 to 256"),
        ({"TELEGRAM_BASE_URL": "telegram"}, "begins with https://"),
    ],
)
def test_a_telegram_that_anybody_could_speak_as_is_refused(values: dict[str, str], says: str) -> None:
    with pytest.raises(WrongSetting, match=says):
        read(TELEGRAM_TOKEN=TOKEN, **values)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_door_of_a_trial_opens_on_this_machine(host: str) -> None:
    assert read(TEST_HOOK="sent.jsonl", HOST=host).trial == Path("sent.jsonl")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org"])
def test_the_door_of_a_trial_opens_nowhere_else(host: str) -> None:
    with pytest.raises(WrongSetting, match="for trials on this machine"):
        read(TEST_HOOK="sent.jsonl", HOST=host)


def test_a_slip_in_a_name_is_told() -> None:
    names = ("XIAOGE_DATABSE_URL", "XIAOGE_port", "XIAOGE_", "XIAOGE_PLACE", "HOME")
    odd = dict.fromkeys(names, "x")

    assert unknown_names(odd) == [
        "XIAOGE_ is no setting and changes nothing.",
        "XIAOGE_DATABSE_URL is no setting and changes nothing: did you mean XIAOGE_DATABASE_URL?",
        "XIAOGE_port is no setting and changes nothing: did you mean XIAOGE_PORT?",
    ]


def test_every_name_that_is_read_is_known() -> None:
    class Noted(dict[str, str]):
        """An environment that notes what it is asked for."""

        def get(self, name: str, *_: object) -> str:
            asked.add(name)
            return "123456:a" if name.endswith("TELEGRAM_TOKEN") else "sent" if name.endswith("_HOOK") else ""

    asked: set[str] = set()
    read_settings(Noted())

    assert len(asked) >= 19
    assert unknown_names(dict.fromkeys(asked, "")) == []


WECOM = {
    "WECOM_CORP_ID": "ww00000000fictional",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "geheim-secret-of-an-application",
    "WECOM_CALLBACK_TOKEN": "geheimtoken",
    "WECOM_CALLBACK_KEY": "geheim1geheim2geheim3geheim4geheim5geheim67",
}


def test_a_wecom_application_is_read_whole() -> None:
    wecom = read(**WECOM, WECOM_BASE_URL="https://wx.example.org/", WECOM_CARDS="yes").wecom

    assert wecom is not None
    assert (wecom.corp_id, wecom.agent_id) == ("ww00000000fictional", 1000002)
    assert (wecom.base_url, wecom.cards) == ("https://wx.example.org", True)
    assert "geheim" not in repr(wecom)
    assert read(WECOM_CORP_ID="ww00000000fictional").wecom is None


def test_robots_on_wecom_are_where_wecom_is_unless_told() -> None:
    own = "https://wx.example.org"

    assert read().wecom_robots == "https://qyapi.weixin.qq.com"
    assert read(WECOM_BASE_URL=f"{own}/").wecom_robots == own
    assert read(WECOM_BASE_URL=own, WECOM_ROBOT_BASE_URL="https://r.example.org/").wecom_robots == (
        "https://r.example.org"
    )


@pytest.mark.parametrize("missing", sorted(WECOM))
def test_half_a_wecom_application_is_none(missing: str) -> None:
    with pytest.raises(WrongSetting, match=f"XIAOGE_{missing} missing"):
        read(**{name: value for name, value in WECOM.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WECOM_CORP_ID", "企业", "a corp id looks like"),
        ("WECOM_AGENT_ID", "agent", "a number like 1000002"),
        ("WECOM_SECRET", "geheim", "copy it whole"),
        ("WECOM_CALLBACK_TOKEN", "geheim-token", "1 to 32 letters"),
        ("WECOM_CALLBACK_KEY", "geheim", "43 letters"),
        ("WECOM_CALLBACK_KEY", "geheim1geheim2geheim3geheim4geheim5geheim6_", "43 letters"),
        ("WECOM_BASE_URL", "wx.example.org", "begins with https://"),
        ("WECOM_CARDS", "perhaps", "neither yes nor no"),
    ],
)
def test_a_wrong_part_of_a_wecom_application_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(WrongSetting, match=says) as caught:
        read(**(WECOM | {name: value}))

    assert str(caught.value).startswith(f"XIAOGE_{name} cannot be used: ")
    assert "geheim" not in str(caught.value)


WECHAT = {
    "WECHAT_APP_ID": "wx00000000fictional",
    "WECHAT_SECRET": "geheim-secret-of-an-account",
    "WECHAT_TOKEN": "geheimtoken",
}
KF = {
    "WECOM_CORP_ID": "ww00000000fictional",
    "WECOM_KF_ID": "wk00fictional",
    "WECOM_KF_SECRET": "geheim-secret-of-the-account",
    "WECOM_KF_TOKEN": "geheimtoken",
    "WECOM_KF_KEY": "geheim1geheim2geheim3geheim4geheim5geheim67",
}


def test_an_official_account_is_read_whole() -> None:
    key = KF["WECOM_KF_KEY"]
    more = {"WECHAT_KEY": key, "WECHAT_TEMPLATE_ID": "T-1", "WECHAT_TEMPLATE_FIELDS": "thing1, thing2,time4"}
    wechat = read(**WECHAT, **more, WECHAT_BASE_URL="https://wx.example.org/").wechat

    assert wechat is not None
    assert (wechat.app_id, wechat.base_url) == ("wx00000000fictional", "https://wx.example.org")
    assert (wechat.template_id, wechat.template_fields) == ("T-1", ("thing1", "thing2", "time4"))
    assert "geheim" not in repr(wechat)
    plain = read(**WECHAT).wechat
    assert plain is not None
    assert (plain.key, plain.template_id) == ("", "")
    assert read().wechat is None


def test_the_service_account_is_read_whole_and_needs_no_application() -> None:
    found = read(**KF, WECOM_BASE_URL="https://wx.example.org/")

    assert found.wecom is None
    assert found.wecom_kf is not None
    assert (found.wecom_kf.id, found.wecom_kf.base_url) == ("wk00fictional", "https://wx.example.org")
    assert "geheim" not in repr(found.wecom_kf)
    assert read(WECOM_CORP_ID="ww00000000fictional").wecom_kf is None


@pytest.mark.parametrize(
    ("whole", "missing"), [(whole, name) for whole in (WECHAT, KF) for name in sorted(whole)]
)
def test_half_of_either_is_none(whole: dict[str, str], missing: str) -> None:
    with pytest.raises(WrongSetting, match=f"XIAOGE_{missing} missing"):
        read(**{name: value for name, value in whole.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WECHAT_APP_ID", "公众号", "an AppID looks like"),
        ("WECHAT_SECRET", "geheim", "copy it whole"),
        ("WECHAT_TOKEN", "geheim-token", "3 to 32 letters"),
        ("WECHAT_KEY", "geheim", "43 letters"),
        ("WECHAT_BASE_URL", "wx.example.org", "begins with https://"),
        ("WECHAT_TEMPLATE_ID", "T 1", "a template's id"),
        ("WECHAT_TEMPLATE_FIELDS", "thing1,thing2", "编号,内容,时间"),
        ("WECOM_KF_ID", "客服", "an account of 微信客服 looks like"),
        ("WECOM_KF_KEY", "geheim", "43 letters"),
    ],
)
def test_a_wrong_part_of_either_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(WrongSetting, match=says) as caught:
        read(**(WECHAT | KF | {name: value}))

    assert str(caught.value).startswith(f"XIAOGE_{name} cannot be used: ")
    assert "geheim" not in str(caught.value)
