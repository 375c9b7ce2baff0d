"""The demonstration, step by step."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import shortlist
from shortlist.demo import archive, dataset, split
from shortlist.demo.dataset import Dataset
from shortlist.demo.definition import feature_set
from shortlist.demo.evaluate import Quality, Report, quality
from shortlist.demo.latency import latency_table
from shortlist.demo.packing import N_CANDIDATES, pack
from shortlist.demo.progress import Steps
from shortlist.demo.split import Moment
from shortlist.demo.train import Trained, train
from shortlist.engine import Engine, Shortlist
from shortlist.errors import MismatchError

__all__ = ["run"]

K = 10


def run(*, data: Path | None, output: Path, serve: bool, port: int) -> None:
    """Train on real ratings, measure, pack, verify, load, rank, and serve.

    Parameters
    ----------
    data
        A folder with ml-100k.inter, ml-100k.item and ml-100k.user; None takes them from the cache,
        or downloads them.
    output
        The bundle's folder of versions; the next version is written.
    serve
        Whether to serve the bundle at the end, until SIGINT or SIGTERM.
    port
        Where to serve; 0 takes a free port.

    Raises
    ------
    MismatchError
        The ranker does not beat popularity and vectors alone; nothing is packed.
    ShortlistError
        Files, network, bundle or address; the message says what to do.
    """
    console = Console(highlight=False)
    steps = Steps(console)
    started = time.perf_counter()
    films = _prepared(data, console, steps)
    test = split.split(films)
    _print_split(films, test, console)
    trained = train(films, test, feature_set(films), steps)
    _check_quality(trained, console, steps)
    with steps.step("pack and verify the bundle"):
        version = pack(films, trained, output)
        shortlist.verify(version)
    with steps.step("load the bundle"):
        engine = Engine.load(version)
    answers = _rank_everybody(engine, films, test, steps)
    _print_answers(films, test, answers, console)
    seconds = time.perf_counter() - started
    console.print(f"\nBundle [bold]{version}[/] is ready, after {seconds:.0f} s.")
    if serve:
        _serve(version, port, _example_request(films, test), console)


def _prepared(data: Path | None, console: Console, steps: Steps) -> Dataset:
    console.print(archive.LICENCE_NOTE, style="dim", soft_wrap=True)
    folder = archive.cache_folder() if data is None else data
    if data is None and not archive.files_at_hand(folder):
        with steps.step("download the ratings"):
            archive.download(folder)
    with steps.step("read the ratings"):
        return dataset.read(folder)


def _print_split(films: Dataset, test: Moment, console: Console) -> None:
    day = time.strftime("%Y-%m-%d", time.gmtime(test.now_s))
    console.print(
        f"{len(films.users.ids)} people, {len(films.items.ids)} films; trained on the "
        f"{len(test.known):,} ratings until {day}, tested on the {len(test.later):,} after it: "
        f"{len(test.users)} people rated {split.MIN_HISTORY} films or more before and gave "
        f"{split.LIKED_STARS:.0f} stars or more after.",
        soft_wrap=True,
    )


def _check_quality(trained: Trained, console: Console, steps: Steps) -> None:
    with steps.step("measure quality"):
        report = _measured(trained)
    _print_table(
        "What people liked after the split, foretold",
        report.table(ranker_name=f"ranker, of {N_CANDIDATES} by vectors"),
        console,
    )
    shortfalls = report.shortfalls()
    if shortfalls:
        raise MismatchError(
            f"the ranker must beat popularity and vectors alone: {'; '.join(shortfalls)}"
        )


def _measured(trained: Trained) -> Report:
    at = trained.scene.at
    liked, seen = at.liked[at.users], at.seen[at.users]
    by_vectors = trained.scene.vectors.similarities(at.users)
    unseen = np.where(seen, -np.inf, by_vectors)
    places = np.argsort(np.argsort(-unseen, axis=1, kind="stable"), axis=1, kind="stable")
    by_ranker = trained.scores(at.users)
    listed = np.where(places < N_CANDIDATES, by_ranker, -np.inf)

    def popular(column: str) -> Quality:
        scores = np.tile(trained.scene.items[column].astype(np.float64), (len(at.users), 1))
        return quality(scores, scores, liked, seen)

    baselines = {
        "popularity": popular("popularity"),
        "popularity of the last 30 days": popular("popularity_30d"),
        "vectors alone": quality(by_vectors, by_vectors, liked, seen),
    }
    return Report(quality(listed, by_ranker, liked, seen), baselines)


def _rank_everybody(engine: Engine, films: Dataset, test: Moment, steps: Steps) -> list[Shortlist]:
    answers = []
    requests = [_request(films, test, user) for user in test.users.tolist()]
    for request in requests:  # the first calls map files and grow scratch memory
        engine.rank(request)
    with steps.step("rank for everybody in the test", len(requests)) as go:
        for request in requests:
            answers.append(engine.rank(request))
            go()
    return answers


def _request(films: Dataset, test: Moment, user: int) -> dict[str, object]:
    seen = films.items.ids[test.seen[user]].tolist()
    return {"user": {"id": int(films.users.ids[user])}, "exclude": seen, "k": K}


def _print_answers(
    films: Dataset, test: Moment, answers: list[Shortlist], console: Console
) -> None:
    _print_table(
        f"{len(answers)} requests, one thread, the best {K} of {N_CANDIDATES} candidates each",
        latency_table([answer.timings for answer in answers]),
        console,
    )
    shown = _shown(test)
    user, users = int(test.users[shown]), films.users
    _print_table(
        f"Shortlist of user {users.ids[user]} ({users.age[user]:.0f}, {users.occupation[user]})",
        _shortlist_table(films, test, user, answers[shown]),
        console,
    )


def _print_table(title: str, table: Table, console: Console) -> None:
    console.print(f"\n[bold]{title}[/]")
    console.print(table)


def _shown(test: Moment) -> int:
    """Place of the person whose list is shown: the one who liked most after the split."""
    return int(test.liked[test.users].sum(axis=1).argmax())


def _shortlist_table(films: Dataset, test: Moment, user: int, answer: Shortlist) -> Table:
    rows = {found: row for row, found in enumerate(films.items.ids.tolist())}
    table = Table()
    table.add_column("#", justify="right", min_width=2)
    table.add_column("film", no_wrap=True)
    table.add_column("genres", no_wrap=True, max_width=24)
    table.add_column("score", justify="right", min_width=5)
    table.add_column("liked", min_width=5)
    for place, (found, score) in enumerate(zip(answer.ids, answer.scores, strict=True), 1):
        row = rows[int(found)]
        year = films.items.year[row]
        title = films.items.title[row] + (f" ({year:.0f})" if np.isfinite(year) else "")
        liked = "yes" if test.liked[user, row] else ""
        table.add_row(str(place), title, ", ".join(films.items.genres[row]), f"{score:.3f}", liked)
    return table


def _example_request(films: Dataset, test: Moment) -> dict[str, object]:
    user = int(films.users.ids[test.users[_shown(test)]])
    return {"user": {"id": user}, "k": 5}


def _serve(version: Path, port: int, request: dict[str, object], console: Console) -> None:
    from shortlist.serving import ServerOptions
    from shortlist.serving import serve as serve_bundles

    def announce(url: str) -> None:
        body = shlex.quote(json.dumps(request))
        console.print(f"\nServing on {url} until Ctrl-C. Ask it:")
        command = f"curl -s {url}/v1/rank -H 'Content-Type: application/json' -d {body}"
        console.print(command, style="bold", markup=False, soft_wrap=True)

    serve_bundles([version], ServerOptions(port=port), on_ready=announce)
