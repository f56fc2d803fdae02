"""Account endpoints of a Binance sandbox: money, positions, leverage, fees, permissions.

What the matching behind it can't do is refused in the venue's words: hedge mode. Isolated margin is
told as it was set; the whole account covers a position all the same.
Source: the Binance sheet, section 5.
"""

from decimal import Decimal
from typing import Any, Final

from brokers.sandbox.binance_codes import WORDS, ApiError
from brokers.sandbox.binance_gate import TestKey
from brokers.sandbox.binance_params import Params
from brokers.sandbox.binance_words import (
    MS_NS,
    USDT,
    asset_row,
    balance_row,
    burn_row,
    money,
    plain,
    position_row,
    totals,
)
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.orders import (
    FillRecord,
    FundingTold,
    PositionRecord,
    Refusal,
    Told,
    TransferTold,
    Why,
)

NOTIONAL_CAP: Final = "100000000"
INCOME_MAX: Final = 10_000

MODES: Final = ("CROSSED", "ISOLATED")
"""By whether a symbol is isolated."""
MODES_V2: Final = ("cross", "isolated")
NO_MODE: Final = {
    Why.SET_ALREADY: (-4046, "No need to change margin type."),
    Why.HAS_ORDERS: (-4047, "Margin type cannot be changed if there exists open orders."),
    Why.HAS_POSITION: (-4048, "Margin type cannot be changed if there exists position."),
}


