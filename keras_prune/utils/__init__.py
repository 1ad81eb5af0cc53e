"""What every room may use: configurations, progress, files written whole, quiet libraries."""
