"""Servers for test_first_bytes.py. HTTP on 8000 and 7000: answers with the request's head, whatever was asked. On 7004 and 7005 a
greeting to whoever connects, then an echo."""
import http.server
import socketserver
import threading


class Mirror(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"seen {self.requestline} {self.headers.get('Host')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_OPTIONS = do_MSEARCH2 = do_GET


class Greeter(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"220 hello\r\n")
        while data := self.request.recv(4096):
            self.request.sendall(data)


class Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


servers = [http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Mirror), http.server.ThreadingHTTPServer(("0.0.0.0", 7000), Mirror),
           Threads(("0.0.0.0", 7004), Greeter), Threads(("0.0.0.0", 7005), Greeter)]
for server in servers:
    threading.Thread(target=server.serve_forever).start()
