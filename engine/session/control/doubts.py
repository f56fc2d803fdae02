"""Since when each open reason holds: the lifecycle only knows that it does.

Every change of a reason leaves as a transition or as an alert, so those are when to look.
"""

from engine.kernel import Kernel
from engine.model.records import Alert, FsmTransition
from engine.risk.lifecycle import open_reasons


class Doubts:
    """Remembers when each open reason was first seen."""

    def __init__(self, kernel: Kernel) -> None:
        self._conduct = kernel.conduct
        self._since_ns = dict.fromkeys(open_reasons(kernel.conduct.lifecycle), 0)

    def look(self, event: FsmTransition | Alert) -> None:
        """Note what opened or closed by the time of an event."""
        known, reasons = self._since_ns, open_reasons(self._conduct.lifecycle)
        self._since_ns = {reason: known.get(reason, event.ts_ns) for reason in reasons}

    def since_ns(self, reason: str) -> int:
        """Return when a reason opened; 0 where nobody saw it."""
        return self._since_ns.get(reason, 0)
