"""A visitor without a browser, many of which would measure themselves: each needs more time than the server.

It loads a page and its scripts, speaks Streamlit's WebSocket protocol, uploads files, reads pictures, draws nothing.
"""

import asyncio
import re
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import UploadedFileInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from urllib3.util import Retry
from websockets.asyncio.client import connect

from tests.waiting import PATIENCE


class Connection:
    """One visitor's requests to a server, such as http://127.0.0.1:8501. Scripts are loaded once, as in a browser."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        # The server closes a kept connection after five idle seconds; a browser then sends the request again.
        self.session.mount("http://", HTTPAdapter(max_retries=Retry(1, allowed_methods=None)))
        self._loaded: set[str] = set()

    async def load(self, page: str) -> None:
        """Load a page and what its HTML names, and get the token that uploads need."""
        html = (await self.request("GET", page)).text
        assets = set(re.findall(r'(?:src|href)="\./(static/[^"]+)"', html)) - self._loaded
        self._loaded |= assets
        for path in (*assets, "_stcore/health", "_stcore/host-config"):
            await self.request("GET", path)

    async def request(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.address}/{path.lstrip('/')}"
        answer = await asyncio.to_thread(self.session.request, method, url, timeout=PATIENCE, **options)
        answer.raise_for_status()
        return answer

    @property
    def token(self) -> str:  # against forged requests
        return self.session.cookies["_streamlit_xsrf"]


class Page:
    """A page that is open in a session of its own, by `async with`; `elements` is what its last run put on the page."""

    def __init__(self, connection: Connection, path: str, query: str = "") -> None:
        self.elements: list[Element] = []
        self._connection, self._path, self._query = connection, path, query
        self._known: dict[str, ForwardMsg] = {}

    async def __aenter__(self) -> Self:
        connection = self._connection
        await connection.load(self._path)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in connection.session.cookies)
        address, protocols = connection.address.replace("http", "ws", 1), ["streamlit", connection.token]
        options: dict[str, Any] = {"additional_headers": {"Cookie": cookies}, "max_size": None}
        self._socket = await connect(
            f"{address}/_stcore/stream", subprotocols=protocols, open_timeout=PATIENCE, **options
        )
        await self._run()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def upload(self, name: str, content: bytes) -> None:
        """Give a file to the page's file uploader, wait for the run that follows, and read its pictures."""
        uploader = next(element.file_uploader for element in self.elements if element.HasField("file_uploader"))
        question = BackMsg()
        question.file_urls_request.request_id = name
        question.file_urls_request.file_names.append(name)
        question.file_urls_request.session_id = self._session
        await self._socket.send(question.SerializeToString())
        while not (answer := await self._read()).HasField("file_urls_response"):
            pass
        urls = answer.file_urls_response.file_urls[0]
        form, headers = {name: (name, content)}, {"X-Xsrftoken": self._connection.token}
        await self._connection.request("PUT", urls.upload_url, files=form, headers=headers)
        file = UploadedFileInfo(file_id=urls.file_id, name=name, size=len(content), file_urls=urls)
        await self._run(uploader.id, file)
        for picture in self.pictures():
            await self._connection.request("GET", picture)

    def pictures(self) -> set[str]:
        return {image.url for element in self.elements for image in element.imgs.imgs}

    def exceptions(self) -> list[str]:
        return [element.exception.message for element in self.elements if element.HasField("exception")]

    async def _run(self, widget: str = "", file: UploadedFileInfo | None = None) -> None:
        """Ask for a run of the script, with a new file in a widget, and read until it has ended."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self._query, self._path
        state.cached_message_hashes.extend(self._known)
        if file:
            state.widget_states.widgets.add(id=widget).file_uploader_state_value.uploaded_file_info.append(file)
        self.elements.clear()
        await self._socket.send(message.SerializeToString())
        while True:
            answer = await self._read()
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self._session = answer.new_session.initialize.session_id
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self.elements.append(answer.delta.new_element)
            elif kind == "script_finished" and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return

    async def _read(self) -> ForwardMsg:
        message = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(decode=False), PATIENCE))
        if message.WhichOneof("type") == "ref_hash":
            return self._known[message.ref_hash]
        if message.metadata.cacheable:
            self._known[message.hash] = message
        return message
