"""How people name those who serve them: 李强, 李队, 老李."""

_TITLES = frozenset("队哥姐叔工总长员")


def is_called(name: str, words: str) -> bool:
    """Whether somebody's name is meant by the words: in full, or by surname and title (李队).

    Args:
        name: in full.
        words: as said.
    """
    if words == name or name.endswith(words) or words.endswith(name):
        return True
    short = words.removeprefix("老").removeprefix("小")
    titled = 1 < len(words) <= 3 and (words[-1] in _TITLES or words[-2:] in ("师傅", "书记", "主任"))
    return bool(short) and name[0] == short[0] and (titled or len(short) == 1)
