"""Reads what a page posts, as JSON from its script or as a plain form without one; at worst it is a 4xx."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect

from bot.channels.edge import load_json, writable

LARGEST_TEXT: Final = 1_000_000
"""Bytes of a request without a file."""
LARGEST_UPLOAD: Final = 21 * 1024 * 1024
"""Bytes of a request with a photo: what the store keeps at most, and the form around it."""
LONGEST_NAME: Final = 100
"""Characters of a file's name that are kept."""
LONGEST_WORDS: Final = 2000
"""Characters of one message: what a report may have."""


class Said(BaseModel):
    """One message of the page."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: str = Field(pattern=r"^[A-Za-z0-9-]{8,80}$")
    """Made by the page: the same message sent again acts once."""
    text: str = Field("", max_length=LONGEST_WORDS)
    pressed: str | None = Field(None, max_length=40)
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)

    @property
    def says_something(self) -> bool:
        """Whether there is anything in it at all."""
        return bool(self.text.strip() or self.pressed or (self.lat is not None and self.lon is not None))


@dataclass(frozen=True)
class Upload:
    """One photo or file of the page."""

    id: str
    data: bytes
    name: str = ""


async def read_said(request: Request) -> Said:
    """Read one message. Raises a 4xx in plain words for what is none."""
    if is_form(request):
        return _checked(_from_form(await read_form(request)))
    try:
        body = load_json(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(400, "没有看懂这次提交。") from None
    return _checked(body)


def is_form(request: Request) -> bool:
    """Whether a page without its script posts this: it wants a page back, not JSON."""
    return request.headers.get("content-type", "").lower().startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ) and "application/json" not in request.headers.get("accept", "")


async def read_form(request: Request) -> FormData:
    """Read a form. Raises a 4xx for what is none, whatever the parser says of it.

    What is nobody's fault stays as it is: ClientDisconnect, and OSError where a large file cannot lie by.
    """
    try:
        return await request.form(max_files=4, max_fields=20)
    except (HTTPException, ClientDisconnect, OSError):
        raise
    except Exception as trouble:
        raise HTTPException(400, "没有看懂这次提交。") from trouble


def _from_form(form: FormData) -> dict[str, Any]:
    """A form's button says its own words; the form's id stays that of the page until it is loaded anew."""
    fields = {name: value for name, value in form.items() if isinstance(value, str) and value}
    if fields.get("quick"):
        fields["text"] = fields["quick"]
    words = f"{fields.get('text', '')}|{fields.get('pressed', '')}"
    fields["id"] = own_id(fields.get("id", ""), words.encode(errors="replace"))
    return dict(writable(fields))


def own_id(form_id: str, content: bytes) -> str:
    """Name of what a form sends without script: the same twice acts once, an old page's new words act."""
    return f"{form_id}-{sha256(content).hexdigest()[:8]}"


def _checked(body: Any) -> Said:
    try:
        said = Said.model_validate(body)
    except ValidationError as wrong:
        too_long = any(error["type"] == "string_too_long" for error in wrong.errors(include_input=False))
        words = f"一次最多 {LONGEST_WORDS} 字，请分几条发。" if too_long else "没有看懂这次提交。"
        raise HTTPException(422, words) from None
    if not said.says_something:
        raise HTTPException(422, "请先写点什么再发。")
    return said


async def read_upload(request: Request, field: str = "photo") -> Upload:
    """Read one photo, or the file in another field. Raises a 4xx where there is none."""
    form = await read_form(request)
    form_id = form.get("id")
    files = [part for part in form.getlist(field) if isinstance(part, UploadFile)]
    chosen = [(data, part.filename or "") for part in files if (data := await part.read())]
    await form.close()
    if not chosen:
        raise HTTPException(422, "请先选一张照片。" if field == "photo" else "请先选一个文件。")
    data, name = chosen[0]
    own = form_id if isinstance(form_id, str) else ""
    found = own_id(own, data) if is_form(request) else own
    return Upload(_checked({"id": found, "text": "-"}).id, data, str(writable(name))[-LONGEST_NAME:])
