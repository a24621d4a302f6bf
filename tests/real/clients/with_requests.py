"""The package requests.   with_requests.py URL COUNT"""
import hashlib
import sys

import requests

url, count = sys.argv[1], int(sys.argv[2])
with requests.Session() as session:
    for number in range(count):
        response = session.get(f"{url}/bytes", params={"n": number})
        assert response.status_code == 200 and len(response.content) == number, response
    print(session.post(f"{url}/sum", data=b"x" * 3_000_000).text.strip())
    print(session.post(f"{url}/sum", data=(b"y" * size for size in (1, 100_000, 7, 1_000_000))).text.strip())
    print(session.post(f"{url}/sum", json={"a": 1}, cookies={"c": "d"}).text.strip())
    print(session.post(f"{url}/sum", files={"f": b""}, headers={"Connection": "close"}).status_code)
    print(sorted(session.get(f"{url}/cookies").cookies.items()))
    with session.get(f"{url}/stream?n=2000000", stream=True) as response:
        digest = hashlib.sha256()
        for piece in response.iter_content(10_000):
            digest.update(piece)
        print(response.status_code, digest.hexdigest())
    print(session.get(f"{url}/none").status_code, session.head(f"{url}/bytes?n=5").headers["Content-Length"])
