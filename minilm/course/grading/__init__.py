"""Grading a class: from the files that were handed in to a gradebook.

    sources       the files of a folder or a zip, read into memory within limits
    names         whose a file is and for which kata, from names as learning platforms write them
    submissions   one of each: who handed in what, which try it is, and what cannot be graded
    notebooks     the functions of a notebook, as a file
    running       each submission in a process that is shut in; points
    marks         code that is the library's, the solution's or another student's
    gradebook     everything about a class, in one place
    feedback      a text for each student
    outputs       tables, one page, JSON, Gradescope's results
    standing      where a class is in the course, from the states of many learners
    workflow      a GitHub Actions file

Nothing is unpacked to the disk: a submission is a name and its bytes until it is checked, and then
it is a file in a scratch folder of its own. So it may be graded on another machine, and no name in
an archive leads anywhere.
"""
