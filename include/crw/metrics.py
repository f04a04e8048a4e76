"""MetricFlow on this project: dbt's metrics, queried in this process and without the network."""

from __future__ import annotations

import click
from dbt.adapters.factory import get_adapter_by_type
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from dbt_metricflow.cli.dbt_connectors.dbt_config_accessor import dbtArtifacts
from dbt_metricflow.cli.main import cli
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest

from crw import catalogue


class Configuration(CLIConfiguration):
    """MetricFlow's own configuration, but for the metrics' definitions: it looks for them in `dbt_project/target` only."""

    @property
    def dbt_artifacts(self) -> dbtArtifacts:
        """The project, its adapter (by the CRW_PG* variables) and the metrics as defined now. Raises CatalogueError."""
        if self._dbt_artifacts is None:
            metadata = self.dbt_project_metadata
            self._dbt_artifacts = dbtArtifacts(
                profile=metadata.profile,
                project=metadata.project,
                adapter=get_adapter_by_type(metadata.profile.credentials.type),
                semantic_manifest=parse_manifest_from_dbt_generated_manifest(
                    catalogue.parsed("semantic_manifest.json")
                ),
            )
        return self._dbt_artifacts


def run(arguments: list[str]) -> None:
    """Run `mf query` or `mf list`, print what it prints, and exit with its status."""
    # mf's own group asks the package registry for a newer version before each command.
    commands = {name: cli.commands[name] for name in ("query", "list")}
    click.Group("mf", commands=commands).main(arguments, obj=Configuration())
