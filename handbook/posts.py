"""How people say who holds which post: 王芳当第一网格的网格员."""

import re

_NAME = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af·]{2,12}|[A-Za-z][A-Za-z .'-]{1,39}")
_BETWEEN = re.compile(r"[\s,，。、:：;；]+|(?:担任|当|做|任|为|到|在|的)(?=\s|$)")
_LINK = re.compile(r"(?:担任|当|做|任|为|到|去|在)$")


def words_apart(text: str) -> list[str]:
    """The words of a sentence that stand apart, without what links them."""
    return [part for part in _BETWEEN.split(text) if part]


def without_link(text: str) -> str:
    """A name without the word that leads on to the post: 王芳当 is 王芳."""
    return _LINK.sub("", text)


def is_persons_name(text: str) -> bool:
    """Whether it could be what somebody is called, and is not half a sentence."""
    return _NAME.fullmatch(text) is not None
