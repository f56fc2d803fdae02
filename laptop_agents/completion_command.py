"""`laptop-agents completion SHELL`: the script that teaches a shell our words.

bash: `laptop-agents completion bash > ~/.local/share/bash-completion/completions/laptop-agents`
zsh: `laptop-agents completion zsh > ~/.zfunc/_laptop-agents`, with `~/.zfunc` in `fpath`
"""

import argparse
import sys

import shtab

from laptop_agents.options import build_parser


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    sys.stdout.write(shtab.complete(build_parser(), shell=arguments.shell) + "\n")
    return 0
