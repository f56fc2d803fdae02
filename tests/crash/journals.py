"""A journal with every type of line, as the engine's own chain writes it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.model.events import INPUT_TYPES, RECORD_TYPES
from engine.model.orders import OrderState
from engine.model.records import OrderChanged
from engine.session.journal import MemoryJournal

TS: Final = 1_700_000_000_000_000_000
OWN: Final = ("heartbeat", "session_resumed")
TYPES: Final = frozenset(
    {
        *INPUT_TYPES,
        *(name for name, kind in RECORD_TYPES.items() if kind is not OrderChanged),
        *(f"order_{state.lower()}" for state in OrderState),
        "session_started", *OWN, "session_ended",
    }
)  # fmt: skip


def example(kind: Any, seed: int) -> Any:
    """Make a value of a type, by what its annotation says."""
    info = msgspec.inspect.type_info(kind)
    return _value(info, seed)


def _value(info: Any, seed: int) -> Any:
    match info:
        case msgspec.inspect.StructType():
            fields = {f.name: _value(f.type, seed + n) for n, f in enumerate(info.fields)}
            if "ts_ns" in fields:
                fields["ts_ns"] = TS + seed
            return info.cls(**fields)
        case msgspec.inspect.IntType():
            return seed
        case msgspec.inspect.FloatType():
            return seed / 7
        case msgspec.inspect.BoolType():
            return bool(seed % 2)
        case msgspec.inspect.StrType():
            return f"é-{seed}"
        case msgspec.inspect.DecimalType():
            return Decimal(seed) / 8
        case msgspec.inspect.EnumType():
            members = list(info.cls)
            return members[seed % len(members)]
        case msgspec.inspect.LiteralType():
            return info.values[seed % len(info.values)]
        case msgspec.inspect.UnionType():
            return _value(info.types[seed % len(info.types)], seed)
        case msgspec.inspect.NoneType():
            return None
        case msgspec.inspect.DictType():
            return {f"k{seed}": _value(info.value_type, seed)}
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return tuple(_value(info.item_type, seed + n) for n in range(2))
        case msgspec.inspect.TupleType():
            return tuple(_value(item, seed) for item in info.item_types)
        case _:
            raise TypeError(info)


def lines_of_all_types(size: int) -> list[bytes]:
    """Return lines, at least `size` bytes of them, with every type among them."""
    journal = MemoryJournal()
    journal.note("session_started", TS, {"run_id": "crash"})
    seed = 1
    kinds = dict.fromkeys((*INPUT_TYPES.values(), *RECORD_TYPES.values()))
    while (have := sum(map(len, journal.lines))) < size:
        for kind in list(kinds)[: (size - have) // 200 + 1]:
            journal.extend([example(kind, seed)])
            seed += 1
        changed = example(OrderChanged, seed)
        journal.extend([msgspec.structs.replace(changed, state=state) for state in OrderState])
        for name in OWN:
            journal.note(name, TS + seed, {"seed": seed})
    journal.note("session_ended", TS + seed, {})
    return journal.lines


def types_in(lines: list[bytes]) -> set[str]:
    return {json.loads(line)["type"] for line in lines}


def written(path: Path, content: bytes) -> Path:
    """Put a journal's bytes where a session would have put them."""
    path.touch(0o600)
    path.write_bytes(content)
    return path
