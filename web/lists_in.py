"""The office's own lists over the API: a file comes in or is tried, an import is taken back, all goes out."""

from collections.abc import Awaitable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from handlers.command import Command
from handlers.importing import ImportLists, NoteExport, UndoImport, must_enrol, read_lists
from handlers.refusal import Refusal
from handlers.registry.exporting import everything, template
from handlers.registry.spreadsheets import write_excel
from handlers.work import Reading
from web.bearer import Bearer, Key
from web.forms import LARGEST_UPLOAD, read_form
from web.giving import Giving, outcome_of
from web.lists import Number
from web.parts import Parts
from web.reading import Looks

EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FileName = Annotated[str, Query(max_length=100, description="The file's name, where the body is the file")]
DryRun = Annotated[bool, Query(description="Only tell what would come of it")]


def registry_routes(parts: Parts, looks: Looks) -> APIRouter:
    """POST /api/import and /api/import/{number}/undo, GET /api/export and /api/template."""
    router = APIRouter(prefix="/api", max_body_size=LARGEST_UPLOAD, tags=["registry"])
    office = _Office(parts, looks)

    @router.post("/import", status_code=201)
    async def bring_in(
        key: Key, request: Request, name: FileName = "list", dry_run: DryRun = False
    ) -> Response:
        """Bring in one Excel or CSV file: as the body, or as `file` of a form."""
        return await office.answered(_brought(office, key, request, name, dry_run=dry_run))

    @router.post("/import/{number}/undo", status_code=201)
    async def take_back(key: Key, number: Number) -> Response:
        """Take back an import of one's own, exactly and as a whole."""
        return await office.give(key, UndoImport(number=number))

    @router.get("/export")
    async def export(key: Key) -> Response:
        """Everything one's area owns, as an Excel file that can be brought in again."""
        return await office.answered(office.write(key))

    @router.get("/template")
    async def empty(key: Key) -> Response:
        """Empty sheets to fill in."""
        return await office.answered(office.empty(key))

    return router


async def _brought(office: "_Office", key: Bearer, request: Request, name: str, *, dry_run: bool) -> Response:
    await office.must_enrol(key)
    return await office.bring_in(key, *await _file(request, name), dry_run=dry_run)


async def _file(request: Request, name: str) -> tuple[str, bytes]:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return name, await request.body()
    form = await read_form(request)
    part = form.get("file")
    found = (part.filename or name, await part.read()) if isinstance(part, UploadFile) else (name, b"")
    await form.close()
    return found


class _Office:
    """Gives the commands, and reads, on behalf of a key's holder."""

    def __init__(self, parts: Parts, looks: Looks) -> None:
        self._parts = parts
        self._looks = looks
        self._giving = Giving(parts, looks)

    async def must_enrol(self, key: Bearer) -> None:
        """Refuse before a large file is even read."""
        await self._looks(lambda reading: must_enrol(key.reading(reading)))

    async def bring_in(self, key: Bearer, name: str, data: bytes, *, dry_run: bool) -> Response:
        """The file is read in a thread before the work begins: nobody's message waits for that."""
        lists = await anyio.to_thread.run_sync(partial(read_lists, [(name[:100], data)]))
        command = ImportLists(lists=lists, dry_run=dry_run)
        return await self.give(key, command)

    async def give(self, key: Bearer, command: Command) -> Response:
        """Give a command, and answer what came of it."""
        outcome = await self._giving.give(key, command, None)
        return JSONResponse(outcome.body, outcome.status)

    async def write(self, key: Bearer) -> Response:
        """All of one's area as a file."""

        def job(reading: Reading) -> bytes:
            own = key.reading(reading)
            must_enrol(own)
            return write_excel(everything(own))

        noted = await self._giving.give(key, NoteExport(), None)
        if noted.status != HTTPStatus.CREATED:
            return JSONResponse(noted.body, noted.status)
        name = {"content-disposition": 'attachment; filename="xiaoge.xlsx"'}
        return Response(await self._looks(job), media_type=EXCEL, headers=name)

    async def empty(self, key: Bearer) -> Response:
        """Sheets to fill in."""
        await self.must_enrol(key)
        return Response(write_excel(template(self._parts.book)), media_type=EXCEL)

    async def answered(self, answer: Awaitable[Response]) -> Response:
        """The answer, or the refusal as the API has it."""
        try:
            return await answer
        except Refusal as no:
            outcome = outcome_of(self._parts.book, no)
            return JSONResponse(outcome.body, outcome.status)
