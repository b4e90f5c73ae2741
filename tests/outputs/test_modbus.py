"""A PLC reads answers by Modbus/TCP, with pymodbus's own client on loopback."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from pymodbus.client import ModbusTcpClient

from flawline.cli.outputs import opened_outputs
from flawline.errors import UsageError
from flawline.outputs import Answer, Dispatch, Health, open_output
from flawline.outputs.modbus import Modbus, ModbusEntries
from helpers.broker import free_port
from helpers.places import Clock, until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def answer(number, verdict="reject", late=False, seconds=0.042, part="P7", late_count=2):
    return Answer(number, NOW, f"{number}.png", part, verdict, late, seconds, late_count)


@pytest.fixture
def served():
    """An output that serves, its clock, and a function that reads its registers."""
    clock = Clock()
    output = Modbus(ModbusEntries(address=f"127.0.0.1:{free_port()}"), clock)
    output.open()
    client = ModbusTcpClient("127.0.0.1", port=int(output.entries.address.rpartition(":")[2]))
    assert client.connect()

    def read(count=28, at=0):
        return client.read_holding_registers(at, count=count, device_id=1).registers

    yield output, clock, read, client
    client.close()
    output.close()


def test_an_answer_is_in_the_registers_whole(served):
    output, _, read, client = served
    assert read()[:5] == [0, 0, 0, 0, 0]
    opened = Health(NOW, "station", "opened", "s1")
    assert output.send(opened.as_dict()) is None
    assert output.send(answer(65_537 + 3).as_dict()) is None
    registers = read()
    assert registers[:12] == [0, 1, 4, 3, 0, 42, 1, 4, 0, 2, 0, 0]
    text = b"".join(value.to_bytes(2, "big") for value in registers[12:28])
    assert text.rstrip(b"\0") == b"P7"
    assert client.read_input_registers(3, count=1, device_id=1).registers == [3]
    output.send(answer(5, "accept", True, 1e9, part=None).as_dict())
    assert read()[2:6] == [5, 1, 1, 65535]


@pytest.mark.parametrize(("verdict", "code"), [("accept", 1), ("review", 2), ("reject", 3)])
def test_each_verdict_has_a_code(served, verdict, code):
    output, _, read, _ = served
    output.send(answer(1, verdict).as_dict())
    assert read()[3] == code


def test_the_watchdog_bit_changes_every_second_and_the_state_tells_of_trouble(served):
    output, clock, read, _ = served
    bits = []
    for clock.now in (0.0, 0.9, 1.0, 1.9, 2.0):
        bits += read(1)
    assert bits == [0, 0, 1, 1, 0]
    states = []
    for state in ("opened", "failing", "back", "away", "back", "closed"):
        output.send(Health(NOW, "records", state, "r").as_dict())
        states.append(read(2)[1])
    assert states == [1, 2, 1, 2, 1, 2]


def test_nothing_can_be_written_and_what_is_not_there_is_refused(served):
    output, _, read, client = served
    output.send(answer(1).as_dict())
    before = read()
    assert client.write_register(3, 1, device_id=1).isError()
    assert client.write_registers(0, [1] * 28, device_id=1).isError()
    assert client.read_holding_registers(20, count=20, device_id=1).isError()
    assert read() == before


def test_answers_are_never_owed_and_go_out_at_once(store):
    output = Modbus(ModbusEntries(address=f"127.0.0.1:{free_port()}"))
    with Dispatch([output], store.deliveries) as outputs:
        assert outputs.owed([answer(1)]) == []
        outputs.tell(answer(1))
        until(lambda: output.current()[2] == 1)
        assert store.deliveries.waiting(outputs.addresses[0]) == 0


def test_an_address_that_is_taken_is_reported_and_tried_again(sending, notes):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        output = Modbus(ModbusEntries(address=address))
        attempts = sending(output, owing=None)
        attempts.tell(answer(1).as_dict())
        assert attempts.attempt() > 0
        assert "do not reach modbus" in notes[0]
    attempts.hurry()
    assert attempts.attempt() is None
    attempts.close()


@pytest.mark.parametrize("address", ["", "host", ":502", "host:", "host:x", "host:70000"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(UsageError):
        Modbus(ModbusEntries(address=address))


def test_it_is_refused_where_nothing_arrives():
    assert open_output("modbus:0.0.0.0:502", say=print, environment={}).live
    with pytest.raises(UsageError, match="answers a line while pictures arrive"):
        opened_outputs(["console", "modbus:127.0.0.1:5020"])
    assert len(opened_outputs(["modbus:127.0.0.1:5020"], live=True)) == 1
