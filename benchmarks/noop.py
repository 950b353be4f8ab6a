"""The least that an endpoint of the same framework does. Run as a process beside the service, with the same server settings.

A FastAPI route reads the whole body, decodes its JSON (msgspec, the fastest way there is), and answers with a JSON object of one field: no model, no
key, no limits, no log line, nothing kept. So it is what the framework, the server and the loopback cost by themselves, and nothing makes it slower.

python -m benchmarks.noop PORT
"""

import sys

import msgspec
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response

app = FastAPI(docs_url=None, redoc_url=None)


@app.post("/noop", response_model=None)
async def noop(request: Request) -> Response:
    """The request id comes back."""
    body = msgspec.json.decode(await request.body())
    return Response(msgspec.json.encode({"request_id": body["request_id"]}), media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", log_config=None, access_log=False, server_header=False)
