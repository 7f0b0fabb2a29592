"""A hub on loopback that answers downloads as Hugging Face does."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 12_000  # 3 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """Answers as Hugging Face does: a redirection that tells the hash, then the file with ranges."""

    asked: list
    cut = len(CONTENT)
    etag = f'"{SHA256}"'
    ranges = True

    def do_GET(self):
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if self.ranges else 0
        if self.path == "/file":
            self.send_response(302)
            self.send_header("Location", "/stored")
            self.send_header("X-Linked-Etag", self.etag)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path != "/stored":
            self.send_error(404)
        elif start >= len(CONTENT):
            self.send_error(416)
        else:
            self.asked.append(start)
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(CONTENT) - start))
            self.end_headers()
            self.wfile.write(CONTENT[start : self.cut])

    def log_message(self, *_):
        pass


@contextmanager
def running_hub():
    """The handler class of a running server, with its address."""
    handler = type("Handler", (Hub,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.address = f"http://127.0.0.1:{server.server_port}/file"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler
    server.shutdown()
    server.server_close()
