"""The shipped twin: a channel without a network, for tests and for measuring."""

import hmac
import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from bot.channel import Accept, Can, Outcome, Refused, Request, Sent, Unreadable, Untrusted
from bot.channels.edge import fingerprint, load_json, writable
from bot.message import Inbound, Outbound

SECRET_HEADER = "x-memory-secret"


class MemoryChannel:
    """Remembers what was said to whom, and answers as it was told to.

    Args:
        name: what the channel is called in addresses.
        can: its abilities; a real channel's may be given to play that channel.
        secret: what a webhook request must carry in the header `x-memory-secret`; None: anything is trusted.
    """

    def __init__(self, name: str = "memory", can: Can | None = None, secret: str | None = None) -> None:
        self.name = name
        self.can = can or Can(buttons=True, photos=True, places=True, groups=True)
        self.sent: defaultdict[tuple[str, str], list[Outbound]] = defaultdict(list)
        """What was said, by chat and handle, oldest first."""
        self.files: dict[str, tuple[bytes, str]] = {}
        """Bytes and ending of each attachment that can be fetched."""
        self._secret = secret
        self._outcomes: deque[Outcome] = deque()
        self._accept: Accept | None = None
        self._count = 0

    def script(self, outcomes: Iterable[Outcome]) -> None:
        """Let the next messages end so, one outcome each; afterwards everything is sent again."""
        self._outcomes.extend(outcomes)

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Read a JSON object with the fields of `Inbound` (without its channel), or a list of them."""
        if self._secret is not None:
            given = request.headers.get(SECRET_HEADER, "")
            if not hmac.compare_digest(given.encode("utf-8", "replace"), self._secret.encode()):
                raise Untrusted("wrong secret")
        try:
            data = load_json(request.body)
            return [self._inbound(one) for one in (data if isinstance(data, list) else [data])]
        except Exception as error:
            raise Unreadable(fingerprint(request.body), str(error)) from error

    def _inbound(self, fields: JsonValue) -> Inbound:
        if not isinstance(fields, dict):
            raise TypeError("no JSON object")
        return Inbound.model_validate({**fields, "channel": self.name})

    async def send(self, message: Outbound) -> Outcome:
        """Remember the message, unless it was scripted to end otherwise."""
        if self._outcomes and not isinstance(self._outcomes[0], Sent):
            return self._outcomes.popleft()
        if any(len(writable(part).encode()) > self.can.longest for part in message.parts):
            return Refused(f"longer than {self.can.longest} bytes")
        self.sent[message.chat, message.handle].append(message)
        self._count += 1
        return self._outcomes.popleft() if self._outcomes else Sent(str(self._count))

    def words(self, chat: str, handle: str | None = None) -> list[str]:
        """Parts said in a chat, oldest first; in a private chat the handle is the chat."""
        return [part for message in self.sent[chat, handle or chat] for part in message.parts]

    async def hear(self, *messages: Inbound) -> None:
        """Hand messages to whoever listens, as polling would. The channel must have been started."""
        if self._accept is None:
            raise RuntimeError(f"nobody listens to {self.name}")
        await self._accept(messages)

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Return the file put into `files` under this key."""
        return self.files.get(key)

    async def start(self, accept: Accept) -> None:
        """Remember who listens."""
        self._accept = accept

    async def stop(self) -> None:
        """Forget who listens."""
        self._accept = None


def request_of(fields: Mapping[str, JsonValue], secret: str = "") -> Request:
    """Write the webhook request that `parse` would read, for tests and load."""
    body = json.dumps(fields, ensure_ascii=False).encode()
    return Request(headers={SECRET_HEADER: secret}, query={}, body=body)
