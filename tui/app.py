"""The workstation: shows one session's views, four times a second, and sends what a person asks.

Rule 1: the app owns no figure and decides nothing; panes get the newest view, commands leave as
        typed operators through the source.
Rule 2: while the terminal takes nothing, nothing is painted: keys still act, the danger menu too.
Rule 3: a bug of ours prints no trace and no local variable: whoever ran the app keeps the error.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, Key, Resize
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen, Screen

from engine.model.events import Operator
from tui import keys, words, zone
from tui.danger import DangerMenu
from tui.desk import FIRST, Desk
from tui.dialogs.filter import FilterLine
from tui.dialogs.leaving import COMMANDS, DETACH, quitting, resuming
from tui.dialogs.question import Question, QuestionDialog
from tui.forgetting import forget_the_gone
from tui.keymap import renamed
from tui.link import Answer, Glance, Source
from tui.memory import keep, recall
from tui.outstanding import Outstanding
from tui.overlays import OVERLAYS, commands
from tui.pacing import FRAMES_PENDING, TICK_S, Pace, Wakefulness
from tui.pane import Cell, Pane, Row
from tui.readonly import barred
from tui.surface import Ending, Surface
from tui.terminal import cells, pending
from tui.theme import Palette, following, palette

NOTICE: Final = "warn"
SAID_S: Final = 15.0
"""How long an outcome stays on the alert line; an unconfirmed one comes back until it is known."""
TWICE_S: Final = 2.0
"""Two `ctrl+c` within this time ask to quit."""
ENDED_S: Final = 2.0
"""How long the last view of an ended session stays before the screen closes."""
BUGS_MAX: Final = 20
"""Different errors of panes whose traces are kept."""
OVER_DIALOGS: Final = frozenset({"danger", "interrupt"})
"""Actions of the app that mean something while a dialog is open."""


class Workstation(App[Ending]):
    """One screen of one session."""

    CSS_PATH = "workstation.tcss"
    KEYS: ClassVar[Sequence[Binding]] = keys.BINDINGS
    """What help and the command palette list."""
    DEAD: ClassVar[frozenset[str]] = frozenset()
    """Ids of keys, panes' too, that do nothing on this screen and are not listed."""
    BINDINGS: ClassVar[list[BindingType]] = list(KEYS)

    class Answered(Message):
        """A command has its outcome."""

        def __init__(self, answer: Answer, at_ns: int) -> None:
            super().__init__()
            self.answer = answer
            self.at_ns = at_ns

    def __init__(self, source: Source, surface: Surface | None = None) -> None:
        forget_the_gone()
        super().__init__()
        self.source = source
        self.surface = surface or Surface()
        self.memory, self._trouble = recall(self.surface.memory)
        self.looks: Palette = palette(self._first_palette(), is_ascii=self.surface.is_ascii)
        self.desk = Desk(self.memory)
        self.outstanding = Outstanding()
        self.pace: Pace = Pace(self.surface.config.fps, is_far=self.surface.is_far)
        self._wakefulness = Wakefulness()
        self._bugs: set[str] = set()
        self._said: Row = ()
        self._said_until_s = 0.0
        self._interrupted_s = -TWICE_S
        self._is_leaving = False
        self.bug: Exception | None = None

    def compose(self) -> ComposeResult:
        """Put up the desk."""
        yield self.desk

    def on_mount(self) -> None:
        """Dress, and begin to look."""
        zone.use(self.surface.config.timezone)
        self.set_keymap(dict(self.surface.config.keys))
        self.dress(self.looks)
        self.desk.rename_keys(renamed(self.surface.config.keys))
        self.desk.begin(FIRST)
        if self.surface.is_owner:
            self.desk.greet()
        self.set_interval(TICK_S, self.tick)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.look()
        self.surface.at_start(self)
        if self._trouble:
            self.say(self._trouble, "warn")

    def _first_palette(self) -> str:
        asked = self.surface.palette_name
        return asked if self.surface.is_palette_asked else self.memory.palette or asked

    # --- looking -------------------------------------------------------------------------------

    def look(self) -> None:
        """Show the newest view at once, in every pane."""
        self._show(self.source.glance(), lambda _: True)

    def tick(self) -> None:
        """Show what is due, unless the terminal still has to take what it was given."""
        glance, now_s = self.source.glance(), self.surface.monotonic_s()
        self._fit()
        if slept_s := self._wakefulness.slept_s(self.surface.wall_ns() / 1e9, now_s):
            self.say(words.awake(slept_s), "warn bold")
        if glance.farewell is not None:
            self._leave_soon(Ending("ended", glance.farewell.stop_reason))
        elif not self.surface.is_alive():
            self._leave_soon(Ending("died"))
        if self.pace.note(pending(self._driver), now_s):
            is_news = self.desk.is_news(glance, self._said)
            self._show(glance, lambda pane: is_news or self.pace.is_due(pane, now_s))
        self._remember()

    def _show(self, glance: Glance, is_due: Callable[[str], bool]) -> None:
        if pending(self._driver) >= FRAMES_PENDING:
            return
        if self.surface.monotonic_s() >= self._said_until_s:
            self._said = ()
        self.outstanding.settle(glance.view)
        self.desk.show(glance, self._said or self.outstanding.row(), self.pace.hz, is_due)

    def _fit(self) -> None:
        """Take the size the terminal has, where word of it was lost."""
        now = cells(self._driver)
        if now is not None and now != tuple(self.size):
            self.post_message(Resize(Size(*now), Size(*now)))

    def _remember(self) -> None:
        arranged = self.desk.arranged(self.memory)
        if arranged != self.memory:
            self.memory = arranged
            if trouble := keep(self.surface.memory, arranged):
                self.say(trouble, "warn")

    def _leave_soon(self, ending: Ending) -> None:
        if not self._is_leaving:
            self._is_leaving = True
            self.set_timer(ENDED_S, lambda: self.exit(ending))

    def say(self, text: str, token: str = NOTICE, for_s: float = SAID_S) -> None:
        """Put words on the alert line for a while."""
        self._said = (Cell(f" {text}", token),)
        self._said_until_s = self.surface.monotonic_s() + for_s
        self.look()

    def dress(self, looks: Palette) -> None:
        """Change all colors and glyphs."""
        self.looks = looks
        self.register_theme(looks.theme)
        self.theme = looks.name
        self.set_class(looks.is_ascii, "-ascii")
        self.desk.wear(looks)

    # --- commands ------------------------------------------------------------------------------

    def send(self, command: Operator, argument: str = "") -> None:
        """Give a command and say so; its outcome is said when it comes."""
        if why := barred(self.source.glance().client, command):
            self.say(f"{words.NAMES[command]}: NOT SENT, {why}", "danger bold")
            return
        at_ns = self.surface.wall_ns()

        def done(answer: Answer) -> None:
            self.post_message(self.Answered(answer, at_ns))

        if not self.source.ask(command, argument, done):
            name = words.NAMES[command]
            self.say(f"{name}: NOT SENT, too many commands under way", "danger bold")
            return
        self.say(words.sent(command, at_ns, argument), "warn bold", float("inf"))

    def on_workstation_answered(self, message: Answered) -> None:
        """Say what became of a command."""
        answer = message.answer
        text = words.told(answer, message.at_ns)
        if words.is_open(answer):
            self.outstanding.add(answer, text)
        self.say(text, "danger bold" if words.is_bad(answer) else "ok bold")

    def on_pane_failed(self, message: Pane.Failed) -> None:
        """Say which pane has a bug; it shows the error itself. Its trace is kept once."""
        known, text = message.error in self._bugs, f"pane {message.pane} can't be drawn"
        where = "" if known else self.surface.keep_bug(message.bug)
        self._bugs |= {message.error} if len(self._bugs) < BUGS_MAX else set()
        self.say(f"{text}: {where or message.error}", "danger")

    async def on_event(self, event: Event) -> None:
        """Let the first key end the greeting, whatever else it does."""
        if isinstance(event, Key):
            self.desk.end_greeting()
        await super().on_event(event)

    # --- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let no key of the app through to a menu that is armed, and few through to a dialog."""
        if isinstance(self.screen, DangerMenu):
            return False
        if isinstance(self.screen, ModalScreen):
            return action in OVER_DIALOGS
        return True

    def action_danger(self) -> None:
        """Arm the danger menu."""

        def chosen(command: Operator | None) -> None:
            if command is not None:
                self.send(command)

        self.push_screen(DangerMenu(self.source.glance().mode, self.surface.monotonic_s), chosen)

    def action_pause(self) -> None:
        """Pause at once; where a person paused already, ask whether to resume."""
        view = self.source.glance().view
        is_held = view is not None and any("OPERATOR_" in why for why in view.lifecycle.reasons)
        if view is not None and view.lifecycle.needs_reset:
            self.action_open("reset")
        elif view is not None and is_held:
            self._ask(
                resuming(view, self.source.glance().mode), lambda _: self.send(Operator.RESUME)
            )
        else:
            self.send(Operator.PAUSE)

    def action_leave(self) -> None:
        """Ask what shall become of the session."""
        glance, is_owner = self.source.glance(), self.surface.is_owner
        question = quitting(
            glance.view, glance.mode, is_owner=is_owner, is_watcher=glance.is_watcher
        )
        self._ask(question, self._leave)

    def _leave(self, key: str) -> None:
        if key == DETACH:
            self.exit(Ending("detached"))
        else:
            self.send(COMMANDS[key])

    def _ask(self, question: Question, answered: Callable[[str], None]) -> None:
        dialog = QuestionDialog(question, self.surface.monotonic_s)
        self.push_screen(dialog, lambda key: answered(key) if key else None)

    def action_interrupt(self) -> None:
        """Copy what is selected; else hint, and the second time ask to quit."""
        if selected := self.screen.get_selected_text():
            self.copy_to_clipboard(selected)
            return
        now_s = self.surface.monotonic_s()
        if now_s - self._interrupted_s < TWICE_S and not isinstance(self.screen, QuestionDialog):
            self.action_leave()
        else:
            self.say("press ^c again, or q, to quit; ^x for danger", "warn", TWICE_S)
        self._interrupted_s = now_s

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        self.desk.go_to(name)

    def action_hold(self) -> None:
        """Hold the display as it is, and let it go again."""
        self.desk.hold(self.source.glance().view)
        self.look()

    def action_zoom(self) -> None:
        """Zoom the focused pane, and back."""
        self.desk.zoom(getattr(self.focused, "id", None) or FIRST)

    def action_unzoom(self) -> None:
        """Show all that a filter hides, else give every pane its place again."""
        if isinstance(self.focused, Pane) and self.focused.filter:
            self.focused.look_for("")
        else:
            self.desk.zoom(self.desk.zoomed)

    def action_filter(self) -> None:
        """Ask what the focused pane shall look for."""
        if isinstance(self.focused, Pane):
            self.push_screen(FilterLine(self.focused.filter), self.focused.look_for)

    def action_symbol(self, by: int) -> None:
        """Choose another instrument."""
        self.desk.step_symbol(by)
        self.look()

    def action_palette(self) -> None:
        """Wear the next palette, next time too."""
        name = following(self.looks.name)
        self.dress(palette(name, is_ascii=self.looks.is_ascii))
        self.memory = replace(self.memory, palette=name)
        keep(self.surface.memory, self.memory)

    def action_open(self, name: str) -> None:
        """Open what the table of overlays has under this name."""
        OVERLAYS[name](self)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of the key table in the command palette, in plain words."""
        for command in commands(self, screen):
            yield SystemCommand(*command)

    def _handle_exception(self, error: Exception) -> None:
        """Keep the first bug for whoever ran the app."""
        self.bug = self.bug or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Close without a trace on the terminal: it would show local variables."""
        self._close_messages_no_wait()
