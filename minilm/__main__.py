"""`python -m minilm`: the same as the console script."""

from minilm.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
