"""Grading a class: from the files that were handed in to a gradebook.

    sources       the files of a folder or a zip, read into memory within limits
    names         the student and the kata of a file, from names as learning platforms write them
    submissions   who handed in what, which try it is, and what cannot be graded
    notebooks     the functions of a notebook, as a file
    running       each submission in an isolated process; points
    marks         code that is the same as the library's, the solution's or another student's
    gradebook     everything about a class, in one place
    feedback      a text for each student
    outputs       tables, one page, JSON, Gradescope's results
    standing      where a class is in the course, from the states of many learners
    workflow      a GitHub Actions file

Nothing is unpacked to the disk. A submission is a name and its bytes until it is checked; then it
is a file in its own scratch folder. So it can be graded on another machine, and no path in an
archive is ever used.
"""
