"""A server on 127.0.0.1 that answers as LAMOST's does, as far as its answers are recorded, and misbehaves on request.

`Server(bodies)` serves every obsid with one of the bodies. `server.plan[obsid] = [action, ...]` says what happens to
the first, second, ... request for it; without a plan, and after it, the file is sent.
"""

import gzip
import json
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

REGISTRY = {
    "versions": [
        {
            "dr_version": "dr5",
            "sub_version": "v3",
            "public_status": "public",
            "has_mrs": False,
            "base_url": "https://www.lamost.org/openapi/dr5/v3",
        },
        {
            "dr_version": "dr12",
            "sub_version": "v1.0",
            "public_status": "internal",
            "has_mrs": True,
            "base_url": "https://www.lamost.org/openapi/dr12/v1.0",
        },
    ]
}
LOGIN = b"<!DOCTYPE html><html><head><title>LAMOST | Login</title></head><body>Please log in</body></html>"
CONE = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.2" xmlns="http://www.ivoa.net/xml/VOTable/v1.2"><RESOURCE><TABLE name="results">
<FIELD ID="COLID_0" name="catalogue_obsid" datatype="long"/>
<FIELD ID="COLID_1" name="catalogue_obsdate" datatype="date"/>
<FIELD ID="COLID_2" name="catalogue_planid" datatype="char" arraysize="*"/>
<FIELD ID="COLID_3" name="catalogue_ra" datatype="double" unit="deg"/>
<FIELD ID="COLID_4" name="catalogue_class" datatype="char" arraysize="*"/>
<DATA><TABLEDATA>
<TR><TD>101001</TD><TD>2011-10-24</TD><TD>F5902</TD><TD>10.5</TD><TD>STAR</TD></TR>
<TR><TD>101002</TD><TD>2011-10-24</TD><TD>F5902</TD><TD>10.6</TD><TD>Unknown</TD></TR>
</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        server = self.server.owner
        with server.guard:
            server.seen.append((self.path, dict(self.headers)))
        if parts.path == "/openapi/dr_versions":
            self.send(200, json.dumps(server.registry).encode(), "application/json")
        elif parts.path == "/openapi/dr5/v3/lrs/spectrum/fits":
            self.spectrum(query["obsid"])
        elif parts.path.startswith("/v3/spectrum/fits/"):
            self.spectrum(parts.path.rpartition("/")[2])
        elif parts.path in ("/openapi/dr5/v3/catalog", "/v3/catdl"):
            self.catalogue(query["name"])
        elif parts.path == "/openapi/dr5/v3/lrs/voservice/conesearch":
            self.send(200, CONE.encode(), "text/xml")
        else:
            self.send(404, b"no such page")

    def spectrum(self, obsid):
        server = self.server.owner
        with server.guard:
            turn = server.requests[obsid]
            server.requests[obsid] += 1
            server.open += 1
            server.most_open = max(server.most_open, server.open)
        try:
            body = server.bodies[int(obsid) % len(server.bodies)]
            plan = server.plan.get(obsid, [])
            action = plan[turn] if turn < len(plan) else "ok"
            time.sleep(server.delay)
            self.act(action, obsid, body)
            if action == "ok":
                with server.guard:
                    server.sent[obsid] += 1
        finally:
            with server.guard:
                server.open -= 1

    def act(self, action, obsid, body):
        if action == "ok":
            name = f"attachment; filename=spec-{obsid}.fits.gz"
            self.send(200, body, "application/gzip", [("Content-Disposition", name)])
        elif isinstance(action, int):
            self.send(action, b"sorry")
        elif action.startswith("429 "):
            self.send(429, b"slow down", headers=[("Retry-After", action[4:])])
        elif action == "cut":  # the connection breaks in the middle of a file
            self.head(200, len(body))
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif action == "reset":
            self.close_connection = True
        elif action == "too long":  # announces more than it sends
            self.head(200, len(body) + 100)
            self.wfile.write(body)
            self.close_connection = True
        elif action == "too short":  # announces less than it has: the client cannot see the rest
            self.send(200, body[:-50])
        elif action == "truncated":  # no length at all, and half a file
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif action == "encoded":  # names the file's own gzip as an encoding of the transport
            self.send(200, body, "application/fits", [("Content-Encoding", "gzip")])
        elif action == "plain":
            self.send(200, gzip.decompress(body), "application/fits")
        elif action == "damaged":
            self.send(200, body[:2000] + bytes(40) + body[2040:])
        elif action == "login":
            self.send(200, LOGIN, "text/html")
        elif action == "page":
            self.send(200, b"<html><title>Maintenance</title></html>", "text/html")
        elif action == "message":
            self.send(200, b'{"error": "invalid token"}', "application/json")
        elif action == "empty":
            self.send(200, b"")
        elif action == "redirect":
            self.send(302, b"", headers=[("Location", self.path)])
        elif action == "loop":
            self.server.owner.plan[obsid] = ["loop"] * 100
            self.send(302, b"", headers=[("Location", self.path)])
        elif action == "silent":
            self.head(200, len(body))
            self.wfile.write(body[:100])
            self.wfile.flush()
            self.server.owner.over.wait(20)
            self.close_connection = True
        elif action == "drip":
            self.head(200, len(body))
            try:
                for i in range(200):
                    self.wfile.write(body[i : i + 1])
                    self.wfile.flush()
                    if self.server.owner.over.wait(0.05):
                        break
            except OSError:
                pass
            self.close_connection = True
        else:
            raise AssertionError(action)

    def catalogue(self, name):
        server = self.server.owner
        body = server.catalogues.get(name)
        if body is None:
            self.send(404, b"no such catalogue")
            return
        start = 0
        asked = self.headers.get("Range", "")
        if asked and self.headers.get("If-Range") == server.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(body) > 0:
            self.send(416, b"")
            return
        rest = body[start:]
        headers = [("ETag", server.etag)]
        if start:
            headers.append(("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"))
        self.head(206 if start else 200, len(rest), headers)
        with server.guard:
            cut = server.cuts.pop(0) if server.cuts else None
        if cut is not None:
            rest = rest[:cut]
            self.close_connection = True
        self.wfile.write(rest)
        with server.guard:
            server.catalogue_bytes += len(rest)

    def head(self, status, length, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def send(self, status, body, kind="text/plain", headers=()):
        self.head(status, len(body), [("Content-Type", kind), *headers])
        self.wfile.write(body)

    def handle(self):
        with suppress(OSError):  # the client went away
            super().handle()


class Server:
    """A context manager; `url` is where it listens."""

    def __init__(self, bodies, catalogues=None):
        self.bodies, self.catalogues = bodies, catalogues or {}
        self.registry = REGISTRY
        self.plan, self.requests, self.sent, self.seen = {}, Counter(), Counter(), []
        self.guard, self.over = threading.Lock(), threading.Event()
        self.open = self.most_open = self.catalogue_bytes = 0
        self.delay = 0.0
        self.etag, self.cuts = '"v1"', []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.owner = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self.over.set()
        self._http.shutdown()
        self._http.server_close()
