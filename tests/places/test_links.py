"""Pages are written once for a place alone and for one among several: every link begins with where it is."""

import re
from pathlib import Path

import web

HERE = Path(web.__file__).parent
FORGETS = {
    "*.html": re.compile(r"""(?:href|src|action)=["']/"""),
    "*.py": re.compile(r"""RedirectResponse\(f?["']/|set-cookie.*Path=/;"""),
    "*.js": re.compile(r"""(?:open|fetch|EventSource)\((?:method, )?["']/"""),
}


def test_no_link_forgets_the_place() -> None:
    found = [
        f"{path.name}: {hit[0]}"
        for names, pattern in FORGETS.items()
        for path in sorted(HERE.rglob(names))
        for hit in pattern.finditer(path.read_text("utf-8"))
    ]

    assert found == []
