"""The registry's snapshot: posts begin and end at their time, though nobody touches the registry then."""

from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col

from handlers.tree import registry_changed
from models import Post
from tests.handlers.office import Office

DAY = timedelta(days=1)


def change_post(desk: Office, **values: object) -> None:
    """Change the worker's posts, as the registry does."""
    posts = update(Post).where(col(Post.person_id) == desk.id("worker")).values(**values)
    desk.world.session.execute(posts)
    registry_changed(desk.world.session)


def holds(desk: Office) -> bool:
    return desk.id("worker") in desk.world.desk.tree(desk.world.session).staff


def test_a_post_ends_at_its_time(desk: Office) -> None:
    change_post(desk, until=desk.world.now + DAY)

    before = holds(desk)
    desk.world.now += DAY - timedelta(seconds=1)
    eve = holds(desk)
    desk.world.now += timedelta(seconds=1)

    assert (before, eve, holds(desk)) == (True, True, False)


def test_a_post_begins_at_its_time(desk: Office) -> None:
    change_post(desk, since=desk.world.now + DAY)

    before = holds(desk)
    desk.world.now += DAY

    assert (before, holds(desk)) == (False, True)
