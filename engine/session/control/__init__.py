"""The control socket: views out, operator commands in (architecture.md rule 8, ADR 0008)."""
