"""Teams of a list: what the rules of grid work say about the posts in it; told, never enforced."""

from handlers.registry.known import Known
from handlers.teams import Holding, Spot, findings, said
from handlers.work import Reading


def team_warnings(reading: Reading, known: Known) -> list[str]:
    """Say which rules of teams are not kept; a list without people says nothing of them."""
    if not any(duty.id is None or duty.before for duty in known.duties.values()):
        return []
    spots = [Spot(area, area.name, area.level, str(area.kind)) for area in known.areas if known.reaches(area)]
    inside = {spot.key for spot in spots}
    holdings = [
        Holding(
            duty.human,
            duty.human.name,
            duty.role,
            tuple(duty.area.upward()),
            tuple(duty.standing.split("、")) if duty.standing else (),
            duty.human.party,
        )
        for duty in known.duties.values()
        if duty.human is not None and duty.area is not None and duty.area in inside
    ]
    return [said(reading, one) for one in findings(reading, spots, holdings) if one.misfits]
