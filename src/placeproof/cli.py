"""Words on the command line, handed to `study`. No logic lives here.

Heavy rooms are imported inside the commands: `placeproof --help` answers at once.
"""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from placeproof import __version__
from placeproof.errors import InputError, StudyError

if TYPE_CHECKING:
    from placeproof.study.reading import Progress

app = typer.Typer(
    name="placeproof",
    help="Evaluate hot-spot policing from end to end: crime, patrols, survey and interviews "
    "to one traceable report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StudyFolder = Annotated[Path, typer.Argument(help="Folder of the study.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"placeproof {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Evaluate hot-spot policing from end to end."""


@app.command()
def new(folder: StudyFolder) -> None:
    """Make the folder of a new study, with commented settings."""
    from placeproof.study.template import new_study

    for path in new_study(folder):
        typer.echo(f"wrote {path}")
    typer.echo(
        f"Put the exports into {folder / 'data'}, then type: placeproof map {folder / 'data'}/FILE"
    )


@app.command()
def rehearse(
    folder: StudyFolder,
    seed: Annotated[int, typer.Option(help="Where the invention starts.")] = 1,
    size: Annotated[str, typer.Option(help="small or full.")] = "small",
    effect: Annotated[str, typer.Option(help="Which effects are planted.")] = "default",
    fault: Annotated[
        list[str] | None, typer.Option(help="Fault to plant in the crime export; may be repeated.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Feed to leave out; may be repeated.")
    ] = None,
    begin: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="First day of the crime data, as 2021-07-26: the day of the first patrols.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an earlier rehearsal in the folder.")
    ] = False,
) -> None:
    """Write an invented force with known truth, in the formats a force would send."""
    from placeproof.study.rehearsing import rehearse as write

    made = write(
        folder,
        seed=seed,
        size=size,
        effect=effect,
        faults=fault or [],
        without=without or [],
        replace=replace,
        begin=begin.date() if begin else None,
    )
    typer.echo(f"An invented force stands in {made}. Evaluate it with: placeproof run {made}")


@app.command()
def check(folder: StudyFolder, as_json: AsJson = False) -> None:
    """Tell everything that is wrong with a study, in the order worth mending."""
    from placeproof.study.check import check as look

    problems = look(folder, _progress())
    if as_json:
        typer.echo(json.dumps([problem.as_dict() for problem in problems], indent=1))
    for problem in problems if not as_json else ():
        typer.echo(problem.as_text())
    if not problems:
        typer.echo("Nothing is wrong that can be seen from here.", err=as_json)
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(code=4)


