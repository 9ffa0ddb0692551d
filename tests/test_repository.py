"""What a host of the repository reads: workflows, issue forms, the citation, and addresses."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnviz_widgets import __version__

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def jobs_of(name: str) -> dict[str, Any]:
    workflow = read(f".github/workflows/{name}.yml")
    assert workflow["permissions"] == {"contents": "read"}
    jobs: dict[str, Any] = workflow["jobs"]
    return jobs


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_every_python_that_is_declared_is_tested() -> None:
    tested = jobs_of("test")["newest"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: "
    declared = [line.removeprefix(prefix) for line in PROJECT["classifiers"] if re.match(rf"{prefix}3\.", line)]
    assert tested == declared
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_all_tests_run_and_the_lowest_versions_and_other_systems() -> None:
    jobs = jobs_of("test")
    assert commands(jobs["check"]) == ["scripts/check"]
    assert commands(jobs["newest"]) == ["scripts/test"]
    assert commands(jobs["lowest"]) == ["scripts/test --lowest"]
    assert jobs["lowest"]["steps"][1]["with"]["python-version"] == PROJECT["requires-python"].removeprefix(">=")
    assert {name.partition("-")[0] for name in jobs["smoke"]["strategy"]["matrix"]["system"]} == {"macos", "windows"}
    for job in jobs.values():
        assert job["timeout-minutes"] <= 60
        for command in commands(job):
            for script in re.findall(r"scripts/[\w.-]+", command):
                assert (ROOT / script).is_file()


def test_a_release_is_a_tag_and_keeps_no_secret() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    jobs = jobs_of("release")
    assert read(".github/workflows/release.yml")[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as true
    assert jobs["publish"]["needs"] == "build" and jobs["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in text and "password" not in jobs["publish"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_what_forms_need(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    parts = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in parts}) == len(parts) > 1
    for part in parts:
        assert part["type"] in {"input", "textarea", "dropdown", "checkboxes"} and part["attributes"]["label"]
        if part["type"] == "dropdown":
            assert len(set(part["attributes"]["options"])) == len(part["attributes"]["options"])


def test_there_are_issue_forms() -> None:
    assert len(FORMS) >= 2


def test_the_citation_is_of_this_version() -> None:
    citation = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == __version__ and citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Source"]


def test_addresses_are_of_one_place() -> None:
    urls = PROJECT["urls"]
    assert {"Homepage", "Documentation", "Source", "Issues", "Changelog"} == urls.keys()
    assert all(url.startswith(urls["Homepage"]) for url in urls.values())


def test_what_other_systems_try_works_here() -> None:
    done = subprocess.run([sys.executable, "scripts/smoke.py"], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "Heatmap 224 x 224" in done.stdout and "The page has" in done.stdout
