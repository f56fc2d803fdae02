"""Every key of the workstation, once: the app binds it, help and the command palette list it."""

from typing import Final

from textual.binding import Binding

BINDINGS: Final = (
    Binding("question_mark,f1", "open('help')", "What the keys do", id="help"),
    Binding("ctrl+x", "danger", "DANGER menu: kill, flatten, cancel", id="danger", priority=True),
    Binding("exclamation_mark", "danger", "DANGER menu: kill, flatten, cancel", id="danger2"),
    Binding("P", "pause", "Pause the engine; again: resume (asks)", id="pause"),
    Binding("b", "open('buy')", "Ticket: buy, at the level if one is chosen", id="buy"),
    Binding("s", "open('sell')", "Ticket: sell, at the level if one is chosen", id="sell"),
    Binding("C", "open('controls')", "Take over the controls (asks)", id="controls"),
    Binding("q,ctrl+q", "leave", "Quit (asks)", id="quit", priority=False),
    Binding("ctrl+c", "interrupt", "Copy the selection; twice: quit", id="interrupt", system=True),
    *(
        Binding(digit, f"pane('{pane}')", f"Go to {name}; again: zoom", id=f"pane-{pane}")
        for digit, pane, name in (
            ("1", "quotes", "quotes"),
            ("2", "health", "health"),
            ("3", "book", "book"),
            ("4", "positions", "positions"),
            ("5", "orders", "orders"),
            ("6", "fills", "fills"),
            ("7", "agents", "agents"),
            ("8", "risk", "risk"),
            ("9", "log", "log"),
            ("0", "fsm", "states"),
        )
    ),
    Binding("K", "pane('chart')", "Go to the chart; again: zoom", id="pane-chart"),
    Binding("D", "pane('tape')", "Go to the tape of trades; again: zoom", id="pane-tape"),
    Binding("L", "pane('router')", "Go to router and latency; again: zoom", id="pane-router"),
    Binding("E", "pane('equity')", "Go to equity; again: zoom", id="pane-equity"),
    Binding("R", "pane('roundtrips')", "Go to round trips; again: zoom", id="pane-roundtrips"),
    Binding("w", "open('why')", "Why: the gates of the chosen order or symbol", id="why"),
    Binding("slash", "filter", "Filter the pane", id="filter"),
    Binding("ctrl+o", "open('jump')", "Jump: a letter for every pane", id="jump"),
    Binding("space", "hold", "Hold the display, never the session; again: let go", id="hold"),
    Binding("z", "zoom", "Zoom the pane, and back", id="zoom"),
    Binding("escape", "unzoom", "Clear the filter, leave the zoom", id="unzoom"),
    Binding("left_square_bracket", "symbol(-1)", "Previous instrument", id="symbol-previous"),
    Binding("right_square_bracket", "symbol(1)", "Next instrument", id="symbol-next"),
    Binding("T", "palette", "Next palette", id="palette"),
    Binding("enter", "open('details')", "All fields of the chosen row", id="details"),
    Binding("y", "open('copy')", "Copy the chosen row as text", id="copy"),
    Binding("Y", "open('copy-json')", "Copy the chosen row as JSON", id="copy-json"),
    Binding("A", "open('alerts')", "Alerts: what is wrong, since when", id="alerts"),
)
