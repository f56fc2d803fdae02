"""Bitunix USDT perpetuals: its payloads, what they mean, its live market data and its account."""
