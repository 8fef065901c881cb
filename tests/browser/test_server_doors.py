"""What the server must not do, asked without a browser: by plain HTTP and by a kernel's websocket."""

import asyncio
import json
import re
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

websockets = pytest.importorskip("websockets")
exceptions = pytest.importorskip("websockets.exceptions")


def in_thread(work):
    """Run a coroutine in a thread: where a browser of other tests is open, this one has a loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def get(server, path, **headers):
    request = urllib.request.Request(server.home + path.lstrip("/"), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


@pytest.fixture(scope="module")
def kernel(server):
    """Kernel of a page that somebody opened."""
    status, page = get(server, "voila/render/redshift.ipynb")
    assert status == 200
    return re.search(r'"kernelId": "([\w-]+)"', page).group(1)


@pytest.mark.parametrize(
    "path",
    [
        "voila/files/inspector.ipynb",
        "voila/files/voila.json",
        "voila/files/../racnet_tools/errors.py",
        "voila/files/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "voila/static/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "voila/templates/lab/static/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "voila/render/..%2f..%2f..%2fetc%2fpasswd",
        "voila/render/../../tests/x.ipynb",
        "voila/api/contents",
        "voila/api/contents/inspector.ipynb",
        "voila/tree",
        "api/contents",
        "api/terminals",
        "api/sessions",
        "racnet/plotly-0.js",
    ],
)
def test_no_file_is_handed_out(server, path):
    status, text = get(server, path)
    assert status >= 400, text[:200]
    assert "root:" not in text
    assert "nbformat" not in text


def test_a_page_cannot_choose_its_template_or_theme(server):
    _, plain = get(server, "voila/render/redshift.ipynb")
    for query in ("?template=reveal", "?template=../../etc", "?theme=../../x", "?voila-template=classic"):
        status, text = get(server, f"voila/render/redshift.ipynb{query}")
        assert status == 200
        assert "reveal.js" not in text
        assert 'data-jp-theme-name="JupyterLab Light"' in text
        assert "racnet-home" in text
    assert "racnet-home" in plain


def test_the_source_of_notebooks_stays_here(server):
    _, page = get(server, "voila/render/redshift.ipynb")
    assert "from racnet_tools.apps import" not in page


def test_another_name_for_this_machine_is_refused(server):
    """Pages elsewhere whose name was made to point here (DNS rebinding) get nothing."""
    assert get(server, "", Host="evil.example")[0] == 403
    assert get(server, "voila/render/redshift.ipynb", Host="evil.example:80")[0] == 403


def test_pages_may_load_nothing_from_elsewhere(server):
    with urllib.request.urlopen(server.page("redshift"), timeout=30) as answer:
        policy = answer.headers["Content-Security-Policy"]
        text = answer.read().decode()
    assert "default-src 'self'" in policy
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)


async def talk(server, kernel, messages, origin=None, seconds=4.0):
    """Send messages to a kernel as a page does, and collect what comes back for a while."""
    address = f"ws://localhost:{server.port}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
    answers = []
    async with websockets.connect(address, origin=origin, max_size=None) as socket:
        for kind, content in messages:
            header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "x", "session": "x", "version": "5.3"}
            header["date"] = "2026-01-01T00:00:00Z"
            message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
            await socket.send(json.dumps(message | {"channel": "shell", "buffers": []}))
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                raw = await asyncio.wait_for(socket.recv(), left)
            except TimeoutError:
                break
            if isinstance(raw, str):
                answers.append(json.loads(raw))
    return answers


def test_a_page_runs_no_code(server, kernel, tmp_path):
    witness = tmp_path / "witness"
    code = {"code": f"open({str(witness)!r}, 'w')", "silent": False, "store_history": False, "user_expressions": {}}
    messages = [
        ("execute_request", code),
        ("inspect_request", {"code": "open", "cursor_pos": 2, "detail_level": 1}),
        ("complete_request", {"code": "/etc/", "cursor_pos": 5}),
        ("history_request", {"hist_access_type": "tail", "n": 10, "output": True, "raw": True}),
        ("debug_request", {"command": "evaluate"}),
        ("kernel_info_request", {}),
    ]
    answers = in_thread(talk(server, kernel, messages))
    kinds = {answer["header"]["msg_type"] for answer in answers}
    assert "kernel_info_reply" in kinds  # what is allowed is answered, so silence of the others means something
    assert not kinds & {"execute_reply", "inspect_reply", "complete_reply", "history_reply", "debug_reply"}
    assert not witness.exists()


def test_a_page_makes_no_widgets_of_its_own(server, kernel):
    """The kernel closes a comm that asks for a widget, whatever class it names."""
    comm = uuid.uuid4().hex
    state = {"_model_module": "@jupyter-widgets/controls", "_model_name": "HTMLModel", "value": "<b>mine</b>"}
    opened = {"comm_id": comm, "target_name": "jupyter.widget", "data": {"state": state, "buffer_paths": []}}
    answers = in_thread(talk(server, kernel, [("comm_open", opened), ("comm_info_request", {})]))
    (info,) = [answer["content"]["comms"] for answer in answers if answer["header"]["msg_type"] == "comm_info_reply"]
    assert comm not in info
    assert info, "the page's own widgets are there"


def test_sockets_from_other_pages_are_refused(server, kernel):
    for origin in ("http://evil.example", f"http://localhost:{server.port + 1}", "null"):
        with pytest.raises(exceptions.InvalidStatus) as refusal:
            in_thread(talk(server, kernel, [], origin=origin))
        assert refusal.value.response.status_code == 403
    in_thread(talk(server, kernel, [], origin=f"http://localhost:{server.port}", seconds=0.2))


def test_only_a_page_of_the_server_ends_a_kernel(server, kernel):
    def post(**headers):
        address = f"{server.home}voila/api/shutdown/{kernel}"
        try:
            with urllib.request.urlopen(urllib.request.Request(address, b"", headers), timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert post() == 403
    assert post(Origin="http://evil.example") == 403
    assert post(Origin="null") == 403
    running = server.health()["kernels"]
    assert post(Origin=server.home.rstrip("/")) == 204
    assert server.health()["kernels"] < running + 1
