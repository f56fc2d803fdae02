"""The workstation screen: a reader of views and a sender of operator commands, nothing else."""