@app.command(name="map")
def map_file(
    file: Annotated[Path, typer.Argument(help="A file as received.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Propose how the columns of a file map to a canonical table."""
    from placeproof.files.mapping import propose_mapping

    proposal = propose_mapping(file)
    typer.echo(json.dumps(asdict(proposal), indent=1, default=str) if as_json else proposal.toml)


@app.command()
def run(
    folder: StudyFolder,
    until: Annotated[str | None, typer.Option(help="Stop after this step.")] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a study: from raw exports to an answered report."""
    from placeproof.study.run import run as evaluate

    made = evaluate(folder, until=until, progress=_progress())
    if as_json:
        typer.echo(json.dumps(made.as_dict(), indent=1))
        return
    for line in made.lines():
        typer.echo(line)


@app.command()
def show(
    question: Annotated[str, typer.Argument(help="RQ1 to RQ10, or a finding's id.")],
    folder: Annotated[Path, typer.Argument(help="Folder of the study.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Print the answer to a question, or the provenance of a finding, from the newest whole run."""
    from placeproof.study.showing import show as find

    shown = find(folder, question)
    typer.echo(json.dumps(shown.content, indent=1, default=str) if as_json else shown.text)


@app.command()
def compare(
    folder: StudyFolder,
    before: Annotated[str, typer.Argument(help="Id of the earlier run, as in runs/.")],
    after: Annotated[
        str | None, typer.Argument(help="Id of the later run; else the newest.")
    ] = None,
) -> None:
    """List each figure that moved between two runs, and why, in results/changes.csv."""
    from placeproof.study.changes import compare_in_study

    for line in compare_in_study(folder, before, after).lines():
        typer.echo(line)


@app.command(name="open")
def open_report(folder: StudyFolder = Path()) -> None:
    """Open the newest report in the browser."""
    from placeproof.study.showing import report_of

    path = report_of(folder)
    typer.echo(str(path))
    typer.launch(str(path))


@app.command()
def lock(folder: StudyFolder) -> None:
    """Fix the plan before outcomes are seen: write its hash beside it."""
    from placeproof.study.locking import lock as fix

    typer.echo(fix(folder))


@app.command()
def certify(
    folder: StudyFolder,
    workers: Annotated[
        int | None, typer.Option(help="Processes; else one for each processor.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try the planned estimators on invented studies like this one; a stopped attempt goes on."""
    from placeproof.study.certifying import certify as attempt

    made = attempt(folder, workers=workers, progress=_progress())
    if as_json:
        typer.echo(json.dumps(made.content, indent=1))
        return
    for line in made.lines():
        typer.echo(line)


@app.command()
def truth(folder: StudyFolder, as_json: AsJson = False) -> None:
    """Hold the newest run of a rehearsal against the truth that was planted."""
    from placeproof.study.rehearsing import against_truth

    compared = against_truth(folder)
    if as_json:
        typer.echo(json.dumps(compared.rows, indent=1))
        return
    for line in compared.lines():
        typer.echo(line)


@app.command()
def claim(
    words: Annotated[
        str,
        typer.Argument(
            help='The claim, as "ASB down 15.2 % April-September 2024 against 2023".',
            show_default=False,
        ),
    ],
    folder: Annotated[Path, typer.Argument(help="Folder of the study.")] = Path(),
    outcome: Annotated[
        str | None, typer.Option(help="Id of the outcome, if not the words'.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="Later window, as 2024-04..2024-09, if not the words'.")
    ] = None,
    then: Annotated[str | None, typer.Option(help="Earlier window, if not the words'.")] = None,
    place: Annotated[str | None, typer.Option(help="One hot spot; else all together.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take a before-and-after claim apart: counterfactual, interval, regression to the mean."""
    from placeproof.study.claim_words import window_of
    from placeproof.study.claiming import check_claim

    checked = check_claim(
        folder,
        words,
        outcome=outcome,
        now=window_of(now),
        then=window_of(then),
        place=place,
        progress=_progress(),
    )
    if as_json:
        typer.echo(json.dumps(checked.as_dict(), indent=1))
        return
    for line in checked.lines():
        typer.echo(line)


Column = Annotated[
    list[str] | None,
    typer.Option("--column", help="What a column is, as device_id=RADIO; may be repeated."),
]
TimeFormat = Annotated[str | None, typer.Option(help="Form of the times, or epoch_s, epoch_ms.")]
TimeZone = Annotated[str | None, typer.Option(help="Zone of times that carry none.")]
Crs = Annotated[str | None, typer.Option(help="EPSG:4326 (degrees) or EPSG:27700 (metres).")]
Separator = Annotated[str | None, typer.Option(help="What separates columns.")]
Encoding = Annotated[str | None, typer.Option(help="utf-8, cp1252, utf-16.")]


@app.command()
def pack(
    to: Annotated[
        Path, typer.Option("--to", help="Folder to write; not there yet.", show_default=False)
    ],
    exports: Annotated[
        list[Path] | None,
        typer.Argument(help="Exports of positions: CSV, gz, Parquet, GPX.", show_default=False),
    ] = None,
    column: Column = None,
    time_format: TimeFormat = None,
    time_zone: TimeZone = None,
    crs: Crs = None,
    separator: Separator = None,
    encoding: Encoding = None,
    study: Annotated[Path | None, typer.Option(help="Study whose mapping is used.")] = None,
    feed: Annotated[
        str | None, typer.Option(help="Its feed of positions, as study.toml calls it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pack positions of any size into a folder that reads as fast as the disk."""
    from placeproof.study import packing_exports as work
    from placeproof.study.exports import Options

    options = Options(tuple(column or ()), time_format, time_zone, crs, encoding, separator)
    facts = work.pack_exports(list(exports or ()), to, options, study=study, feed=feed)
    lines = [work.as_json(facts)] if as_json else work.packed_lines(facts, to)
    for line in lines:
        typer.echo(line)


@app.command()
def visits(
    pings: Annotated[
        list[Path], typer.Argument(help="Packed folders or exports.", show_default=False)
    ],
    hotspots: Annotated[
        Path, typer.Option(help="Outlines: GeoJSON, GeoPackage, Shapefile …", show_default=False)
    ],
    longest_gap_s: Annotated[
        float,
        typer.Option(help="Silence that ends a visit, in seconds; at least 1.5 × the interval."),
    ],
    shortest_dwell_s: Annotated[
        float, typer.Option(help="Shorter visits are dropped, in seconds; 0 keeps all.")
    ],
    to: Annotated[Path | None, typer.Option("--to", help="Parquet file to write.")] = None,
    engine: Annotated[str, typer.Option(help="local, or spark://host:port.")] = "local",
    path: Annotated[str, typer.Option(help="order_free, or crossings.")] = "order_free",
    rules: Annotated[
        Path | None, typer.Option(help="Choices of the path by crossings, as TOML.")
    ] = None,
    hotspot_id: Annotated[
        str | None, typer.Option(help="Column of the outlines that names them.")
    ] = None,
    hotspot_crs: Annotated[
        str | None, typer.Option(help="Coordinate system of the outlines, if they state none.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Files read at once.", min=1)] = None,
    column: Column = None,
    time_format: TimeFormat = None,
    time_zone: TimeZone = None,
    crs: Crs = None,
    separator: Separator = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
) -> None:
    """Find visits to hot spots in positions, without a study; a stopped run goes on."""
    from placeproof.study import packing_exports as work
    from placeproof.study.exports import Options

    found = work.find_visits(
        pings,
        hotspots,
        Options(tuple(column or ()), time_format, time_zone, crs, encoding, separator),
        longest_gap_s=longest_gap_s,
        shortest_dwell_s=shortest_dwell_s,
        engine=engine,
        way=path,
        rules=rules,
        id_column=hotspot_id,
        hotspot_crs=hotspot_crs,
        threads=threads,
        to=to,
    )
    lines = [work.as_json(found)] if as_json else work.visit_lines(found)
    for line in lines:
        typer.echo(line)


@app.command()
def sheets(
    folder: StudyFolder,
    week: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="A day of the last week; else the newest."),
    ] = None,
    weeks: Annotated[int, typer.Option(help="How many weeks, counted back.")] = 1,
    hotspot: Annotated[str | None, typer.Option(help="One hot spot only, by its id.")] = None,
) -> None:
    """Write the sergeant's sheets: one page per hot spot and week, as PDF and HTML."""
    from placeproof.study.sheets import sheets as write

    day = week.date() if week else None
    typer.echo(str(write(folder, week=day, weeks=weeks, hotspot=hotspot, progress=_progress())))


@app.command(name="return")
def funder_return(
    folder: StudyFolder,
    quarter: Annotated[str | None, typer.Option(help="As 2024Q2; else every quarter.")] = None,
) -> None:
    """Write the funder's return by month and quarter, as workbook, plain table and page."""
    from placeproof.study.returning import funder_return as write

    typer.echo(str(write(folder, quarter=quarter, progress=_progress())))


def _progress() -> "Progress":
    """Steps on the standard error stream: a bar for people, nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        return lambda _doing, _done, _of: None
    bar = Progress(
        TextColumn("{task.description:<46}"), BarColumn(), TimeElapsedColumn(), console=console
    )
    task = bar.add_task("starting", total=1)
    bar.start()

    def step(doing: str, done: int, of: int) -> None:
        bar.update(task, description=doing, completed=done, total=max(of, 1))
        if done >= of:
            bar.stop() if doing == "done" else bar.refresh()

    return step


def main() -> NoReturn:
    """Run the command line; what a user can mend is said without a traceback."""
    try:
        app()
    except StudyError as error:
        typer.echo(f"placeproof: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        typer.echo(
            f"placeproof: {error.filename or 'a file'}: {error.strerror or error}.", err=True
        )
        typer.echo("  To mend: look whether it is there and may be read and written.", err=True)
        sys.exit(InputError.exit_code)
    sys.exit(0)
