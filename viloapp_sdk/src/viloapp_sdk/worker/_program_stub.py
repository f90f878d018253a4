"""Stands for a program that the host runs elsewhere: its parent waits for it, signals it, reads its streams.

    python -I -S _program_stub.py FD

Started by `subprocess` in the program's place (see `_programs`), so that standard streams, folder,
environment, process id, signals and exit status are what they always are. FD leads to the program's sandbox.
Run as a file, never imported, and as light as it can be: there is one for each program that runs.
"""

import _signal  # type: ignore[import-not-found]  # the C part: `signal` pulls in enum
import _socket
import os
import sys


def main() -> None:
    """Hand the standard streams over, pass signals on, and end as the program ends."""
    end = _socket.socket(fileno=int(sys.argv[1]))
    fields = [os.getcwdb(), *(name + b"=" + value for name, value in os.environb.items())]
    body = b"".join(field + b"\0" for field in fields)
    data = len(body).to_bytes(4, "little") + body
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    told = os.dup(2)
    os.set_inheritable(told, False)
    answer = b""
    try:
        sent = end.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
        if sent < len(data):  # to send nothing fails too, once a quick program has ended
            end.sendall(data[sent:])
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):  # whoever reads from the program waits for its end, not for this
            os.dup2(nothing, number)
        forward(end)
        while part := end.recv(4096):
            answer += part
    except OSError:
        pass  # a signal that came too late to be read resets the connection behind the answer, which is kept
    leave(answer, told)


def forward(end: "_socket.socket") -> None:
    """Pass on every signal that can be caught, as a byte."""

    def send(number: int, frame: object) -> None:
        try:
            end.send(bytes([number]))
        except OSError:
            return  # it has just ended

    for number in _signal.valid_signals():
        if number not in (_signal.SIGKILL, _signal.SIGSTOP, _signal.SIGCHLD, _signal.SIGPIPE):
            _signal.signal(number, send)


def leave(answer: bytes, told: int) -> None:
    """End with the program's return code, or by its signal."""
    if answer[:1] == b"S" and len(answer) == 5:
        code = int.from_bytes(answer[1:], "little", signed=True)
        if code < 0:
            _signal.signal(-code, _signal.SIG_DFL) if -code not in (9, 19) else None
            os.kill(os.getpid(), -code)
        os._exit(code)
    reason = answer[1:] or b"it was ended by the host"
    os.write(told, b"the program was not run to its end: " + reason + b"\n")
    os._exit(127 if answer[:1] == b"E" else 125)


if __name__ == "__main__":
    main()
