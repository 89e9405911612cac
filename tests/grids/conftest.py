"""People at their desks in a town whose grids change, and an empty registry for lists."""

from tests.handlers.conftest import desk
from tests.registry.conftest import one

__all__ = ["desk", "one"]
