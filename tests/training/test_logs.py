"""What can be watched of a training: event files of TensorBoard, and bars where somebody looks."""

import importlib.util
import io
import struct
import subprocess
import sys

import pytest
from test_fit import NETWORK, StoppedHereError, two_classes

from racnet_tools.errors import RacnetError
from racnet_tools.training import TrainingConfig, fit
from racnet_tools.training.progress import progress_bar

TRAINING = TrainingConfig(epochs=3, batch_size=32, seed=4)


def events(folder):
    """(step, name, value) of every point, and the steps that sessions began at, by TensorFlow's own definitions."""
    event_pb2 = pytest.importorskip("tensorflow.core.util.event_pb2", reason="TensorFlow is not installed")
    points, starts = [], []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = io.BytesIO(path.read_bytes())
        while header := data.read(12):  # length, its checksum; the record, its checksum
            event = event_pb2.Event.FromString(data.read(struct.unpack("<Q", header[:8])[0]))
            data.read(4)
            if event.HasField("session_log"):
                starts.append(event.step)
            points += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
    return points, starts


def test_event_files_hold_the_history_and_what_a_stop_left_is_void(tmp_path):
    pytest.importorskip("tensorboardX")

    def leave(row):
        if row["epoch"] == 1:
            raise StoppedHereError

    arguments = NETWORK, two_classes(64, 1), tmp_path / "run", TRAINING
    with pytest.raises(StoppedHereError):
        fit(*arguments, validation=two_classes(50, 9), progress=False, tensorboard=True, on_epoch=leave)
    run = fit(*arguments, validation=two_classes(50, 9), progress=False, tensorboard=True)
    points, starts = events(run.folder / "tensorboard")
    assert 2 in starts  # the second session says: from the second epoch on, this holds
    found = {(step, name): value for step, name, value in points}
    assert {step for step, _ in found} == {1, 2, 3}
    for row in run.history:
        epoch = int(row["epoch"])
        assert found[epoch, "training/loss"] == pytest.approx(row["loss"], rel=1e-6)
        assert found[epoch, "validation/accuracy"] == pytest.approx(row["val_accuracy"], rel=1e-6)
    assert found[3, "training/learning_rate"] == pytest.approx(0, abs=1e-8)
    assert found[1, "training/learning_rate"] > found[2, "training/learning_rate"] > 0


def test_no_event_files_unless_asked_for(tmp_path):
    run = fit(NETWORK, two_classes(64, 1), tmp_path / "run", TrainingConfig(epochs=1), progress=False)
    assert not (run.folder / "tensorboard").exists()


def test_a_missing_package_is_told_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(RacnetError, match="pip install tensorboardX"):
        fit(NETWORK, two_classes(64, 1), tmp_path / "run", TRAINING, progress=False, tensorboard=True)
    assert not (tmp_path / "run").exists()


def test_writing_events_needs_no_framework(tmp_path):
    pytest.importorskip("tensorboardX")
    code = f"""
import sys
sys.modules["tensorflow"] = sys.modules["torch"] = None
from pathlib import Path
from racnet_tools.training.tensorboard import EventLog
with EventLog(Path({str(tmp_path)!r}), 0) as log:
    log.write({{"epoch": 1, "loss": 0.5}}, 0.1)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert list((tmp_path / "tensorboard").iterdir())


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "shown"), [(Terminal, True), (io.StringIO, False)])
def test_a_terminal_gets_a_bar_and_a_file_none(stream, shown, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream())
    with progress_bar(10, 4, True) as bar:
        bar.update(6)
    assert ("10/10" in sys.stderr.getvalue()) == shown == bool(sys.stderr.getvalue())
    with progress_bar(10, 0, False) as bar:
        bar.update(5)
    assert "5/10" not in sys.stderr.getvalue()


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("nbclient", "ipykernel", "ipywidgets")),
    reason="Jupyter is not installed",
)
def test_a_notebook_gets_a_bar():
    import nbformat
    from nbclient import NotebookClient

    code = "from racnet_tools.training.progress import progress_bar\nwith progress_bar(5, 0, True) as b: b.update(5)"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client = NotebookClient(book, timeout=300, kernel_name="python3")
    client.execute()
    shown = [output for output in book.cells[0].outputs if output.output_type == "display_data"]
    assert any("application/vnd.jupyter.widget-view+json" in output.data for output in shown)
    assert any("5/5" in str(state) for state in client.widget_state.values())
