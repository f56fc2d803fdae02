"""What is a question at Hyperliquid: all requests are posted, and the path says what they are."""

import ssl
from typing import Final

from brokers.link.exchanged import Request
from brokers.link.questions import Questions
from brokers.link.rest import RestConfig

INFO: Final = "/info"


def is_question(request: Request) -> bool:
    """Whether a request changes nothing."""
    return request.path_and_query == INFO


def asking(config: RestConfig, tls: ssl.SSLContext | None = None) -> Questions:
    """Return a way on which nothing can be changed."""
    return Questions(config, tls, is_question)
