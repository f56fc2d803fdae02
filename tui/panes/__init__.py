"""One file a pane: a pure `draw` and the widget that shows it."""
