"""The spectrum inspector in a browser: uploads, keys, dragging, links, and what a refused file leaves on show."""

import gzip
import re
import shutil

import numpy as np
import pytest

from racnet_tools.resources import data_path

SPAN = "document.querySelector('.rn-plot-area')._fullLayout.xaxis.range.reduce((a, b) => b - a)"
SAMPLE = "spec-56944-SIMULATED_sp05-050.fits"


@pytest.fixture
def page(server, visit):
    visited = visit(server.page("inspector"))
    visited.live()
    return visited.page


def heading(page) -> str:
    return page.locator(".rn-main").inner_text()


def upload(page, *files):
    if page.locator("input[type=file]").count() == 0:
        page.get_by_role("button", name=re.compile("Open other spectra")).click()
        page.get_by_label("Source").select_option("Upload")
        page.wait_for_selector(".rn-upload")
    page.locator("input[type=file]").first.set_input_files([str(file) for file in files])


def said(page):
    """What became of the files, once all of them are done."""
    page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('.rn-upload-list li')];"
        " return all.length && all.every(e => e.className); }",
        timeout=60_000,
    )
    return page.locator(".rn-upload-list[aria-live]").inner_text()


def table(path, n):
    """A CSV spectrum of n pixels, as large as one likes."""
    wave = np.linspace(3750, 9000, n)
    np.savetxt(path, np.column_stack([wave, 1 + 0.1 * np.sin(wave / 50)]), "%.4f", ",", header="wave,flux", comments="")
    return path


@pytest.mark.parametrize("n", [100, 4_000, 900_000])
def test_uploads_of_all_sizes_arrive_and_are_shown_or_refused_aloud(page, tmp_path, n):
    file = table(tmp_path / f"mine-{n}.csv", n)
    before = heading(page)
    upload(page, file)
    text = said(page)
    assert file.name in text
    if "Refused" in text:
        assert f"mine-{n}" not in heading(page)
        assert re.search("expected|Expected", text)
    else:
        page.wait_for_function(f"() => document.querySelector('.rn-main').innerText.includes('mine-{n}')")
        assert heading(page) != before


def test_fifty_megabytes_arrive_and_more_is_refused(page, tmp_path):
    """A file that is no spectrum, so that what comes back is the reader's word on all of it, or the limit's."""
    noise = np.random.default_rng(1)
    for size, words in ((50_000_000, r"FITS|gzip"), (70_000_000, r"at most 64 MiB")):
        file = tmp_path / f"large-{size}.fits"
        file.write_bytes(noise.bytes(size))
        upload(page, file)
        text = said(page)
        assert "Refused" in text
        assert re.search(words, text)
        assert "large" not in heading(page)


