"""OPC UA by asyncua's own client: names of OPC 40100-1, state, results, subscription; nothing can be written."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from asyncua import Client, ua

from flawline.errors import UsageError
from flawline.outputs import Answer, Health, open_output
from flawline.outputs.opcua import NAMESPACE, Opcua, OpcuaEntries
from helpers.broker import free_port
from helpers.certificates import certificate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATE = "VisionStateMachine/CurrentState"
RESULT = "ResultManagement/Results/LatestResult"


def answer(number, verdict="reject"):
    names = {"product": "housing"}
    return Answer(number, NOW, "a.png", "P7", verdict, True, 0.042, 3, "f" * 64, names).as_dict()


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """A server with a certificate; it takes seconds to start, and each test shows what it reads."""
    written, key = certificate(tmp_path_factory.mktemp("opcua"), "rsa:2048")
    endpoint = f"opc.tcp://127.0.0.1:{free_port()}"
    one = Opcua(
        OpcuaEntries(endpoint=endpoint, name="Camera 1", certificate=str(written), key=str(key))
    )
    one.open()
    yield one
    one.close()


def asked(output, work):
    """Run a coroutine with a connected client and a function that finds nodes by path."""

    async def run():
        entries = output.entries
        client = Client(entries.endpoint)
        security = f"Basic256Sha256,SignAndEncrypt,{entries.certificate},{entries.key}"
        await client.set_security_string(security)
        async with client:
            space = await client.get_namespace_index(NAMESPACE)

            async def node(path):
                names = [f"{space}:{name}" for name in ("Camera 1", *path.split("/"))]
                return await client.nodes.objects.get_child(names)

            return await work(client, node)

    return asyncio.run(run())


def read(output, *paths):
    async def work(client, node):
        return [await (await node(path)).read_value() for path in paths]

    return asked(output, work)


def test_a_result_is_read_under_the_names_of_the_companion(output):
    output.send(answer(7))
    paths = ["ResultId", "PartId", "Verdict", "ResultState", "IsPartial", "ProcessingTimes"]
    values = read(output, *(f"{RESULT}/{name}" for name in paths))
    assert values == ["7", "P7", "reject", 1, False, 42.0]
    (content, made) = read(output, f"{RESULT}/ResultContent", f"{RESULT}/CreationTime")
    assert json.loads(content)["late_count"] == 3
    assert made.replace(tzinfo=UTC) == NOW
    recipe = ["RecipeManagement/InternalRecipeId", "RecipeManagement/ProductId"]
    assert read(output, *recipe, "ResultManagement/LateCount") == ["f" * 64, "housing", 3]


@pytest.mark.parametrize(
    ("subject", "state", "shown"),
    [
        ("station", "opened", "Operational"),
        ("records", "away", "Error"),
        ("records", "back", "Operational"),
        ("output", "failing", "Error"),
        ("station", "closed", "Halted"),
    ],
)
def test_the_state_machine_follows_the_health_of_the_station(output, subject, state, shown):
    output.send(Health(NOW, subject, state, "x", "why").as_dict())
    value, why = read(output, STATE, "VisionStateMachine/Diagnosis")
    assert value == shown
    assert why == f"{subject} x {state}: why"


def test_who_subscribes_gets_each_result_with_its_verdict(output):
    came = []

    class Handler:
        def datachange_notification(self, node, value, data):
            came.append(value)

    async def work(client, node):
        subscription = await client.create_subscription(10, Handler())
        await subscription.subscribe_data_change(await node(f"{RESULT}/ResultId"))
        for number in (101, 102):
            await asyncio.to_thread(output.send, answer(number, "accept"))
            while not came or came[-1] != str(number):
                await asyncio.sleep(0.01)
        await subscription.delete()
        return await (await node(f"{RESULT}/Verdict")).read_value()

    assert asked(output, lambda *given: asyncio.wait_for(work(*given), 60)) == "accept"
    assert came[-2:] == ["101", "102"]


def test_nothing_can_be_written(output):
    async def work(client, node):
        verdict = await node(f"{RESULT}/Verdict")
        with pytest.raises(ua.UaStatusCodeError, match="BadUserAccessDenied"):
            await verdict.write_value("accept")

    asked(output, work)


def test_an_endpoint_that_is_taken_is_a_failure_to_be_tried_again(output, sending, notes):
    other = Opcua(output.entries)
    attempts = sending(other, owing=None)
    attempts.tell(answer(1))
    assert attempts.attempt() > 0
    assert "do not reach opcua" in notes[0]
    assert "in use" in notes[0]
    attempts.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"endpoint": "http://host:4840"},
        {"endpoint": "opc.tcp://host"},
        {"endpoint": "opc.tcp://[x:1"},
        {"certificate": "/none.der"},
        {"certificate": "/none.der", "key": "/none.pem"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_listening(settings):
    with pytest.raises(UsageError):
        Opcua(OpcuaEntries(**{"endpoint": "opc.tcp://127.0.0.1:4840", **settings}))


def test_by_name():
    assert open_output("opcua:opc.tcp://127.0.0.1:4840", say=print, environment={}).live


def test_with_a_certificate_nothing_is_read_in_the_clear(output):
    async def run():
        async with Client(output.entries.endpoint):
            pass

    with pytest.raises(ua.UaError):
        asyncio.run(run())
