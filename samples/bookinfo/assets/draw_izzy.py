#!/usr/bin/env python3
"""Draws izzy.png, the reviewers' avatar: an owl, 192 pixels square. Standard library only.

    python3 draw_izzy.py izzy.png
"""
import struct
import sys
import zlib

SIZE = 192
SAMPLES = 3  # per pixel and direction, for smooth edges

TEAL, TEAL_DARK = (47, 128, 121), (24, 74, 80)
FEATHERS, BELLY = (196, 142, 82), (239, 212, 168)
WHITE, INK, BEAK = (255, 252, 244), (38, 32, 28), (240, 168, 48)


def in_ellipse(x, y, cx, cy, rx, ry):
    return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1


def in_triangle(x, y, corners):
    signs = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1]):
        signs.append((bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0)
    return all(signs) or not any(signs)


def colour_at(x, y):
    """The colour of a point of the unit square; the last shape that covers it wins. The left half is mirrored."""
    m = min(x, 1 - x)
    colour = tuple(a + (b - a) * y for a, b in zip(TEAL, TEAL_DARK))
    if in_triangle(m, y, [(0.22, 0.14), (0.46, 0.30), (0.22, 0.46)]) or in_ellipse(x, y, 0.5, 0.60, 0.31, 0.38):
        colour = FEATHERS
    if in_ellipse(x, y, 0.5, 0.80, 0.20, 0.24):
        colour = BELLY
        row = int(y * 100) // 6
        if (x * 100 + (row % 2) * 4) % 8 < 2.2 and (y * 100) % 6 < 2.4:
            colour = FEATHERS
    if in_ellipse(m, y, 0.375, 0.44, 0.165, 0.165):
        colour = BELLY
    if in_ellipse(m, y, 0.375, 0.44, 0.125, 0.125):
        colour = WHITE
    if in_ellipse(m, y, 0.395, 0.45, 0.068, 0.068):
        colour = INK
    if in_ellipse(x, y, 0.375, 0.425, 0.022, 0.022) or in_ellipse(x, y, 0.585, 0.425, 0.022, 0.022):
        colour = WHITE
    if in_triangle(x, y, [(0.44, 0.53), (0.56, 0.53), (0.5, 0.64)]):
        colour = BEAK
    return colour


def pixel(px, py):
    total = [0.0, 0.0, 0.0]
    for sub in range(SAMPLES * SAMPLES):
        x = (px + (sub % SAMPLES + 0.5) / SAMPLES) / SIZE
        y = (py + (sub // SAMPLES + 0.5) / SAMPLES) / SIZE
        for channel, value in enumerate(colour_at(x, y)):
            total[channel] += value
    return bytes(round(value / SAMPLES**2) for value in total)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main():
    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(SIZE)) for y in range(SIZE))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    with open(sys.argv[1], "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header))
        out.write(chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


if __name__ == "__main__":
    main()
