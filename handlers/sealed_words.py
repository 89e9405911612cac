"""Words that tell a number kept sealed: in letters and choices they lie sealed as well."""

from handlers.refusal import Refusal
from models.sealing import SealingTrouble, is_sealed, keys_in_use

SAID = "resident.said"
"""What the seal of such words is made for; part of it, so it never changes."""


def seal_words(words: str) -> str:
    """Words that go on with a choice or a letter and must not lie open in it; nothing for none."""
    return keys_in_use().seal(words, SAID) if words else ""


def sealed_words(sealed: str) -> str:
    """What `seal_words` sealed."""
    return keys_in_use().open(sealed, SAID) if sealed else ""


def given_words(sealed: str) -> str:
    """What `seal_words` sealed, as a command brings it back. Raises Refusal for a seal that does not open."""
    try:
        return sealed_words(sealed)
    except SealingTrouble:
        raise Refusal("sealed.broken") from None


def words_of(kept: str) -> str:
    """What a letter said, whether its words lie open or sealed."""
    return sealed_words(kept) if is_sealed(kept) else kept
