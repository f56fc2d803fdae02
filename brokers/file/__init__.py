"""Recorded markets: raw Binance captures and 1-minute klines, played as they came."""
