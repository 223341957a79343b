"""A server that speaks the OpenAI protocol, with faults on demand: chat, structured outputs, files, batches."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TITLES = ("Edge artifacts", "Texture anomaly", "Font inconsistency")


def answer_for(form: str, text: str) -> dict[str, Any]:
    """An answer that depends on the question alone."""
    mark = hashlib.sha256(text.encode()).hexdigest()[:6]
    findings = [
        {"title": TITLES[0], "description": f"The outline {mark} is cut hard."},
        {"title": TITLES[1], "description": "The texture might be smoother."},
    ]
    match form:
        case "Recognition":
            return {"content": f"The object {mark}", "relative_position": "On the table"}
        case "Placing":
            return {"relative_position": "Beside the lamp"}
        case "Findings":
            if "xamine" in text:  # one rewritten, one that still hedges, one made up
                return {
                    "findings": [
                        {"title": TITLES[0], "description": f"The outline is cut hard ({mark})."},
                        {"title": TITLES[1], "description": "The texture may be smoother."},
                        {"title": "Invented", "description": "Nothing of the kind was found before."},
                    ]
                }
            return {"findings": findings}
        case "Grouping":
            count = int(re.search(r"highlight the (\d+) tampered regions", text)[1])
            return {"objects": [{"regions": [0, count - 1], "content": "A torn poster", "position": "Center"}]}
        case "Single":
            instance = {"content": "A cat", "position": "Center", "relative_position": "", "artifacts": findings}
            return {"instances": [instance]}
    raise AssertionError(form)


class ChatServer:
    """Serves in a thread; `faults` are taken one a chat request, "" meaning none."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.faults: deque[str] = deque()
        self.says = ""  # to what asks for no form
        self.models = ["m"]
        self.instead: tuple[str, bytes] | None = None  # content type and body, in place of chat and list of models
        self.left = threading.Event()  # somebody went away while an answer dripped
        self.requests: list[dict[str, Any]] = []
        self.answered: list[str] = []
        self.keys: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self._http = _Quiet(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Go away for good."""
        self._http.shutdown()
        self._http.server_close()

    def complete(self, body: dict[str, Any], fault: str) -> dict[str, Any]:
        """A chat completion."""
        if "response_format" in body:
            form = body["response_format"]["json_schema"]
            assert form["strict"]
            assert form["schema"]["additionalProperties"] is False
            text = body["messages"][0]["content"][0]["text"]
            content = json.dumps(answer_for(form["name"], text))
        else:
            content = self.says
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
        reason = "stop"
        if fault == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        elif fault == "truncated":
            message["content"], reason = content[: len(content) // 2], "length"
        elif fault == "loop":
            message["content"], reason = content + "and so on, " * 60, "length"
        elif fault == "nonsense":
            message["content"] = "There is no tampering."
        elif fault == "filter":
            message["content"], reason = None, "content_filter"
        return {
            "id": "c", "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }  # fmt: skip

    def steps(self) -> list[str]:
        """Names of the forms asked for, in order."""
        return [body["response_format"]["json_schema"]["name"] for body in self.requests]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no news."""


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def reply(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            key = self.headers.get("authorization", "")
            with server.lock:
                server.keys.add(key)
            match self.path.removeprefix("/v1"):
                case "/chat/completions":
                    self.chat(json.loads(data), key)
                case "/files":
                    name = f"file-{len(server.files)}"
                    server.files[name] = data[data.index(b'{"custom_id"') : data.rindex(b"\r\n--")]
                    self.reply(200, {"id": name, "object": "file", "bytes": len(data), "created_at": 0,
                                     "filename": "x", "purpose": "batch", "status": "processed"})  # fmt: skip
                case "/batches":
                    body = json.loads(data)
                    name = f"batch-{len(server.batches)}"
                    server.batches[name] = {
                        "id": name, "object": "batch", "endpoint": body["endpoint"], "status": "in_progress",
                        "input_file_id": body["input_file_id"], "completion_window": "24h", "created_at": 0,
                        "metadata": body.get("metadata"), "looks": 0,
                    }  # fmt: skip
                    self.reply(200, server.batches[name])
                case _:
                    self.reply(404, {"error": {"message": "no such path"}})

        def chat(self, body: dict[str, Any], key: str) -> None:
            with server.lock:
                server.requests.append(body)
                fault = server.faults.popleft() if server.faults else ""
            time.sleep(server.delay)
            match fault:
                case "429":
                    self.reply(429, {"error": {"message": "slow down"}}, {"retry-after": "0.2"})
                case "429 for hours":
                    self.reply(429, {"error": {"message": "the day's share is spent"}}, {"retry-after": "7200"})
                case "500":
                    self.reply(500, {"error": {"message": f"broken ({key})"}})
                case "401":
                    self.reply(401, {"error": {"message": f"Incorrect API key provided: {key}"}})
                case "400":
                    self.reply(400, {"error": {"message": "bad picture"}})
                case "timeout":
                    time.sleep(1.0)
                    self.close_connection = True
                case "dripping body" | "dripping headers":
                    self.drip(fault)
                case _ if server.instead is not None:
                    self.reply(200, server.instead[1], {"content-type": server.instead[0]})
                case _:
                    self.reply(200, server.complete(body, fault))
                    with server.lock:
                        server.answered.append(self.headers.get("idempotency-key", ""))

        def drip(self, what: str) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            if what == "dripping body":
                self.wfile.write(b"content-length: 1000000\r\n\r\n")
            try:
                for _ in range(200):
                    self.wfile.write(b" " if what == "dripping body" else b"x: y\r\n")
                    time.sleep(0.05)
            except OSError:
                server.left.set()
            self.close_connection = True

        def do_GET(self) -> None:
            path = self.path.removeprefix("/v1").partition("?")[0]
            if path == "/models" and server.instead is not None:
                self.reply(200, server.instead[1], {"content-type": server.instead[0]})
            elif path == "/models":
                data = [{"id": name, "object": "model", "created": 0, "owned_by": "x"} for name in server.models]
                self.reply(200, {"object": "list", "data": data})
            elif path == "/batches":
                self.reply(200, {"object": "list", "data": list(server.batches.values()), "has_more": False})
            elif path.startswith("/batches/"):
                batch = server.batches[path.removeprefix("/batches/")]
                batch["looks"] += 1
                if batch["looks"] >= 2 and batch["status"] == "in_progress":
                    self.finish_batch(batch)
                self.reply(200, batch)
            elif path.endswith("/content"):
                self.reply(200, server.files[path.split("/")[2]])

        def finish_batch(self, batch: dict[str, Any]) -> None:
            good, bad = [], []
            for line in server.files[batch["input_file_id"]].splitlines():
                item = json.loads(line)
                server.requests.append(item["body"])
                fault = server.faults.popleft() if server.faults else ""
                status = int(fault) if fault.isdigit() else 200
                body = {"error": {"message": "no"}} if status != 200 else server.complete(item["body"], fault)
                result = {"custom_id": item["custom_id"], "response": {"status_code": status, "body": body}}
                (good if status == 200 else bad).append(json.dumps({**result, "error": None}))
            for name, lines in (("output_file_id", good), ("error_file_id", bad)):
                if lines:
                    batch[name] = f"file-{len(server.files)}"
                    server.files[batch[name]] = "\n".join(reversed(lines)).encode()
            batch["status"] = "completed"

    return Handler
