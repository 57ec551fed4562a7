"""What a person types: one module a noun. `main.main` is the entry point; `catalog` lists every command."""
