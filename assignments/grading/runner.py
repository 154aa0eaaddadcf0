"""Run a learner's cells, one request at a time. This file runs inside the sandbox.

A request is one line of JSON on standard input: {"code": …, "seconds": …}. The reply is one line of
JSON: {"outputs": […], "error": null or "NameError: …", "stopped": true where the time was up}.
Requests arrive one by one, so that a cell never sees what will be asked after it.

Whatever happens here is the learner's: nothing that leaves this process is believed to be more
than plain data. The limits below are set before the first cell runs and cannot be raised again.
"""

import contextlib
import io
import json
import os
import resource
import signal
import sys

OUTPUT = 20_000  # characters of text kept per cell
PAYLOAD = 9_000_000  # characters of one output that is not text


class Capped(io.TextIOBase):
    """A text stream that keeps the first characters, and swallows the rest."""

    encoding = "utf-8"

    def __init__(self):
        super().__init__()
        self.parts, self.left, self.full = [], OUTPUT, False

    def writable(self):
        return True

    def write(self, text):
        if self.left > 0:
            self.parts.append(text[: self.left])
            self.left -= len(text)
        if self.left <= 0 and not self.full:
            self.full = True
            self.parts.append("\n… the rest of the output was cut off\n")
        return len(text)

    def text(self):
        return "".join(self.parts)


def limit(limits):
    """Cap this process and all that it starts."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def refuse(program):
    """Put a filter on the system calls of this process and all that it starts."""
    import ctypes

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_char_p))

    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, seccomp, filtered = 38, 22, 2
    libc.prctl(no_new_privileges, 1, 0, 0, 0)
    whole = Program(len(program) // 8, program)
    if libc.prctl(seccomp, filtered, ctypes.byref(whole), 0, 0):
        raise OSError(ctypes.get_errno(), "no filter for system calls")


class TimeIsUp(KeyboardInterrupt):
    """Raised in a cell by the alarm: like an interrupt, `except Exception` lets it through."""


def ring(number, frame):
    raise TimeIsUp


def shell():
    """IPython as a notebook's cells know it, without a history, a window or a way out."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        def enable_gui(self, gui=None):
            pass

        def ask_exit(self):
            pass

        def _tee(self, channel):
            return contextlib.nullcontext()  # IPython's own keeps a copy of all that is printed

        def showtraceback(self, *args, **kwargs):
            pass  # the reply names the error

        showsyntaxerror = showtraceback

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    config.InteractiveShell.cache_size = 0
    shell = Shell(config=config)
    InteractiveShell._instance = Shell._instance = shell
    return shell


def execute(shell, code, seconds):
    """Run one cell: its outputs as nbformat stores them, and how it failed, if it did."""
    outputs = []

    def publish(data, metadata=None, **others):
        # Text and data: pictures and pages are for eyes, and nobody looks here.
        small = {
            kind: value
            for kind, value in data.items()
            if (kind == "text/plain" or kind.endswith("json")) and len(str(value)) < PAYLOAD
        }
        outputs.append({"output_type": "display_data", "data": small, "metadata": {}})
        del outputs[:-50]

    stream = Capped()
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = stream
    shell.display_pub.publish = publish
    stopped = False
    try:
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            result = shell.run_cell(code, store_history=False)
            error = result.error_before_exec or result.error_in_exec
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except BaseException as raised:
        error = raised
    sys.stdout, sys.stderr = before
    stopped = isinstance(error, TimeIsUp)
    if text := stream.text():
        outputs.insert(0, {"output_type": "stream", "name": "stdout", "text": text})
    return {"outputs": outputs, "error": describe(error), "stopped": stopped}


def describe(error):
    if error is None:
        return None
    try:
        text = str(error)
        if isinstance(error, SyntaxError):
            text = f"{error.msg} (line {error.lineno})"
        return f"{type(error).__name__}: {text}"[:500]
    except BaseException:  # the learner's own exception class
        return "an error that cannot be printed"


def main():
    sys.path[:0] = sys.argv[1:]
    # The requests and replies move away from the descriptors that a learner's print and input use.
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    sys.stdin = open(os.devnull)  # noqa: SIM115
    first = json.loads(requests.readline())
    limit(first["limits"])
    if first["filter"]:
        refuse(bytes.fromhex(first["filter"]))
    dumps = json.dumps
    running = shell()
    replies.write(b'{"ready": true}\n')
    replies.flush()
    for line in requests:
        request = json.loads(line)
        reply = execute(running, request["code"], request["seconds"])
        replies.write(dumps(reply, allow_nan=False, default=str).encode() + b"\n")
        replies.flush()


if __name__ == "__main__":
    main()
