"""People's numbers in groups: masked before a message is kept, and before a letter is sent."""

from collections.abc import Sequence

from bot.message import Inbound
from handbook import Book
from handbook.personal import find_personal
from handbook.personal_kinds import Personal
from handbook.signs import plain_number


def shielded(inbound: Inbound) -> Inbound | None:
    """A message as it may be kept: in a group nobody's numbers stay in it, whoever was spoken to.

    Returns None for what a group says among itself and that tells nobody's number: that is not ours to keep.
    """
    if not inbound.group:
        return inbound
    kinds = personal_kinds(inbound)
    if not kinds:
        return inbound if inbound.addressed else None
    place = inbound.place and inbound.place.model_copy(update={"words": hidden(inbound.place.words)})
    files = tuple(item.model_copy(update={"name": hidden(item.name)}) for item in inbound.attachments)
    instead = {"text": hidden(inbound.text), "sender_name": hidden(inbound.sender_name), "place": place}
    told = tuple(kind for kind in kinds if kind in _kinds(inbound.text, *_beside(inbound)))
    return inbound.model_copy(update={**instead, "attachments": files, "personal": told})


def personal_kinds(inbound: Inbound) -> tuple[str, ...]:
    """The kinds of personal numbers anywhere in a message, each once."""
    return _kinds(inbound.text, inbound.sender_name, *_beside(inbound))


def _beside(inbound: Inbound) -> Sequence[str]:
    return [*(item.name for item in inbound.attachments), *([inbound.place.words] if inbound.place else [])]


def _kinds(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(found.kind) for text in texts for found in find_personal(text)))


def for_group(book: Book, text: str) -> str:
    """Words as a group may read them: every number of somebody masked, but those that are for everybody."""
    return hidden(text, frozenset(plain_number(number) for number in book.place.public_phones))


def hidden(text: str, public: frozenset[str] = frozenset()) -> str:
    """Words without anybody's number; `public` ones, in one writing, stay.

    Masking goes on until nothing is found: what is left of one number must not make another with its
    neighbours.
    """
    while told := [
        number
        for number in find_personal(text)
        if number.kind is Personal.PLATE or plain_number(number.value) not in public
    ]:
        last = told[-1]
        text = f"{text[: last.start]}{last.masked}{text[last.end :]}"
    return text
