"""What GitHub runs is what people type: every command of .github/workflows exists here, and runs where it can."""

import re
import shlex
import subprocess
import sys

import pytest
from harness.paths import ROOT

yaml = pytest.importorskip("yaml", reason="ComfyUI brings it")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def read(path):
    # "on" is a word and no truth value here.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def commands(path):
    steps = [step for job in read(path)["jobs"].values() for step in job.get("steps", [])]
    return [step["run"] for step in steps if "run" in step]


def test_there_are_workflows_for_tests_and_for_publishing():
    assert [path.name for path in WORKFLOWS] == ["publish.yml", "tests.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_scripts_are_there_and_know_their_flags(path):
    for command in commands(path):
        words = shlex.split(command)
        scripts = [word for word in words if re.fullmatch(r"(scripts|paintseg)/[\w.]+", word)]
        assert all((ROOT / script).is_file() for script in scripts), command
        if words[:2] == ["python", "scripts/test"]:
            said = subprocess.run([sys.executable, "scripts/test", "--help"], cwd=ROOT, capture_output=True, text=True)
            assert [flag for flag in words[2:] if flag not in said.stdout] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_ends_by_itself_and_may_only_read(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert [name for name, job in workflow["jobs"].items() if "steps" in job and "timeout-minutes" not in job] == []


def test_unit_tests_run_on_every_system_and_every_python():
    matrix = read(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["unit"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    oldest = re.search(r'requires-python = ">=(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    assert matrix["python"] == [oldest, "3.11", "3.12", "3.13"]


def test_a_tag_publishes_after_the_tests_and_only_its_own_version():
    workflow = read(ROOT / ".github" / "workflows" / "publish.yml")
    assert workflow["on"] == {"push": {"tags": ["v*"]}}
    publish = workflow["jobs"]["publish"]
    assert publish["needs"] == "tests"
    names = [step.get("name", step.get("run", "")) for step in publish["steps"]]
    last = next(place for place, name in enumerate(names) if "node publish" in name)
    assert names.index("The tag is the version") < last


@pytest.mark.parametrize("tag, code", [("v{}", 0), ("v{}.1", 1), ("{}", 1)])
def test_the_step_that_compares_tag_and_version_does(tag, code):
    if sys.platform == "win32":
        pytest.skip("a step of a Linux job")
    steps = read(ROOT / ".github" / "workflows" / "publish.yml")["jobs"]["publish"]["steps"]
    step = next(step["run"] for step in steps if step.get("name") == "The tag is the version")
    argv = [sys.executable, "-I", "paintseg/version.py"]
    version = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    # Its `python` is this one.
    program = f'python() {{ {shlex.quote(sys.executable)} "$@"; }}\n{step}'
    done = subprocess.run(["bash", "-c", program], cwd=ROOT, env={"GITHUB_REF_NAME": tag.format(version)})
    assert done.returncode == code


def test_who_reports_a_fault_is_asked_for_what_is_needed():
    fault = next(read(path) for path in TEMPLATES if path.name == "fault.yml")
    needed = {one["id"] for one in fault["body"] if one.get("validations", {}).get("required") == "true"}
    assert needed >= {"comfyui", "device", "log", "workflow"}
    names = [one["id"] for one in fault["body"] if "id" in one]
    assert len(names) == len(set(names))
