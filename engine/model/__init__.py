"""The vocabulary every other room speaks; imports nothing of ours."""
