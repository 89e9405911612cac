"""The databases which the other tests stand on are real, empty and apart."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from tests.postgres import driver_url, fresh_database, sqlalchemy_url


def test_both_engines_answer_and_are_empty(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("select 1")) == 1
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_the_sqlite_database_is_a_file_of_the_test(database_url: str, tmp_path: Path) -> None:
    assert database_url.startswith(("postgresql+psycopg://", f"sqlite:///{tmp_path}"))


def test_a_database_made_from_a_template_has_its_tables(empty_postgres_url: str, postgres_url: str) -> None:
    with psycopg.connect(driver_url(empty_postgres_url)) as connection:
        connection.execute("create table grid (id int)")
    template = empty_postgres_url.rpartition("/")[2]
    with fresh_database(postgres_url, template) as url, psycopg.connect(driver_url(url)) as connection:
        assert connection.execute("select count(*) from grid").fetchone() == (0,)


def test_a_lent_database_is_gone_afterwards_even_when_still_in_use(postgres_url: str) -> None:
    with fresh_database(postgres_url) as url:
        left_open = psycopg.connect(driver_url(url))
    with pytest.raises(psycopg.OperationalError, match="terminating connection"):
        left_open.execute("select 1")
    left_open.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(driver_url(url))


@pytest.mark.parametrize("given", ["postgresql://a:b@h:1/d", "postgresql+asyncpg://a:b@h:1/d"])
def test_any_form_of_address_is_given_the_driver_of_the_program(given: str) -> None:
    assert sqlalchemy_url(given) == "postgresql+psycopg://a:b@h:1/d"
