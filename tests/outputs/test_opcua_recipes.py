"""Recipe management over OPC UA, by asyncua's client and by an independent one: node-opcua in Node.js."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from asyncua import Client, ua

from flawline.errors import ModelError
from flawline.outputs.opcua import NAMESPACE, Opcua, OpcuaEntries
from helpers.broker import free_port

ROOT = Path(__file__).parents[2]
NODE_OPCUA = ROOT / ".cache" / "npm" / "node_modules" / "node-opcua-client"
SCRIPT = Path(__file__).parents[1] / "helpers" / "ask_opcua.cjs"
SYSTEM = "Camera 1"


class Choice:
    """The recipes of a station: "plain" can be used, "damaged" cannot."""

    def __init__(self):
        self.asked = []

    def choose(self, name):
        self.asked.append(name)
        if name == "damaged":
            raise ModelError("damaged.flaw is no recipe")
        return {"plain": "a" * 64, "fine": "b" * 64}[name]


@pytest.fixture(scope="module")
def served():
    choice = Choice()
    one = Opcua(OpcuaEntries(endpoint=f"opc.tcp://127.0.0.1:{free_port()}", name=SYSTEM))
    one.offer(("fine", "plain", "damaged"), "fine", choice.choose)
    one.open()
    yield one, choice
    one.close()


def asked(output, work):
    async def run():
        async with Client(output.entries.endpoint) as client:
            space = await client.get_namespace_index(NAMESPACE)

            async def node(path):
                names = [f"{space}:{name}" for name in (SYSTEM, *path.split("/"))]
                return await client.nodes.objects.get_child(names)

            return await work(node)

    return asyncio.run(run())


def prepare(output, *names):
    """Call PrepareRecipe for each; returns the answers, and recipe, hash and diagnosis that are shown afterwards."""

    async def work(node):
        parent, method = (
            await node("RecipeManagement"),
            await node("RecipeManagement/PrepareRecipe"),
        )
        answers = [await parent.call_method(method, name) for name in names]
        paths = ("RecipeManagement/PreparedRecipe", "RecipeManagement/InternalRecipeId")
        paths = (*paths, "VisionStateMachine/Diagnosis")
        return answers, [await (await node(path)).read_value() for path in paths]

    return asked(output, work)


def test_recipes_are_listed_and_prepared_by_name(served):
    output, choice = served

    async def listed(node):
        parent = await node("RecipeManagement")
        return await parent.call_method(await node("RecipeManagement/GetRecipeListFiltered"))

    assert asked(output, listed) == ["fine", "plain", "damaged"]
    answers, shown = prepare(output, "plain", "fine")
    assert answers == [["a" * 64, True, 0, ""], ["b" * 64, True, 0, ""]]
    assert shown == ["fine", "b" * 64, "recipe fine in use"]
    assert choice.asked[-2:] == ["plain", "fine"]


@pytest.mark.parametrize("name", ["none", "", "/etc/passwd", "../fine", "fine.flaw", "x" * 9999])
def test_what_the_file_does_not_name_is_never_opened(served, name):
    output, choice = served
    before = list(choice.asked)
    ((answer,), shown) = prepare(output, name)
    assert answer[:3] == ["", False, -1]
    assert "known: fine, plain, damaged" in answer[3]
    assert choice.asked == before
    assert shown[0] in ("", "fine", "plain")


def test_a_recipe_that_cannot_be_used_leaves_the_other_one(served):
    output, _ = served
    prepare(output, "fine")
    ((answer,), shown) = prepare(output, "damaged")
    assert answer == ["", False, -2, "damaged.flaw is no recipe"]
    assert shown == ["fine", "b" * 64, "recipe damaged refused: damaged.flaw is no recipe"]


def test_other_arguments_are_refused(served):
    async def work(node):
        parent, method = (
            await node("RecipeManagement"),
            await node("RecipeManagement/PrepareRecipe"),
        )
        assert (await parent.call_method(method, 3))[2] == -1
        for given in ((), ("plain", "fine")):
            with pytest.raises(ua.UaError):
                await parent.call_method(method, *given)

    asked(served[0], work)


def test_an_independent_client_reads_and_prepares(served, tmp_path):
    if shutil.which("node") is None or not NODE_OPCUA.is_dir():
        pytest.skip("node-opcua is not installed: make node-opcua")
    output, _ = served
    done = subprocess.run(
        ["node", str(SCRIPT), str(NODE_OPCUA), output.entries.endpoint, SYSTEM],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        # It keeps certificates of its own there.
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["state"] == "Preoperational"
    assert found["listed"] == {"status": "Good", "values": [["fine", "plain", "damaged"]]}
    assert found["prepared"] == {"status": "Good", "values": ["a" * 64, True, 0, ""]}
    assert found["unknown"]["values"][:3] == ["", False, -1]
    assert found["used"] == "plain"
