"""A conversation in the terminal: every line is a message, every answer is printed."""

import asyncio
import contextlib
import logging
import secrets
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from bot.channel import Accept, Broken, Can, Outcome, Request, Sent, Untrusted
from bot.channels.edge import writable
from bot.message import Attachment, Inbound, Outbound

log = logging.getLogger(__name__)

HELP = (
    "每行是一条消息；「@李队」换成李队说话；「/photo 文件 说明」发照片；「/file 文件」发名单；Ctrl-D 结束。"
)


class TerminalChannel:
    """Speaks with whoever sits before the screen, who may play several people in turn.

    Args:
        handle: who speaks first.
        source: where lines come from; standard input unless told.
        out: where answers are printed; standard output unless told.
    """

    name = "terminal"
    can = Can(photos=True, webhook=False, longest=8000, per_second=1000.0, per_chat_second=1000.0)

    def __init__(self, handle: str = "我", source: TextIO | None = None, out: TextIO | None = None) -> None:
        self.handle = handle
        self.ended = asyncio.Event()
        """Set when there are no more lines."""
        self._source = source or sys.stdin
        self._out = out or sys.stdout
        self._run = secrets.token_hex(4)
        self._count = 0
        self._photos: dict[str, Path] = {}
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Trust nothing: no platform speaks for a terminal."""
        raise Untrusted("the terminal has no webhook")

    async def send(self, message: Outbound) -> Outcome:
        """Print the words and name the photos."""
        head = "" if message.handle == self.handle else f" → {message.handle}"
        photos = tuple(f"[照片 {key}]" for key in message.photos)
        try:
            for part in (*photos, *message.parts):
                self._print(f"小格{head}:{part}")
        except (OSError, ValueError) as error:
            return Broken(str(error))
        return Sent(str(message.mail_id))

    def _print(self, words: str) -> None:
        coding = self._out.encoding or "utf-8"
        print(words.encode(coding, "replace").decode(coding), file=self._out, flush=True)

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Read a photo that was named with `/photo`; files nobody named are never read."""
        path = self._photos.get(key)
        try:
            return (path.read_bytes(), path.suffix.lstrip(".")) if path else None
        except OSError:
            return None

    async def start(self, accept: Accept) -> None:
        """Begin to read lines, in a thread: a line that never comes must not hold the program."""
        self._print(HELP)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop,), name="terminal", daemon=True).start()
        self._task = asyncio.create_task(self._listen(accept), name="terminal")

    async def stop(self) -> None:
        """Stop listening; the thread ends with the program."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError, ValueError):  # the loop or the source was closed meanwhile
            for line in self._source:
                loop.call_soon_threadsafe(self._lines.put_nowait, line)
            loop.call_soon_threadsafe(self._lines.put_nowait, "")

    async def _listen(self, accept: Accept) -> None:
        while line := await self._lines.get():
            if (message := self._hear(line.strip())) is not None:
                try:
                    await accept([message])
                except Exception:
                    log.exception("a line was not kept")
        self.ended.set()

    def _hear(self, line: str) -> Inbound | None:
        """Make a message of a line, or follow what it asks of the terminal itself."""
        if not line:
            return None
        if line.startswith("@") and len(line.split()) == 1 and len(line) > 1:
            self.handle = line[1:]
            return None
        if line.startswith("/photo "):
            return self._photo(*line.removeprefix("/photo ").split(maxsplit=1))
        if line.startswith("/file "):
            return self._file(line.removeprefix("/file ").strip())
        return self._message(line)

    def _photo(self, name: str, words: str = "") -> Inbound:
        key = f"{self.name}:{self._run}-{len(self._photos)}"
        self._photos[key] = Path(name).expanduser()
        return self._message(words, Attachment(kind="photo", key=key))

    def _file(self, name: str) -> Inbound:
        key = f"{self.name}:{self._run}-{len(self._photos)}"
        self._photos[key] = Path(name).expanduser()
        return self._message("", Attachment(kind="file", key=key, name=writable(Path(name).name[:100])))

    def _message(self, text: str, *attachments: Attachment) -> Inbound:
        self._count += 1
        return Inbound(
            channel=self.name,
            message_id=f"{self._run}-{self._count}",
            chat=self.handle,
            handle=self.handle,
            sender_name=self.handle,
            text=writable(text),
            attachments=attachments,
        )
