"""Rules of the house that no single test file owns (architecture.md)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("laptop_agents", "tui", "brokers", "engine")
PURE = ("model", "market", "portfolio", "agents", "risk", "execution", "kernel")
LINES_MAX = 500
DATA_TABLE_LINES_MAX = 800
DATA_TABLES: frozenset[str] = frozenset()
"""Files that are one table and may be longer; each is named here on purpose."""
FUNCTION_LINES_MAX = 60
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
PURE_SOURCES = [
    path for room in PURE for path in sorted((ROOT / "engine").glob(f"{room}/**/*.py"))
] + sorted((ROOT / "engine").glob("kernel.py"))


def name_of(path: Path) -> str:
    """Return the path as the reports show it."""
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    """Read one file, once for all rules."""
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Walk one file."""
    return ast.walk(tree(path))


def test_import_contracts() -> None:
    """The direction of imports and the purity of the core, as pyproject.toml states them."""
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout[-4_000:]


def test_only_the_gate_approves() -> None:
    """There is no second door: `Approved(...)` is built in one file (architecture.md rule 7)."""
    doors = {
        name_of(path)
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and "Approved" == getattr(node.func, "id", getattr(node.func, "attr", None))
    }

    assert doors <= {"engine/risk/gate.py"}


def test_pure_rooms_never_iterate_over_sets() -> None:
    """Set order differs between processes, so replay would too; sort first."""
    loops = [
        f"{name_of(path)}:{node.iter.lineno}"
        for path in PURE_SOURCES
        for node in nodes(path)
        if isinstance(node, ast.For | ast.comprehension) and is_set(node.iter)
    ]

    assert [] == loops


def is_set(node: ast.expr) -> bool:
    """Say whether an expression is a set on its face: types are not inferred."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return getattr(node.func, "id", None) in ("set", "frozenset")
    if isinstance(node, ast.BinOp):
        return is_set(node.left) or is_set(node.right)
    return False


def test_money_is_never_made_from_floats() -> None:
    """`Decimal(0.1)` and `Decimal(float(x))` carry binary dust into exact money."""
    mixed = [
        f"{name_of(path)}:{node.lineno}"
        for path in PURE_SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and "Decimal" == getattr(node.func, "id", None)
        and any(is_float(argument) for argument in node.args)
    ]

    assert [] == mixed


def is_float(node: ast.expr) -> bool:
    """Say whether an expression is a float on its face."""
    if isinstance(node, ast.UnaryOp):
        return is_float(node.operand)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    return isinstance(node, ast.Call) and "float" == getattr(node.func, "id", None)


def test_sizes() -> None:
    """A file of 500 lines or a function of 60 is two things (style.md section 7)."""
    long_files = {
        name: lines
        for path in SOURCES
        for name, lines in [(name_of(path), len(path.read_text("utf-8").splitlines()))]
        if lines > (DATA_TABLE_LINES_MAX if name in DATA_TABLES else LINES_MAX)
    }
    long_functions = [
        f"{name_of(path)}:{node.name}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert ({}, []) == (long_files, long_functions)


def test_every_file_says_what_it_is() -> None:
    """A reader learns the idea of a file from its first lines; an empty `__init__` has none."""
    silent = [
        name_of(path)
        for path in SOURCES
        if not ast.get_docstring(tree(path)) and path.read_text("utf-8").strip()
    ]

    assert [] == silent


def test_no_drawer_modules() -> None:
    """No `utils`, `helpers`, `common`, `manager`: they collect what nobody placed."""
    drawers = {"utils", "helpers", "common", "manager", "misc", "base_utils"}

    assert [] == [name_of(path) for path in SOURCES if path.stem in drawers]


def test_headless_never_loads_the_screen() -> None:
    """A session without a screen pays for none; nor for libraries of offline work."""
    unwanted = ("textual", "numpy", "pandas", "polars", "pyarrow", "keyring")
    code = (
        "import sys; from laptop_agents import cli, compose, settings\n"
        f"print([name for name in {unwanted!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (0, "[]\n") == (done.returncode, done.stdout), done.stderr
