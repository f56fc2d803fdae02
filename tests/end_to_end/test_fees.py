"""A live session of an account that pays its fees in BNB, in a real process."""

from decimal import Decimal
from pathlib import Path

import aiohttp
from yarl import URL

from tests.brokers.sandbox.client import Client
from tests.end_to_end.shell import Process
from tests.end_to_end.test_live_trading import Exchange, agree, exchange

PRICE = Decimal(650)
"""Of one BNB at the sandbox."""


async def pay_in_bnb(there: Exchange) -> None:
    (url,) = (word.partition("=")[2] for word in there.words if word.startswith("binance.rest_url"))
    async with aiohttp.ClientSession() as session:
        client = Client(session, URL(url).port or 0)
        assert 200 == (await client.signed("POST", "/fapi/v1/feeBurn", feeBurn="true")).status


async def test_fees_in_bnb_cost_what_they_are_worth(tmp_path: Path) -> None:
    """In profit and equity; the venue's wallet, which they leave alone, still agrees with us."""
    with exchange("binance", tmp_path) as there:
        await pay_in_bnb(there)
        ending = there.start(tmp_path, "0.3", "--set", "sync.interval_s=0.5").end()
        assert 0 == ending.code, ending.err
        assert agree(there, ending.run)

    run, report = ending.run, ending.run.report()
    told = [line["data"]["other_fee"] for line in run.lines("fill")]
    amount = sum(Decimal(one["amount"]) for one in told)
    worth = sum(Decimal(one["worth"]) for one in told)
    theirs = there.wrote("fill")
    assert {"BNB"} == {line["fee_asset"] for line in theirs}
    assert amount == sum(Decimal(line["fee"]) for line in theirs)
    assert abs(worth - amount * PRICE) < Decimal("1e-8") * len(told)
    assert worth == Decimal(str(report["pnl"]["fees"]))
    assert [("BNB", amount, worth)] == [
        (one["asset"], Decimal(str(one["amount"])), Decimal(str(one["worth"])))
        for one in report["other_fees"]
    ]
    drifts = [line for line in run.lines("sync_report") if "balance_drift" in str(line)]
    assert ([], 0) == (drifts, report["errors"].get("fee_unpriced", 0))
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err
