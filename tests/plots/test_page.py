"""One report, two forms: the page stands alone and lets no markup through, and its Markdown parses to the same."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from racnet_tools.errors import RacnetError
from racnet_tools.plots import Page
from racnet_tools.plots.page_parts import markdown_text

EVIL = '</script><img src=x onerror=alert(1)> | `a` *b* [c](javascript:d) "e" $f$ & _g_'


def drawing():
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [1, 0])
    return figure


def live(name=EVIL):
    from racnet_tools.plots import interactive

    return interactive.risk_coverage({name: {"coverage": [0.5, 1], "risk": [0, 0.1]}})


@pytest.fixture
def page():
    page = Page(f"Title {EVIL}")
    page.text(f"Text {EVIL}")
    page.note(f"Small sets. {EVIL}", "limit")
    page.heading(f"First {EVIL}")
    page.table(
        ["name", f"acc {EVIL}", "interval", "n"],
        [["a | b", 0.93456789, "93.4 % (91.0 % to 95.1 %, 93 of 100)", 12], [EVIL, None, np.nan, np.ma.masked]],
        f"Caption {EVIL}",
    )
    page.subheading("Part")
    page.figure(drawing(), f"Figure {EVIL}")
    page.heading("Part")
    page.commands([(f"racnet {EVIL}", f"does {EVIL}")])
    return page


def saved(page, tmp_path, name="report.html"):
    page.save(tmp_path / name)
    return (tmp_path / name).read_text(encoding="utf-8")


def parsed(html):
    return pytest.importorskip("bs4").BeautifulSoup(html, "html.parser")


def test_nothing_given_becomes_markup(page, tmp_path):
    html = parsed(saved(page, tmp_path))
    assert [image["src"][:22] for image in html.find_all("img")] == ["data:image/png;base64,"]
    assert not html.find_all("script") and not html.find_all(onerror=True)
    assert html.h1.text == f"Title {EVIL}" and html.find("caption").text == f"Caption {EVIL}"
    assert html.img["alt"] == f"Figure {EVIL}"
    assert {link["href"] for link in html.find_all("a")} == {f"#{h['id']}" for h in html.find_all(["h2", "h3"])}


def test_anchors_are_unique_and_contents_nest(page, tmp_path):
    html = parsed(saved(page, tmp_path))
    names = [heading["id"] for heading in html.find_all(["h2", "h3"])]
    assert names[1:] == ["part", "part-1"]
    assert [link.text for link in html.nav.find_all("a")] == [f"First {EVIL}", "Part", "Part"]
    assert len(html.nav.select("ul ul li")) == 1


def test_a_short_page_has_no_contents(tmp_path):
    page = Page("Short")
    page.heading("Only")
    assert "<nav" not in saved(page, tmp_path)


def test_numbers_are_set_right_and_missing_ones_are_dashes(page, tmp_path):
    rows = parsed(saved(page, tmp_path)).find_all("tr")
    assert [["number" in cell.get("class", []) for cell in row.find_all(["th", "td"])] for row in rows] == [
        [False, True, True, True]
    ] * 3
    assert [cell.text for cell in rows[1].find_all("td")][1] == "0.934568"
    assert [cell.text for cell in rows[2].find_all("td")][1:] == ["–", "–", "–"]


@pytest.mark.parametrize(
    ("values", "right"),
    [
        (["98.92 %", "0.623M", "93.1 ± 0.2", "-3", "< 0.001", "93.4 (92 to 95)", "12 of 100"], True),
        (["RC-Net", "1D SSCNN", "3 spectra", ""], False),
    ],
)
def test_what_counts_as_a_number(values, right, tmp_path):
    for value in values:
        page = Page("t")
        page.table(["a"], [[value]])
        assert ('class="number"' in saved(page, tmp_path, f"{len(list(tmp_path.iterdir()))}.html")) is right, value


def test_interactive_figures_share_one_library_and_keep_their_data(tmp_path):
    page = Page("Two figures")
    for _ in range(2):
        page.figure(drawing(), EVIL, live())
    html = saved(page, tmp_path)
    assert html.count("Plotly.newPlot(") >= 1 and len(re.findall(r"plotly\.js v\d", html)) == 1
    soup = parsed(html)
    sources = soup.find_all("script", attrs={"data-figure": True})
    assert [source["data-figure"] for source in sources] == ["figure-1", "figure-2"]
    assert all(soup.find(id=source["data-figure"]) for source in sources)
    assert not soup.find_all("script", src=True) and not soup.find_all("link")
    data = json.loads(sources[0].string)["data"][0]
    assert data["name"].startswith("&lt;/script&gt;")
    assert len(soup.find_all("img")) == 2  # for print and where scripts are off
    assert "default-src 'none'" in soup.find("meta", attrs={"http-equiv": True})["content"]


def test_pages_are_the_same_when_written_again(tmp_path):
    texts = []
    for name in ("a.html", "b.html"):
        page = Page("t")
        page.figure(drawing(), "caption", live("a"))
        texts.append(saved(page, tmp_path, name))
    assert texts[0] == texts[1]


def test_markdown_holds_the_same_report(page, tmp_path):
    page.save_markdown(tmp_path / "the report.md")
    folder = tmp_path / "the report_figures"
    assert (folder / "figure-01.png").read_bytes()[:4] == b"\x89PNG"
    assert (folder / "figure-01.pdf").read_bytes()[:4] == b"%PDF"
    text = (tmp_path / "the report.md").read_text(encoding="utf-8")
    reader = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    html = parsed(reader.render(text))
    assert html.h1.text == f"Title {EVIL}"
    assert html.code.text == f"racnet {EVIL}"
    assert [image["src"] for image in html.find_all("img")] == ["the%20report_figures/figure-01.png"]
    assert html.img["alt"] == f"Figure {EVIL}"
    links = {link["href"] for link in html.find_all("a")}
    assert "the%20report_figures/figure-01.pdf" in links and "#part-1" in links
    assert not any("javascript" in link and link[0] != "#" for link in links)
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in html.find_all("tr")]
    assert [len(row) for row in rows] == [4, 4, 4]
    assert rows[1][0] == "a | b" and rows[2][0] == EVIL
    assert "text-align:right" in html.find_all("td")[1]["style"]
    assert html.blockquote.text.strip() == f"Limit. Small sets. {EVIL}"


@pytest.mark.parametrize(
    "text",
    [
        "# no heading",
        "1. no list",
        "- no list",
        "+ x",
        "> no quote",
        "=== x",
        "a_b_c",
        "~~x~~",
        "\\*",
        "&lt;",
        "    no code",
    ],
)
def test_plain_text_stays_plain_in_markdown(text):
    html = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).render(markdown_text(text))
    soup = parsed(html)
    assert soup.text.strip() == " ".join(text.split())
    assert [tag.name for tag in soup.find_all()] == ["p"]


def test_existing_files_are_kept(page, tmp_path):
    page.save_markdown(tmp_path / "a.md")
    with pytest.raises(RacnetError, match="not overwritten"):
        page.save_markdown(tmp_path / "a.md")
    page.save_markdown(tmp_path / "a.md", overwrite=True)


def test_wrong_rows_and_notes_are_refused():
    page = Page("t")
    with pytest.raises(RacnetError, match="rows of 2 values"):
        page.table(["a", "b"], [[1]])
    with pytest.raises(RacnetError, match="note, limit, slip"):
        page.note("x", "warning")


def test_plotly_is_loaded_only_where_it_is_used():
    code = "import sys, racnet_tools.plots; print('plotly' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
