"""`python -m tests.end_to_end.graphed -- WORDS` runs the program and lists what its session held.

At the end of the session, with all its parts alive, the classes of every object of ours that the
collector knows are written to `<home>/classes`, and the modules that are loaded to `<home>/modules`.
"""

import gc
import os
import sys
from pathlib import Path

from engine.session.runner import Session
from laptop_agents.__main__ import main

OURS = ("brokers.", "engine.", "laptop_agents.")


def list_graph(home: Path) -> None:
    """Let a session write down what there is when it is over."""
    run = Session.run

    async def listing(self: Session) -> str:
        reason = await run(self)
        gc.unfreeze()  # what a session starts with is out of the collector's sight
        kinds = {type(thing) for thing in gc.get_objects()}
        names = {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}
        (home / "classes").write_text("\n".join(sorted(n for n in names if n.startswith(OURS))))
        (home / "modules").write_text("\n".join(sorted(sys.modules)))
        return reason

    Session.run = listing  # type: ignore[method-assign]


if __name__ == "__main__":
    list_graph(Path(os.environ["LAPTOP_AGENTS_HOME"]))
    sys.argv = ["laptop-agents", *sys.argv[2:]]
    sys.exit(main())
