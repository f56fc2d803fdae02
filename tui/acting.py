"""What a key does about the order, position, agent or level a person stands on.

Rule 1: what lowers risk and is narrow is sent at once; what is wide takes a second, different key
        within five seconds; what raises risk opens a dialog whose last word is `y`.
Rule 2: nothing is sent for a row that is not there: then it is said what to choose.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from engine.model.events import Operator
from engine.model.operators import OPERATOR
from engine.model.orders import LIMIT, MARKET, Side
from engine.session.control.views import AgentFace, OrderFace, PositionFace, View
from tui import format as fmt
from tui.danger import DangerMenu
from tui.dialogs.deal import Deal
from tui.dialogs.question import Question, QuestionDialog
from tui.dialogs.ticket import TicketScreen
from tui.dialogs.typed import TypedDialog
from tui.grid import grid
from tui.pane import Pane
from tui.panes.book import BookPane
from tui.ticket.form import Form, at_touch

if TYPE_CHECKING:
    from tui.app import Workstation

YES: Final = "y"
PAPER: Final = "PAPER"
"""The only mode in which a person may do without a confirmation."""
WEIGHT_STEP: Final = Decimal("0.1")
RESET_LETTERS: Final = 4
Face = TypeVar("Face")


def deal(app: "Workstation") -> Deal:
    """Return what dialogs that send need of the app."""
    is_paper = app.source.glance().mode == PAPER
    is_confirmed = app.surface.config.confirm_orders or not is_paper
    return Deal(app.source, app.surface.monotonic_s, app.looks, app.send, is_confirmed)


def known(app: "Workstation") -> View | None:
    """Return the newest view; say so where there is none."""
    view = app.source.glance().view
    if view is None:
        app.say("there is no session to act on")
    return view


def _on(app: "Workstation", face: type[Face]) -> Face | None:
    """Return the row of a kind that a person stands on, as it was painted; None elsewhere."""
    row = app.focused.standing() if isinstance(app.focused, Pane) else None
    return row if isinstance(row, face) else None


# --- tickets -------------------------------------------------------------------------------------


def buy(app: "Workstation") -> None:
    """Open a ticket to buy."""
    _open_ticket(app, Side.BUY)


def sell(app: "Workstation") -> None:
    """Open a ticket to sell."""
    _open_ticket(app, Side.SELL)


def _open_ticket(app: "Workstation", side: Side) -> None:
    view = known(app)
    if view is None or not view.markets:
        return
    form = at_touch(Form(_symbol(app, view), side), view.markets)
    book = app.focused
    if isinstance(book, BookPane) and (level := book.level) is not None:
        form = Form(form.symbol, side, price=f"{level.price:f}")
    app.push_screen(TicketScreen(form, deal(app)))


def _symbol(app: "Workstation", view: View) -> str:
    """Return the symbol of the row a person stands on, else the chosen one."""
    row = _on(app, OrderFace) or _on(app, PositionFace)
    return row.symbol if row else app.desk.symbol or view.markets[0].symbol


def amend(app: "Workstation") -> None:
    """Open a ticket on the chosen order."""
    order = _order(app)
    if order is None:
        return
    price = order.price if order.type is LIMIT else order.trigger_price
    if order.agent != OPERATOR:
        app.say(
            f"{fmt.text(order.order_id, 20)} is {fmt.text(order.agent, 12)}'s: only your own"
            " orders can be changed; x cancels, u pauses an agent"
        )
    elif order.type is MARKET or price is None:
        app.say(f"{fmt.text(order.order_id, 20)} has no price to change")
    else:
        left = order.qty - order.filled_qty
        form = Form(
            order.symbol, order.side, order.type, f"{left:f}", f"{price:f}", order.tif,
            order.post_only, order.reduce_only, amends=order.order_id, focus="price",
        )  # fmt: skip
        app.push_screen(TicketScreen(form, deal(app)))


# --- orders and positions ------------------------------------------------------------------------


def _order(app: "Workstation") -> OrderFace | None:
    order = _on(app, OrderFace)
    if order is None and known(app) is not None:
        app.say("choose an order first: 5 goes to orders")
    return order


def cancel(app: "Workstation") -> None:
    """Cancel the chosen order, or one's own at the chosen level."""
    view = known(app)
    if view is None:
        return
    if isinstance(app.focused, BookPane):
        own: Sequence[OrderFace] = app.focused.own_at_level(view)
        if not own:
            app.say("no order of ours at this level: up and down choose one")
    else:
        order = _order(app)
        own = [order] if order else []
    for order in own:
        app.send(Operator.CANCEL_ORDER, order.order_id)


def cancel_symbol(app: "Workstation") -> None:
    """Arm the cancel of every order of the chosen symbol."""
    view = known(app)
    if view is None or not view.markets:
        return
    symbol = _symbol(app, view)
    count = sum(order.symbol == symbol for order in view.orders)
    what = f"CANCEL ALL {count} orders of {fmt.text(symbol, 20)}, protective ones too"
    _arm(app, Operator.CANCEL_SYMBOL, symbol, what)


