"""The pure kernel: the order of see, want, allow, do, have, and the whole state."""

from engine.kernel.config import KernelConfig
from engine.kernel.kernel import Kernel

__all__ = ["Kernel", "KernelConfig"]
