"""Teams: who may hold a post, whom a grid needs, and how many go together; mostly told, not enforced."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[tuple[str, ...], Field(min_length=1)]


PARTY = "党员"
"""The standing that membership of the Party gives."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Needed(_Strict):
    """How many holders of a role a team has."""

    role: Key
    least: int = Field(default=1, ge=0)
    most: int | None = Field(default=None, ge=1)


class TeamTemplate(_Strict):
    """What the team of each grid of a level (or kind) consists of: 1+X, 3+8, 1+3+N."""

    name: str
    of: Key
    """A level of the tree, or a kind of grid."""
    needs: Annotated[tuple[Needed, ...], Field(min_length=1)]


class TeamRules(_Strict):
    """What the place's rules of grid work say about people and posts."""

    standings: dict[str, tuple[str, ...]] = {}
    """What somebody is besides the post (村“两委”干部, 包村干部) -> other words for it."""
    eligible: dict[Key, Words] = {}
    """Role -> the standings of which its holder should have one. 党员 is membership of the Party."""
    templates: tuple[TeamTemplate, ...] = ()
    most_grids: dict[Key, Annotated[int, Field(ge=1)]] = {}
    """Role -> on how many grids one person should hold it at most."""
    together: dict[Key, Annotated[int, Field(ge=2)]] = {}
    """Role -> how many of its holders go to a case together (执法人员不得少于两人)."""

    def roles(self) -> set[str]:
        """All roles that are spoken of, to be compared with those of the place."""
        needed = {need.role for template in self.templates for need in template.needs}
        return {*self.eligible, *self.most_grids, *self.together, *needed}


def bare(word: str) -> str:
    """A standing as it is compared: 村“两委”干部 is 村两委干部."""
    return "".join(sign for sign in word if sign not in "（）()“”\"' ")
