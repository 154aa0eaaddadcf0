"""A place to run code that nobody has read.

With bubblewrap, the code sees a read-only Python, the package `pointwise` and an empty folder in
memory. It sees no network, no file of the course, no other process and no environment variable of
the grader. Caps: processor time, wall time, memory, processes, files, and what is sent back.

`check()` starts one and tries to get out. Grading begins only when it could not.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grading import seccomp

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("runner.py")
MB = 2**20

WORK = "/sandbox"  # the folder that the code works in, in memory
DISK = 64 * MB  # of that folder, and of /tmp and /dev/shm each
MEMORY = 1500 * MB  # all processes of one sandbox together
ADDRESSES = 6000 * MB  # one process's address space; importing torch alone takes half of it
PROCESSES = 24  # threads count as processes
CROWD = 10  # more processes than this at once, and the sandbox is closed
REPLY = 12 * MB  # one reply
GRACE = 1.0  # seconds that a cell gets to stop after its interrupt
START = 30.0  # seconds to start

LIMITS = {"AS": ADDRESSES, "FSIZE": DISK, "NOFILE": 256, "CORE": 0, "CPU": 120}


class Closed(Exception):
    """The sandbox has ended; the message says why, in words for the learner and the instructor."""


class Unavailable(Exception):
    """This machine offers no sandbox that holds."""


def environment():
    """What the code finds in its environment: nothing of the grader's."""
    return {
        "HOME": WORK,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{WORK}/.matplotlib",
        "IPYTHONDIR": f"{WORK}/.ipython",
    }


def interpreter_files():
    """What Python consists of: its folders, and nothing else that lies beside them."""
    found = []
    for prefix in dict.fromkeys([sys.base_prefix, sys.prefix]):
        for part in ("bin", "lib", "lib64", "pyvenv.cfg"):
            path = Path(prefix, part)
            if path.exists() and not path.is_relative_to("/usr"):
                found.append(path)
    # A virtual environment may point at another one's interpreter.
    real = Path(sys.executable).resolve()
    if not any(real.is_relative_to(path) for path in [*found, Path("/usr")]):
        found += [real.parent, real.parent.parent / "lib"]
    return list(dict.fromkeys(found))


def bubblewrap(command):
    """The command line that runs `command` in a sandbox."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise Unavailable("bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)")
    binds = [(path, path) for path in interpreter_files()]
    binds += [(ROOT / "src" / "pointwise", Path("/grader/src/pointwise"))]
    binds += [(RUNNER, Path("/grader/runner.py"))]

    mounts = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            mounts += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            mounts += ["--ro-bind", str(path), str(path)]
    for path in ("/etc/ld.so.cache", "/etc/alternatives"):
        mounts += ["--ro-bind-try", path, path]
    if ROOT.is_relative_to("/usr"):
        mounts += ["--tmpfs", str(ROOT)]
    mounts += ["--proc", "/proc", "--dev", "/dev"]
    for place in (WORK, "/tmp", "/dev/shm"):
        mounts += ["--size", str(DISK), "--perms", "1777", "--tmpfs", place]
    folders = {p for _, place in binds for p in place.parents if not p.is_relative_to("/usr")}
    for folder in sorted(folders - {Path("/"), Path("/tmp")}):
        mounts += ["--perms", "0755", "--dir", str(folder)]
    for source, place in binds:
        mounts += ["--ro-bind", str(source), str(place)]
    mounts += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", WORK, "--clearenv"]
    for name, value in environment().items():
        mounts += ["--setenv", name, value]

    apart = [f"--unshare-{what}" for what in ("ipc", "pid", "net", "uts", "cgroup-try")]
    alone = [bwrap, "--die-with-parent", "--new-session"]
    no_more = ["--unshare-user", "--disable-userns"]
    if os.getuid():
        return [*alone, *no_more, *apart, *mounts, "--", *command]
    # No cap on the number of processes binds root. So root mounts, then becomes a user that nobody
    # else is, and closes the door to further namespaces as that user.
    nobody = str(200_000 + os.getpid())
    become = ["--reuid", nobody, "--regid", nobody, "--clear-groups", "--inh-caps=-all"]
    keep = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    inner = ["bwrap", *no_more, "--die-with-parent", "--dev-bind", "/", "/", "--chdir", WORK]
    return [*alone, *apart, *mounts, *keep, "--", "setpriv", *become, *inner, "--", *command]


class Sandbox:
    """A running interpreter; `run` sends it one cell after the other.

    Parameters
    ----------
    trust : bool
        Run without bubblewrap, as the user who grades: only for code that you have read.
    """

    def __init__(self, trust=False):
        self.folder, filtered = None, b""
        if trust:
            self.folder = tempfile.mkdtemp(prefix="grading-")
            command = [sys.executable, "-I", str(RUNNER), str(ROOT / "src")]
            variables = {**environment(), "HOME": self.folder, "PATH": os.environ.get("PATH", "")}
            variables |= {"MPLCONFIGDIR": self.folder, "IPYTHONDIR": self.folder}
            limits = LIMITS if sys.platform == "linux" else {"CORE": 0, "CPU": LIMITS["CPU"]}
        else:
            command = [sys.executable, "-I", "/grader/runner.py", "/grader/src"]
            command = bubblewrap(command)
            # bubblewrap's own process is visible inside, and so is the environment it began with.
            variables = {"PATH": "/usr/bin:/bin"}
            limits = {**LIMITS, "NPROC": PROCESSES}
            filtered = seccomp.program() or b""
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=variables,
            cwd=self.folder or "/",
            start_new_session=True,
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        os.set_blocking(self.process.stdin.fileno(), False)
        self.rest = b""
        try:
            self._send({"limits": limits, "filter": filtered.hex()})
            self._reply(START)
        except Closed as closed:
            self.process.kill()  # before its last words are read: there must be an end to them
            said = self.process.stderr.read(2000).decode(errors="replace").strip()
            self.close()
            if "Unknown option" in said:
                said += " (bubblewrap 0.8 or newer is needed)"
            raise Unavailable(f"the sandbox did not start: {said or closed}") from closed

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def run(self, code, seconds):
        """Run one cell: {"outputs": …, "error": …, "stopped": …}; Closed when that ended it."""
        try:
            self._send({"code": code, "seconds": seconds})
            reply = self._reply(seconds + GRACE)
        except Closed:
            self.close()
            raise
        outputs, error = reply.get("outputs"), reply.get("error")
        if not isinstance(outputs, list) or not (error is None or isinstance(error, str)):
            self.close()
            raise Closed("it sent back what is no reply")
        return {"outputs": outputs, "error": error, "stopped": reply.get("stopped") is True}

    def close(self):
        """Kill everything in it."""
        try:
            if self.folder:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        except ProcessLookupError:
            pass
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, request):
        rest = memoryview(json.dumps(request).encode() + b"\n")
        pipe, deadline = self.process.stdin.fileno(), time.monotonic() + START
        while rest:
            _, ready, _ = select.select([], [pipe], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Closed("it no longer listens")
            try:
                rest = rest[os.write(pipe, rest) :]
            except OSError as error:
                raise Closed("its process had ended") from error

    def _reply(self, seconds):
        deadline = time.monotonic() + seconds
        out = self.process.stdout.fileno()
        size, parts = len(self.rest), [self.rest]
        while b"\n" not in parts[-1]:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Closed("it did not stop when its time was up")
            ready, _, _ = select.select([out], [], [], min(left, 0.1))
            self._watch()
            if not ready:
                continue
            part = os.read(out, MB)
            if not part:
                raise Closed("its process ended")
            parts.append(part)
            size += len(part)
            if size > REPLY:
                raise Closed("it sent back too much")
        line, _, self.rest = b"".join(parts).partition(b"\n")
        try:
            reply = json.loads(line, parse_constant=str)
        except (ValueError, RecursionError) as error:
            raise Closed("it sent back what is no reply") from error
        if not isinstance(reply, dict):
            raise Closed("it sent back what is no reply")
        return reply

    def _watch(self):
        if sys.platform != "linux":
            return
        family = descendants(self.process.pid)
        if len(family) > CROWD:
            raise Closed(f"it started more than {CROWD} processes")
        if sum(map(resident, family)) > MEMORY and sum(map(share, family)) > MEMORY:
            raise Closed(f"it took more than {MEMORY // MB} MB of memory")


def descendants(pid):
    """The process and all that it started, at whatever remove."""
    found, queue = [], [pid]
    while queue and len(found) < 1000:
        pid = queue.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                queue += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
        except (OSError, ValueError):
            continue
    return found


def resident(pid):
    """Bytes of memory that a process holds, shared ones in full."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def share(pid):
    """Bytes of memory that a process holds, of shared pages its part alone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return resident(pid)


# What a first sandbox tries. Each line must come out as said, or no grading begins.
ESCAPE = """
import json, os, resource, socket, sys
found = {{}}
def attempt(name, action):
    try:
        action()
        found[name] = True
    except BaseException:
        found[name] = False
