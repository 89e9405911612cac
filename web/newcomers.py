"""Newcomers: how many strangers one address may bring in an hour; a script must not make thousands."""

from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

HOUR: Final = timedelta(hours=1)
AN_HOUR: Final = 20
"""Strangers from one address; behind a shared one the others come in a little later."""
_MOST: Final = 10_000
"""Addresses that are remembered; the one not heard of for longest is forgotten."""


class Newcomers:
    """Counts strangers per address, in memory: after a restart everybody may come again."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, dict[str, datetime]] = OrderedDict()

    def admit(self, address: str, handle: str, now: datetime) -> bool:
        """Say whether a stranger may speak. One who was let in stays in; `now`: aware UTC."""
        place = _network(address)
        seen = {who: at for who, at in self._seen.pop(place, {}).items() if now - at < HOUR}
        admitted = handle in seen or len(seen) < AN_HOUR
        if admitted:
            seen.setdefault(handle, now)
        self._seen[place] = seen
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        return admitted


def _network(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the 64 bits in front of an IPv6 one."""
    try:
        is_long = ip_address(address).version == 6
    except ValueError:
        return address
    return str(ip_network((address, 64), strict=False)) if is_long else address
