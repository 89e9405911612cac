"""Somebody at a chat page, without a browser: posts as its script does, reads what it would show."""

import json
import re
from html import unescape
from itertools import count
from typing import Any

import httpx

_SERIAL = count(1)
_TAGS = re.compile(r"<[^>]+>")


class Pane:
    """One open chat page.

    Args:
        url: where the house is.
        seat: whose place to take in the demo; None: whoever the cookies say.
        token: of a link that was given to somebody.
    """

    def __init__(self, url: str, seat: str | None = None, token: str | None = None) -> None:
        self.http = httpx.Client(base_url=url, timeout=30, follow_redirects=True)
        self.query = {"seat": seat} if seat else {}
        self.page = self.open({"t": token} if token else {})
        self.tag = self._tag()
        self.heard = ""

    def open(self, more: dict[str, str] | None = None) -> httpx.Response:
        """Load the page (anew)."""
        self.page = self.http.get("/chat", params={**self.query, **(more or {})})
        return self.page

    def _tag(self) -> str:
        found = re.search(r'data-tag="(\w+)"', self.page.text)
        return found[1] if found else ""

    def post(self, path: str = "/chat/send", **request: Any) -> httpx.Response:
        """Post anything to the chat's doors."""
        return self.http.post(path, params=self.query, **request)

    def send(self, text: str = "", **fields: Any) -> httpx.Response:
        """Post a message as the page's script does."""
        body = json.dumps({"id": f"message-{next(_SERIAL)}", "text": text, **fields})
        return self.post(content=body, headers={"content-type": "application/json"})

    def say(self, text: str = "", **fields: Any) -> str:
        """Say something and wait for the answer. Returns the newest words of the other side."""
        self.heard = self.newest()["id"]
        assert self.send(text, **fields).status_code == 200
        return self.hear()

    def hear(self) -> str:
        """Wait until the other side says something that was not heard yet; returns its words."""
        for _ in range(20):
            found = self.newest()
            if found["id"] != self.heard:
                self.heard = found["id"]
                return words_of(found["html"])
            self.updates(wait=1)
        raise AssertionError(f"nothing was answered; the page shows {words_of(self.open().text)}")

    def newest(self) -> dict[str, str]:
        """The newest bubble of the other side."""
        items = self.http.get("/chat/updates", params=self.query).json()["items"]
        theirs = [item for item in items if item["id"].startswith("o")]
        return theirs[-1] if theirs else {"id": "", "html": ""}

    def updates(self, wait: float = 0) -> dict[str, Any]:
        """Ask for what is new since the last time."""
        query = {**self.query, "after": self.tag, "wait": str(wait)}
        found: dict[str, Any] = self.http.get("/chat/updates", params=query).json()
        self.tag = found["tag"]
        return found

    def buttons(self) -> dict[str, str]:
        """Words on the buttons of the newest bubble -> what pressing them sends."""
        found = re.findall(r'name="pressed" value="([^"]*)"[^>]*>([^<]*)<', self.newest()["html"])
        return {unescape(label): payload for payload, label in found}

    def shown(self) -> str:
        """Everything the page shows, as text."""
        return words_of(self.open().text)

    def close(self) -> None:
        """Leave."""
        self.http.close()


def words_of(html: str) -> str:
    """The text of a piece of a page."""
    return unescape(_TAGS.sub(" ", html))