class AccountDesk:
    """Answers what the account is like, and changes what may be changed."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._fundings: list[FundingTold] = []
        self._transfers: list[TransferTold] = []
        exchange.listen(self._heard)

    def balances(self, _: Params) -> list[dict[str, Any]]:
        """GET /fapi/v3/balance."""
        return [balance_row(self._exchange.balance()), burn_row(self._exchange.burn)]

    def account(self, _: Params) -> dict[str, Any]:
        """GET /fapi/v3/account: positions that are open or have orders."""
        return self._account(self._busy())

    def account_v2(self, _: Params) -> dict[str, Any]:
        """GET /fapi/v2/account: positions of every symbol, and what the account may do."""
        told = self._account(self._exchange.positions())
        allowed = {"canTrade": True, "canDeposit": True, "canWithdraw": True, "feeTier": 0}
        return {**allowed, "multiAssetsMargin": False, "updateTime": 0, **told}

    def positions(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v3/positionRisk: only what is open or has orders."""
        return [self._row(one) for one in self._busy() if self._is_meant(params, one)]

    def positions_v2(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v2/positionRisk: every symbol, with its leverage."""
        return [
            {**self._row(one), "leverage": str(one.leverage),
             "marginType": MODES_V2[one.is_isolated], "isAutoAddMargin": "false",
             "maxNotionalValue": NOTIONAL_CAP}
            for one in self._exchange.positions() if self._is_meant(params, one)
        ]  # fmt: skip

    def set_leverage(self, params: Params) -> dict[str, Any]:
        """POST /fapi/v1/leverage."""
        symbol, leverage = params.need("symbol"), params.integer("leverage")
        refusal = self._exchange.set_leverage(symbol, leverage or 0)
        if refusal is not None:
            raise _no_leverage(refusal, leverage or 0)
        return {"symbol": symbol, "leverage": leverage, "maxNotionalValue": NOTIONAL_CAP}

    def set_margin_type(self, params: Params) -> dict[str, Any]:
        """POST /fapi/v1/marginType."""
        symbol = self._symbol(params)
        word = params.one_of("marginType", MODES, (-1117, "Invalid marginType."))
        refusal = self._exchange.set_margin_mode(symbol, is_isolated=word == MODES[True])
        if refusal is not None:
            raise ApiError(*NO_MODE[refusal.why])
        return {"code": 200, "msg": "success"}

    def position_mode(self, _: Params) -> dict[str, Any]:
        """GET /fapi/v1/positionSide/dual: one-way."""
        return {"dualSidePosition": False}

    def set_position_mode(self, params: Params) -> dict[str, Any]:
        """POST /fapi/v1/positionSide/dual: it stays one-way."""
        if not params.need("dualSidePosition") or not params.flag("dualSidePosition"):
            raise ApiError(-4059, "No need to change position side.")
        if self._exchange.open_orders():
            raise ApiError(-4067, "Position side cannot be changed if there exists open orders.")
        if any(one.qty for one in self._exchange.positions()):
            raise ApiError(-4068, "Position side cannot be changed if there exists position.")
        raise ApiError(-4084, "Method is not allowed currently. Upcoming soon.")

    def symbol_config(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/symbolConfig."""
        return [
            {"symbol": one.symbol, "marginType": MODES[one.is_isolated], "isAutoAddMargin": False,
             "leverage": one.leverage, "maxNotionalValue": NOTIONAL_CAP}
            for one in self._exchange.positions() if self._is_meant(params, one)
        ]  # fmt: skip

    def brackets(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/leverageBracket: one bracket for each symbol."""
        wanted = params.text("symbol")
        return [
            {"symbol": item.symbol, "notionalCoef": 1.0, "brackets": [{
                "bracket": 1, "initialLeverage": item.max_leverage,
                "notionalCap": int(NOTIONAL_CAP), "notionalFloor": 0,
                "maintMarginRatio": float(item.maintenance_margin), "cum": 0.0,
            }]}
            for item in self._exchange.instruments.values() if wanted in {"", item.symbol}
        ]  # fmt: skip

    def fees(self, params: Params) -> dict[str, Any]:
        """GET /fapi/v1/commissionRate."""
        config = self._exchange.config
        return {
            "symbol": self._symbol(params),
            "makerCommissionRate": _share(config.maker_fee_bps),
            "takerCommissionRate": _share(config.taker_fee_bps),
        }

    def fee_burn(self, _: Params) -> dict[str, Any]:
        """GET /fapi/v1/feeBurn: whether fees are paid in BNB."""
        return {"feeBurn": self._exchange.burn.is_on}

    def set_fee_burn(self, params: Params) -> dict[str, Any]:
        """POST /fapi/v1/feeBurn."""
        params.need("feeBurn")
        self._exchange.burn.is_on = params.flag("feeBurn")
        return {"code": 200, "msg": "success"}

    def income(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/income: profit, fees and funding, oldest first."""
        rows = [row for fill in self._exchange.fills() for row in _income_of(fill)]
        rows += [_funding_row(told, number) for number, told in enumerate(self._fundings)]
        rows += map(_transfer_row, self._transfers)
        rows.sort(key=lambda row: row["time"])
        kind, symbol = params.text("incomeType"), params.text("symbol")
        since, until = params.integer("startTime", 0) or 0, params.integer("endTime", 1 << 62)
        found = [
            row for row in rows
            if kind in {"", row["incomeType"]} and symbol in {"", row["symbol"]}
            and since <= row["time"] <= (until or 0)
        ]  # fmt: skip
        return found[-params.limit(1_000, 100) :]

    def permissions(self, key: TestKey) -> dict[str, Any]:
        """GET /sapi/v1/account/apiRestrictions: what a key may do."""
        return {
            "ipRestrict": False, "createTime": 1_600_000_000_000, "enableReading": True,
            "enableFutures": key.can_trade, "enableWithdrawals": key.can_withdraw,
            "enableInternalTransfer": False, "permitsUniversalTransfer": False,
            "enableMargin": False, "enableSpotAndMarginTrading": False,
            "enableVanillaOptions": False, "enablePortfolioMarginTrading": False,
        }  # fmt: skip

    def coins(self, _: Params) -> list[dict[str, Any]]:
        """GET /sapi/v1/capital/config/getall: what is traded here; nothing can be withdrawn."""
        names = {item.base for item in self._exchange.instruments.values()} | {USDT}
        none = dict.fromkeys(("free", "locked", "freeze", "withdrawing", "storage"), "0")
        return [
            {"coin": name, "name": name, "depositAllEnable": False, "withdrawAllEnable": False,
             "isLegalMoney": False, "trading": True, "networkList": [], **none}
            for name in sorted(names)
        ]  # fmt: skip

    def _account(self, positions: list[PositionRecord] | Any) -> dict[str, Any]:  # noqa: ANN401
        balance = self._exchange.balance()
        rows = [self._row(one) for one in positions]
        for row, one in zip(rows, positions, strict=True):
            row |= {"unrealizedProfit": row["unRealizedProfit"], "leverage": str(one.leverage),
                    "isolated": one.is_isolated}  # fmt: skip
        return {**totals(balance), "assets": [asset_row(balance)], "positions": rows}

    def _busy(self) -> list[PositionRecord]:
        with_orders = {order.symbol for order in self._exchange.open_orders()}
        every = self._exchange.positions()
        return [one for one in every if one.qty or one.symbol in with_orders]

    def _row(self, one: PositionRecord) -> dict[str, Any]:
        return position_row(one, self._exchange.instruments[one.symbol])

    def _is_meant(self, params: Params, one: PositionRecord) -> bool:
        return params.text("symbol") in {"", one.symbol}

    def _symbol(self, params: Params) -> str:
        symbol = params.need("symbol")
        if symbol not in self._exchange.instruments:
            raise ApiError(*WORDS[Why.UNKNOWN_SYMBOL])
        return symbol

    def _heard(self, told: Told) -> None:
        if isinstance(told, FundingTold):
            self._fundings.append(told)
            del self._fundings[:-INCOME_MAX]
        elif isinstance(told, TransferTold):
            self._transfers.append(told)
            del self._transfers[:-INCOME_MAX]


def _no_leverage(refusal: Refusal, leverage: int) -> ApiError:
    if refusal.why is Why.MARGIN:
        return ApiError(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
    if refusal.why is Why.LEVERAGE:
        return ApiError(-4028, f"Leverage {leverage} is not valid")
    return ApiError(*WORDS[refusal.why])


def _share(bps: Decimal) -> str:
    return f"{bps.scaleb(-4):.6f}"


def _income_of(fill: FillRecord) -> list[dict[str, Any]]:
    both = [("COMMISSION", -fill.fee, fill.fee_asset or USDT)]
    if fill.realized_pnl:
        both.append(("REALIZED_PNL", fill.realized_pnl, USDT))
    return [
        {"symbol": fill.symbol, "incomeType": kind, "income": money(amount), "asset": asset,
         "info": str(fill.trade_id), "time": fill.at_ns // MS_NS, "tranId": fill.trade_id,
         "tradeId": str(fill.trade_id)}
        for kind, amount, asset in both
    ]  # fmt: skip


def _funding_row(told: FundingTold, number: int) -> dict[str, Any]:
    return {
        "symbol": told.symbol, "incomeType": "FUNDING_FEE", "income": money(told.amount),
        "asset": USDT, "info": plain(told.rate), "time": told.at_ns // MS_NS,
        "tranId": 1_000_000_000 + number, "tradeId": "",
    }  # fmt: skip


def _transfer_row(told: TransferTold) -> dict[str, Any]:
    return {
        "symbol": "", "incomeType": "TRANSFER", "income": money(told.amount), "asset": USDT,
        "info": "TRANSFER", "time": told.at_ns // MS_NS, "tranId": 2_000_000_000 + told.transfer_id,
        "tradeId": "",
    }  # fmt: skip
