"""The katas: pages to read, functions to write, checks that name the mistake.

What a kata is: `catalog` (the folders), `phases`, `pages` (the text), `stubs` (stub and solution),
`cases` (what `checks.py` is written with), `mistakes` (named wrong answers), `targets` (where in
the library the function is), `predictions`, `experiments` and `demos`.

A check: `sessions` sends the learner's file (`learner`) to a process of its own (`process`,
`worker`, `isolation`). There `loading` imports it, `checking` takes one step after another, with
the library's function out of reach (`guard`), and compares what comes back (`trials`, `values`).
When something is wrong, `diagnosis` looks for the cause: first among the named mistakes, then by
small changes of the learner's own code (`repairs`, `edits`), then by general signs (`slips` of
code, `kinds` of result, `suspects` in numbers); `locate` finds the line, `reports` says it.

The whole: `plugging` trains the real model on the learner's functions (`whole`, `composed`,
`reviewing`, `comparing`; `pretrained` runs somebody else's model on them).

Around it: `notebook` (katas in Jupyter), `evidence` (kata 10.4's page and its claims), `grading`
(a class), `book` (the course as pages in a browser), `authoring` (a kata of your own).
"""
