"""Numbers computed from market data event by event; `registry` lists them."""
