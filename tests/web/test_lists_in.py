"""The office's lists over the API: tried, brought in, taken back, written out; and only by whoever may."""

import io

import httpx
import openpyxl
import pytest
from sqlalchemy import select
from sqlmodel import col

from handlers.registry.spreadsheets import write_excel
from models import Grid, Scope
from tests.web.house import House

MORE = write_excel([("网格", [["名称", "上级"], ["第九网格", "幸福社区"], ["甲", "没有的"]])])


def client(house: House, seat: str) -> httpx.Client:
    key = {"authorization": f"Bearer {house.token(seat, Scope.API)}"}
    return httpx.Client(base_url=f"{house.url}/api", headers=key, timeout=30)


def test_a_list_is_tried_brought_in_and_taken_back(house: House) -> None:
    with client(house, "county") as office:
        tried = office.post("/import", params={"dry_run": True}, content=MORE).json()
        came = office.post("/import", files={"file": ("网格.xlsx", MORE)})
        there = house.count(select(col(Grid.name)).where(col(Grid.name) == "第九网格"))
        gone = office.post(f"/import/{came.json()['number']}/undo")

    assert (tried["counts"]["new"], tried["counts"]["wrong"], tried["number"]) == (1, 1, None)
    assert came.status_code == gone.status_code == 201
    assert there == 1
    assert house.count(select(col(Grid.name)).where(col(Grid.name) == "第九网格")) == 0


def test_everything_goes_out(house: House) -> None:
    with client(house, "county") as office:
        book = openpyxl.load_workbook(io.BytesIO(office.get("/export").content))
        empty = openpyxl.load_workbook(io.BytesIO(office.get("/template").content))
        same = office.post("/import", params={"dry_run": True}, content=office.get("/export").content).json()

    assert book.sheetnames == empty.sheetnames == ["网格", "部门", "人员", "住户"]
    assert [sheet.max_row for sheet in empty] == [1, 1, 1, 1]
    assert "幸福社区" in {cell.value for row in book["网格"] for cell in row}
    assert (same["counts"]["new"], same["counts"]["changed"], same["wrong"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("method", "path"),
    [("post", "/import"), ("post", "/import/1/undo"), ("get", "/export"), ("get", "/template")],
)
def test_only_whoever_may(shared_house: House, method: str, path: str) -> None:
    with client(shared_house, "worker") as worker:
        assert worker.request(method, path).status_code == 403
    assert httpx.request(method, f"{shared_house.url}/api{path}").status_code == 401


def test_what_is_no_list_is_told_in_plain_words(shared_house: House) -> None:
    with client(shared_house, "county") as office:
        answer = office.post("/import", params={"name": "照片.xlsx"}, content=b"\xff\xd8\xff\x00")

    assert answer.status_code == 409
    assert answer.json()["message"] == "照片.xlsx 不是能读的表格，请用 .xlsx 或 .csv。"
