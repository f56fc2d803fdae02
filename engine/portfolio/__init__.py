"""What we have: ledgers, round trips and the account whose identity always holds."""
