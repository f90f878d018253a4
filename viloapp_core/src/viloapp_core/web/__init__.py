"""The workspace: one page in the browser, served on loopback by the process that runs the host.

    stop = asyncio.Event()
    async with Host(workspace=folder) as host:
        await serve(host, on_ready=print, stop=stop)      # http://127.0.0.1:43127/#token=…

What comes from the page is checked before it reaches the host: `security` looks at every request before
any routing, `requests` at the shape of every message, and the host at the rights of every plugin.
Needs the extra ``app`` (Starlette, uvicorn, websockets); nothing else of the core imports it.
"""

from viloapp_core.web.server import serve

__all__ = ["serve"]
