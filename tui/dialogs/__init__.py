"""Questions that are asked over the panes."""
