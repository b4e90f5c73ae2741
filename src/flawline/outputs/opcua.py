"""Serve state, results and recipe to OPC UA clients, by the names of the machine vision companion (OPC 40100-1)."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flawline.errors import DependencyError, UsageError, install_extra
from flawline.outputs.events import TROUBLE, Message
from flawline.outputs.opcua_recipes import NAMESPACE, add_recipes
from flawline.outputs.output import MOST, Choose, Failure, OutputKind, Say, path_entry
from flawline.outputs.serving_thread import ServingThread, Stop
from flawline.recipe.checks import text
from flawline.recipe.entries import Section, entry

if TYPE_CHECKING:
    from asyncua.server.server import Server

STATES = {"Preoperational": 5, "Halted": 6, "Error": 7, "Operational": 8}
"""States of VisionStateMachineType with the StateNumber that this server gives them."""
PATIENCE = 120.0
"""Seconds for the address space of OPC UA itself, which takes seconds to load."""


@dataclass(frozen=True, slots=True)
class OpcuaEntries(Section):
    """opcua: a server for OPC UA clients."""

    endpoint: str = entry(
        text(MOST), "Where it listens: opc.tcp://HOST:PORT, 0.0.0.0 for every network"
    )
    name: str = entry(text(200), "Name of the vision system", "Flawline")
    certificate: str | None = path_entry(
        "Certificate of the server (DER or PEM), for encryption", None
    )
    key: str | None = path_entry("Its key", None)


@dataclass(slots=True)
class Opcua:
    """Serve the latest answer and the state of the station; clients read and subscribe, and write nothing.

    With a certificate only signed and encrypted connections (Basic256Sha256) are taken.

    Raises:
        UsageError: the endpoint or the certificate cannot be used.
        DependencyError: asyncua is not installed.
    """

    entries: OpcuaEntries
    live = True
    """Answers are of the moment: they are never owed."""
    _offered: tuple[Sequence[str], str, Choose] | None = field(default=None, init=False, repr=False)
    _nodes: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _thread: ServingThread = field(
        default_factory=lambda: ServingThread("opcua", PATIENCE), init=False, repr=False
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be listened on, without listening."""
        check_endpoint(self.entries.endpoint)
        given = (self.entries.certificate, self.entries.key)
        if (given[0] is None) != (given[1] is None):
            raise UsageError("expected a certificate with its key", hint="give both or none")
        for path in given:
            if path is not None and not Path(path).is_file():
                raise UsageError(
                    f"there is no file {path}", hint="make a certificate for the server"
                )
        try:
            import asyncua  # noqa: F401
        except ImportError as error:
            raise DependencyError(
                "OPC UA needs asyncua, which is not installed", hint=install_extra("factory")
            ) from error

    @property
    def name(self) -> str:
        """Name the output for people."""
        return f"opcua:{self.entries.endpoint}"

    @property
    def place(self) -> str:
        """Return the endpoint."""
        return self.entries.endpoint

    def offer(self, names: Sequence[str], used: str, choose: Choose) -> None:
        """Let clients list and prepare recipes by these names."""
        self._offered = (names, used, choose)

    def open(self) -> None:
        """Listen; raises OSError where the endpoint is taken or not of this machine."""
        self._thread.open(self._started)

    def close(self) -> None:
        """Stop to listen."""
        self._thread.close()

    def send(self, message: Message) -> Failure | None:
        """Show an answer or a state to clients."""
        values = values_of(message)
        if values:
            self._thread.call(self._show(values))
        return None

    async def _started(self) -> Stop:
        # The address space takes seconds, so a port that is taken is found out before.
        with socket.create_server(check_endpoint(self.entries.endpoint)):
            pass
        server = await self._built()
        await server.start()
        return server.stop

    async def _built(self) -> Server:
        """Make the server with its nodes."""
        from asyncua import ua
        from asyncua.server.server import Server

        # What it warns of, connections without encryption, is a choice of the settings.
        logging.getLogger("asyncua").setLevel(logging.ERROR)
        server = Server()
        await server.init()
        server.set_endpoint(self.entries.endpoint)
        server.set_server_name(self.entries.name)
        policies = [ua.SecurityPolicyType.NoSecurity]
        if self.entries.certificate is not None and self.entries.key is not None:
            await server.load_certificate(self.entries.certificate)
            await server.load_private_key(self.entries.key)
            policies = [
                ua.SecurityPolicyType.Basic256Sha256_Sign,
                ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
            ]
        server.set_security_policy(policies)
        self._nodes = await _address_space(server, self.entries.name)
        if self._offered is not None:
            await add_recipes(server, self._nodes, *self._offered)
        return server

    async def _show(self, values: Mapping[str, Any]) -> None:
        """Write values; the identity of a result comes last, so that who waits for it finds the rest."""
        for name, value in values.items():
            node = self._nodes[name]
            await node.write_value(value, await node.read_data_type_as_variant_type())


