"""Fair comparisons: conditions x pretrainings x budgets x draws, a tidy table, intervals, pictures.

    data          texts as ids and labels, which all runs share; `texts` puts them in order,
                  `taken` says what was read, `leaks` what should not be there
    pretraining   word vectors and transformers from the unlabelled text, several of each, cached
    conditions    one small function each: labelled examples -> a classifier
    classifiers   the steps that conditions share; `transformer` and `model_folders` are the larger
    run           a run is a pure function of its key and the data
    executors     where runs are done: here, in processes, on a cluster
    store         the folder with its table of runs, and how a stopped comparison goes on
    summary       from the table to verdicts: `paired` puts runs side by side, `bootstrap` resamples
                  them, `statistics` says what may be claimed
    report        the terminal, the page, the slides and the pictures, from the folder alone
    comparison    all of these in order; `estimates` says how long it will take
    forgetting    another comparison: ways to continue, and what each of them keeps

Read `comparison` first, then `run` and `conditions`, then `statistics` and `bootstrap`.
"""
