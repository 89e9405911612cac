"""The keys of all tests: one pair, so that databases and processes of tests may be handed on."""

import os

from models.sealing import Keys, use

SEALING = "dGhlIGtleXMgb2YgdGVzdHMgc2VhbCBub3RoaW5nLi4="
SEARCH = "dGhlc2UgYXJlIHRvIGZpbmQgaW52ZW50ZWQgZm9say4="
KEYS = Keys(SEALING, SEARCH)
ENVIRONMENT = {"XIAOGE_KEYS": SEALING, "XIAOGE_SEARCH_KEY": SEARCH}


def use_test_keys() -> None:
    """Give them to this process, and to those that it starts."""
    os.environ.update(ENVIRONMENT)
    use(KEYS)