def values_of(message: Message) -> dict[str, Any]:
    """Return the values of nodes that an event changes, by name."""
    if message["kind"] == "answer":
        return {
            "PartId": message["part"] or message["image"],
            "ResultState": 1,
            "IsPartial": False,
            "IsSimulated": False,
            "ResultContent": json.dumps({**message}, ensure_ascii=False),
            "Verdict": message["verdict"],
            "Late": message["late"],
            "LateCount": message["late_count"],
            "ProcessingTimes": 1000 * message["seconds"],
            "InternalRecipeId": message["recipe"],
            "ProductId": message["names"].get("product", ""),
            "CreationTime": datetime.fromisoformat(message["time"]),
            "ResultId": str(message["number"]),
        }
    if message["kind"] != "health":
        return {}
    subject, state = message["subject"], message["state"]
    if subject == "station":
        now = "Operational" if state == "opened" else "Halted"
    else:
        now = "Error" if state in TROUBLE else "Operational"
    diagnosis = f"{subject} {message['name']} {state}: {message['text']}".strip(": ")
    return {"CurrentState": now, "CurrentStateNumber": STATES[now], "Diagnosis": diagnosis}


async def _address_space(server: Any, name: str) -> dict[str, Any]:
    """Build the vision system below Objects: state machine, results, recipes."""
    from asyncua import ua

    space = await server.register_namespace(NAMESPACE)
    system = await server.nodes.objects.add_object(space, name)
    nodes: dict[str, Any] = {}

    async def add(parent: Any, kind: Any, **values: Any) -> None:
        for key, value in values.items():
            nodes[key] = await parent.add_variable(space, key, value, kind)

    strings, whole = ua.VariantType.String, ua.VariantType.UInt32
    machine = await system.add_object(space, "VisionStateMachine")
    await add(machine, strings, CurrentState="Preoperational", Diagnosis="")
    await add(machine, whole, CurrentStateNumber=STATES["Preoperational"])
    results = await system.add_object(space, "ResultManagement")
    folder = await results.add_folder(space, "Results")
    result = await folder.add_object(space, "LatestResult")
    await add(result, strings, ResultId="", PartId="", Verdict="", ResultContent="")
    await add(result, ua.VariantType.Boolean, IsPartial=False, IsSimulated=False, Late=False)
    await add(result, ua.VariantType.Int32, ResultState=0)
    await add(result, ua.VariantType.Double, ProcessingTimes=0.0)
    await add(result, ua.VariantType.DateTime, CreationTime=datetime(1970, 1, 1))
    await add(results, whole, LateCount=0)
    recipes = nodes["RecipeManagement"] = await system.add_object(space, "RecipeManagement")
    await add(recipes, strings, InternalRecipeId="", ProductId="")
    return nodes


def check_endpoint(endpoint: str) -> tuple[str, int]:
    """Return host and port of an endpoint.

    Raises:
        UsageError: it is no opc.tcp://HOST:PORT.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
        right = parts.scheme == "opc.tcp"
    except ValueError:
        host, port, right = None, None, False
    if not right or not host or not port:
        raise UsageError(
            f"expected an endpoint to listen on, got {endpoint!r}",
            hint="such as opc.tcp://127.0.0.1:4840, or opc.tcp://0.0.0.0:4840 for every network",
        )
    return host, port


def _open(entries: OpcuaEntries, say: Say) -> Opcua:
    return Opcua(entries)


KIND = OutputKind(OpcuaEntries, _open, "opcua:ENDPOINT", "endpoint", live=True)
