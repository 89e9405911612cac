"""Filing for somebody else: whom a phone and a name mean."""

import pytest
from pydantic import ValidationError
from sqlalchemy import update
from sqlmodel import col

from handlers.phones import kept_phone
from handlers.reporting import ReportOnBehalf
from models import Person
from tests.handlers.office import Office

PHONE = "13800009999"


def filed_for(desk: Office, who: str) -> int:
    """The reporter of a case filed for somebody with the phone."""
    done = desk.does("community", ReportOnBehalf(what="3栋路灯不亮", who=who, phone=PHONE))
    return int(desk.case(int(done.data["number"])).reporter_id)


def test_a_shared_phone_means_whoever_is_named(desk: Office) -> None:
    first, again, other = (filed_for(desk, who) for who in ("张大爷", "张大爷", "张大妈"))

    assert first == again
    assert other != first


def test_nobody_files_in_the_name_of_staff(desk: Office) -> None:
    worker = desk.id("worker")
    desk.world.session.execute(update(Person).where(col(Person.id) == worker).values(**kept_phone(PHONE)))

    assert filed_for(desk, desk.who("worker").name) != worker


@pytest.mark.parametrize(
    "wrong",
    [{"who": ""}, {"who": " \u200b"}, {"phone": "12345"}, {"phone": "- - - - -"}, {"phone": "123-456"}],
)
def test_a_person_has_a_name_and_a_phone_has_digits(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ReportOnBehalf(**{"what": "3栋路灯不亮", "who": "张大爷", "phone": PHONE, **wrong})  # type: ignore[arg-type]
