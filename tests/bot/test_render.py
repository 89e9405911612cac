"""Words fit every channel: moments in the place's time, numbered choices, parts no longer than allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Can
from bot.message import Choice
from bot.render import clean, parts, split, when, words
from handbook import Book, open_book

BOOK = open_book("default")


@pytest.fixture(scope="module")
def book() -> Book:
    return BOOK


def test_a_moment_is_said_in_the_places_time(book: Book) -> None:
    assert when(book, {"moment": "2026-11-22T07:00:00+00:00"}) == "11月22日(周日)15:00"


def test_midnight_ends_a_day(book: Book) -> None:
    assert when(book, {"moment": "2026-11-26T16:00:00+00:00"}) == "11月26日(周四)24:00"


def test_a_deadline_beyond_the_calendar_says_so(book: Book) -> None:
    said = when(book, {"moment": "2027-01-05T07:00:00+00:00", "uncertain": True})

    assert said.startswith("1月5日(周二)15:00")
    assert "可能调整" in said


def test_choices_are_numbered_in_the_text_and_repeated_as_buttons(book: Book) -> None:
    choices = (Choice(label="已解决", do="solved"), Choice(label="未解决", do="unsolved"))

    texts, buttons = parts(book, "small.ack", {}, choices, Can(buttons=True), 7)

    assert texts[0].endswith("1 已解决  2 未解决")
    assert buttons == (("已解决", "7:0"), ("未解决", "7:1"))


def test_a_listed_choice_has_its_number_in_the_list_already(book: Book) -> None:
    choices = (Choice(label="1001 路灯", do="show", listed=True),)

    texts, buttons = parts(book, "small.ack", {}, choices, Can(buttons=True), 7)

    assert texts == (book.text("small.ack"),)
    assert buttons == ()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400), st.integers(8, 120))
def test_no_part_is_longer_than_the_channel_allows_and_nothing_is_lost(text: str, longest: int) -> None:
    cut = split(text, longest)

    assert all(len(part.encode()) <= longest for part in cut)
    assert "".join(cut).replace("\n", "") == text.replace("\n", "")


@given(st.text())
def test_clean_words_hold_no_mark_that_turns_or_breaks_a_line(text: str) -> None:
    shown = clean(text)

    assert not any("\u202a" <= letter <= "\u202e" or "\ud800" <= letter <= "\udfff" for letter in shown)


def test_arguments_are_never_read_as_a_format(book: Book) -> None:
    said = words(book, "human.contact", {"place": "{phone}", "person": "%s{0}", "phone": "1"})

    assert "{phone}由%s{0}负责" in said
