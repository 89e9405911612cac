"""People at their desks, in a town whose grids change."""

from tests.handlers.conftest import desk

__all__ = ["desk"]
