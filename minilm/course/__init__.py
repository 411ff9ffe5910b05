"""The katas: pages to read, functions to write, checks that name the mistake."""