attempt("a file of the course can be read", lambda: open({file!r}).read())
attempt("the course can be listed", lambda: os.listdir({tests!r}))
attempt("the network can be reached", lambda: socket.create_connection(("{address}", {port}), 1))
attempt("the program can be changed", lambda: open(os.__file__, "a"))
attempt("files can be left behind", lambda: open("/left-behind", "w"))
attempt("an environment variable is visible", lambda: os.environ["GRADING_CANARY"])
attempt("an environment variable is visible in /proc", lambda: (
    open("/proc/1/environ").read().index("GRADING_CANARY")))
attempt("memory has no cap", lambda: bytearray(20 * 2**30))
if {filtered}:
    attempt("memory can be hidden", lambda: os.memfd_create("hidden"))
def crowd():
    for _ in range({processes} + 4):
        if os.fork() == 0:
            import time
            time.sleep(5)
            os._exit(0)
if {fork}:
    attempt("processes have no cap", crowd)
print(json.dumps(found))
"""


def check():
    """Start a sandbox and try to get out of it; Unavailable with the reason when that succeeds.

    The crowd of processes comes last and alone: it ends its sandbox.
    """
    import socket

    os.environ["GRADING_CANARY"] = "visible"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address, port = listener.getsockname()
        values = {"file": str(ROOT / "pyproject.toml"), "tests": str(ROOT / "tests")}
        values |= {"address": address, "port": port, "processes": PROCESSES}
        values["filtered"] = seccomp.program() is not None
        try:
            with Sandbox() as sandbox:
                reply = sandbox.run(ESCAPE.format(**values, fork=False), 20)
                text = "".join(o.get("text", "") for o in reply["outputs"])
                found = json.loads(text) if not reply["error"] else {}
                if not found:
                    raise Unavailable(f"the sandbox does not work: {reply['error']}")
            with Sandbox() as sandbox:
                try:
                    reply = sandbox.run(ESCAPE.format(**values, fork=True), 20)
                    text = "".join(o.get("text", "") for o in reply["outputs"])
                    found |= json.loads(text)
                except Closed:
                    pass  # closed for its crowd: the cap holds
        except Closed as closed:
            raise Unavailable(f"the sandbox does not work: {closed}") from closed
        finally:
            del os.environ["GRADING_CANARY"]
    if leaks := [name for name, succeeded in found.items() if succeeded]:
        raise Unavailable(f"the sandbox leaks: {'; '.join(leaks)}")
