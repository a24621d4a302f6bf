"""What a client asks the upstream to do, carried in one field of the request: the client knows what to expect, nobody keeps a table."""
import dataclasses
import json


@dataclasses.dataclass
class Ask:
    token: str
    body: int = 0                # bytes of the request's body that the client will send
    status: int = 200
    size: int = 0                # bytes of the response's body
    form: str = "length"         # length, chunked, close
    piece: int = 16384           # most bytes in one write
    pause: float = 0.0           # between two writes
    wait: float = 0.0            # before the head
    read_pause: float = 0.0      # between two reads of the request's body
    early: bool = False          # respond before the request's body is read, then read it
    unread: bool = False         # respond and never read the body
    interims: int = 0
    trailers: bool = False
    close: bool = False          # Connection: close
    silent_close: bool = False   # close after the response without saying so
    fault: str = ""              # what goes wrong, see upstream.FAULTS
    upgrade: bool = False

    def to_field(self):
        full = dataclasses.asdict(self)
        plain = {f.name: f.default for f in dataclasses.fields(self)}
        return json.dumps({k: v for k, v in full.items() if k == "token" or v != plain[k]}, separators=(",", ":"))

    @staticmethod
    def of_field(text):
        return Ask(**json.loads(text))
