"""Input that looked like something else: a digit that is no number, a clock that was set back."""

from datetime import timedelta

from tests.town import founded


def test_a_button_of_odd_digits_is_an_old_one(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        assert town.say("居民甲", pressed="²:1") == ["这个选项已经过时了。请回复“待办”或“进度”看最新的。"]


def test_a_clock_set_back_mutes_nobody(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        town.say("resident", "进度")
        town.now -= timedelta(days=1)
        for _ in range(25):
            town.now += timedelta(minutes=3)
            assert town.say("resident", "进度")
