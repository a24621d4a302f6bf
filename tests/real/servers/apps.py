"""The endpoints that http_battery.py calls "app": `wsgi` for gunicorn, `asgi` for uvicorn, and aiohttp's own server when run."""
import hashlib
import json

BLOCK = bytes(range(256)) * 4096


def pieces(number, size):
    while number > 0:
        yield BLOCK[:min(number, size)]
        number -= size


def number_in(query):
    return int(query.removeprefix("n=") or 0) if query.startswith("n=") else 0


def answer(method, path, query, target, headers, body):
    """Status, header pairs and the pieces of a body."""
    number = number_in(query)
    if path == "/bytes":
        return 200, [("Content-Type", "application/octet-stream"), ("Content-Length", str(number))], pieces(number, 1 << 20)
    if path == "/stream":
        return 200, [("Content-Type", "application/octet-stream")], pieces(number, 1000)
    if path == "/none":
        return 204, [], iter([])
    if path == "/cookies":
        return 200, [("Content-Length", "7"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/")], iter([b"cookies"])
    if path == "/sum":
        text = f"{body[0]} {body[1]}\n".encode()
    else:
        text = json.dumps({"method": method, "target": target, "headers": headers}).encode()
    return 200, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))], iter([text])


def wsgi(environ, start_response):
    sum_, length = hashlib.sha256(), 0
    while data := environ["wsgi.input"].read(65536):
        sum_.update(data)
        length += len(data)
    headers = [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]
    status, response_headers, body = answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], environ["RAW_URI"], headers,
                                            (length, sum_.hexdigest()))
    start_response({200: "200 OK", 204: "204 No Content"}[status], response_headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else body


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    sum_, length, more = hashlib.sha256(), 0, True
    while more:
        message = await receive()
        sum_.update(message.get("body", b""))
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    query = scope["query_string"].decode()
    target = scope["raw_path"].decode() + ("?" + query if query else "")
    status, response_headers, body = answer(scope["method"], scope["path"], query, target, headers, (length, sum_.hexdigest()))
    await send({"type": "http.response.start", "status": status,
                "headers": [(name.lower().encode(), value.encode()) for name, value in response_headers]})
    for piece in body if scope["method"] != "HEAD" else []:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def of_aiohttp(request):
    from aiohttp import web
    sum_, length = hashlib.sha256(), 0
    async for data in request.content.iter_any():
        sum_.update(data)
        length += len(data)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers]
    status, response_headers, body = answer(request.method, request.path, request.query_string, request.raw_path, headers, (length, sum_.hexdigest()))
    response = web.StreamResponse(status=status)
    for name, value in response_headers:
        response.headers.add(name, value)
    await response.prepare(request)
    for piece in body if request.method != "HEAD" else []:
        await response.write(piece)
    await response.write_eof()
    return response


if __name__ == "__main__":
    from aiohttp import web
    application = web.Application(client_max_size=100 << 20)
    application.router.add_route("*", "/{rest:.*}", of_aiohttp)
    web.run_app(application, port=8082, print=None)
