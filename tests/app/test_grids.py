"""Grids at the command line: the plan first, then the deed; outlines in and out; the report."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from app.__main__ import main
from models import AuditLine
from models.database import open_database


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example town of the default place in a database."""
    monkeypatch.setenv("XIAOGE_DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")
    monkeypatch.setenv("XIAOGE_PLACE", "default")
    assert main(["found"]) == 0
    return tmp_path


def test_grids_are_changed_from_the_command_line(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["split-grid", "第一网格", "东片（1栋）、西片", "--yes"]) == 0
    assert main(["merge-grids", "西片", "东片", "--called", "一片", "--yes"]) == 0
    assert main(["rename-grid", "一片", "幸福一格"]) == 0
    assert capsys.readouterr().out.count("已办好") == 3
    assert doors(town) == {"console"}


def doors(town: Path) -> set[str]:
    """By which doors came what is noted in the audit."""
    database = open_database(f"sqlite:///{town / 'x.db'}")
    with closing(database), Session(database.reader) as session:
        return set(session.execute(select(col(AuditLine.channel))).scalars())


def test_what_cannot_be_done_is_said_and_the_tree_reported(
    town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rename-grid", "火星", "月亮"]) == 1
    assert main(["rename-grid", "1栋", "甲"]) == 1
    assert main(["rename-grid", "星河县", "甲"]) == 1
    assert main(["check-tree"]) == 0
    told = capsys.readouterr()

    assert "There is no grid called 火星" in told.err
    assert "name one by its code" in told.err
    assert "星河县是最上一级" in told.err
    assert "桂花镇：社区（村） 2，网格 4，楼栋 24；住户 0，居民 0" in told.out
    assert "有负责人：" in told.out


def test_outlines_go_in_and_out(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ring = [[112.0, 30.0], [112.1, 30.0], [112.1, 30.1], [112.0, 30.0]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    named = [
        {"type": "Feature", "properties": {"名称": name}, "geometry": shape} for name in ("第一网格", "火星")
    ]
    (town / "in.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": named}), "utf-8")

    assert main(["outlines", str(town / "in.geojson")]) == 1
    assert main(["outlines", str(town / "out.geojson"), "--export"]) == 0
    assert main(["outlines", str(town / "out.geojson")]) == 0
    assert doors(town) == {"console"}
    told = capsys.readouterr().out
    out = json.loads((town / "out.geojson").read_text("utf-8"))

    assert "第 2 个：网格“火星”找不到" in told
    assert [feature["properties"]["name"] for feature in out["features"]] == ["第一网格"]
