"""What all connections to venues share: streams that come back, requests signed and counted."""
