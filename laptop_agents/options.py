"""The command line as data. Imports argparse and nothing heavier: `--help` pays for it.

Rule 1: the parser judges no value, the settings model does, so every complaint comes out at once.
Rule 2: what it does complain about never repeats a value, which may be a secret in a wrong place.
"""

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from laptop_agents.version import __version__

PROGRAM = "laptop-agents"
USAGE = """laptop-agents [OPTIONS]
       laptop-agents COMMAND ..."""
DESCRIPTION = "Run trading agents against a simulated venue; a sub-command does one other job."

EPILOG = """\
examples:
  laptop-agents
  laptop-agents --headless --duration 0.5
  laptop-agents --headless --profile scalp --symbols BTCUSDT,ETHUSDT --set agents.trend.fast=8
  laptop-agents profiles show --profile stress

Every setting has four homes, strongest first: an option or --set, the environment
(LAPTOP_AGENTS_RISK__MAX_LOSS_PCT=1), a profile file, the built-in default.
`laptop-agents profiles show` lists them all with their values and where each came from.
"""

SETTING_OPTIONS = (
    # option, the settings it sets, placeholder, help
    ("--duration", ("session.duration_min",), "MIN", "minutes, fractions allowed (10 in headless)"),
    ("--mode", ("mode",), "MODE", "paper, dry-run: signs and sends none, or live (paper)"),
    (
        "--source",
        ("source",),
        "NAME",
        "market data: bitunix, binance, hyperliquid, mock, or file:PATH[,...] (bitunix)",
    ),
    ("--profile", ("profile",), "NAME|PATH", "profile by name, or a .toml or .json file (default)"),
    ("--symbols", ("symbols",), "A,B", "instruments (BTCUSDT, file: all it holds)"),
    ("--agents", ("agents.enabled",), "a,b", "agents, first has priority (trend,quoter)"),
    ("--seed", ("session.seed",), "N", "seed of the mock market and simulated latency (1)"),
    ("--speed", ("session.speed",), "X|max", "event time per wall time, mock and file sources (1)"),
    ("--max-position-size", ("risk.max_position_size",), "QTY", "largest position, base units"),
    ("--max-loss-pct", ("risk.max_loss_pct",), "PCT", "session loss that halts, percent"),
    ("--max-orders-per-minute", ("risk.max_orders_per_minute",), "N", "placements a minute"),
    (
        "--latency-ms",
        ("paper.submit_latency_ms", "paper.amend_latency_ms", "paper.cancel_latency_ms"),
        "MS",
        "simulated latency of orders",
    ),
    ("--starting-balance", ("session.starting_balance",), "AMOUNT", "quote currency (10000)"),
)

LIMITS = (
    # option of `attach`, the kind of client it makes, help
    ("--read-only", "watcher", "watch, and send nothing"),
    ("--lower-only", "lowerer", "send only what lowers risk"),
)

CONTROLS = {
    # sub-command about a running session: help
    "status": "how a session stands, or how it ended",
    "pause": "no new risk; resting orders are canceled",
    "resume": "go on after a pause, reduce-only, a flatten or a reset",
    "reduce-only": "let positions shrink and never grow",
    "flatten": "cancel all, close every position, then pause",
    "stop": "end it: cancel, flatten by policy, report",
    "kill": "emergency: cancel all, close all, end",
    "reset": "leave an EMERGENCY that is flat and waits for a person",
}

KEY_VENUES = ("binance", "bitunix", "hyperliquid")
KEY_PLACES = ("keyring", "file", "vault")

Typed = tuple[str, str, str]
"""Option as spelled, dotted setting, text."""


