"""Settings of the screen: what they accept, where they come from, what they change."""

import argparse
import json
import os
from pathlib import Path

import pytest

from engine.model.errors import SettingsRefused, UsageError
from engine.session.manifest import Setting
from laptop_agents.attach_command import _own
from laptop_agents.looks import looks, looks_at, recorded_looks
from laptop_agents.setting_lines import allowed, setting_lines
from laptop_agents.settings import catalogue, load
from laptop_agents.sources import Flag
from tests.tui.stage import L, S, staged
from tui import zone
from tui.config import TuiConfig
from tui.format import clock, clock_ms, clock_zoned
from tui.surface import SettingLine

NOWHERE = Path("/nonexistent")
NOON_NS = 1_795_176_139_500_000_000
"""2026-11-20T12:02:19.500Z."""


@pytest.fixture(autouse=True)
def utc():
    """No test leaves its zone to the next."""
    yield
    zone.use("UTC")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("palette", "neon", "tui.palette: must be 'safe-dark'"),
        ("fps", "3", "tui.fps: must be at least 4"),
        ("fps", "11", "tui.fps: must be at most 10"),
        ("fps", "fast", "'auto' or 'low'"),
        ("ascii", "perhaps", "tui.ascii: must be true or false"),
        ("timezone", "Mars/Olympus", "tui: timezone must be UTC, local, or a zone"),
        ("timezone", "../../etc/passwd", "tui: timezone must be UTC"),
        ("keys", "pause=x", "tui.keys is a group of settings, not a setting"),
        ("keys.Pause!", "x", "unknown setting tui.keys.Pause!"),
        ("colour", "x", "unknown setting tui.colour: did you mean"),
    ],
)
def test_refused(name: str, text: str, said: str) -> None:
    """In a sentence that names the setting, and never the value."""
    with pytest.raises(SettingsRefused) as refused:
        load([Flag("--set", f"tui.{name}", text)], {}, profiles=NOWHERE)

    assert said in str(refused.value)
    assert "passwd" not in str(refused.value)


def test_four_homes(tmp_path: Path) -> None:
    """Command line over environment over profile over default, members of tables too."""
    (tmp_path / "mine.toml").write_text(
        '[tui]\nfps = 6\npalette = "mono"\n[tui.keys]\npause = "f5,space"\nzoom = "Z"\npane-log = "L"\n'
    )
    environ = {"LAPTOP_AGENTS_TUI__KEYS__PANE_LOG": "o", "LAPTOP_AGENTS_TUI__FPS": "8"}
    flags = [Flag("--profile", "profile", "mine"), Flag("--set", "tui.keys.zoom", "Q")]
    settings = load(flags, environ, profiles=tmp_path)

    assert (8, "mono") == (settings.tui.fps, settings.tui.palette)
    assert {"pause": "f5,space", "zoom": "Q", "pane-log": "o"} == settings.tui.keys
    origins = {n: s.origin for n, s in settings.flat().items() if n.startswith("tui.keys.")}
    assert {
        "tui.keys.pause": "profile mine", "tui.keys.zoom": "--set",
        "tui.keys.pane-log": "env LAPTOP_AGENTS_TUI__KEYS__PANE_LOG",
    } == origins  # fmt: skip


def test_whoever_looks_counts_before_whoever_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """Their command line, their environment, then what the run was started with."""
    recorded = {"tui.fps": "low", "tui.palette": "east-dark", "tui.timezone": "local"}
    environ = {"LAPTOP_AGENTS_TUI__PALETTE": "mono", "LAPTOP_AGENTS_HOME": str(tmp_path)}
    got = looks([Flag("--set", "tui.fps", "9")], environ, recorded).config

    assert (9, "mono", "local") == (got.fps, got.palette, got.timezone)
    assert looks([], environ).is_palette_asked
    assert not looks([], {"LAPTOP_AGENTS_HOME": str(tmp_path)}).is_palette_asked


def test_clashing_keys_are_refused_at_the_start(tmp_path: Path) -> None:
    """With both names, before anything opens."""
    with pytest.raises(SettingsRefused) as refused:
        looks([Flag("--set", "tui.keys.pause", "z")], {"LAPTOP_AGENTS_HOME": str(tmp_path)})

    assert "pause" in str(refused.value)
    assert "zoom" in str(refused.value)


def test_attach_takes_settings_of_the_screen_only() -> None:
    """The session has its own already."""
    typed = argparse.Namespace(typed=[("--set", "tui.fps", "9")], typed_after=None)
    assert [Flag("--set", "tui.fps", "9")] == _own(typed)
    typed.typed.append(("--set", "risk.max_loss_pct", "9"))

    with pytest.raises(UsageError, match=r"attach takes tui settings only"):
        _own(typed)


