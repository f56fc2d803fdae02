"""A way to a venue for questions alone: what could change something never becomes a connection.

`Rest` sends what it is given. This one is given, once, the list of what is a question at a venue,
and answers everything else itself: not sent.
"""

import ssl
from collections.abc import Callable

from brokers.link.exchanged import NotSent, Outcome, Request
from brokers.link.rest import Exchange, RestConfig

IsQuestion = Callable[[Request], bool]
"""Whether a request changes nothing at its venue."""


def is_get(request: Request) -> bool:
    """Whether a request is one that HTTP itself says changes nothing."""
    return request.method == "GET" and not request.body


class Questions(Exchange):
    """Asks one host; use it as an async context."""

    def __init__(
        self,
        config: RestConfig,
        tls: ssl.SSLContext | None = None,
        is_question: IsQuestion = is_get,
    ) -> None:
        super().__init__(config, tls)
        self._is_question = is_question

    async def ask(self, request: Request) -> Outcome:
        """Send a question and say what is known of it; what is none is not sent."""
        if not self._is_question(request):
            return NotSent("it is no question")
        return await self._exchange(request)