class SettingAction(argparse.Action):
    """Collects what was typed, in order; conflicts are for the settings to judge."""

    def __init__(self, *args: Any, names: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = names

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Append the option's settings, or the KEY=VALUE of `--set`."""
        names, text = self.names, values
        if not names:
            name, equals, text = values.partition("=")
            if not equals or not name:
                parser.error("--set takes KEY=VALUE, like --set risk.max_loss_pct=1")
            names = (name.strip(),)
        typed = [*(getattr(namespace, self.dest, None) or ())]
        typed += [(option_string or "", name, text) for name in names]
        setattr(namespace, self.dest, typed)


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaints are one line and quote no value."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Sub-parsers are made by argparse, so what holds for all is set here.
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        kwargs["allow_abbrev"] = False
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Exit 2."""
        message = re.sub(r"invalid choice: .*?(?= \(choose|$)", "unknown", message, flags=re.DOTALL)
        message = re.sub(
            r"ignored explicit argument .*", "takes no value", message, flags=re.DOTALL
        )
        if message.startswith("unrecognized arguments:"):
            message = self._unknown(message.split()[2:])
        self.exit(2, f"error: {message}; try {self.prog} --help\n")

    def _unknown(self, words: Sequence[str]) -> str:
        options = [word.partition("=")[0] for word in words if word.startswith("-")]
        if not options:
            return "there are more words than this command takes"
        known = [option for action in self._actions for option in action.option_strings]
        nearest = get_close_matches(options[0][:80], known, n=1, cutoff=0.6)
        hint = f": did you mean {nearest[0]}?" if nearest else ""
        return f"unknown option {ascii(options[0][:80])[1:-1]}{hint}"


def build_parser() -> Parser:
    """Return the whole command line."""
    parser = Parser(prog=PROGRAM, usage=USAGE, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_session_options(parser)
    _add_setting_options(parser, "typed")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="sub-commands", prog=PROGRAM
    )
    _add_profiles(commands)
    _add_agents(commands)
    _add_replay(commands)
    _add_runs(commands)
    _add_audit(commands)
    _add_sandbox(commands)
    _add_drill(commands)
    _add_record(commands)
    _add_keys(commands)
    attach = commands.add_parser("attach", help="a screen for a running session")
    _add_run_word(attach)
    attach.add_argument(
        "--plain",
        dest="lines",
        action="store_true",
        help="one line a change: screen readers, pipes",
    )
    rights = attach.add_mutually_exclusive_group()
    for flag, kind, meaning in LIMITS:
        rights.add_argument(flag, dest="limit", action="store_const", const=kind, help=meaning)
    _add_serve(commands)
    _add_screen_options(attach)
    _add_controls(commands)
    doctor = commands.add_parser("doctor", help="check this machine, the home and the terminal")
    doctor.add_argument("--keys", action="store_true", help="also the keyring, and which keys are")
    _add_json(doctor)
    completion = commands.add_parser("completion", help="print a completion script for a shell")
    completion.add_argument("shell", choices=("bash", "zsh"))
    return parser


def _add_session_options(parser: Parser) -> None:
    group = parser.add_argument_group("session")
    group.add_argument("--headless", action="store_true", help="no screen: heartbeats on stderr")
    group.add_argument(
        "--resume", nargs="?", const="latest", metavar="RUN", help="go on after a crash (latest)"
    )
    group.add_argument("--replay", metavar="PATH", help="re-run a recorded session: see replay")
    group.add_argument("--run-dir", metavar="DIR", help="write the run here, not under the home")
    group.add_argument("--kill-file", metavar="PATH", help="a further file that stops the session")
    group.add_argument("--yes-live", metavar="VENUE", help="live: yes, with real money, there")
    group.add_argument("--arm-token", metavar="FILE", help="live without a terminal: counts once")
    group.add_argument("--plain", action="store_true", help="plain lines, for screen readers")
    group.add_argument("--no-color", action="store_true", help="no colors")
    group.add_argument("--json", action="store_true", help="output for programs: JSON")
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument("-v", dest="verbose", action="count", default=0, help="say more")
    loudness.add_argument("-q", dest="quiet", action="store_true", help="say only what is wrong")


def _add_setting_options(
    parser: argparse.ArgumentParser, dest: str, title: str = "settings"
) -> None:
    group = parser.add_argument_group(title)
    for option, names, placeholder, text in SETTING_OPTIONS:
        group.add_argument(
            option, dest=dest, action=SettingAction, names=names, metavar=placeholder, help=text
        )
    group.add_argument(
        "--set", dest=dest, action=SettingAction, metavar="KEY=VALUE", help="any setting by name"
    )


def _add_screen_options(parser: argparse.ArgumentParser) -> None:
    # The default must not undo a --no-color typed before the sub-command.
    parser.add_argument(
        "--no-color", action="store_true", default=argparse.SUPPRESS, help="no colors"
    )
    parser.add_argument(
        "--set", dest="typed_after", action=SettingAction, metavar="KEY=VALUE",
        help="a setting of this screen, tui.palette say",
    )  # fmt: skip


def _add_profiles(commands: Any) -> None:
    profiles = commands.add_parser("profiles", help="named sets of settings")
    verbs = profiles.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_json(verbs.add_parser("list", help="list the shipped profiles and your own"))
    show = verbs.add_parser("show", help="print the resolved settings and where each came from")
    show.add_argument("name", nargs="?", metavar="NAME|PATH", help="the same as --profile")
    _add_json(show)
    _add_setting_options(show, "typed_after")
    validate = verbs.add_parser("validate", help="check profiles without the environment")
    validate.add_argument("names", nargs="*", metavar="NAME|PATH", help="(every known profile)")
    new = verbs.add_parser("new", help="write a profile of your own to start from")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--from", dest="base", default="default", metavar="NAME", help="copy this one")
    verbs.add_parser("schema", help="print the JSON schema of a profile, for editors")


def _add_replay(commands: Any) -> None:
    replay = commands.add_parser("replay", help="re-run a recorded session, compare every decision")
    _add_run(replay)
    replay.add_argument("--tui", action="store_true", help="on the workstation's screen")
    replay.add_argument(
        "--run-dir", dest="kept_in", metavar="DIR", help="keep the what-if as a run in this folder"
    )
    _add_setting_options(replay, "typed_after", "what-if: run the recorded market with these")


def _add_agents(commands: Any) -> None:
    agents = commands.add_parser("agents", help="the strategies that can run")
    verbs = agents.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_json(verbs.add_parser("list", help="list the agents"))
    describe = verbs.add_parser("describe", help="explain one agent and its settings")
    describe.add_argument("name", metavar="NAME")
    _add_json(describe)
    for verb, text in (
        ("pause", "stop asking an agent of a running session, and cancel its orders"),
        ("resume", "ask it again"),
        ("weight", "scale what it opens with, 0 to 1"),
    ):
        control = verbs.add_parser(verb, help=text)
        control.add_argument("name", metavar="NAME")
        if verb == "weight":
            control.add_argument("weight", metavar="WEIGHT", help="0 to 1, like 0.25")
        _add_run(control)


def _add_runs(commands: Any) -> None:
    runs = commands.add_parser("runs", help="recorded sessions: look, compare, keep, hand on")
    verbs = runs.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_json(verbs.add_parser("list", help="list the runs of this home, newest first"))
    _add_run(verbs.add_parser("show", help="what a run was told, and what came of it"))
    diff = verbs.add_parser("diff", help="the first decision in which two runs part, and figures")
    diff.add_argument("first", metavar="A", help="run id or path")
    diff.add_argument("second", metavar="B", help="run id or path")
    _add_json(diff)
    archive = verbs.add_parser("archive", help="pack a run into <home>/archive, and verify that")
    archive.add_argument("run", metavar="RUN", help="run id or path")
    archive.add_argument("--remove", action="store_true", help="then delete the run")
    clean = verbs.add_parser("clean", help="delete old runs; without --yes only say which")
    clean.add_argument("--older-than", metavar="DAYS", help="fractions allowed (runs.keep_days)")
    clean.add_argument("--keep", metavar="N", help="spare the newest N (runs.keep_count)")
    clean.add_argument("--yes", action="store_true", help="do delete them")
    export = verbs.add_parser("export", help="pack a proven run into one file for others")
    _add_run_word(export)
    export.add_argument("-o", dest="output", metavar="FILE", help="(<run>.capsule.tar.gz here)")
    take = verbs.add_parser("import", help="take in an exported run, once it is proven")
    take.add_argument("file", metavar="FILE")


def _add_audit(commands: Any) -> None:
    audit = commands.add_parser("audit", help="prove and question what a session wrote down")
    verbs = audit.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_run(verbs.add_parser("verify", help="check the journal's hash chain, line by line"))
    query = verbs.add_parser("query", help="the journal's lines by type, time, symbol, agent")
    _add_run_word(query)
    query.add_argument("--type", metavar="A,B", help="types of lines, like fill,order_*")
    query.add_argument("--symbol", metavar="SYMBOL", help="about this instrument")
    query.add_argument("--agent", metavar="AGENT", help="by or for this agent")
    query.add_argument("--order", metavar="ID", help="naming this order or intent")
    query.add_argument("--since", metavar="TIME", help="ISO time, or seconds since the start")
    query.add_argument("--until", metavar="TIME", help="the same; lines before it")
    query.add_argument("--limit", metavar="N", help="no more lines than these (200 in a table)")
    form = query.add_mutually_exclusive_group()
    _add_json(form)
    form.add_argument("--csv", action="store_true", help="output as CSV")
    why = verbs.add_parser("why", help="an intent's way: every rule with its reading, and after")
    why.add_argument(
        "words", nargs="*", metavar="[RUN] SYMBOL|ORDER", help="run id or path (latest)"
    )
    why.add_argument("--last", action="store_true", help="the last intent the gate refused")
    why.add_argument(
        "--as-of", type=int, metavar="LINE", help="as the journal stood at this line of it"
    )
    _add_json(why)
    report = verbs.add_parser("report", help="did it keep its rules: verdicts, limits, operators")
    report.add_argument("run", nargs="?", metavar="RUN|PATH", help="run id or path (latest)")
    report.add_argument("--day", metavar="YYYY-MM-DD", help="all runs started on this day (UTC)")
    form = report.add_mutually_exclusive_group()
    _add_json(form)
    form.add_argument("--incident", action="store_true", help="a Markdown incident report to fill")


def _add_record(commands: Any) -> None:
    record = commands.add_parser(
        "record", help="live markets to files that file: plays back; --source takes several"
    )
    record.add_argument("--to", metavar="DIR", help="write here (<home>/recordings/SOURCE-TIME)")
    record.add_argument(
        "--rotate-mb", type=float, default=64.0, metavar="MB", help="packed size of a file (64)"
    )
    record.add_argument(
        "--keep-mb", type=float, metavar="MB", help="delete the oldest files beyond this (keep all)"
    )
    record.add_argument(
        "--format",
        default="csv",
        metavar="NAME",
        help="of the quotes and trades: csv, jsonl, or parquet with its extra (csv)",
    )
    _add_setting_options(record, "typed_after")


def _add_sandbox(commands: Any) -> None:
    sandbox = commands.add_parser("sandbox", help="an exchange on this machine, to rehearse on")
    sandbox.add_argument(
        "venue", metavar="VENUE", help="whose protocol it speaks: bitunix, binance or hyperliquid"
    )
    sandbox.add_argument("--symbols", metavar="A,B", help="what is traded there (BTCUSDT)")
    sandbox.add_argument("--port", type=int, default=0, metavar="N", help="0 takes a free one (0)")
    sandbox.add_argument("--seed", type=int, default=1, metavar="N", help="of its prices (1)")
    sandbox.add_argument(
        "--events-per-s", type=float, default=20.0, metavar="X", help="per symbol (20)"
    )
    sandbox.add_argument("--file", metavar="PATH", help="play a recording instead of a mock")
    sandbox.add_argument("--balance", default="10000", metavar="N", help="at the start (10000)")
    sandbox.add_argument(
        "--ledger", metavar="FILE", help="write every order and fill there, as JSON lines"
    )
    sandbox.add_argument(
        "--tls", action="store_true", help="encrypted, with a certificate of its own"
    )
    sandbox.add_argument("--cert", metavar="FILE", help="encrypted, with this certificate (PEM)")
    sandbox.add_argument("--key", metavar="FILE", help="of that certificate (PEM)")


def _add_drill(commands: Any) -> None:
    drill = commands.add_parser("drill", help="rehearse a fault against a sandbox: pass or fail")
    drill.add_argument("name", nargs="?", metavar="NAME", help="one of them, or all (list them)")
    drill.add_argument(
        "--venue", default="binance", metavar="VENUE", help="whose sandbox, or all (binance)"
    )


def _add_keys(commands: Any) -> None:
    keys = commands.add_parser("keys", help="keys to venues: keep, prove, replace them")
    verbs = keys.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, text in (
        ("set", "type a venue's key unseen, and keep it"),
        ("check", "ask the venue what the key may do"),
        ("rotate", "put a new key in the place of the old one, once the venue takes it"),
        ("delete", "forget a venue's key"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("venue", choices=KEY_VENUES, metavar="VENUE", help=", ".join(KEY_VENUES))
        if verb in ("set", "rotate"):
            one.add_argument("--stdin", action="store_true", help="read two lines, unasked")
        if verb in ("set", "delete"):
            one.add_argument("--in", dest="place", choices=KEY_PLACES, help="(the keyring first)")
        if verb in ("check", "rotate"):
            one.add_argument(
                "--set", dest="typed_after", action=SettingAction, metavar="KEY=VALUE",
                help="a setting, the address of a sandbox say",
            )  # fmt: skip
        if verb == "rotate":
            one.add_argument("--no-check", action="store_true", help="do not ask the venue")
        if verb == "check":
            _add_json(one)
    _add_json(verbs.add_parser("list", help="which keys there are, from where, how old"))


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="the screen of a session in a browser, loopback only")
    _add_run_word(serve)
    serve.add_argument("--control", action="store_true", help="visitors may lower risk, not raise")
    serve.add_argument("--port", default="8000", metavar="N", help="on 127.0.0.1 (8000)")


def _add_controls(commands: Any) -> None:
    for name, text in CONTROLS.items():
        control = commands.add_parser(name, help=text)
        _add_run(control)
        if name == "reset":
            control.add_argument(
                "--confirm", default="", metavar="RESET", help="type RESET to say that you mean it"
            )


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_run_word(parser)
    _add_json(parser)


def _add_run_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", default="latest", metavar="RUN|PATH", help="run id or path (latest)"
    )


def _add_json(parser: argparse._ActionsContainer) -> None:
    # The default must not undo a --json typed before the sub-command.
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="output as JSON"
    )
