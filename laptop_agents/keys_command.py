"""`laptop-agents keys set|list|check|delete|rotate`: keys to venues, none of them ever shown."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.model.errors import CredentialsRefused, LaptopAgentsError, UsageError
from laptop_agents.home import find_home
from laptop_agents.keys import Found, find, missing
from laptop_agents.keys_list import report
from laptop_agents.keys_places import Places, Store, places, stamp
from laptop_agents.keys_prompt import passphrase, typed
from laptop_agents.keys_shape import Kept

if TYPE_CHECKING:
    from brokers.link.secret import Credentials
    from laptop_agents.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says.

    Raises:
        CredentialsRefused: There is no key, no place for it, or the venue does not take it.
        DataUnavailable: The venue can't be asked.
        UsageError: Nothing of the kind can be done.
    """
    home = find_home(os.environ)
    may_ask = arguments.verb != "list" or (sys.stdin.isatty() and not arguments.json)
    VERBS[arguments.verb](arguments, home, places(os.environ, home, _ask(may_ask=may_ask)))
    return 0


def _ask(*, may_ask: bool) -> Callable[[bool], str]:
    return passphrase(os.environ, may_ask=may_ask)


def _set(arguments: argparse.Namespace, _: Path, among: Places) -> None:
    venue = arguments.venue
    kept = _now(typed(venue, is_piped=arguments.stdin))
    store = _keep(venue, kept, among, arguments.place)
    _say(f"{venue} ...{kept.credentials.tail} is kept in {store.where(venue)}")
    for note in _shadows(venue, store, among):
        _note(note)


def _keep(venue: str, kept: Kept, among: Places, wanted: str | None) -> Store:
    """Put a key where it is wanted, else into the keyring, else into the vault."""
    if wanted:
        store = among.stores[wanted]
        store.write(venue, kept)
        return store
    try:
        among.keyring.write(venue, kept)
    except CredentialsRefused as error:
        _note(f"not kept in the keyring but in the vault: {error}")
        among.vault.write(venue, kept)
        return among.vault
    return among.keyring


def _shadows(venue: str, store: Store, among: Places) -> list[str]:
    """Say what will be used in the place of a key just kept."""
    for place in among.ordered:
        if place is store:
            break
        try:
            is_there = place.read(venue) is not None
        except CredentialsRefused:
            continue
        if is_there:
            return [f"not used as long as there is one in {place.where(venue)}"]
    return []


def _list(arguments: argparse.Namespace, _: Path, among: Places) -> None:
    _say(report(among, time.time(), as_json=arguments.json))


def _check(arguments: argparse.Namespace, home: Path, among: Places) -> None:
    from laptop_agents.keys_check import (  # noqa: PLC0415 - the rest has no use for an engine
        advice,
        facts_of,
        refuse_unfit,
        table,
    )

    settings = _settings(arguments, home)
    found = _found(arguments.venue, among)
    facts = facts_of(arguments.venue, found.credentials, settings)
    rows = {"key": f"...{found.credentials.tail} from {found.where}", **table(facts)}
    notes = list(advice(facts, settings.live.clock_off_max_ms))
    if arguments.json:
        _say(json.dumps({**rows, "advice": notes}, indent=2))
    else:
        _say("\n".join(f"{name:<13} {text}" for name, text in rows.items()))
        for note in notes:
            _note(note)
    refuse_unfit(facts)


def _rotate(arguments: argparse.Namespace, home: Path, among: Places) -> None:
    venue = arguments.venue
    settings = _settings(arguments, home)
    found = _found(venue, among)
    store = among.stores.get(found.origin)
    if store is None:
        raise UsageError(f"the key in use is in the environment: change {found.where} there")
    new = typed(venue, is_piped=arguments.stdin)
    if new == found.credentials:
        raise UsageError("that is the key already in use: make a new one at the venue first")
    try:
        if not arguments.no_check:
            _prove(venue, new, settings)
        store.write(venue, _now(new))
    except LaptopAgentsError:
        _note(f"nothing has changed: ...{found.credentials.tail} stays in {found.where}")
        raise
    _say(f"{venue} ...{new.tail} is now in {found.where}")
    _note(f"delete ...{found.credentials.tail} at the venue; running sessions still use it")


def _prove(venue: str, new: "Credentials", settings: "Settings") -> None:
    from laptop_agents.keys_check import facts_of, refuse_unfit  # noqa: PLC0415 - see `_check`

    refuse_unfit(facts_of(venue, new, settings))


def _delete(arguments: argparse.Namespace, _: Path, among: Places) -> None:
    venue, wanted = arguments.venue, arguments.place
    stores = [among.stores[wanted]] if wanted else list(among.stores.values())
    gone, refused = 0, []
    for store in stores:
        try:
            is_gone = store.delete(venue)
        except CredentialsRefused as error:
            if store is among.keyring and not wanted:  # most machines without one never had one
                _note(f"not looked for in the keyring: {error}")
            else:
                refused.append(str(error))
            continue
        if is_gone:
            gone += 1
            _say(f"{venue}: deleted from {store.where(venue)}")
    if refused:
        raise CredentialsRefused("\n".join(refused))
    if not gone:
        raise CredentialsRefused(f"there is no key of {venue} to delete")
    if among.environment.has(venue):
        _note(f"the environment still has one: unset {among.environment.where(venue)}")


def _found(venue: str, among: Places) -> Found:
    found = find(venue, among)
    if found is None:
        raise CredentialsRefused(missing(venue))
    return found


def _settings(arguments: argparse.Namespace, home: Path) -> "Settings":
    """Resolve the settings of a session at this venue."""
    from laptop_agents.cli import flags  # noqa: PLC0415 - it imports us
    from laptop_agents.home import profile_folder  # noqa: PLC0415 - two verbs only
    from laptop_agents.settings import load  # noqa: PLC0415 - pydantic
    from laptop_agents.sources import Flag  # noqa: PLC0415 - two verbs only

    venue = Flag(f"keys {arguments.verb}", "source", arguments.venue)
    return load([*flags(arguments), venue], os.environ, profiles=profile_folder(home))


def _now(credentials: "Credentials") -> Kept:
    return Kept(credentials, stamp(time.time()))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _note(text: str) -> None:
    sys.stderr.write(f"note: {text}\n")


VERBS: Final = {
    "set": _set, "list": _list, "check": _check, "delete": _delete, "rotate": _rotate
}  # fmt: skip
