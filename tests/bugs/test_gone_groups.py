"""Found in review: words for a group whose robot was taken out were sent again at once, without end."""

from sqlalchemy import select
from sqlmodel import Session, col

from bot.channel import Gone
from handlers.actor import CLOCK
from models import Delivery, Grid, Group, MailState, Outbox, Purpose
from tests.town import founded


def test_words_for_a_group_that_is_gone_are_dead_after_one_try(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        with town.desk.work(CLOCK) as work:
            grid = work.session.execute(select(col(Grid.id)).limit(1)).scalar_one()
            group = Group(
                grid_id=grid,
                purpose=Purpose.WORK,
                delivery=Delivery.WEBHOOK,
                name="一网格工作群",
                channel="memory",
                chat="g",
                token="t1",
                since=town.now,
            )
            work.session.add(group)
            work.session.flush()
            assert group.id is not None
            work.post(group.id, "group.private", key="first")
            work.post(group.id, "group.private", key="second")
        town.channel.script([Gone("the robot was taken out")] * 50)
        town.run(town.settle())
        with Session(town.database.reader) as session:
            letters = session.execute(select(Outbox)).scalars().all()

        assert [letter.state for letter in letters if letter.group_id] == [MailState.DEAD] * 2
        assert [letter.tries for letter in letters if letter.group_id] == [1, 1]
