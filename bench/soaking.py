"""`make soak`: the serving process is killed under load again and again, on both databases."""

from bench.databases import database
from tests.crash.kills import kill_test


def run(kills: int, at_once: int = 20) -> None:
    """Kill so often on each database, a fresh one for every `at_once` kills, and print what was found."""
    for kind in ("sqlite", "postgresql"):
        done = 0
        while done < kills:
            with database(kind) as url:
                report = kill_test(url, min(at_once, kills - done), seed=done)
            done += report.kills
            print(
                f"{kind}: {done} kills; acknowledged {report.acknowledged}, lost {len(report.lost)}, "
                f"twice {len(report.twice)}, half {len(report.half)}, extra sends {report.extra_sends}, "
                f"refused {report.refused} {report.damaged}",
                flush=True,
            )
