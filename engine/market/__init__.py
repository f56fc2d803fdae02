"""What we see: quality filter, books, bars and features, one `Market` for all instruments."""
