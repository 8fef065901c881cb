import subprocess
import sys

import pytest
from tiny_preset import write_files, write_presets

from racnet_tools import __version__, cli
from racnet_tools.cli import COMMANDS, main
from racnet_tools.errors import RacnetError


def test_help_names_every_command(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"racnet {__version__}\n"
    assert main(["clasify"]) == 2
    assert "invalid choice: 'clasify'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["classify", "info", "presets"])
def test_every_command_explains_itself_with_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    assert f"example:\n  racnet {name}" in capsys.readouterr().out
    assert main([name, "--no-such-option"]) == 2


def test_errors_are_one_line_and_tracebacks_are_for_those_who_ask(monkeypatch, capsys):
    def fails_with(error):
        def run(args):
            raise error

        monkeypatch.setattr("racnet_tools.cli.presets.run", run)

    for error, line in (
        (RacnetError("no\nsuch thing"), "racnet presets: error: no such thing\n"),
        (KeyError("x"), "racnet presets: error: KeyError: 'x' (set RACNET_DEBUG=1 to see where)\n"),
        (KeyboardInterrupt(), "racnet presets: interrupted\n"),
    ):
        fails_with(error)
        assert main(["presets"]) == 1
        assert capsys.readouterr().err == line
    fails_with(cli.UsageError("not so"))
    assert main(["presets"]) == 2
    monkeypatch.setenv("RACNET_DEBUG", "1")
    fails_with(KeyError("x"))
    with pytest.raises(KeyError):
        main(["presets"])


def test_only_the_chosen_command_is_imported_and_never_tensorflow(tmp_path):
    write_presets(tmp_path / "presets")
    write_files(tmp_path / "in", 1)
    code = (
        "import sys; from racnet_tools.cli import main; "
        f"status = main(['classify', {str(tmp_path / 'in')!r}, '--output', {str(tmp_path / 'c.csv')!r}, "
        f"'--preset', {str(tmp_path / 'presets' / 'racnet-class')!r}]); "
        "print(status, [m for m in sys.modules if m.split('.')[0] in "
        "('tensorflow', 'keras', 'matplotlib', 'plotly', 'specutils', 'dask', 'pyarrow') "
        "or m in ('racnet_tools.cli.train', 'racnet_tools.cli.info', 'racnet_tools.training')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_presets_are_listed_and_described(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RACNET_PRESETS", str(write_presets(tmp_path / "presets")))
    monkeypatch.setattr("racnet_tools.inference.presets.data_path", _none_shipped)
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "task", "classes", "parameters", "on", "simulated", "sha256"]
    assert lines[1].split()[:7] == ["racnet-class", "class", "STAR", "GALAXY", "QSO", "11,727", "87.50%"]
    assert main(["presets", "racnet-star"]) == 0
    assert "# racnet-star\n\nWritten by a test." in capsys.readouterr().out
    (tmp_path / "presets" / "racnet-star" / "labels.json").write_text("{")
    assert main(["presets"]) == 1
    assert "unusable: racnet-star: Preset" in capsys.readouterr().out
    assert main(["presets", "none"]) == 1


def _none_shipped(*parts):
    raise RacnetError("none shipped")


def test_info_tells_the_installation(capsys):
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    assert f"racnet-tools  {__version__}" in said
    assert "onnxruntime" in said


def test_info_tells_what_a_file_is_and_what_is_wrong_with_it(tmp_path, capsys):
    good = write_files(tmp_path, 2)[1]
    assert main(["info", str(good)]) == 0
    said = capsys.readouterr().out
    for word in ("lamost_image", "3909 pixels, 3700.0-9099.1 Angstrom", "GALAXY, z 0.01", "g 11.0", "problems  none"):
        assert word in said, said
    bad = tmp_path / "bad.fits"
    bad.write_bytes(b"broken")
    assert main(["info", str(good), str(bad)]) == 3
    assert "refused     expected" in capsys.readouterr().out
