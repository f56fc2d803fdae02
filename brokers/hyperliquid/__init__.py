"""Hyperliquid perpetuals: live market data, and an account that signs what it sends."""
