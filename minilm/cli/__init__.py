"""The command line: parse, call, print. One file per command; the logic is in the other rooms."""
