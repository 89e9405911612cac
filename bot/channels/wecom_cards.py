"""Choices as buttons of a WeCom card, where its limits allow; else the numbers in the words are enough."""

from typing import Final

from bot.channels.edge import fingerprint, writable
from bot.channels.wecom_client import Json
from bot.message import Outbound

MOST_BUTTONS: Final = 6
LONGEST_LABEL: Final = 10
"""Characters WeCom advises at most; longer ones are cut on small phones."""
LONGEST_WORDS: Final = 112
"""The same of the card's own words."""


def card_of(message: Outbound, words: str) -> Json | None:
    """A card of which each button answers, or None where it would be cut.

    The card holds the same words with the same numbers as the plain message, so nobody is told twice.
    """
    fits = len(message.buttons) <= MOST_BUTTONS and len(words) <= LONGEST_WORDS and words.strip()
    if not message.buttons or not fits or any(_cut(label) for label, _ in message.buttons):
        return None
    return {
        "card_type": "button_interaction",
        "sub_title_text": writable(words),
        "task_id": task_of(message),
        "button_list": [
            {"text": writable(label), "style": 1, "key": payload} for label, payload in message.buttons
        ],
    }


def task_of(message: Outbound) -> str:
    """The card's own name, the same at each try; WeCom wants it once per application, whatever database."""
    return f"mail-{message.mail_id}-{fingerprint(repr(message.parts).encode('utf-8', 'replace'))[7:23]}"


def _cut(label: str) -> bool:
    return not 0 < len(label) <= LONGEST_LABEL
