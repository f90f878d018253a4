"""What the system itself can do: two processes and a socket pair, and Python's own pipe between processes."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

__all__ = ["Pipe", "Raw", "child"]

_RAW = """
import os, sys
fd, asked, answered = map(int, sys.argv[1:])
buffer, answer = bytearray(max(asked, 65536)), bytes(answered)
if not asked:  # whatever comes goes back
    view = memoryview(buffer)
    while count := os.readv(fd, [buffer]):
        left = view[:count]
        while left:
            left = left[os.write(fd, left):]
view = memoryview(buffer)[:asked]
while asked:
    rest = view
    while rest:
        count = os.readv(fd, [rest])
        if not count:
            sys.exit()
        rest = rest[count:]
    rest = memoryview(answer)
    while rest:
        rest = rest[os.write(fd, rest):]
"""
_PIPE = """
import sys
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
commands = {"echo": lambda text: text}
while True:
    try:
        id, command, arguments = pipe.recv()
    except EOFError:
        break
    pipe.send((id, commands[command](**arguments)))
"""


@contextlib.contextmanager
def child(code: str, *arguments: object) -> Iterator[socket.socket]:
    """Run Python code with one end of a socket pair as its first argument; yield the other end."""
    ours, theirs = socket.socketpair()
    words = [sys.executable, "-I", "-c", code, str(theirs.fileno()), *map(str, arguments)]
    with ours, subprocess.Popen(words, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        try:
            yield ours
        finally:
            with contextlib.suppress(OSError):  # whoever took the descriptor has closed it
                ours.shutdown(socket.SHUT_RDWR)
            process.kill()  # one that serves others waits for more of them
            process.wait()


class Raw:
    """So many bytes there, so many back, and nothing else."""

    def __init__(self, stack: contextlib.ExitStack, asked: int, answered: int) -> None:
        self._asked, self._answer = bytes(asked), bytearray(answered)
        self._socket = stack.enter_context(child(_RAW, asked, answered))
        self._echo = stack.enter_context(child(_RAW, 0, 0))

    def one_by_one(self, count: int) -> Sequence[float]:
        """Return the seconds of each."""
        sock, asked, answer, took = self._socket, self._asked, memoryview(self._answer), []
        for _ in range(count):
            began = time.perf_counter()
            sock.sendall(asked)
            rest = answer
            while rest:
                rest = rest[sock.recv_into(rest) :]
            took.append(time.perf_counter() - began)
        return took

    def at_once(self, count: int, width: int) -> Sequence[float]:
        """Return the seconds of one, with so many under way."""
        sock, asked, buffer = self._echo, self._asked, bytearray(1 << 16)
        began, sent, got = time.perf_counter(), 0, 0
        while sent < width:
            sock.sendall(asked)
            sent += 1
        while got < count * len(asked):
            before = got // len(asked)
            got += sock.recv_into(buffer)
            for _ in range(min(got // len(asked) - before, count - sent)):
                sock.sendall(asked)
                sent += 1
        return [(time.perf_counter() - began) / count]


class Pipe:
    """`multiprocessing.Pipe`, a command with arguments at a time."""

    def __init__(self, stack: contextlib.ExitStack, text: str) -> None:
        self._arguments = {"text": text}
        self._pipe = Connection(stack.enter_context(child(_PIPE)).detach())
        stack.callback(self._pipe.close)

    def one_by_one(self, count: int) -> Sequence[float]:
        """Return the seconds of each."""
        took = []
        for id in range(count):
            began = time.perf_counter()
            self._pipe.send((id, "echo", self._arguments))
            answered, _ = self._pipe.recv()
            took.append(time.perf_counter() - began)
            assert answered == id
        return took

    def at_once(self, count: int, width: int) -> Sequence[float]:
        """Return the seconds of one, with so many under way."""
        began = time.perf_counter()
        for id in range(width):
            self._pipe.send((id, "echo", self._arguments))
        for id in range(count):
            self._pipe.recv()
            if id + width < count:
                self._pipe.send((id, "echo", self._arguments))
        return [(time.perf_counter() - began) / count]
