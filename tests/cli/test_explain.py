import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from tiny_preset import write_files, write_presets

from racnet_tools.cli import main

pytest.importorskip("plotly")


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    return write_presets(tmp_path_factory.mktemp("presets"))


@pytest.fixture(scope="module")
def spectra(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("spectra"), 3)


@pytest.fixture
def run(presets):
    """`racnet explain` with the tests' preset."""

    def explain(*words, preset=presets / "racnet-class"):
        return main(["explain", *map(str, words), "--preset", str(preset)])

    return explain


def test_all_done_is_0_and_the_report_shows_each_spectrum_and_all_attention(run, spectra, tmp_path, capsys):
    path = tmp_path / "report.html"
    assert run(*spectra, "--output", path) == 0
    said = capsys.readouterr()
    assert "3 spectra explained" in said.out and str(path) in said.out
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    assert [h.text for h in page("h3")] == [file.name for file in spectra]
    assert [h.text for h in page("h2")] == [
        "The spectra",
        "Channel attention of all spectra",
        "Can these maps be believed?",
    ]
    captions = [caption.text for caption in page("figcaption")]
    assert sum("what speaks for" in caption for caption in captions) == 3
    assert "STAR 1, GALAXY 1, QSO 1" in " ".join(captions)
    text = page.get_text()
    assert "explained: STAR" in text and "explained: QSO" in text
    assert "no redshift known" in text and "redshift of the marked lines: 0.0100" in text
    assert "No trust checks are kept" in text
    assert {p.name for p in tmp_path.iterdir()} == {"report.html"}


def test_refused_inputs_are_3_and_listed_and_the_rest_goes_on(run, spectra, tmp_path):
    (tmp_path / "bad.fits").write_bytes(b"broken")
    path = tmp_path / "report.html"
    assert run(tmp_path / "bad.fits", spectra[0], tmp_path / "absent.fits", "--output", path) == 3
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    table = page("table")[-1].get_text()
    assert "bad.fits" in table and "absent.fits" in table
    assert [h.text for h in page("h3")] == [spectra[0].name]


def test_class_and_redshift_can_be_given(run, spectra, tmp_path):
    path = tmp_path / "report.html"
    assert run(spectra[0], "--output", path, "--target", "QSO", "--z", "1.5") == 0
    text = path.read_text(encoding="utf-8")
    assert "explained: QSO; redshift of the marked lines: 1.5000" in text
    assert "speaks for QSO" in text


def test_checks_of_the_spectra_given_are_in_the_report(run, spectra, tmp_path):
    path = tmp_path / "report.html"
    assert run(*spectra[:2], "--output", path, "--check") == 0
    text = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text()
    assert "Checks on the spectra given" in text
    assert all(name in text for name in ("injected line", "randomised weights", "deletion", "stability under noise"))
    assert "undecided" in text  # two spectra decide nothing


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "report.pdf"], "must end in .html"),
        (["--output", "r.html", "--z", "-1"], "above -1"),
        (["--output", "r.html", "--target", "TREE"], "knows STAR, GALAXY, QSO"),
        (["--output", "r.html", "--method", "guess"], "invalid choice"),
    ],
)
def test_wrong_usage_is_2(run, spectra, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert run(spectra[0], *words) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_report_is_not_overwritten_and_an_unknown_preset_is_2(run, spectra, tmp_path, capsys):
    path = tmp_path / "report.html"
    path.write_text("mine")
    assert run(spectra[0], "--output", path) == 2
    assert path.read_text() == "mine"
    assert run(spectra[0], "--output", tmp_path / "r.html", preset="nobody") == 2
    assert "nobody" in capsys.readouterr().err


def test_nothing_readable_is_1(run, tmp_path, capsys):
    assert run(tmp_path / "absent.fits", "--output", tmp_path / "r.html") == 1
    assert "None of 1 inputs could be read" in capsys.readouterr().err


def test_no_tensorflow_is_needed(presets, spectra, tmp_path):
    code = (
        "import sys; from racnet_tools.cli import main;"
        f"status = main(['explain', {str(spectra[0])!r}, '--output', {str(tmp_path / 'r.html')!r},"
        f" '--preset', {str(presets / 'racnet-class')!r}]);"
        "assert not {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules);"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
