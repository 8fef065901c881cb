"""The checker of the site's links finds what it is for."""

from scripts import load_script


def test_faults(tmp_path):
    check_links = load_script("docs/check_links.py")
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(
        '<a href="sub/b.html#here">b</a> <a href="https://example.org/x">x</a> <p id="top">'
    )
    (tmp_path / "sub" / "b.html").write_text(
        '<h1 id="here">b</h1><a href="../a.html#top">a</a><a href="#here">self</a>'
    )
    assert check_links.faults(tmp_path) == []
    (tmp_path / "c.html").write_text(
        '<a href="no.html">1</a><a href="sub/b.html#no">2</a><img src="no.png"><script src="https://cdn.example.org/x.js">'
    )
    assert check_links.faults(tmp_path) == [
        "c.html: no.html leads nowhere",
        "c.html: sub/b.html#no names no place on that page",
        "c.html: no.png leads nowhere",
        "c.html loads https://cdn.example.org/x.js",
    ]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert check_links.faults(empty) == [f"{empty} holds no page"]
