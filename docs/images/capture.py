#!/usr/bin/env python
"""Runs the command as an operator would, in a terminal of a fixed width, and draws what it prints.

Started by the test that `docs/images/render` runs, which has set up the account and says in the environment where it is.
"""

import os
import pty
import re
import struct
import subprocess
import tempfile
import fcntl
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

IMAGES = Path(__file__).parent
COUNTERMAND = os.environ["COUNTERMAND"]
WIDTH = 112


def run(*arguments, environment=None):
    """What the command prints on a terminal."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 60, WIDTH, 0, 0))
    environment = dict(environment or os.environ, TERM="xterm-256color")
    process = subprocess.Popen([COUNTERMAND, *arguments], stdin=end, stdout=end, stderr=end, env=environment)
    os.close(end)
    printed = b""
    try:
        while block := os.read(terminal, 65536):
            printed += block
    except OSError:  # how Linux says that nobody writes to a terminal any more
        pass
    process.wait()
    return printed.decode().replace("\r\n", "\n").strip("\n").split("\n")


def cut(lines, first, last=0):
    """The first lines and the last, and a mark where others were."""
    if len(lines) <= first + last:
        return lines
    return lines[:first] + ["…"] + (lines[-last:] if last else [])


def draw(name, command, lines):
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))
    console.print(Text("$ " + command, style="bold"))
    for line in lines:
        # A terminal wraps what is too long.
        console.print(Text.from_ansi(line), no_wrap=False)
    svg = console.export_svg(title="countermand", theme=MONOKAI, unique_id=name)
    # No font is fetched from anywhere: a picture asks nobody.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    svg = "\n".join(line.rstrip() for line in svg.split("\n"))
    (IMAGES / f"{name}.svg").write_text(svg + "\n")


def report():
    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder, "report.html"), Path(folder, "report.png")
        run("report", "--output", str(page))
        chromium = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1000,815"]
        subprocess.run([*chromium, f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True)
        shrink = ["pngquant", "--force", "--strip", "--quality=60-90", "--output", str(IMAGES / "report.png")]
        subprocess.run([*shrink, str(picture)], check=True)


incident = os.environ["INCIDENT"]
draw("doctor", "countermand doctor", cut(run("doctor"), 30, 2))
draw("list", "countermand incidents list", run("incidents", "list"))
shown = run("incidents", "show", incident, "--metrics")
facts, decided, before = (
    next(index for index, line in enumerate(shown) if label in line) for label in ("  facts ", "  decided ", "  before ")
)
shown = [*shown[: facts + 2], "              …", "", *shown[decided : before - 1]]
draw("show", f"countermand incidents show {incident[:6]} --metrics", shown)
report()
alone = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COUNTERMAND"))}
told = run("demo", environment=alone)
first, fourth = (next(index for index, line in enumerate(told) if f"{step}  " in line[:12]) for step in (1, 4))
draw("demo", "countermand demo", [*told[first:fourth], "…", "", told[-1]])
