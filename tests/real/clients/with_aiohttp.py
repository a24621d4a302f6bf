"""The package aiohttp as a client, many requests at once.   with_aiohttp.py URL COUNT"""
import asyncio
import hashlib
import sys

import aiohttp


async def pieces():
    for size in (1, 100_000, 7, 1_000_000):
        yield b"y" * size


async def main(url, count):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session:
        async def get(number):
            async with session.get(f"{url}/bytes", params={"n": number}) as response:
                return response.status, len(await response.read()) == number
        print(set(await asyncio.gather(*map(get, range(count)))))
        for body in (b"x" * 3_000_000, pieces(), b""):
            async with session.post(f"{url}/sum", data=body) as response:
                print(response.status, (await response.text()).strip())
        async with session.post(f"{url}/sum", data=b"z" * 1000, expect100=True) as response:
            print(response.status, (await response.text()).strip())
        async with session.get(f"{url}/stream?n=2000000") as response:
            print(response.status, hashlib.sha256(await response.read()).hexdigest())


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
