"""The command line: parse, call, print. One file for a command; no logic lives here."""
