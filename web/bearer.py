"""The key to the API: a bearer token in the Authorization header, nothing else."""

from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from handlers.actor import Actor
from handlers.refusal import NotAllowed
from handlers.work import Reading
from models import Scope
from web.login import Keys, holder
from web.reading import as_actor

_SCHEME = HTTPBearer(auto_error=False, description="A token of scope `api`: `xiaoge token`.")


class Bearer:
    """Makes sure that a request has a key, and reads on its holder's behalf."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def reading(self, reading: Reading) -> Reading:
        """The reading work with the rights of the key's holder. Raises a 401 for a key that opens nothing."""
        return as_actor(reading, self.actor(reading))

    def actor(self, reading: Reading) -> Actor:
        """The key's holder. Raises a 401 for a key that opens nothing."""
        found = holder(reading, self._keys, Scope.API)
        if found is None:
            raise HTTPException(401, "令牌无效或已过期。", {"www-authenticate": "Bearer"})
        return found


async def bearer_of(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)]) -> Bearer:
    """Take the key from a request. Raises a 401 without one."""
    if credentials is None:
        raise HTTPException(401, "请在 Authorization 里带上令牌。", {"www-authenticate": "Bearer"})
    return Bearer(Keys(None, credentials.credentials, {}))


Key = Annotated[Bearer, Depends(bearer_of)]


def must_have(reading: Reading, ability: str | None) -> None:
    """Refuse a list that the actor's posts do not open."""
    if ability is not None and not reading.actor.may(ability):
        raise NotAllowed()
