"""The keys of a recorded session, beside those that mean the same as in one that runs."""

from typing import Final

from textual.binding import Binding

from tui import keys

DEAD: Final = frozenset(
    {
        "danger", "danger2", "pause", "buy", "sell", "controls", "book-cancel",
        "book-cancel-symbol", "orders-cancel", "orders-amend", "orders-cancel-symbol",
        "positions-flatten", "agents-pause", "agents-more", "agents-less",
    }
)  # fmt: skip
"""Keys that act on a session: here they say that nothing can be ordered."""
ELSEWHERE: Final = frozenset({"quit", "filter", "hold"})
"""Keys that mean the same under another letter, or ask less."""


def _now(key: str, action: str, description: str, name: str) -> Binding:
    """Return a key that no pane takes for itself."""
    return Binding(key, action, description, id=f"replay-{name}", priority=True)


HAND: Final = (
    _now("space", "play", "Play, pause", "play"),
    _now("right", "step(1, '')", "Next event", "event-next"),
    _now("left", "step(-1, '')", "Previous event", "event-previous"),
    _now("greater_than_sign", "step(1, 'decision')", "Next decision", "decision-next"),
    _now("less_than_sign", "step(-1, 'decision')", "Previous decision", "decision-previous"),
    _now("right_curly_bracket", "step(1, 'fill')", "Next fill", "fill-next"),
    _now("left_curly_bracket", "step(-1, 'fill')", "Previous fill", "fill-previous"),
    _now("right_parenthesis", "step(1, 'state change')", "Next change of state", "state-next"),
    _now(
        "left_parenthesis", "step(-1, 'state change')", "Previous change of state", "state-previous"
    ),
    _now("e", "step(1, 'evidence')", "Next evidence", "evidence-next"),
    _now("slash", "seek", "Go to a time, an event number or a hash", "seek"),
    _now("plus", "speed(1)", "Faster", "faster"),
    _now("minus", "speed(-1)", "Slower", "slower"),
    _now("home", "edge(0)", "Go to the start", "home"),
    _now("end", "edge(1)", "Go to the end", "end"),
    _now("asterisk", "bookmark", "Set or remove a bookmark here", "bookmark"),
    _now("apostrophe", "star(1)", "Next bookmark", "bookmark-next"),
    _now("quotation_mark", "star(-1)", "Previous bookmark", "bookmark-previous"),
    Binding("F", "filter", "Filter the pane", id="replay-filter"),
    Binding("q,ctrl+q", "leave", "Quit", id="replay-quit", priority=False),
)

SHOWN: Final = (
    # key as shown, what it does; the last ones go first where there is no room
    ("?", "help"),
    ("space", "play"),
    ("/", "go to"),
    ("q", "quit"),
    ("< >", "decision"),
    ("{ }", "fill"),
    ("( )", "state"),
    ("+ -", "speed"),
    ("e", "evidence"),
    ("*", "bookmark"),
    ("^p", "commands"),
    ("0-9", "panes"),
)
BINDINGS: Final = (*HAND, *(b for b in keys.BINDINGS if b.id not in DEAD | ELSEWHERE))
