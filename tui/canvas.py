"""A rectangle of characters with tokens, drawn over freely and read as rows of cells."""

from itertools import groupby
from operator import itemgetter

from tui.pane import Cell, Row

BLANK = " "


class Canvas:
    """Characters by row and column; what is drawn outside is not drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._chars = [[BLANK] * width for _ in range(height)]
        self._tokens = [["text"] * width for _ in range(height)]

    def put(self, x: int, y: int, char: str, token: str) -> None:
        """Draw one character over what is there."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._chars[y][x] = char
            self._tokens[y][x] = token

    def under(self, x: int, y: int, char: str, token: str) -> None:
        """Draw one character where nothing is yet."""
        if 0 <= x < self.width and 0 <= y < self.height and self._chars[y][x] == BLANK:
            self._chars[y][x] = char
            self._tokens[y][x] = token

    def text(self, x: int, y: int, words: str, token: str) -> None:
        """Draw a line of text."""
        for place, char in enumerate(words):
            self.put(x + place, y, char, token)

    def rows(self) -> list[Row]:
        """Return what was drawn; neighbors of one token are one cell."""
        return [
            [
                Cell("".join(map(itemgetter(0), run)), token)
                for token, run in groupby(zip(chars, tokens, strict=True), key=itemgetter(1))
            ]
            for chars, tokens in zip(self._chars, self._tokens, strict=True)
        ]
