"""What is sealed is found, opened and resealed on both engines; what cannot be opened says what to do."""

import traceback
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, func, insert, select, text, update

from models.database import make_engine
from models.sealing import Keys, Sealed, SealingTrouble, digest, keys_in_use, new_key, reseal, use

OLD, NEW, SEARCH = (urlsafe_b64encode(sign * 32).decode() for sign in (b"o", b"n", b"s"))
"""The same in every process: they stand in the names of tests."""
BEFORE, AFTER, DONE = Keys(OLD, SEARCH), Keys(f"{NEW} {OLD}", SEARCH), Keys(NEW, SEARCH)
PHONE = "13800000001"
WHAT = "neighbour.phone"

NEIGHBOURS = Table(
    "neighbour",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("phone", Sealed(WHAT)),
    Column("phone_digest", String(64), index=True),
)
PHONES = NEIGHBOURS.c.phone


@pytest.fixture(autouse=True)
def keys() -> Iterator[None]:
    """This process's keys, for as long as a test runs."""
    before = use(BEFORE)
    yield
    use(before)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with the table of neighbours."""
    engine = make_engine(database_url)
    NEIGHBOURS.metadata.create_all(engine)
    yield engine
    engine.dispose()


def enter(engine: Engine, *phones: str | None) -> None:
    """Write rows as a handler would."""
    rows = [{"phone": phone, "phone_digest": phone and digest(phone, WHAT)} for phone in phones]
    with engine.begin() as connection:
        connection.execute(insert(NEIGHBOURS), rows)


def raw(engine: Engine) -> list[str | None]:
    """What a thief would read."""
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT phone FROM neighbour ORDER BY id")).scalars())


def opened(engine: Engine) -> list[str | None]:
    """What the program reads."""
    with engine.connect() as connection:
        return list(connection.execute(select(PHONES).order_by(NEIGHBOURS.c.id)).scalars())


def found(engine: Engine, phone: str) -> list[int]:
    """The rows with a phone."""
    with engine.connect() as connection:
        query = select(NEIGHBOURS.c.id).where(NEIGHBOURS.c.phone_digest == digest(phone, WHAT))
        return list(connection.execute(query.order_by(NEIGHBOURS.c.id)).scalars())


def resealed(engine: Engine, most: int = 2) -> int:
    """Reseal to the end, a few rows in each transaction."""
    total = 0
    while True:
        with engine.begin() as connection:
            done = reseal(
                connection, PHONES, most=most, beside=lambda phone: {"phone_digest": digest(phone, WHAT)}
            )
        if not done:
            return total
        total += done


def test_a_phone_lies_sealed_and_comes_back(engine: Engine) -> None:
    enter(engine, PHONE, None, "", PHONE)

    assert opened(engine) == [PHONE, None, "", PHONE]
    first, nothing, _, second = raw(engine)
    assert nothing is None
    assert first != second
    assert not any(PHONE[at : at + 6] in str(raw(engine)) for at in range(6))


def test_it_is_found_by_its_digest(engine: Engine) -> None:
    enter(engine, PHONE, "13900000002", PHONE)

    assert found(engine, PHONE) == [1, 3]
    assert found(engine, "13800000003") == []


def test_whether_there_is_one_may_be_asked_and_nothing_else(engine: Engine) -> None:
    enter(engine, PHONE, None)
    with engine.connect() as connection:
        count = select(func.count()).select_from(NEIGHBOURS)
        assert connection.scalar(count.where(PHONES.is_(None))) == 1
        assert connection.scalar(count.where(PHONES.is_not(None))) == 1

    for compare in (
        lambda: PHONES == PHONE,
        lambda: PHONES.in_([PHONE]),
        lambda: PHONES.like("138%"),
        PHONES.desc,
        lambda: PHONES + "1",
        lambda: "1" + PHONES,
    ):
        with pytest.raises(SealingTrouble, match="by its digest"):
            compare()


def test_a_new_key_seals_while_the_old_one_still_opens(engine: Engine) -> None:
    enter(engine, PHONE)
    use(AFTER)
    enter(engine, "13900000002")

    assert opened(engine) == [PHONE, "13900000002"]
    assert found(engine, PHONE) == [1]
    assert [str(sealed).startswith(AFTER.mark) for sealed in raw(engine)] == [False, True]


def test_after_resealing_the_old_key_is_needed_no_more(engine: Engine) -> None:
    enter(engine, *(f"1380000000{at}" for at in range(5)), None)
    use(AFTER)

    assert resealed(engine) == 5
    assert resealed(engine) == 0
    use(DONE)
    assert opened(engine) == [*(f"1380000000{at}" for at in range(5)), None]
    assert found(engine, "13800000003") == [4]


def test_what_was_never_sealed_is_sealed_and_can_then_be_found(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO neighbour (phone) VALUES ('{PHONE}')"))  # noqa: S608
    with pytest.raises(
        SealingTrouble, match=r"neighbour\.phone holds a text that was never sealed: run reseal"
    ):
        opened(engine)

    assert resealed(engine) == 1
    assert opened(engine) == [PHONE]
    assert found(engine, PHONE) == [1]


def test_a_row_changed_meanwhile_keeps_the_change(engine: Engine) -> None:
    enter(engine, PHONE)
    use(AFTER)
    with engine.begin() as connection:

        def changed_by_another(_: str) -> dict[str, str]:
            connection.execute(update(NEIGHBOURS).values(phone="13900000002"))
            return {}

        reseal(connection, PHONES, beside=changed_by_another)

    assert opened(engine) == ["13900000002"]


def test_a_lost_key_says_which_and_what_to_do_and_resealing_keeps_its_hands_off(engine: Engine) -> None:
    enter(engine, PHONE)
    sealed = raw(engine)
    use(DONE)

    for read in (lambda: opened(engine), lambda: resealed(engine)):
        with pytest.raises(SealingTrouble) as trouble:
            read()
        name = BEFORE.mark.split(":")[1]
        assert f"neighbour.phone was sealed with the key {name}" in str(trouble.value)
        assert "that key behind the newest one" in str(trouble.value)
    assert raw(engine) == sealed


def test_without_keys_nothing_is_written_or_read_and_no_error_tells_the_phone(engine: Engine) -> None:
    enter(engine, PHONE)
    use(None)
    with pytest.raises(SealingTrouble, match=r"whoever opens a database"):
        opened(engine)
    with (
        pytest.raises(SealingTrouble, match="no keys here") as trouble,
        engine.begin() as connection,
    ):
        connection.execute(insert(NEIGHBOURS).values(phone=PHONE))

    told = "".join(traceback.format_exception_only(trouble.value))
    assert PHONE not in told
    use(BEFORE)
    assert opened(engine) == [PHONE]


def test_a_changed_or_moved_text_is_not_opened() -> None:
    sealed = BEFORE.seal(PHONE, WHAT)
    other = "B" if sealed[-6] == "A" else "A"

    for wrong, purpose in (
        (sealed[:-6] + other + sealed[-5:], WHAT),
        (sealed[:40], WHAT),
        (BEFORE.mark + "AAAA", WHAT),
        (sealed, "neighbour.name"),
    ):
        with pytest.raises(SealingTrouble, match="changed, cut or moved"):
            BEFORE.open(wrong, purpose)


def test_digests_differ_by_search_key_and_by_column_and_not_by_sealing_key() -> None:
    assert BEFORE.digest(PHONE, WHAT) == DONE.digest(PHONE, WHAT)
    others = (Keys(OLD, new_key()).digest(PHONE, WHAT), BEFORE.digest(PHONE, "neighbour.name"))
    assert len({BEFORE.digest(PHONE, WHAT), *others}) == 3


@pytest.mark.parametrize(
    ("sealing", "search", "says"),
    [
        ("", SEARCH, "No key to seal with"),
        (" , ", SEARCH, "No key to seal with"),
        ("geheim", SEARCH, "a sealing key is not 32 bytes"),
        (OLD[:-4], SEARCH, "a sealing key is not 32 bytes"),
        (OLD, "", "the search key is not 32 bytes"),
        (OLD, "密钥", "the search key is not 32 bytes"),
        (OLD, OLD, "also a sealing key"),
    ],
    ids=["none", "blank", "no key", "short", "no search key", "no search key at all", "the same"],
)
def test_a_wrong_key_is_told_at_the_start_and_not_repeated(sealing: str, search: str, says: str) -> None:
    with pytest.raises(SealingTrouble, match=says) as trouble:
        Keys(sealing, search)
    assert not any(given and given in str(trouble.value) for given in (sealing.strip(" ,"), search))


def test_the_keys_tell_nothing_of_themselves() -> None:
    shown = f"{AFTER!r} {AFTER.mark}"
    assert not any(key[:8] in shown for key in (OLD, NEW, SEARCH))
    assert keys_in_use() is BEFORE


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_comes_back(value: str) -> None:
    assert AFTER.open(BEFORE.seal(value, WHAT), WHAT) == value


def test_a_county_s_workers_are_opened_within_a_second() -> None:
    sealed = [BEFORE.seal(f"138{at:08}", WHAT) for at in range(19_000)]
    start = perf_counter()
    phones = [BEFORE.open(each, WHAT) for each in sealed]
    took = perf_counter() - start
    print(f"\n{took / len(phones) * 1e6:.1f} us to open one")  # noqa: T201

    assert phones[-1] == "13800018999"
    assert took < 1
