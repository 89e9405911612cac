"""What is kept for long enough goes, and nothing before: first told, then taken out, by its own days."""

from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, update

from handlers.actor import CLOCK
from handlers.audit import prove
from handlers.forgetting import CHATS, INBOX
from handlers.importing import UndoImport
from handlers.own_data import ForgetMe
from handlers.people import ACCOUNTS
from handlers.residents.joining import JoinResidents, UndoJoin
from handlers.residents.keeping import Retain, due
from handlers.residents.marking import Mark
from handlers.residents.moving import Died, MoveOut
from handlers.residents.scope import DETAILS, MEMBERS
from handlers.residents.showing import Reveal
from handlers.work import MAIL
from models import Deed, Imported, InboxState
from tests.handlers.office import Office
from tests.residents.homes import details, lives, noted, person, places

PHONE = "13800009999"


def told(desk: Office) -> dict[str, int]:
    """What would go now."""
    return {one.kind: one.count for one in due(desk.world.asking())}


def goes(desk: Office) -> dict[str, int]:
    """What the night takes."""
    happened = desk.world.do(CLOCK, Retain(), chat=False)
    went: dict[str, int] = happened.outcome.data["went"]  # type: ignore[union-attr]
    return went


def marked(desk: Office) -> int:
    number = lives(desk, "3栋501", "张三", PHONE)
    desk.does("worker", Mark(who="张三 独居", agreed=True))
    desk.does("worker", Mark(who="张三 社区矫正"))
    desk.does("worker", Mark(who="张三 出生年份 1940"))
    return number


def days(desk: Office, count: int) -> None:
    desk.world.wait(timedelta(days=count, minutes=1))


def test_nothing_goes_of_those_who_live_here(either: Office) -> None:
    number = marked(either)
    days(either, 399)

    assert told(either) == {"letters": told(either)["letters"]}
    goes(either)
    assert len(details(either, number)) == 3
    assert person(either, number).name == "张三"


def test_what_was_not_noted_anew_goes_by_itself(either: Office) -> None:
    number = marked(either)
    days(either, 401)
    assert {key: told(either)[key] for key in ("details", "details_lasting") if key in told(either)} == {
        "details_lasting": 1
    }
    goes(either)

    assert [row.module for row in details(either, number)] == ["birth_year"]


def test_each_module_goes_its_own_days_after_somebody_left(either: Office) -> None:
    number = marked(either)
    either.does("worker", MoveOut(who="张三"))
    days(either, 1)
    goes(either)
    assert [row.module for row in details(either, number)] == ["care", "birth_year"]
    days(either, 30)
    goes(either)

    assert details(either, number) == []
    assert person(either, number).name == "张三"
    days(either, 150)
    assert told(either)["residents"] == 1
    assert goes(either)["residents"] == 1
    gone = person(either, number)
    assert (gone.name, gone.phone, gone.phone_digest) == ("已注销居民", None, None)
    assert len(places(either, number)) == 1  # how many lived there stays known


def test_what_imports_keep_is_opened_once_for_all_who_go(either: Office) -> None:
    people = [lives(either, f"3栋50{at}", f"张{sign}", f"1380000900{at}") for at, sign in enumerate("甲乙丙")]
    kept = lives(either, "4栋401", "李四")
    changes = [
        {"table": "person", "id": number, "before": {"phone": PHONE}, "after": {"phone": None}}
        for number in (*people, kept)
    ]
    session = either.world.session
    imported = [Imported(file="x", digest=f"x{at}", at=either.world.now, changed=changes) for at in range(2)]
    session.add_all(imported)
    session.flush()
    for number in people:
        either.does("worker", MoveOut(who="x", resident=number))
    days(either, 170)
    for one in imported:
        one.at = either.world.now
    days(either, 20)
    opened: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "imported.changed" in statement:
            opened.append(statement)

    event.listen(either.world.database.writer, "before_cursor_execute", see)
    assert goes(either)["residents"] == 3

    assert [[change["id"] for change in one.changed] for one in imported] == [[kept], [kept]]
    assert {person(either, number).name for number in people} == {"已注销居民"}
    assert len(opened) == len(imported)