def test_a_refused_upload_leaves_the_spectrum_on_show_named_as_it_is(page, tmp_path):
    """Nothing of the old spectrum may look as if it were the new file, and the refusal stands beside it."""
    shutil.copy(data_path("samples", SAMPLE), tmp_path / "good.fits")
    upload(page, tmp_path / "good.fits")
    assert "Refused" not in said(page)
    page.wait_for_function("() => document.querySelector('.rn-main').innerText.startsWith('good')")
    whole = (tmp_path / "good.fits").read_bytes()
    damaged = {
        "cut.fits": whole[: len(whole) // 3],
        "text.fits": b"this is no spectrum\n" * 50,
        "half.fits.gz": gzip.compress(whole)[:-4000],
        "letters.csv": b"wave,flux\na,b\nc,d\n",
    }
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
    before = heading(page)
    for name in damaged:
        upload(page, tmp_path / name)
        text = said(page)
        assert f"Refused: {name}" in text
        shown = heading(page)
        assert name.split(".")[0] not in shown
        assert shown.splitlines()[0] == before.splitlines()[0]


def test_the_page_refuses_in_the_readers_words(page, tmp_path):
    from racnet_tools.errors import ReadError
    from racnet_tools.readers import read_file

    bad = tmp_path / "bad.fits"
    bad.write_bytes(b"SIMPLE  =                    T" + b" " * 4000)
    with pytest.raises(ReadError) as refusal:
        read_file(bad)
    upload(page, bad)
    assert refusal.value.expected in said(page)


def test_good_ones_among_bad_ones_are_shown(page, tmp_path):
    shutil.copy(data_path("samples", SAMPLE), tmp_path / "a-good.fits")
    (tmp_path / "b-bad.fits").write_bytes(b"nothing")
    upload(page, tmp_path / "a-good.fits", tmp_path / "b-bad.fits")
    text = said(page)
    assert re.search(r"✓.*a-good\.fits", text)
    assert "Refused: b-bad.fits" in text


def number(page) -> int:
    return int(re.search(r"(\d+) of 15", page.locator(".rn-controls").inner_text()).group(1))


def test_keys_step_and_do_not_while_typing(page):
    assert number(page) == 1
    page.locator("body").press("ArrowRight")
    page.wait_for_function("() => /2 of 15/.test(document.querySelector('.rn-controls').innerText)")
    field = page.get_by_placeholder(re.compile("number or part"))
    field.click()
    field.press("ArrowRight")
    field.type("j1")
    page.wait_for_timeout(400)
    assert number(page) == 2
    page.locator("h1").click()
    page.keyboard.press("?")
    assert page.locator(".rn-keys").get_attribute("open") is not None
    assert page.locator(".rn-keys tr").count() > 8


def still(page, expression):
    """A value of the page once it is there and has stayed the same for half a second."""
    found = page.wait_for_function(
        f"""() => {{
            const value = {expression}, same = JSON.stringify(value);
            const moved = value == null || same !== window.seenLast;
            if (moved) [window.seenLast, window.seenSince] = [same, performance.now()];
            return value != null && performance.now() - window.seenSince > 500 ? {{ value }} : null;
        }}"""
    )
    return found.json_value()["value"]


def test_lines_are_dragged_and_the_address_follows(server, visit, page):
    x, y = still(page, "(r => r && [r.left + r.width / 2, r.top + r.height / 2])"
                       "(document.querySelectorAll('.rn-plot-marks .grip')[3]?.getBoundingClientRect())")  # fmt: skip
    before = page.locator(".rn-plot-z").inner_text()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=8)
    page.mouse.up()
    page.wait_for_function("(old) => document.querySelector('.rn-plot-z').innerText !== old", arg=before)
    shown = still(
        page,
        """(z => Math.abs(new URLSearchParams(location.hash.slice(1)).get('z') - z) < 2e-4 ? z : null)
        (parseFloat(document.querySelector('.rn-plot-z').innerText.split('=')[1]))""",
    )
    assert shown > 0.005
    again = visit(page.url)
    again.live()
    again.page.wait_for_function(
        "(z) => Math.abs(parseFloat(document.querySelector('.rn-plot-z').innerText.split('=')[1]) - z) < 2e-4",
        arg=shown,
    )


def test_a_link_opens_its_spectrum_and_a_wrong_one_says_so(server, visit, page):
    page.wait_for_function("() => location.hash.length > 3")
    before = page.evaluate("location.hash")
    page.locator("body").press("ArrowRight")
    page.wait_for_function("() => /2 of 15/.test(document.querySelector('.rn-controls').innerText)")
    page.wait_for_function("(old) => location.hash !== old", arg=before)
    again = visit(page.url)
    again.live()
    again.page.wait_for_function("() => /2 of 15/.test(document.querySelector('.rn-controls').innerText)")
    wrong = visit(server.page("inspector") + "#open=folder&path=../../../etc&z=99&preset=evil")
    wrong.live()
    wrong.page.wait_for_selector(".rn-notice [role=alert]")
    assert "root:" not in wrong.page.locator("body").inner_text()


def test_a_plot_is_zoomed_by_keyboard(page):
    area = page.locator(".rn-plot-area").first
    area.focus()
    area.press("+")
    page.wait_for_function(f"() => {SPAN} < 3500")
    area.press("Home")
    page.wait_for_function(f"() => {SPAN} > 5000")


def test_it_goes_on_without_the_network(page):
    """Everything comes from the server: with all else cut off, the page works."""
    page.context.route(re.compile(r"^https?://(?!localhost)"), lambda route: route.abort())
    page.locator("body").press("ArrowRight")
    page.wait_for_function("() => /2 of 15/.test(document.querySelector('.rn-controls').innerText)")


def test_the_default_network_measures_redshift_and_moves_the_lines_there(page):
    words = heading(page)
    assert "network racnet-survey" in words and "Prediction set: STAR" in words and "Quality:" in words
    typed = page.get_by_label("Redshift z").first
    typed.fill("0.3")
    typed.press("Tab")
    page.wait_for_function("() => document.querySelector('.rn-main').innerText.includes('lines at z 0.30000')")
    page.get_by_role("button", name="Network", exact=True).click()
    page.wait_for_function("() => document.querySelector('.rn-main').innerText.includes(\"the network's\")")
    page.get_by_label("Network", exact=True).select_option("racnet-class")
    page.wait_for_function("() => document.querySelector('.rn-main').innerText.includes('network racnet-class')")
    assert "Prediction set" not in heading(page)
    assert page.get_by_role("button", name="Network", exact=True).is_disabled()
