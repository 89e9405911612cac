"""Complaints about those who serve, which went to the very person."""

import pytest

from handbook.complaints import blames
from handlers.showing import Show
from models import Privacy
from tests.handlers.office import Office

BLAMES = [
    "我要投诉网格员",
    "他收钱不办事",
    "举报我们村书记",
    "网格员态度很差",
    "村干部吃拿卡要",
    "网格长骂人",
]
BLAMES_NOBODY = [
    "跟网格员说过三次了",
    "网格员李强说下午来修灯",
    "找网格员投诉楼上漏水",
    "收了快递费不给送",
    "他态度很好",
]


@pytest.mark.parametrize("text", BLAMES)
def test_words_that_blame_somebody_who_serves(text: str) -> None:
    assert blames(text)


@pytest.mark.parametrize("text", BLAMES_NOBODY)
def test_words_that_blame_nobody(text: str) -> None:
    assert not blames(text)


@pytest.mark.parametrize(
    ("accused", "owner"), [("worker", "community"), ("community", "town"), ("town", "county")]
)
def test_a_complaint_goes_to_the_first_above_who_is_not_meant(desk: Office, accused: str, owner: str) -> None:
    number = desk.reports(what=f"{desk.who(accused).name}态度太差了")

    case = desk.case(number)
    assert case.owner_id == desk.id(owner)
    assert case.privacy is Privacy.SECRET
    assert case.category == "1111"
    assert desk.told(accused) == []
    assert desk.refused(accused, Show(incident=number)) == "incident.not_found"


def test_a_complaint_never_climbs_to_whom_it_names(desk: Office) -> None:
    number = desk.reports(what=f"{desk.who('town').name}收钱不办事")

    desk.wait(days=40)

    assert desk.case(number).owner_id != desk.id("town")
    assert desk.told("town") == []
