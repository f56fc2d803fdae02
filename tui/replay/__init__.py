"""The workstation on a recorded session: the same screen, with a hand on its time."""
