"""Serve answers to a PLC that polls registers by Modbus/TCP."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flawline.errors import DependencyError, UsageError, install_extra
from flawline.outputs.events import TROUBLE, Message
from flawline.outputs.output import MOST, Failure, OutputKind, Say
from flawline.outputs.serving_thread import ServingThread, Stop
from flawline.recipe.checks import integer, text
from flawline.recipe.entries import Section, entry

VERDICTS = {"accept": 1, "review": 2, "reject": 3}
RUNNING, IN_TROUBLE = 1, 2
NAME_AT, NAME_REGISTERS = 12, 16
REGISTERS = NAME_AT + NAME_REGISTERS
BEAT = 1.0
"""Seconds after which the watchdog bit changes."""
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class ModbusEntries(Section):
    """modbus: registers that a PLC reads."""

    address: str = entry(
        text(MOST), "HOST:PORT to listen on, such as 0.0.0.0:502 for every network"
    )
    device: int = entry(integer(0, 255), "Number of the device", 1)


@dataclass(slots=True)
class Modbus:
    """Hold the latest answer in registers, which a PLC reads as input or holding registers from 0 on.

    All that one request reads belongs to one answer. Nothing can be written. The watchdog bit changes every second
    while the station's process serves.

    Raises:
        UsageError: no HOST:PORT.
        DependencyError: pymodbus is not installed.
    """

    entries: ModbusEntries
    clock: Callable[[], float] = time.monotonic
    live = True
    """Answers are of the moment: they are never owed."""
    _registers: tuple[int, ...] = field(default=(0,) * (REGISTERS - 1), init=False, repr=False)
    _thread: ServingThread = field(
        default_factory=lambda: ServingThread("modbus", PATIENCE), init=False, repr=False
    )
    _state: int = field(default=RUNNING, init=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be listened on, without listening."""
        host_and_port(self.entries.address)
        try:
            import pymodbus  # noqa: F401
        except ImportError as error:
            raise DependencyError(
                "Modbus needs pymodbus, which is not installed", hint=install_extra("factory")
            ) from error

    @property
    def name(self) -> str:
        """Name the output for people."""
        return f"modbus:{self.entries.address}"

    @property
    def place(self) -> str:
        """Return the address."""
        return self.entries.address

    def open(self) -> None:
        """Listen; raises OSError where the address is taken or not of this machine."""
        # It would write every packet to standard error when a PLC is connected at the end.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        self._thread.open(self._started)

    def close(self) -> None:
        """Stop to listen; connected PLCs see that the connection ends."""
        self._thread.close()

    def send(self, message: Message) -> Failure | None:
        """Put an answer, or the state, into the registers."""
        if message["kind"] == "health":
            trouble = message["state"] in (*TROUBLE, "closed")
            self._state = IN_TROUBLE if trouble else RUNNING
            self._registers = (self._state, *self._registers[1:])
        elif message["kind"] == "answer":
            self._registers = (self._state, *answer_registers(message))
        return None

    def current(self) -> list[int]:
        """Return all registers as they are now."""
        return [int(self.clock() / BEAT) % 2, *self._registers]

    async def _started(self) -> Stop:
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        async def fill(
            function: int, start: int, at: int, count: int, registers: list[int], new: object
        ) -> None:
            registers[:] = self.current()

        data = SimData(0, values=[0] * REGISTERS, datatype=DataType.REGISTERS, readonly=True)
        device = SimDevice(self.entries.device, simdata=[data], action=fill)
        server = ModbusTcpServer(device, address=host_and_port(self.entries.address))
        if not await server.listen():
            raise OSError(f"{self.entries.address} cannot be listened on")
        return server.shutdown


def answer_registers(message: Message) -> tuple[int, ...]:
    """Lay an answer out: registers 2 and on, each 0 to 65535; a name takes two characters a register."""
    name = (message["part"] or message["image"]).encode("ascii", "replace")
    tail = name[-2 * NAME_REGISTERS :].ljust(2 * NAME_REGISTERS, b"\0")
    words = [int.from_bytes(tail[at : at + 2], "big") for at in range(0, len(tail), 2)]
    number, late_count = message["number"], message["late_count"]
    return (
        number % 65536,
        VERDICTS[message["verdict"]],
        int(message["late"]),
        min(round(1000 * message["seconds"]), 65535),
        number >> 16 & 65535,
        number & 65535,
        late_count >> 16 & 65535,
        late_count & 65535,
        0,
        0,
        *words,
    )


def host_and_port(address: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises:
        UsageError: it is none.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(
            f"expected HOST:PORT to listen on, got {address!r}",
            hint="such as 127.0.0.1:5020, or 0.0.0.0:502 for every network",
        )
    return host.strip("[]"), int(port)


def _open(entries: ModbusEntries, say: Say) -> Modbus:
    return Modbus(entries)


KIND = OutputKind(ModbusEntries, _open, "modbus:HOST:PORT", "address", live=True)
