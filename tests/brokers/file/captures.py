"""Lines as Binance sends them, and real data where it is there."""

import gzip
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("LAPTOP_AGENTS_DATA", ROOT.parent / "shared" / "data"))

T0_NS = 1_723_161_255_000_000_000

needs_data = pytest.mark.skipif(
    not (DATA / "raw").is_dir(), reason=f"no recorded data at {DATA}: set LAPTOP_AGENTS_DATA"
)


def stamped(body: str, at: int | str = T0_NS) -> bytes:
    return f"{at} {body}".encode()


def ticker(bid: str = '"61800.20"', symbol: str = "BTCUSDT", at: int | str = T0_NS) -> bytes:
    """Return a bookTicker line; `bid` is raw JSON."""
    data = (
        f'{{"e":"bookTicker","u":7,"s":"{symbol}","b":{bid},"B":"2.507","a":"61900.30",'
        '"A":"2.510","T":1723161256313,"E":1723161256314}'
    )
    return stamped(f'{{"stream":"{symbol.lower()}@bookTicker","data":{data}}}', at)


def trade(
    price: str = "61800.30",
    kind: str = "trade",
    at: int = T0_NS,
    trade_id: int = 11,
    symbol: str = "BTCUSDT",
) -> bytes:
    key = "t" if kind == "trade" else "a"
    data = (
        f'{{"e":"{kind}","E":1723161256322,"T":1723161256321,"s":"{symbol}","{key}":{trade_id},'
        f'"p":"{price}","q":"0.006","X":"MARKET","m":false}}'
    )
    return stamped(f'{{"stream":"{symbol.lower()}@{kind}","data":{data}}}', at)


def depth(at: int = T0_NS) -> bytes:
    data = (
        '{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":100,"u":105,'
        '"pu":99,"b":[["58710.20","0.014"],["61510.90","0.000"]],"a":[["61900.30","1.5"]]}'
    )
    return stamped(f'{{"stream":"btcusdt@depth@0ms","data":{data}}}', at)


def mark(rate: str = "0.00002760", price: str = "28155.10000001") -> bytes:
    data = (
        f'{{"e":"markPriceUpdate","E":1680652800010,"s":"BTCUSDT","p":"{price}",'
        f'"P":"28141.4","i":"28165.0","r":"{rate}","T":1680681600000}}'
    )
    return stamped(f'{{"stream":"btcusdt@markPrice@1s","data":{data}}}')


def snapshot(at: int = T0_NS) -> bytes:
    return stamped(
        '{"lastUpdateId":105,"E":1723161256501,"T":1723161256493,'
        '"bids":[["61800.20","2.909"],["61800.10","0.696"]],"asks":[["61800.30","0.5"]]}',
        at,
    )


def write(path: Path, *lines: bytes) -> Path:
    """Write a capture, packed when its name says so."""
    text = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path
