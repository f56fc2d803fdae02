"""Exchanges on this machine that speak a venue's protocol: to rehearse on, without money."""
