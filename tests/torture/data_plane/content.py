"""Bodies that say whose they are: every byte follows from a token, so a byte of another request cannot pass for one of ours."""
import functools
import hashlib

BLOCK = 65521  # a prime: no piece size that a proxy may use divides it


@functools.lru_cache(maxsize=256)
def _block(token):
    return hashlib.shake_128(token.encode()).digest(BLOCK)


def piece(token, offset, size):
    """`size` bytes of the body of `token` from `offset` on."""
    block = _block(token)
    start = offset % BLOCK
    whole = block[start:start + size]
    while len(whole) < size:
        whole += block[:size - len(whole)]
    return whole


class Checker:
    """Takes a body as it comes; `fault` says at which byte it stopped being that of its token."""

    def __init__(self, token):
        self.token, self.taken, self.fault = token, 0, None

    def take(self, data):
        view = memoryview(data)
        while view and self.fault is None:
            step = min(len(view), BLOCK - self.taken % BLOCK)
            expected = piece(self.token, self.taken, step)
            if view[:step] != expected:
                self.fault = f"byte {self.taken} or one of the {step} after it is not of {self.token}: {bytes(view[:60])!r}"
            self.taken += step
            view = view[step:]
