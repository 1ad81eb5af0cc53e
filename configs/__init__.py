"""The recipes' settings, one TOML file per runnable experiment."""
