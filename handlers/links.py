"""Links: under which addresses people outside reach the program."""

from collections.abc import Callable
from dataclasses import dataclass


def _nobody() -> str | None:
    return None


@dataclass(frozen=True)
class Links:
    """Where a link that is sent to somebody leads to."""

    web: str = ""
    """Address of the pages without a slash at its end; empty: not known."""
    telegram: Callable[[], str | None] = _nobody
    """Tells the bot's name on Telegram; None as long as it is not there."""

    def joining(self, secret: str) -> list[str]:
        """Links by which an invitation is opened, the one into the chat first."""
        bot = self.telegram()
        found = [f"https://t.me/{bot}?start={secret}"] if bot else []
        return [*found, f"{self.web}/join?c={secret}"] if self.web else found

    def paper(self, secret: str) -> str:
        """The link that opens a paper once."""
        return f"{self.web}/paper?c={secret}"

    @property
    def template(self) -> str:
        """Where empty sheets to fill in are; empty: nowhere."""
        return f"{self.web}/template.xlsx" if self.web else ""

    def group(self, token: str, post: int) -> str:
        """The short link that is put into a group below what is said there."""
        return f"{self.web}/g/{token}/{post}"

    def login(self, secret: str) -> str:
        """The link that opens the pages once."""
        return f"{self.web}/in?c={secret}"
