"""Commands of learning and ranking: features, training, evaluation, scores of a whole data set."""

from pathlib import Path
from typing import Annotated

import typer

from risk import show
from risk.commands.options import Ablation, AsJson, DataSet, FeatureFile, ModelFolder, Out, PolicyFile, ReportFolder, print_result, working

app = typer.Typer()


@app.command()
def features(
    folder: Annotated[Path | None, typer.Argument(help="Folder of contract tables; without it the catalogue is printed.")] = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Parquet file for the feature rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the catalogue of features, or compute one row a request."""
    if folder is None:
        from features.catalog import describe

        print_result({"features": describe()}, show.catalogue, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("a folder needs --out FILE.parquet", param_hint="--out")
    from risk.jobs.build_features import write_features

    with working(f"computing features of {folder}", as_json=as_json):
        result = write_features(folder, out)
    print_result(result, show.features_written, as_json=as_json)


@app.command()
def train(
    folder: DataSet,
    out: Out,
    *,
    tune: Annotated[int, typer.Option(help="Optuna trials; 0 takes the defaults.", min=0)] = 0,
    test_share: Annotated[float, typer.Option(help="Last share of the requests that the model is judged on.", min=0.0, max=0.9)] = 0.25,
    features: FeatureFile = None,
    seed: Annotated[int, typer.Option(help="Same data and seed, same model.")] = 1,
    home: Annotated[Path | None, typer.Option("--home", help="A home in which the model is registered, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train and calibrate the ranker on the labels known by now; report its quality on the last part of the period."""
    from risk.jobs.train import train as run

    with working(f"training on {folder}", as_json=as_json):
        result = run(folder, out, tune=tune, seed=seed, test_share=test_share, features=features, home=home)
    print_result(result, show.quality, as_json=as_json)


@app.command()
def evaluate(
    folder: DataSet,
    model: ModelFolder,
    *,
    policy: PolicyFile = None,
    report: ReportFolder = None,
    ablation: Ablation = True,
    features: FeatureFile = None,
    as_json: AsJson = False,
) -> None:
    """Quality and money of a model on requests that it has not seen, with intervals."""
    from risk.jobs.evaluate import evaluate as run

    with working(f"evaluating {model}", as_json=as_json):
        result = run(folder, model, policy=policy, report=report, ablation=ablation, features=features)
    print_result(result, show.quality, as_json=as_json)


@app.command()
def backtest(
    folder: DataSet,
    *,
    folds: Annotated[int, typer.Option(min=1, max=50)] = 4,
    train_share: Annotated[float, typer.Option(min=0.05, max=0.95)] = 0.4,
    test_share: Annotated[float, typer.Option(min=0.01, max=0.5)] = 0.15,
    policy: PolicyFile = None,
    report: ReportFolder = None,
    ablation: Ablation = True,
    seed: Annotated[int, typer.Option(help="Same data and seed, same figures.")] = 1,
    features: FeatureFile = None,
    as_json: AsJson = False,
) -> None:
    """Roll through time, trained only on what was known; with --policy, what that policy would change."""
    from risk.jobs.backtest import backtest as run

    with working(f"backtesting on {folder}", as_json=as_json):
        result = run(
            folder,
            folds=folds,
            train_share=train_share,
            test_share=test_share,
            policy=policy,
            report=report,
            ablation=ablation,
            seed=seed,
            features=features,
        )
    print_result(result, show.quality, as_json=as_json)


@app.command()
def score(folder: DataSet, model: ModelFolder, out: Out, *, policy: PolicyFile = None, as_json: AsJson = False) -> None:
    """Rank every request of a data set, with reasons."""
    from risk.jobs.score import score as run

    with working(f"scoring {folder}", as_json=as_json):
        result = run(folder, model, out, policy=policy)
    print_result(result, show.scored, as_json=as_json)
