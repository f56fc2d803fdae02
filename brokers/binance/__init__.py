"""Binance USD-M futures: its payloads, what they mean, and its live market data."""
