"""What waited in JSON before a step waits in columns after it, and the other way round."""

from datetime import UTC, datetime
from typing import Any

from alembic import command
from sqlalchemy import Connection, MetaData, Table, create_engine, null, select

from models.database import migrate, schema_change

OLD = "dead_letters"
WHEN = datetime(2026, 11, 23, 1, tzinfo=UTC)
ASKED = {"move": "extend", "by": 1, "reason": "等配件", "data": {"span": "3d"}}
UNTIL = "2026-11-23T05:30:00+00:00"
"""As the program wrote it, in UTC."""


def table(connection: Connection, name: str) -> Table:
    return Table(name, MetaData(), autoload_with=connection)


def case(number: int, state: str, **more: Any) -> dict[str, Any]:
    fields = {"what": "灯", "spot": "", "category": "1601", "grade": "general", "filed_as": "appeal"}
    counted = dict.fromkeys(("step", "returns", "extensions", "version"), 0)
    people = {"grid_id": 1, "reporter_id": 1, "filed_by_id": 1, "owner_id": 1}
    moments = {"opened_at": WHEN, "changed_at": WHEN, "next_due": WHEN}
    flags = {"privacy": "open", "supervised": False, "due_certain": True, "round": 1, "promise": {}}
    rest = {"request": null(), "approver_id": None, "paused_from": None}
    return {
        "id": number,
        "state": state,
        **fields,
        **counted,
        **people,
        **moments,
        **flags,
        **rest,
        **more,
    }


def suspended(number: int, until: Any) -> dict[str, Any]:
    said = {"channel": "api", "message_id": "", "data": {"until": until}}
    return {"incident_id": number, "at": WHEN, "move": "suspend", "after": "paused", **said}


def written_before(url: str) -> None:
    """One case with a request, one that was paused twice, and one in hand."""
    with schema_change(url) as config:
        command.upgrade(config, OLD)
    engine = create_engine(url)
    with engine.begin() as connection:
        person, grid = table(connection, "person"), table(connection, "grid")
        connection.execute(person.insert(), {"id": 1, "name": "李强"})
        area = {"id": 1, "code": "1", "name": "歙县", "level": "county", "kind": "area", "path": "/1/"}
        connection.execute(grid.insert(), {**area, "aliases": []})
        cases = [
            case(1001, "accepted", request={**ASKED, "until": UNTIL}, approver_id=1),
            case(1002, "paused", paused_from="accepted"),
            case(1003, "accepted"),
        ]
        for row in cases:
            connection.execute(table(connection, "incident").insert(), row)
        events = [suspended(1002, "2026-11-01T00:00:00+00:00"), suspended(1002, {"moment": UNTIL})]
        connection.execute(table(connection, "incident_event").insert(), events)
    engine.dispose()


def cases_of(url: str) -> dict[int, Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(select(table(connection, "incident")))}
    engine.dispose()
    return rows


def utc(value: datetime | None) -> str | None:
    """As it would be written; SQLite keeps no zone."""
    if value is None:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def test_what_waited_in_json_waits_in_columns(database_url: str) -> None:
    written_before(database_url)

    migrate(database_url)

    rows = cases_of(database_url)
    waits = {number: (utc(row.request_until), utc(row.paused_until)) for number, row in rows.items()}
    assert waits == {1001: (UNTIL, None), 1002: (None, UNTIL), 1003: (None, None)}
    assert {number: row.request for number, row in rows.items()} == {1001: ASKED, 1002: None, 1003: None}


def test_the_older_program_finds_it_where_it_was(database_url: str) -> None:
    written_before(database_url)
    before = cases_of(database_url)
    migrate(database_url)

    with schema_change(database_url) as config:
        command.downgrade(config, OLD)

    assert {number: tuple(row) for number, row in cases_of(database_url).items()} == {
        number: tuple(row) for number, row in before.items()
    }
