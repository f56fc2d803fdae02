"""What lies over the desk and is answered once.

Keys that were typed together arrive together: a dialog may get the second of two after the first
has closed it. Textual then takes the next screen from the stack, and at the last one it fails.
"""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Modal(ModalScreen[ScreenResultType]):
    """A modal screen that closes once, whatever still arrives."""

    _is_answered = False

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close with a result; after that do nothing."""
        if self._is_answered:
            return AwaitComplete()
        self._is_answered = True
        return super().dismiss(result)
