"""What we want: agents, what they see, and how their wishes are settled."""
