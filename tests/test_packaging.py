"""What leaves the repository: locks, wheel contents, and names that must agree."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PUBLIC_HOSTS = {"pypi.org", "files.pythonhosted.org"}


def test_lock_names_public_hosts_only() -> None:
    """Anybody can install from it."""
    text = (ROOT / "uv.lock").read_text()

    assert PUBLIC_HOSTS == set(re.findall(r"https?://([^/\"]+)", text))


def test_pip_is_held_to_the_lock() -> None:
    """constraints.txt pins each package at a version of uv.lock; `make lock` writes both."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    locked = {(p["name"], p["version"]) for p in lock["package"] if "version" in p}
    pinned = re.findall(r"^([a-z0-9-]+)==([^ ;\n]+)", (ROOT / "constraints.txt").read_text(), re.M)

    assert set(pinned) <= locked
    assert {name for name, _ in locked} - {"laptop-agents"} == {name for name, _ in pinned}


def test_every_declared_dependency_is_locked() -> None:
    """A dependency added to pyproject.toml without `make lock` fails here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [
        *project["project"]["dependencies"],
        *(d for group in project["project"]["optional-dependencies"].values() for d in group),
        *(d for group in project["dependency-groups"].values() for d in group),
    ]
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(), re.M))

    assert set() == {re.split(r"[ <>=!~;\[]", d)[0].lower() for d in declared} - pinned


def test_readme_knows_every_option() -> None:
    """The list of options in the README is the parser's."""
    from laptop_agents.options import build_parser  # noqa: PLC0415 - next to its use

    readme = (ROOT / "README.md").read_text()
    options = [option for action in build_parser()._actions for option in action.option_strings]

    assert [] == [option for option in options if f"`{option}" not in readme and option != "-h"]


def test_the_image_gets_every_package() -> None:
    """A package the wheel needs and the Dockerfile forgets would fail in the build alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    copied = re.findall(r"^COPY (\w+) \w+$", (ROOT / "Dockerfile").read_text(), re.M)

    assert set(copied) == set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
