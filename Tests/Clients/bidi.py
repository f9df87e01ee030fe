"""WebDriver BiDi, as little of it as driving one page needs."""

import asyncio
import json
from typing import Any

import websockets


class BiDi:
    """One session with a browser that listens for WebDriver BiDi; an asynchronous context manager."""

    def __init__(self, url: str) -> None:
        self.url, self._number, self._waiting = url, 0, {}

    async def __aenter__(self) -> "BiDi":
        self._socket = await websockets.connect(self.url + "/session", max_size=None)
        self._reader = asyncio.ensure_future(self._read())
        await self.command("session.new", capabilities={})
        tree = await self.command("browsingContext.getTree")
        self.context: str = tree["contexts"][0]["context"]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            waiting = self._waiting.pop(message.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)

    async def command(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        answer = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        message = await asyncio.wait_for(answer, 30)
        if message["type"] == "error":
            raise AssertionError(f"{method}: {message['error']}: {message['message']}")
        return message["result"]

    async def call(self, function: str, *arguments: Any) -> Any:
        """Calls a JavaScript function with strings and numbers; gives the string, number, boolean or None it comes to."""
        values = [{"type": "string" if isinstance(a, str) else "number", "value": a} for a in arguments]
        result = await self.command(
            "script.callFunction", functionDeclaration=function, arguments=values,
            target={"context": self.context}, awaitPromise=True, userActivation=True)
        if result["type"] == "exception":
            raise AssertionError(result["exceptionDetails"]["text"])
        return result["result"].get("value")
