"""What waits for a page is bounded and in order."""

import asyncio
import json

import pytest

from viloapp_core.web.outbox import Outbox, encode


def test_messages_arrive_in_order() -> None:
    """Those queued before and those queued while sending."""
    sent: list[str] = []

    async def scene() -> None:
        outbox = Outbox()
        outbox.put("1")

        async def send(text: str) -> None:
            sent.append(text)
            if text == "1":
                outbox.put("2")
                outbox.close()
                outbox.put("after the end")

        await outbox.drain(send)

    asyncio.run(scene())
    assert sent == ["1", "2"]


def test_page_that_does_not_read_overflows() -> None:
    """The queue stops growing and says so; nothing more is sent to such a page."""
    sent: list[str] = []

    async def scene() -> Outbox:
        outbox = Outbox(limit_bytes=10)
        for _ in range(5):
            outbox.put("12345678")

        async def send(text: str) -> None:
            sent.append(text)

        await outbox.drain(send)
        return outbox

    assert asyncio.run(scene()).overflowed
    assert sent == []


def test_space_comes_back_as_messages_are_sent() -> None:
    """A page that reads may be sent far more than the bound in all."""

    async def scene() -> int:
        outbox, count = Outbox(limit_bytes=20), 0

        async def send(text: str) -> None:
            nonlocal count
            count += 1
            if count < 100:
                outbox.put("12345678")
            else:
                outbox.close()

        outbox.put("12345678")
        await outbox.drain(send)
        assert not outbox.overflowed
        return count

    assert asyncio.run(scene()) == 100


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {b"key": 1}])
def test_what_is_not_json_is_refused(value: object) -> None:
    """A browser's parser would fail on it."""
    with pytest.raises((TypeError, ValueError)):
        encode({"result": value})


def test_what_plugins_return_is_made_plain() -> None:
    """Bytes and sets cross msgpack, and are shown as what they hold."""
    assert json.loads(encode({"a": b"caf\xc3\xa9\xff", "b": {1}, "c": (1, 2)})) == {
        "a": "café\N{REPLACEMENT CHARACTER}",
        "b": [1],
        "c": [1, 2],
    }


def test_half_a_character_can_be_sent() -> None:
    """A page that cuts a text between the halves of an emoji saves one; it must not end every connection."""
    text = encode({"title": "\ud83d"})
    assert text.encode()
    assert json.loads(text) == {"title": "\ud83d"}
