"""What is said between two alone: codes, links and accounts have no place where others read."""

from handlers.refusal import Refusal
from handlers.work import Return, Work


def own_chat(work: Work) -> Return:
    """The private chat a work answers in. Raises Refusal in a group, and where there is no chat at all."""
    if work.back is None or work.back.group:
        raise Refusal("group.private")
    return work.back
