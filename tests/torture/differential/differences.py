"""Where weft and Envoy may differ, and why. Each entry: a name, what it applies to, the reason.

A difference that no entry covers is a finding. `covers(case)` sees the request's bytes and both results.
"""
import re


class Difference:
    def __init__(self, name, reason, covers):
        self.name, self.reason, self.covers = name, reason, covers


def head_of(data):
    return re.split(rb"\r?\n\r?\n", data.lstrip(b"\r\n"), maxsplit=1)[0]


def request_line(data):
    return re.split(rb"\r?\n", data.lstrip(b"\r\n"), maxsplit=1)[0]


def rejected(result):
    return result.status is None or 400 <= result.status < 600


ACCEPTED = []