def test_what_a_run_recorded(tmp_path: Path) -> None:
    """Read from its manifest; one that is absent, torn or foreign says nothing."""
    rows = {
        "tui.fps": {"value": 9, "origin": "--set"}, "tui.ascii": {"value": True, "origin": "x"},
        "risk.max_loss_pct": {"value": "2", "origin": "x"}, "tui.timezone": {"value": None, "origin": "x"},
    }  # fmt: skip
    assert {} == recorded_looks(tmp_path)
    for content in ("", "{", "[]", '{"settings": 3}', '{"settings": {"tui.fps": 3}}'):
        (tmp_path / "manifest.json").write_text(content)
        assert {} == recorded_looks(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"settings": rows}))

    assert {"tui.fps": "9", "tui.ascii": "true"} == recorded_looks(tmp_path)


def test_a_run_of_another_release_spoils_no_attach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it recorded is passed over; what a person says now still counts, or is refused."""
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(tmp_path))
    rows = {"tui.keys.pause": {"value": "z", "origin": "--set"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"settings": rows}))
    typed = [Flag("--set", "tui.fps", "9")]
    got = looks_at(tmp_path, typed, os.environ).config
    assert (9, {}) == (got.fps, got.keys)
    typed.append(Flag("--set", "tui.keys.zoom", "T"))

    with pytest.raises(SettingsRefused, match="zoom"):
        looks_at(tmp_path, typed, os.environ)


def test_setting_lines_explain_themselves() -> None:
    """Value, origin, what it means with its unit, and what may stand there."""
    rows = {
        "tui.fps": Setting("auto", "default"),
        "session.policy": Setting("net", "--set"),
        "sentinel.grace_s": Setting(0.25, "default"),
        "agents.trend.fast": Setting(8, "profile x"),
        "gone.setting": Setting(None, "default"),
    }
    lines = {line.name: line for line in setting_lines(rows)}

    assert "at least 4, at most 10" in lines["tui.fps"].range
    assert "auto or low" in lines["tui.fps"].range
    assert ("--set", "net or priority") == (
        lines["session.policy"].origin,
        lines["session.policy"].range,
    )
    assert "above 0, at most 0.6" == lines["sentinel.grace_s"].range
    assert lines["agents.trend.fast"].meaning
    assert ("none", "", "") == (
        lines["gone.setting"].value,
        lines["gone.setting"].range,
        lines["gone.setting"].meaning,
    )
    assert sorted(rows) == [line.name for line in setting_lines(rows)]


def test_every_setting_has_a_meaning() -> None:
    """The overlay explains the whole catalogue."""
    settings = load([], {}, profiles=NOWHERE).flat()
    lines = setting_lines({name: Setting(str(s.value), s.origin) for name, s in settings.items()})

    assert [] == [line.name for line in lines if not line.meaning]
    assert {line.name for line in lines} <= set(catalogue().keys)
    assert "" == allowed(str)


@pytest.mark.parametrize(
    ("name", "expected", "zoned"),
    [
        ("UTC", "12:02:19Z", "12:02:19Z"),
        ("Asia/Kolkata", "17:32:19", "17:32:19+05:30"),
        ("America/New_York", "07:02:19", "07:02:19-05:00"),
    ],
)
def test_clocks_of_another_zone(name: str, expected: str, zoned: str) -> None:
    """Without the Z; the session bar says how far from UTC."""
    zone.use(name)

    assert (expected, zoned) == (clock(NOON_NS), clock_zoned(NOON_NS))
    assert clock_ms(NOON_NS).startswith(expected[:8])
    assert clock(2**70)
    assert clock(-5)


async def test_the_zone_is_on_the_screen() -> None:
    """In the bar with its offset, in the log, nowhere a Z that is not true."""
    config = TuiConfig(timezone="Asia/Kolkata")
    async with staged(size=L, config=config) as stage:
        assert "17:32:19+05:30" in stage.rows()[0]
        assert "17:32:18.204" in stage.text()
        assert "12:02" not in stage.text()


async def test_the_overlay_changes_this_screen_and_nothing_else() -> None:
    """Palette, glyphs, rate and zone at once; a setting of the run says why not."""
    told = (SettingLine("risk.max_loss_pct", "2", "default", "Percent.", "above 0"),
            SettingLine("tui.fps", "auto", "default"))  # fmt: skip
    async with staged(
        size=L, settings=lambda: told, config=TuiConfig(timezone="Asia/Kolkata")
    ) as stage:
        stage.app.action_open("settings")
        await stage.settle()
        assert "risk.max_loss_pct" in stage.text()
        await stage.press("enter")
        assert "safe-light" == stage.app.looks.name
        await stage.press("down", "enter")
        assert stage.app.looks.is_ascii
        assert stage.text().isascii()
        await stage.press("down", "enter", "enter", "enter")
        assert 5 == stage.app.pace.fps
        await stage.press("down", "enter")
        assert "UTC" == zone.name()
        await stage.press("down", "enter")
        assert "was fixed when it started" in stage.rows()[-2]
        assert [] == stage.source.asked


async def test_a_locale_without_utf8_keeps_its_letters() -> None:
    """There are no other glyphs to change to."""
    async with staged(size=S, is_ascii=True) as stage:
        stage.app.action_open("settings")
        await stage.settle()
        await stage.press("down", "enter")

        assert stage.app.looks.is_ascii
        assert "this locale has no UTF-8" in stage.rows()[-2]
