"""`foveal budget`: amounts that may be spent in a day or a month."""

from __future__ import annotations

import json
from typing import Any, cast

import click
from rich.console import Console
from rich.table import Table

from foveal.cli.directory import opened_database
from foveal.cli.options import setting_options, settings_from
from foveal.metering.base import now
from foveal.metering.budgets import ALERTS, Budget, Per, read_amount, remove_budget, set_budget
from foveal.metering.ledger import FOLDER, take_over
from foveal.metering.prices import load_prices, shown_amount
from foveal.metering.spending import Spent, spending_now


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def budget() -> None:
    """Budgets: what may be spent in a day or a month (UTC), of everything, a resource or a deployment.

    When a budget is spent, further requests that it covers are refused with 429 until its period is over. A
    running server sees a change within a second or two.

    \b
    Examples:
      foveal budget set everything --amount 10 --per day
      foveal budget set team-a --amount 250 --per month --resource my-openai --alert 50 --alert 80
      foveal budget ls
      foveal budget rm team-a
    """


@budget.command("set")
@click.argument("name")
@click.option(
    "--amount", required=True, metavar="N", help="What may be spent, in the currency of the prices."
)
@click.option("--per", type=click.Choice(["day", "month"]), required=True, help="The period, of UTC.")
@click.option("--resource", metavar="NAME", help="Only of this resource.")
@click.option("--deployment", metavar="NAME", help="Only of deployments of this name.")
@click.option(
    "--alert",
    "alerts",
    type=click.IntRange(1, 100),
    multiple=True,
    metavar="PERCENT",
    help="Say so in the log and in /metrics when so much is spent; may be repeated. [default: 80]",
)
@setting_options("data", "prices")
def set_command(
    name: str,
    amount: str,
    per: str,
    resource: str | None,
    deployment: str | None,
    alerts: tuple[int, ...],
    **flags: Any,
) -> None:
    """Make a budget, or put it in the place of the one of that name.

    \b
    Examples:
      foveal budget set everything --amount 10 --per day
      foveal budget set vision --amount 0.50 --per day --deployment gpt-4v --alert 90
    """
    currency = load_prices(settings_from(flags).prices).currency
    made = Budget(name, read_amount(amount), cast(Per, per), resource, deployment, alerts or ALERTS)
    with opened_database(flags) as database:
        set_budget(database, made)
    click.echo(f"{name}: {currency} {shown_amount(made.amount)} for the {per}, of {_scope(made)}.")


@budget.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@setting_options("data", "prices")
def ls_command(as_json: bool, **flags: Any) -> None:
    """List the budgets with what of each is spent now.

    \b
    Examples:
      foveal budget ls
      foveal budget ls --json
    """
    settings = settings_from(flags)
    prices = load_prices(settings.prices)
    with opened_database(flags, quiet=as_json) as database:
        take_over(database, settings.data / FOLDER)
        found = spending_now(database, prices, now())
    if as_json:
        click.echo(json.dumps([_object(state, prices.currency) for state in found], indent=2))
    elif not found:
        click.echo("There is no budget. Make one: foveal budget set everything --amount 10 --per day")
    else:
        table = Table("name", "of", "per")
        for column in (f"amount ({prices.currency})", "spent", "%"):
            table.add_column(column, justify="right")
        for state in found:
            one = state.budget
            percent = f"{state.amount * 100 / one.amount:.0f}"
            amounts = (shown_amount(one.amount), shown_amount(state.amount), percent)
            table.add_row(one.name, _scope(one), one.per, *amounts)
        Console().print(table)


@budget.command("rm")
@click.argument("name")
@setting_options("data")
def rm_command(name: str, **flags: Any) -> None:
    """Remove a budget.

    \b
    Examples:
      foveal budget rm everything
    """
    with opened_database(flags) as database:
        remove_budget(database, name)
    click.echo(f"{name} is removed.")


def _scope(one: Budget) -> str:
    if one.deployment is None:
        return "everything" if one.resource is None else one.resource
    return f"{one.resource or '*'}/{one.deployment}"


def _object(state: Spent, currency: str) -> dict[str, Any]:
    one = state.budget
    return {
        "name": one.name,
        "amount": f"{one.amount.normalize():f}",
        "spent": f"{state.amount.normalize():f}",
        "currency": currency,
        "per": one.per,
        "from": state.period.first,
        "to": state.period.last,
        "resource": one.resource,
        "deployment": one.deployment,
        "alerts": list(one.alerts),
    }