def test_the_dead_go_sooner_than_those_who_left(desk: Office) -> None:
    number = lives(desk, "3栋501", "张三", PHONE)
    desk.does("worker", Died(who="张三"))
    days(desk, 29)
    assert "residents" not in told(desk)
    days(desk, 2)
    goes(desk)

    assert person(desk, number).phone is None


def test_who_came_back_is_no_one_who_left(desk: Office) -> None:
    number = lives(desk, "3栋501", "张三")
    desk.does("worker", MoveOut(who="张三"))
    days(desk, 170)
    lives(desk, "3栋502", "李四")
    desk.world.session.execute(
        insert(MEMBERS),
        [
            {
                "household_id": places(desk, number)[0].household_id,
                "person_id": number,
                "since": desk.world.now,
                "head": False,
            }
        ],
    )
    days(desk, 20)

    assert "residents" not in told(desk)


def test_whoever_serves_here_or_writes_to_us_is_not_taken_out(desk: Office) -> None:
    worker = desk.id("worker")
    desk.world.session.execute(
        insert(MEMBERS),
        [
            {
                "household_id": places(desk, lives(desk, "3栋501", "张三"))[0].household_id,
                "person_id": worker,
                "since": desk.world.now,
                "until": desk.world.now,
                "head": False,
            }
        ],
    )
    days(desk, 400)

    assert "residents" not in told(desk)


def test_words_of_old_messages_and_letters_go_and_that_they_came_stays(either: Office) -> None:
    session, now = either.world.session, either.world.now
    row = {
        "channel": "memory",
        "chat_key": "memory|a|a",
        "body": {"text": "我叫张三"},
        "received_at": now,
        "tries": 0,
    }
    states = (InboxState.DONE, InboxState.WAITING)
    session.execute(insert(INBOX), [{**row, "message_id": f"x{n}", "state": s} for n, s in enumerate(states)])
    number = either.reports("resident")
    days(either, 181)
    session.execute(
        insert(INBOX),
        [{**row, "message_id": "new", "state": InboxState.DONE, "received_at": either.world.now}],
    )
    assert (told(either)["messages"], told(either)["letters"] > 0) == (2, True)
    goes(either)

    said = {
        r.message_id: r.body
        for r in session.execute(select(INBOX).where(INBOX.c.message_id.in_(["x0", "x1", "new"])))
    }
    assert said == {"x0": {}, "x1": row["body"], "new": row["body"]}
    letters = list(session.execute(select(MAIL).where(MAIL.c.incident_id == number)))
    assert letters
    assert {(r.words, str(r.args), r.state in ("waiting", "claimed")) for r in letters} == {
        (None, "{}", False)
    }
    assert "messages" not in told(either)
    assert "letters" not in told(either)


def test_a_whole_phone_that_was_shown_goes_after_a_day(desk: Office) -> None:
    lives(desk, "3栋501", "张三", PHONE)
    desk.does("worker", Reveal(who="张三"))
    goes(desk)
    shown = select(MAIL.c.args).where(MAIL.c.text == "reveal.phone")
    assert "sealed" in desk.world.session.execute(shown).scalar_one()["phone"]
    days(desk, 1)
    goes(desk)

    assert desk.world.session.execute(shown).scalar_one() == {}


def test_an_old_talk_remembers_nothing(either: Office) -> None:
    row = {"channel": "memory", "chat": "a", "handle": "a", "prompt_mail": 0, "half_done": True}
    rows = [
        {
            **row,
            "chat_key": key,
            "state": {"form": {"command": "report"}},
            "touched_at": either.world.now - ago,
        }
        for key, ago in (("old", timedelta(days=31)), ("new", timedelta(days=29)))
    ]
    either.world.session.execute(insert(CHATS), rows)
    goes(either)

    left = {
        r.chat_key: r.state for r in either.world.session.execute(select(CHATS).where(CHATS.c.chat == "a"))
    }
    assert left == {"old": {}, "new": rows[1]["state"]}


