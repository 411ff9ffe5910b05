"""The loop: stops, saves, early stopping and numbers that are no longer finite."""

import math
import signal
import threading

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OutputError, TrainingError
from minilm.models.scores import Score
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.optim import AdamW
from minilm.nn.parallel import Shards
from minilm.training import log, loop
from minilm.training.loop import Plan, State


class Job:
    """A tiny model on random tokens; what the loop asks for is taken down."""

    def __init__(self, losses=(), at_step=None):
        config = GPTConfig(20, 4, 8, 1, 2)
        self.model = GPT(config, rng=np.random.default_rng(0))
        self.optimizer = AdamW(self.model.parameters)
        self.losses = iter(losses)
        self.at_step = at_step or {}
        self.saves = []

    def batch(self, step):
        if step in self.at_step:
            self.at_step[step]()
        ids = np.random.default_rng(step).integers(20, size=(2, 4))
        targets = np.roll(ids, -1)
        targets[0, 0] = -100
        return ids, targets

    def evaluate(self, shards):
        return Score(next(self.losses, 1.0), 7, None)

    def save(self, state):
        self.saves.append((state.step, state.finished, self.model.parameters.flat.copy()))

    def show(self, step):
        return f"sample {step}" if step == 2 else None


def plan(**values):
    return Plan(
        **{
            "steps": 6,
            "learning_rate": 1e-2,
            "warmup": 2,
            "seed": 0,
            "threads": 1,
            "evaluate_every": 2,
            **values,
        }
    )


def test_a_run_is_logged_shown_and_saved(tmp_path, capsys):
    job, state = Job(losses=[3.0, 2.0, 2.5]), State()
    loop.train(job, plan(), state, tmp_path, print)
    assert [save[:2] for save in job.saves] == [(6, True)]
    assert (state.step, state.tokens, state.best_loss, state.best_step) == (6, 42, 2.0, 4)
    rows = log.read(tmp_path / "log.csv")
    assert [row.step for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row.held_out_loss for row in rows] == [None, 3.0, None, 2.0, None, 2.5]
    assert rows[1].held_out_perplexity == round(math.exp(3.0), 5)
    assert rows[0].learning_rate == 0.005
    assert rows[1].learning_rate == 0.01
    assert rows[5].learning_rate == pytest.approx(plan().rate(5), rel=1e-3)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["step 2  held out: perplexity 20.09", "step 2  sample 2"]


def test_the_schedule_ends_at_a_tenth():
    long = plan(steps=1000, warmup=100)
    assert long.rate(0) == pytest.approx(1e-4)
    assert long.rate(99) == pytest.approx(1e-2)
    assert long.rate(1000) == pytest.approx(1e-3)


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_run_in_two_parts_is_the_same(tmp_path, stop):
    whole = Job(losses=[3.0, 2.0, 2.5])
    loop.train(whole, plan(), State(), tmp_path, lambda line: None)
    job, state = Job(losses=[3.0, 2.0, 2.5]), State()
    job.at_step = {stop - 1: lambda: signal.raise_signal(signal.SIGINT)}
    with pytest.raises(KeyboardInterrupt):
        loop.train(job, plan(), state, tmp_path, lambda line: None)
    assert [save[:2] for save in job.saves] == [(stop, False)]
    job.at_step = {}
    loop.train(job, plan(), state, tmp_path, lambda line: None)
    np.testing.assert_array_equal(job.model.parameters.flat, whole.model.parameters.flat)
    assert len(log.read(tmp_path / "log.csv")) == 6
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_does_not_wait(tmp_path):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    job = Job(at_step={3: twice})
    with pytest.raises(KeyboardInterrupt):
        loop.train(job, plan(), State(), tmp_path, lambda line: None)
    assert job.saves == []


def test_outside_the_main_thread_signals_are_left_alone(tmp_path):
    job = Job()
    arguments = (job, plan(), State(), tmp_path, lambda line: None)
    thread = threading.Thread(target=loop.train, args=arguments)
    thread.start()
    thread.join()
    assert [save[:2] for save in job.saves] == [(6, True)]


def test_the_state_is_saved_every_so_often(tmp_path):
    job = Job()
    loop.train(job, plan(save_seconds=0.0), State(), tmp_path, lambda line: None)
    assert [save[:2] for save in job.saves] == [(s, False) for s in range(1, 7)] + [(6, True)]


def test_patience_keeps_the_best_model(tmp_path):
    losses = [3.0, 2.0, 2.2, 2.1, 1.0]
    job, state = Job(losses), State()
    wait = plan(steps=20, patience=2, save_seconds=0.0)
    loop.train(job, wait, state, tmp_path, lambda line: None)
    assert (state.step, state.best_step) == (8, 4)
    by_step = {step: flat for step, finished, flat in job.saves if not finished}
    step, finished, flat = job.saves[-1]
    assert (step, finished) == (8, True)
    np.testing.assert_array_equal(flat, by_step[4])
    assert not np.array_equal(flat, by_step[8])