def flatten(app: "Workstation") -> None:
    """Arm the closing of the chosen position."""
    view = known(app)
    held = _on(app, PositionFace)
    if view is None:
        return
    if held is None or not held.qty:
        app.say("choose a position first: 4 goes to positions")
        return
    _arm(app, Operator.FLATTEN_SYMBOL, held.symbol, _closing(view, held))


def _closing(view: View, held: PositionFace) -> str:
    size = grid(view).position(held.symbol, held.qty).strip()
    return (
        f"FLATTEN {fmt.text(held.symbol, 20)} {size}, uPnL {fmt.pnl(held.unrealised)}:"
        " cancel its orders, close at market"
    )


def _arm(app: "Workstation", command: Operator, symbol: str, what: str) -> None:
    """Ask for a second, different key within five seconds."""

    def chosen(answer: Operator | None) -> None:
        if answer is not None:
            app.send(answer, symbol)

    menu = DangerMenu(
        app.source.glance().mode, app.surface.monotonic_s, {YES: (command, what)}, is_guarded=True
    )
    app.push_screen(menu, chosen)


# --- agents --------------------------------------------------------------------------------------


def _agent(app: "Workstation") -> AgentFace | None:
    agent = _on(app, AgentFace)
    if agent is None and known(app) is not None:
        app.say("choose an agent first: 7 goes to agents")
    return agent


def pause_agent(app: "Workstation") -> None:
    """Pause the chosen agent at once; let a paused one go on after a question."""
    agent = _agent(app)
    if agent is None:
        return
    if not agent.is_paused:
        app.send(Operator.PAUSE_AGENT, agent.name)
        return
    title = f"Let agent {fmt.text(agent.name, 20)} go on?"
    fact = f" weight {agent.weight:f}; it may open positions again"
    _ask(app, title, fact, "let it go on", command=Operator.RESUME_AGENT, argument=agent.name)


def weigh_up(app: "Workstation") -> None:
    """Ask whether the chosen agent shall trade larger."""
    agent = _agent(app)
    if agent is None:
        return
    weight = min(Decimal(1), agent.weight + WEIGHT_STEP)
    if weight == agent.weight:
        app.say(f"{fmt.text(agent.name, 20)} has its full weight already")
        return
    title = f"Let agent {fmt.text(agent.name, 20)} trade larger?"
    fact = f" weight {agent.weight:f} -> {weight:f}; what it has resting is canceled and sized anew"
    argument = f"{agent.name}={weight:f}"
    _ask(app, title, fact, "trade larger", command=Operator.WEIGH_AGENT, argument=argument)


def weigh_down(app: "Workstation") -> None:
    """Let the chosen agent trade smaller, at once."""
    agent = _agent(app)
    if agent is None:
        return
    weight = max(Decimal(0), agent.weight - WEIGHT_STEP)
    if weight == agent.weight:
        app.say(f"{fmt.text(agent.name, 20)} opens nothing already")
    else:
        app.send(Operator.WEIGH_AGENT, f"{agent.name}={weight:f}")


# --- the session ---------------------------------------------------------------------------------


def take_controls(app: "Workstation") -> None:
    """Ask whether this screen shall have the controls."""
    view, welcome = known(app), app.source.glance().welcome
    if view is None or welcome is None:
        return
    if view.controls == welcome.you:
        app.say("this screen has the controls")
        return
    holder = fmt.text(view.controls, 60) or "nobody"
    fact = f" now with {holder}; that screen can then only lower risk"
    _ask(
        app,
        "Take over the controls?",
        fact,
        "take over",
        command=Operator.TAKE_CONTROLS,
        argument="",
    )


def reset(app: "Workstation") -> None:
    """Leave EMERGENCY by the last four letters of the run's id, typed."""
    glance = app.source.glance()
    if glance.view is None or glance.welcome is None:
        return
    if not glance.view.lifecycle.needs_reset:
        app.say("a reset takes an EMERGENCY that is held and flat")
        return
    letters = glance.welcome.run_id[-RESET_LETTERS:]
    question = (
        f"{glance.mode}  OPERATOR_RESET: leave EMERGENCY for READY.\n"
        f"Type the last {RESET_LETTERS} letters of run {fmt.text(glance.welcome.run_id, 40)}:"
    )

    def typed(is_meant: bool | None) -> None:  # noqa: FBT001 - Textual's callback
        if is_meant:
            app.send(Operator.RESET, "RESET")

    app.push_screen(TypedDialog(question, letters), typed)


def _ask(
    app: "Workstation", title: str, fact: str, answer: str, *, command: Operator, argument: str
) -> None:
    """Ask for `y` before something that raises risk."""
    mode = app.source.glance().mode
    question = Question(f"{mode}  {title}", (fact,), {YES: answer})

    def chosen(key: str | None) -> None:
        if key == YES:
            app.send(command, argument)

    app.push_screen(QuestionDialog(question, app.surface.monotonic_s), chosen)