def test_an_import_or_a_join_of_long_ago_is_not_undone_any_more(desk: Office) -> None:
    one, other = lives(desk, "3栋501", "张三"), lives(desk, "3栋501", "章三")
    number = desk.does("worker", JoinResidents(one=one, other=other, sure=True)).data["number"]
    change = {"table": "person", "id": one, "before": {"phone": PHONE}, "after": {"phone": None}}
    imported = Imported(file="x", digest="x", at=desk.world.now, by_id=desk.id("town"), changed=[change])
    desk.world.session.add(imported)
    desk.world.session.flush()
    days(desk, 181)
    goes(desk)
    desk.world.session.expire_all()

    assert imported.changed == []
    assert desk.refused("town", UndoImport(number=imported.id or 0)) == "import.too_old"
    assert desk.refused("worker", UndoJoin(number=number)) == "undo_join.too_late"


def test_what_a_module_kept_that_is_off_now_goes_only_when_one_says_so(desk: Office) -> None:
    number = marked(desk)
    desk.world.session.execute(
        update(DETAILS).where(DETAILS.c.module == "care").values(module="party", mark="away")
    )

    assert "closed" not in told(desk)
    assert {one.kind: one.count for one in due(desk.world.asking(), closed=True)}["closed"] == 1
    goes(desk)
    assert len(details(desk, number)) == 3
    desk.world.do(CLOCK, Retain(closed=True), chat=False)
    assert len(details(desk, number)) == 2


def test_much_goes_bit_by_bit(desk: Office) -> None:
    for count in range(5):
        resident = lives(desk, f"3栋50{count}", f"张{'甲乙丙丁戊'[count]}")
        desk.does("worker", Mark(who="x", resident=resident, what="社区矫正"))
    days(desk, 401)
    first = desk.world.do(CLOCK, Retain(most=3), chat=False).outcome
    second = desk.world.do(CLOCK, Retain(most=3), chat=False).outcome

    assert [first.data["went"]["details"], second.data["went"]["details"]] == [3, 2]  # type: ignore[union-attr]
    assert first.data["more"]  # type: ignore[union-attr]


def test_what_went_is_a_line_of_the_audit(desk: Office) -> None:
    number = marked(desk)
    days(desk, 401)
    goes(desk)

    lines = [(line.what, line.subject_id) for line in noted(desk) if line.what == Deed.EXPIRE]
    assert lines.count((Deed.EXPIRE, number)) == 2
    assert (Deed.EXPIRE, None) in lines
    assert prove(desk.world.session).broken_at is None


def test_nobody_but_the_clock_takes_anything_out(desk: Office) -> None:
    assert desk.refused("county", Retain()) == "refusal.not_allowed"


@pytest.mark.parametrize("joined", [False, True])
def test_of_somebody_who_is_forgotten_nothing_of_all_this_is_left(desk: Office, joined: bool) -> None:
    mine = desk.id("resident")
    other = lives(desk, "3栋501", "王芳", PHONE, another=True)
    desk.does("worker", Mark(who="x", resident=other, what="独居", agreed=True))
    if joined:
        account = {
            "channel": "memory",
            "handle": "w",
            "chat": "w",
            "person_id": mine,
            "used_at": desk.world.now,
        }
        desk.world.session.execute(insert(ACCOUNTS), [{**account, "gone": False}])
        desk.does("worker", JoinResidents(one=mine, other=other, sure=True))
        desk.does("resident", ForgetMe())
        assert details(desk, mine) == []
        assert {person(desk, number).name for number in (mine, other)} == {"已注销居民"}
        assert desk.refused("worker", UndoJoin()) == "undo_join.too_late"
    else:
        desk.does("resident", ForgetMe())
        assert person(desk, other).name == "王芳"
        assert len(details(desk, other)) == 1
