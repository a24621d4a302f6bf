"""One client process: so many users at once, each with exchanges of kinds drawn at random, until the time is over."""
import asyncio
import json
import os
import time
import traceback

from client import HANG_SECONDS, Broken, Client
from kinds import KINDS
from wire import Ended, Malformed

ONE_WAY = {"http10", "half_close", "leaver", "bad_head", "bad_body", "noise", "tunnel", "moving", "early"}


async def one(client, name, wire):
    """Runs one exchange of a kind, on `wire` if it may be used again. Returns the connection to go on with."""
    try:
        if wire is None:
            wire = await client.connect()
        ends = await asyncio.wait_for(KINDS[name](client, wire), HANG_SECONDS)
    except Ended:
        ends = [("abort", 0)]
    except TimeoutError:
        ends = []
        client.tell(broken=f"no end within {HANG_SECONDS} s", kind=name, last=f"{client.seed}-{client.number}")
    except (Broken, Malformed) as error:
        ends = []
        client.tell(broken=str(error)[:600], kind=name)
    except Exception:
        ends = []
        client.tell(broken="the client failed", kind=name, what=traceback.format_exc()[-1500:])
    for end, _ in ends:
        client.counts[f"{name}|{end}"] += 1
    whole = ends and all(end == "whole" for end, _ in ends)
    if wire and (not whole or name in ONE_WAY or wire.buffer or client.random.random() < 0.2):
        wire.close()
        return None
    return wire


async def user(client, until):
    wire = None
    names = list(KINDS)
    while time.monotonic() < until:
        name = client.random.choice(names)
        if wire is not None and wire.spent():
            wire.close()
            wire = None
        wire = await one(client, name, wire)
        if client.random.random() < 0.05:
            await asyncio.sleep(client.random.random() * 0.2)
    if wire:
        wire.close()


def run(begin, port, moving, seed, seconds, users, report):
    begin.wait()

    async def all_users():
        client = Client(port, moving, seed, report)
        until = time.monotonic() + seconds
        await asyncio.gather(*(user(client, until) for _ in range(users)))
        os.write(report, (json.dumps({"counts": client.counts}) + "\n").encode())
    asyncio.run(all_users())
