"""The `flawline` command: collects the commands, and turns every failure into a message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, TextIO

import typer

from flawline.cli.alerts import alerts
from flawline.cli.audit_labels import audit_labels
from flawline.cli.calibrate_scale import calibrate_scale
from flawline.cli.camera import camera
from flawline.cli.chart import chart
from flawline.cli.classify import classify
from flawline.cli.cluster import cluster
from flawline.cli.compare import compare
from flawline.cli.compare_golden import compare_golden
from flawline.cli.console import print_error, silence_libraries, speak_utf8
from flawline.cli.demo import demo
from flawline.cli.doctor import doctor
from flawline.cli.evaluate import evaluate
from flawline.cli.export import export
from flawline.cli.features import features
from flawline.cli.groups import groups
from flawline.cli.inspect import inspect
from flawline.cli.judge import judge
from flawline.cli.measure import measure
from flawline.cli.rank import rank
from flawline.cli.records import import_records, records, replay_record
from flawline.cli.serve import serve
from flawline.cli.settings import as_options
from flawline.cli.split import split
from flawline.cli.station import station
from flawline.cli.study import study
from flawline.cli.synth import synth
from flawline.cli.train import train
from flawline.cli.try_outputs import outputs
from flawline.cli.update import update
from flawline.cli.watch import watch
from flawline.errors import FlawlineError, UsageError
from flawline.report.template import settings_named
from flawline.version import __version__

EXIT_UNJUDGED = 2
INTERRUPTED = 130
_INTERRUPTED = FlawlineError(
    "interrupted; what is done is kept",
    hint="run the same command again to go on",
    code="interrupted",
)

_OTHER_FOLDER = "give another folder with --out"
_WAYS_OUT = {
    errno.ENOSPC: "make room, or give a folder on another disk with --out",
    errno.EACCES: "check who may read and write there, or " + _OTHER_FOLDER,
    errno.EPERM: "check who may read and write there, or " + _OTHER_FOLDER,
    errno.EROFS: _OTHER_FOLDER,
    errno.EEXIST: "there is a file of that name; " + _OTHER_FOLDER,
    errno.ENOTDIR: "a part of that path is a file; " + _OTHER_FOLDER,
    errno.ENOENT: "check that the folder still exists",
    errno.EMFILE: "raise the limit of open files",
}

app = typer.Typer(
    name="flawline",
    help="Turns pictures of manufactured parts into decisions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing the help with rich takes as long as everything else together
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a reject or review, 2 an error or an input that could not be judged.",
)
for command in (
    rank,
    features,
    cluster,
    classify,
    demo,
    doctor,
    groups,
    split,
    inspect,
    watch,
    camera,
    station,
    update,
    evaluate,
    compare,
    export,
    measure,
    judge,
    chart,
    serve,
):
    app.command()(command)
app.add_typer(train)
app.add_typer(study)
app.add_typer(records)
app.add_typer(alerts)
app.add_typer(outputs)
app.add_typer(synth)
app.command("calibrate-scale")(calibrate_scale)
app.command("audit-labels")(audit_labels)
app.command("compare-golden")(compare_golden)
app.command("import")(import_records)
app.command("replay")(replay_record)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flawline {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Turns pictures of manufactured parts into decisions."""


@cache
def command_line() -> Any:
    """Build the command of Click from all functions and their options, which takes a fifth of a second, once."""
    return typer.main.get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code and never raises."""
    as_json = "--json" in arguments
    try:
        _check_unicode(arguments)
        with settings_named(as_options):
            code = command_line()(list(arguments), prog_name="flawline", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # Typer turns Ctrl-C into this code without a word
            print_error(_INTERRUPTED, as_json=as_json)
        return code if isinstance(code, int) else 0
    except FlawlineError as error:
        print_error(error, as_json=as_json)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        message = getattr(error, "format_message", error.__str__)()
        hint = f"see `{context.command_path} --help`" if context else ""
        print_error(UsageError(message, hint=hint), as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        print_error(_INTERRUPTED, as_json=as_json)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away.
        _silence_stdout()
        return 0
    except Exception as error:
        if os.environ.get("FLAWLINE_DEBUG"):
            raise
        print_error(_unexpected(error), as_json=as_json)
    return EXIT_UNJUDGED


def _check_unicode(arguments: Sequence[str]) -> None:
    """Refuse paths that tables and reports could not name."""
    for text in arguments:
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise _not_unicode(text)


def _not_unicode(text: str) -> FlawlineError:
    if sys.getfilesystemencoding() == "utf-8":
        hint = "rename it, for example with `convmv`"
    else:
        hint = "set PYTHONUTF8=1, or a locale such as LC_ALL=C.UTF-8"
    return UsageError(f"expected names in UTF-8, got {text!r}", hint=hint)


def main() -> None:
    """Entry point of the console script."""
    # A service may have neither stream; output then goes nowhere.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if not os.environ.get("FLAWLINE_DEBUG"):
        silence_libraries()
    speak_utf8()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except OSError as error:
        # Standard output itself cannot be written (a full disk): only standard error and the exit code are left.
        _silence_stdout()
        print_error(_unexpected(error), as_json=False)
        code = EXIT_UNJUDGED
    sys.exit(code)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _silence_stdout() -> None:
    """What is still buffered must go somewhere, or the interpreter fails once more when it closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(error: Exception) -> FlawlineError:
    if isinstance(error, UnicodeEncodeError) and error.reason.startswith("surrogates"):
        return _not_unicode(error.object[max(0, error.start - 40) : error.end])
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        hint = _WAYS_OUT.get(error.errno or 0, "")
        return FlawlineError(f"{error.strerror or error}{place}", hint=hint, code="system")
    return FlawlineError(
        f"unexpected {type(error).__name__}: {error}",
        hint="this is a fault of Flawline; set FLAWLINE_DEBUG=1 for details and report it",
        code="internal",
    )
