"""The family of expected no's: a text key with its arguments, never a bug."""

from typing import Any


class Refusal(Exception):
    """Something that was asked for cannot be done, and why, in the words of a text key.

    `gone` marks what must look alike whether it is absent or not one's own (404); the
    rest is a conflict (409).
    """

    def __init__(self, text: str, *, gone: bool = False, **args: Any) -> None:
        super().__init__(text)
        self.text = text
        self.args_: dict[str, Any] = args
        self.gone = gone


class NotFound(Refusal):
    """Not there, or not yours: both sound alike so that nothing can be guessed."""

    def __init__(self, text: str = "incident.not_found", **args: Any) -> None:
        super().__init__(text, gone=True, **args)


class NotAllowed(Refusal):
    """The person's posts do not give the ability this command needs."""

    def __init__(self, text: str = "refusal.not_allowed", **args: Any) -> None:
        super().__init__(text, **args)