def test_a_loss_that_is_not_finite_stops_before_it_is_saved(tmp_path):
    job = Job()

    def explode():
        job.model.parameters["h.0.mlp.c_fc.weight"][...] = np.inf

    job.at_step = {3: explode}
    with pytest.raises(TrainingError) as caught:
        loop.train(job, plan(save_seconds=0.0), State(), tmp_path, lambda line: None)
    message = str(caught.value)
    assert message.startswith("after step 3: ")
    assert "The last good model, from step 3, is kept" in message
    assert message.endswith("--learning-rate 0.0033")
    assert [save[0] for save in job.saves] == [1, 2, 3]
    assert np.isfinite(job.saves[-1][2]).all()


def test_overflow_is_reported_once_and_not_by_numpy(tmp_path, capsys):
    # A warning of NumPy's would be an error here.
    job = Job()
    with pytest.raises(TrainingError, match=r"^after step \d+: .*--learning-rate"):
        loop.train(job, plan(steps=500, learning_rate=1e30, warmup=0), State(), tmp_path, print)
    assert capsys.readouterr().err.count("\n") <= 4


def test_a_log_that_cannot_be_written_is_an_error_of_ours(tmp_path, monkeypatch):
    class Full:
        def __getattr__(self, name):
            return getattr(real, name)

        def flush(self):
            raise OSError(28, "No space left on device")

    opened = log.Log(tmp_path, 0)
    real, opened._file = opened._file, Full()
    with pytest.raises(OutputError, match=r"log\.csv: cannot be written \(No space left"):
        opened.flush()
    real.close()
    with pytest.raises(OutputError, match=r"log\.csv: cannot be written"):
        log.Log(tmp_path / "nowhere", 0)


def test_a_log_goes_on_after_a_step_and_survives_damage(tmp_path):
    score = Score(1.0, 10, 20)
    with log.Log(tmp_path, 0) as opened:
        for step in range(1, 6):
            opened.add(log.Row.of(step, 1e-3, 2.0, 0.5, 1e4, score if step == 2 else None))
    with open(tmp_path / "log.csv", "a", encoding="utf-8") as file:
        file.write("6,0.001,2.")  # cut short
    (tmp_path / ".log.csv.abc.tmp").touch()
    with log.Log(tmp_path, 3) as opened:
        opened.add(log.Row.of(4, 1e-3, 7.0, 0.5, 1e4, None))
    rows = log.read(tmp_path / "log.csv")
    assert [(row.step, row.loss) for row in rows] == [(1, 2.0), (2, 2.0), (3, 2.0), (4, 7.0)]
    assert rows[1].held_out_bits_per_byte == round(score.bits_per_byte, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv"]
    assert log.draw(tmp_path).read_bytes().startswith(b"\x89PNG")


def test_smoothing_is_a_mean_over_a_window():
    values = np.random.default_rng(0).random(50).tolist()
    expected = [np.mean(values[max(0, i - 6) : i + 1]) for i in range(50)]
    assert_close(log.smoothed(values, 7), expected, rtol=1e-12)


def test_a_short_run_touches_no_file_and_is_the_same(tmp_path, capsys):
    saved, short = Job(losses=[3.0, 2.0, 2.5]), Job(losses=[3.0, 2.0, 2.5])
    loop.train(saved, plan(), State(), tmp_path, lambda line: None)
    capsys.readouterr()
    rows = loop.fit(short, plan())
    np.testing.assert_array_equal(short.model.parameters.flat, saved.model.parameters.flat)
    assert short.saves == []
    assert [row.held_out_loss for row in rows] == [None, 3.0, None, 2.0, None, 2.5]
    kept = log.read(tmp_path / "log.csv")
    assert [(row.step, row.loss) for row in rows] == [(row.step, row.loss) for row in kept]
    assert capsys.readouterr() == ("", "")
    log.write(tmp_path, rows[:2])
    assert log.read(tmp_path / "log.csv") == rows[:2]


def test_a_short_run_keeps_the_best_model_too(tmp_path):
    losses = [3.0, 2.0, 2.2, 2.1, 1.0]
    saved, short, state = Job(losses), Job(losses), State()
    wait = plan(steps=20, patience=2)
    loop.train(saved, wait, State(), tmp_path, lambda line: None)
    loop.fit(short, wait, state=state)
    assert (state.step, state.best_step) == (8, 4)
    np.testing.assert_array_equal(short.model.parameters.flat, saved.model.parameters.flat)


def test_a_caller_may_stop_between_two_steps():
    job, state = Job(), State()
    with Shards(1) as shards:
        for row, _ in loop.steps(job, plan(shape="constant"), state, shards):
            if row.step == 3:
                break
    assert (state.step, row.learning_rate) == (3, 1e-2)


def test_a_short_run_says_how_it_goes(capsys):
    said = []
    loop.fit(Job(losses=[3.0, 2.0, 2.5]), plan(), said.append)
    assert said[0] == "step 2  held out: perplexity 20.09"
    assert len(said) == 3
    assert "training: 6 of 6" in capsys.readouterr().err


def test_a_short_run_that_breaks_down_says_what_to_do():
    with pytest.raises(TrainingError, match=r"^after step \d+: .*Nothing is saved; start again"):
        loop.fit(Job(), plan(steps=500, learning_rate=1e30, warmup=0))


def test_a_log_of_an_earlier_version_is_read(tmp_path):
    lines = ["step,learning_rate,loss,gradient_norm,tokens_per_second", "1,0.1,2.5,0.3,100"]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert log.read(tmp_path / "log.csv") == [log.Row(1, 0.1, 2.5, 0.3, 100.0)]
