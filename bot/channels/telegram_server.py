"""A stand-in for Telegram on this machine, which keeps Telegram's rules: for tests, trials and measuring."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from bot.channels.loopback import Call, LoopbackServer, Reply, form_of
from bot.channels.telegram_rules import (
    LARGEST_FETCH,
    LONGEST_CAPTION,
    Json,
    Rate,
    Trouble,
    bad,
    check_buttons,
    check_commands,
    check_photo,
    check_text,
    marks_of,
)
from bot.channels.telegram_updates import Updates

BEGAN = 1_900_000_000
"""Second of the first message; each further one is a second later, whatever the clock says."""


@dataclass(frozen=True)
class Said:
    """One message the bot sent."""

    id: int
    chat: int
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    photo: bytes | None = field(default=None, repr=False)


@dataclass
class _Script:
    """What the next calls of a method end with."""

    trouble: Trouble | None
    left: int
    after: int
    done: bool


class TelegramServer:
    """Plays Telegram: people write, the bot is told and answers. Use it with `async with`.

    Args:
        token: the only token that is known.
        username: the bot's name.
        per_chat_second: messages a second to one chat before 429; None: no limit.
        now: seconds that only grow, to count them by; the loop's own unless told.
        retry_seconds: rest after a webhook that was not answered with 2xx.
    """

    def __init__(
        self,
        token: str = "1000001:loopback",  # noqa: S107 - it opens nothing
        username: str = "xiaoge_bot",
        per_chat_second: int | None = None,
        now: Callable[[], float] | None = None,
        retry_seconds: float = 0.02,
    ) -> None:
        self.token = token
        self.username = username
        self.sent: list[Said] = []
        self.answered: list[str] = []
        """Presses that were answered."""
        self.calls: list[tuple[str, Json]] = []
        """Every call with the right token: method and fields, oldest first."""
        self.names: dict[int, str] = {}
        self.blocked: set[int] = set()
        self.commands: list[Json] = []
        self.updates = Updates(retry_seconds)
        self._rate = Rate(per_chat_second) if per_chat_second else None
        self._now = now
        self._http = LoopbackServer(self._answer)
        self._numbers = itertools.count(1)
        self._files: dict[str, bytes] = {}
        self._presses: set[str] = set()
        self._chats: set[int] = set()
        self._scripts: dict[str, _Script] = {}
        self._delivery: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "TelegramServer":
        await self._http.__aenter__()
        self._delivery = asyncio.create_task(self.updates.deliver(), name="telegram's webhook")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._delivery is not None:
            self._delivery.cancel()
            await asyncio.gather(self._delivery, return_exceptions=True)
        await self._http.__aexit__(kind, error, trace)

    @property
    def base_url(self) -> str:
        """What a bot is to take for Telegram's address."""
        return f"{self._http.url}/bot"

    @property
    def base_file_url(self) -> str:
        """Where a bot is to fetch files."""
        return f"{self._http.url}/file/bot"

    # -- what people do -----------------------------------------------------------------------------------

    def say(self, user: int, text: str, chat: int | None = None, **more: Any) -> int:
        """Write a text as a person, in the private chat or in a group. Returns the update's number."""
        return self.send_message(user, chat, text=text, entities=marks_of(text), **more)

    def send_photo(self, user: int, data: bytes, caption: str = "", chat: int | None = None) -> int:
        """Send a photo as a person. Returns the update's number."""
        content: Json = {"photo": [self._keep_file(data, 90), self._keep_file(data, 1280)]}
        if caption:
            content |= {"caption": caption, "caption_entities": marks_of(caption)}
        return self.send_message(user, chat, **content)

    def send_document(self, user: int, name: str, data: bytes, chat: int | None = None) -> int:
        """Somebody sends a file, as a phone does with one of its own. Returns the update's number."""
        kept = self._keep_file(data, 0)
        file = {key: kept[key] for key in ("file_id", "file_unique_id", "file_size")}
        return self.send_message(user, chat, document={**file, "file_name": name})

    def meet(self, *chats: int) -> None:
        """Let the bot be known in chats from before: what it says there is not refused."""
        self._chats.update(chats)

    def press(self, user: int, what: str, chat: int | None = None) -> int:
        """Press the newest button with this payload or label. Raises LookupError when there is none."""
        place = chat or user
        for said in reversed([said for said in self.sent if said.chat == place]):
            for label, payload in said.buttons:
                if what in (label, payload):
                    return self._press(user, said, payload)
        raise LookupError(f"no button {what!r} in chat {place}")

    def _press(self, user: int, said: Said, payload: str) -> int:
        query = f"press{next(self._numbers)}"
        self._presses.add(query)
        message = self._message(said.id, self._me(), said.chat, text=said.text)
        fields = {"id": query, "from": self._user(user), "message": message, "chat_instance": "1"}
        return self.updates.put("callback_query", {**fields, "data": payload})

    def send_message(self, user: int, chat: int | None = None, **content: Any) -> int:
        """Send a message of any content as a person, who is no longer blocking the bot then."""
        self.blocked.discard(user)
        message = self._message(next(self._numbers), self._user(user), chat or user, **content)
        return self.updates.put("message", message)

    def fail(
        self, method: str, trouble: Trouble | None = None, times: int = 1, after: int = 0, done: bool = False
    ) -> None:
        """Let calls of a method go wrong.

        Args:
            method: of the Bot API.
            trouble: what is answered; None cuts the line instead.
            times: how many calls go wrong.
            after: how many calls go well before.
            done: the call takes effect before its line is cut.
        """
        self._scripts[method] = _Script(trouble, times, after, done)

    def forget_files(self) -> None:
        """Take away what people sent, as Telegram may at any time."""
        self._files.clear()

    @property
    def newest_file(self) -> str:
        """Telegram's id of the file that was sent last."""
        return next(reversed(self._files))

    def texts(self, chat: int) -> list[str]:
        """Return the texts the bot said in a chat, oldest first."""
        return [said.text for said in self.sent if said.chat == chat and said.photo is None]

    # -- the Bot API --------------------------------------------------------------------------------------

    async def _answer(self, call: Call) -> Reply:
        try:
            if call.path.startswith("/file/bot"):
                return self._download(call.path.removeprefix("/file/bot"))
            token, _, method = call.path.removeprefix("/bot").partition("/")
            if token != self.token:
                raise Trouble(401, "Unauthorized")
            fields, files = form_of(call)
            self.calls.append((method, fields))
            return await self._scripted(method, fields, files)
        except Trouble as trouble:
            return trouble.reply()

    async def _scripted(self, method: str, fields: Json, files: dict[str, bytes]) -> Reply:
        script = self._scripts.get(method)
        if script is None or script.left == 0 or script.after > 0:
            if script is not None:
                script.after -= 1
            result = await self._call(method, fields, files)
            return Reply(200, json.dumps({"ok": True, "result": result}).encode())
        script.left -= 1
        if script.trouble is not None:
            raise script.trouble
        if script.done:
            await self._call(method, fields, files)
        return Reply(None)

    async def _call(self, method: str, fields: Json, files: dict[str, bytes]) -> Any:
        if method == "getUpdates":
            offset, limit, seconds = (int(fields.get(name) or 0) for name in ("offset", "limit", "timeout"))
            return await self.updates.poll(offset, limit or 100, seconds, _wanted(fields))
        calls: dict[str, Callable[[], Any]] = {
            "getMe": self._me,
            "getFile": lambda: self._get_file(fields),
            "sendMessage": lambda: self._send_message(fields),
            "sendPhoto": lambda: self._send_photo(fields, files),
            "answerCallbackQuery": lambda: self._answer_press(fields),
            "setMyCommands": lambda: self._set_commands(fields),
            "setWebhook": lambda: self._set_webhook(fields),
            "deleteWebhook": lambda: self._set_webhook({}),
        }
        if method not in calls:
            raise Trouble(404, "Not Found")
        return calls[method]()

    def _send_message(self, fields: Json) -> Json:
        text = check_text(str(fields.get("text", "")))
        buttons = check_buttons(fields.get("reply_markup"))
        return self._said(Said(next(self._numbers), self._chat(fields), text, buttons))

    def _send_photo(self, fields: Json, files: dict[str, bytes]) -> Json:
        name = str(fields.get("photo", ""))
        if "photo" not in files and name not in self._files:
            raise bad("wrong file identifier/HTTP URL specified")
        photo = check_photo(files["photo"]) if "photo" in files else self._files[name]
        caption = check_text(str(fields.get("caption", "")), LONGEST_CAPTION)
        buttons = check_buttons(fields.get("reply_markup"))
        return self._said(Said(next(self._numbers), self._chat(fields), caption, buttons, photo))

    def _said(self, said: Said) -> Json:
        if self._rate is not None:
            self._rate.count(said.chat, (self._now or asyncio.get_running_loop().time)())
        self.sent.append(said)
        return self._message(said.id, self._me(), said.chat, text=said.text)

    def _chat(self, fields: Json) -> int:
        name = str(fields.get("chat_id"))
        chat = next((known for known in self._chats if str(known) == name), None)
        if chat is None:
            raise bad("chat not found")
        if chat in self.blocked:
            raise Trouble(403, "Forbidden: bot was blocked by the user")
        return chat

    def _answer_press(self, fields: Json) -> bool:
        query = str(fields.get("callback_query_id"))
        if query not in self._presses:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        self._presses.discard(query)
        self.answered.append(query)
        return True

    def _set_commands(self, fields: Json) -> bool:
        commands = json.loads(fields.get("commands", "[]"))
        check_commands(commands)
        self.commands = commands
        return True

    def _set_webhook(self, fields: Json) -> bool:
        self.updates.post_to(fields.get("url", ""), fields.get("secret_token", ""), _wanted(fields))
        return True

    # -- files --------------------------------------------------------------------------------------------

    def _keep_file(self, data: bytes, side: int) -> Json:
        file_id = f"file{next(self._numbers)}"
        self._files[file_id] = data
        sizes = {"width": side, "height": side, "file_size": len(data)}
        return {"file_id": file_id, "file_unique_id": file_id, **sizes}

    def _get_file(self, fields: Json) -> Json:
        file_id = str(fields.get("file_id"))
        if file_id not in self._files:
            raise bad("wrong file_id or the file is temporarily unavailable")
        size = len(self._files[file_id])
        if size > LARGEST_FETCH:
            raise bad("file is too big")
        path = f"photos/{file_id}.jpg"
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": size, "file_path": path}

    def _download(self, path: str) -> Reply:
        token, _, name = path.partition("/photos/")
        data = self._files.get(name.removesuffix(".jpg")) if token == self.token else None
        if data is None:
            raise Trouble(404, "Not Found")
        return Reply(200, data, "application/octet-stream")

    # -- what people and messages look like ---------------------------------------------------------------

    def _message(self, number: int, sender: Json, chat: int, **content: Any) -> Json:
        self._chats.add(chat)
        name = self.names.get(chat, str(chat))
        kind = {"type": "private", "first_name": name} if chat > 0 else {"type": "supergroup", "title": name}
        place = {"id": chat, **kind}
        return {"message_id": number, "date": BEGAN + number, "from": sender, "chat": place, **content}

    def _user(self, user: int) -> Json:
        return {"id": user, "is_bot": False, "first_name": self.names.get(user, str(user))}

    def _me(self) -> Json:
        number = int(self.token.partition(":")[0])
        return {"id": number, "is_bot": True, "first_name": "小格", "username": self.username}


def _wanted(fields: Json) -> list[str] | None:
    return json.loads(fields["allowed_updates"]) if "allowed_updates" in fields else None
