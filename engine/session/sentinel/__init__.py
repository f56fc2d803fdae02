"""The process beside the engine that stops it when it can no longer stop itself."""
