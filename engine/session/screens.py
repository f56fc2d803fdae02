"""Ways to put a heartbeat on a terminal or a pipe, used by the writer thread of `progress.py`.

Each raises OSError or ValueError when nobody can read any more. They write to the descriptor
itself: a thread stuck in a buffered stream would hold the stream's lock, and the interpreter's exit
with it.
"""

import os
from typing import IO, TYPE_CHECKING, Final, Protocol, TextIO, cast

import msgspec

if TYPE_CHECKING:
    from rich.console import RenderableType

_BAR_WIDTH: Final = 40


class Screen(Protocol):
    """One way to present a session."""

    def beat(self, text: str, progress: float | None) -> None:
        """Draw a heartbeat; `progress` is 0 to 1, None without a planned end."""
        ...

    def note(self, text: str) -> None:
        """Draw one line that stays."""
        ...

    def close(self) -> None:
        """Give the terminal back."""
        ...


class Direct:
    """As much of a text stream as rich asks for, without a buffer of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding or "utf-8"
        try:
            self._fd: int | None = stream.fileno()
        except (OSError, ValueError):  # a stream in memory
            self._fd = None

    def write(self, text: str) -> int:
        """Write all of it; a character the stream can't express becomes a question mark."""
        if self._fd is None:
            return self._stream.write(text)
        rest = memoryview(text.encode(self.encoding, "replace"))
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        """Return the descriptor, for the size of the terminal."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Say whether a terminal reads."""
        return self._stream.isatty()


class LineScreen:
    """One line a heartbeat, one line a note."""

    def __init__(self, stream: Direct) -> None:
        self._stream = stream

    def beat(self, text: str, progress: float | None) -> None:  # noqa: ARG002  (it is in the line)
        """Write the line."""
        self._stream.write(text + "\n")

    def note(self, text: str) -> None:
        """Write the line."""
        self._stream.write(text + "\n")

    def close(self) -> None:
        """Leave the lines where they are."""


class JsonScreen(LineScreen):
    """Lines that are JSON objects, notes as well."""

    def note(self, text: str) -> None:
        """Write the note as an object."""
        self._stream.write(msgspec.json.encode({"note": text}).decode("utf-8") + "\n")


class RichScreen:
    """The words, wrapped to the terminal, over a progress bar; notes scroll by above them."""

    def __init__(self, stream: Direct, *, is_color: bool) -> None:
        from rich.console import Console  # noqa: PLC0415  (late: only terminals pay for rich)
        from rich.live import Live  # noqa: PLC0415

        # rich takes the width of the standard streams, of which stderr is one.
        self._console = Console(
            file=cast(IO[str], stream), no_color=not is_color, markup=False, highlight=False
        )
        self._live = Live(
            console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()

    def beat(self, text: str, progress: float | None) -> None:
        """Draw words and bar in the place of the last ones; no bar without a planned end."""
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        words = Text(text)
        shown = words if progress is None else Group(words, _bar(progress))
        self._live.update(shown, refresh=True)

    def note(self, text: str) -> None:
        """Print the line above the words."""
        self._console.print(text)

    def close(self) -> None:
        """Leave the last heartbeat standing and show the cursor again."""
        self._live.stop()


def _bar(progress: float) -> "RenderableType":
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    done = min(max(progress, 0.0), 1.0)
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(total=1.0, completed=done, width=_BAR_WIDTH), f"{int(done * 100)}%")
    return bar
