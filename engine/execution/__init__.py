"""What we do: order states, routing, the blotter of live orders, derived ids."""
