"""Rations a process's CPU time as the kernel's quota would: SIGSTOP when it is used up, SIGCONT in the next period.

Reads process ids from standard input, one a line, each to be limited from now on; 0 ends that, which is acknowledged by
an empty line, so that no signal goes to a process id that is somebody else's by then. Its arguments are the quota and the
period in microseconds. In Python because reading another process's CPU clock exactly takes unsafe code in Rust.
"""

import os
import select
import signal
import sys
import time

QUOTA, PERIOD = (int(argument) * 1_000 for argument in sys.argv[1:])
LOOK = 0.0002


def cpu_time(pid):
    # Linux makes the id of a process's CPU clock like this: clock_getcpuclockid(3), CPUCLOCK_SCHED in the kernel.
    return time.clock_gettime_ns(~pid << 3 | 2)


def ration(pid):
    """Until there is another line to read. What is overdrawn between two looks comes off the next period."""
    began, allowed, stopped = time.monotonic_ns(), QUOTA, False
    while not select.select([sys.stdin], [], [], LOOK)[0]:
        used = cpu_time(pid)
        if time.monotonic_ns() - began >= PERIOD:
            began += PERIOD
            allowed = min(allowed, used) + QUOTA
        if stopped != (used >= allowed):
            stopped = not stopped
            os.kill(pid, signal.SIGSTOP if stopped else signal.SIGCONT)


for line in iter(sys.stdin.readline, ""):
    if int(line):
        try:
            ration(int(line))
        except OSError:  # the process is gone
            pass
    else:
        print(flush=True)
