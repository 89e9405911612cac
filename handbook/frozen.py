"""Makes a checked book unchangeable all the way down."""

from typing import Any

from pydantic import BaseModel


class Fixed(dict[Any, Any]):
    """A mapping of the book: it is read like any other, and changing it is an error."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("the book is frozen: change its sheets and start again")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type["Fixed"], tuple[dict[Any, Any]]]:
        return Fixed, (dict(self),)


def freeze(value: Any) -> Any:
    """Make the mappings within frozen models unchangeable too: pydantic guards only the fields themselves."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            value.__dict__[name] = freeze(value.__dict__[name])
        return value
    if isinstance(value, dict):
        return Fixed({key: freeze(part) for key, part in value.items()})
    if type(value) in {list, tuple}:
        return tuple(freeze(part) for part in value)
    return value
