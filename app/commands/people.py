"""Who is let in: keys to a door, and the first administrator."""

import argparse

from app.commands import Add, settings_of

_LONGEST = 3650
"""Days that a key may open its door."""


def add_people(add: Add) -> None:
    """The commands that let people in."""
    admin = add("admin", _admin, "make somebody the first administrator, and print how they come in")
    admin.add_argument("person", help="the administrator's name")
    admin.add_argument("phone", type=_phone, help="their phone; its last four digits are asked for")
    token = add("token", _token, "give a person a key to the API, a board or a chat, or take it away")
    token.add_argument("person", help="the person's name, or their number where several are called so")
    token.add_argument("--scope", choices=("api", "board", "chat"), default="api")
    token.add_argument("--days", type=_days, default=90, help="for how many days it opens (90)")
    token.add_argument("--revoke", action="store_true", help="take all of the person's keys to it away")


def _days(words: str) -> int:
    """A lifetime. Raises ArgumentTypeError for one that ends before it begins, or outlives its holder."""
    if not (words.isascii() and words.isdecimal() and 1 <= int(words[:9]) <= _LONGEST):
        raise argparse.ArgumentTypeError(f"{words[:20]!r} is no number of days from 1 to {_LONGEST}.")
    return int(words)


def _phone(words: str) -> str:
    """A mobile number. Raises ArgumentTypeError for anything else."""
    if not (len(words) == 11 and words.isascii() and words.isdecimal() and words.startswith("1")):
        raise argparse.ArgumentTypeError("the phone is a number of 11 digits that begins with 1.")
    return words


def _token(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.registry import make_token, revoke_tokens

    settings = settings_of(given)
    with alone(settings.database_url):
        if given.revoke:
            revoke_tokens(settings, given.person, given.scope)
            print(f"No key of {given.person} opens {given.scope} any more.")
        else:
            print(make_token(settings, given.person, given.scope, given.days))
    return 0


def _admin(given: argparse.Namespace) -> int:
    from app.alone import alone
    from app.registry import make_administrator

    settings = settings_of(given)
    with alone(settings.database_url):
        code, links = make_administrator(settings, given.person, given.phone)
    print(
        f"{given.person} is an administrator now. Within 10 minutes: start the program, and in a private\n"
        f"chat with it {given.person} writes  绑定 {code}  and then the last four digits of the phone.\n"
        f"Or within three days, in a browser: {links[-1]}\n"
        "Whichever is used first ends the other. From then on 邀请 姓名 brings in everybody else."
    )
    return 0
