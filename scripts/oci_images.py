"""OCI archives by buildah: images FROM scratch that hold a few files, the same bytes wherever and whenever they are made.

An archive may hold several images; layers that they share are in it once. Each image is under its whole name in
`io.containerd.image.name`, which `ctr images import` reads, and in `org.opencontainers.image.ref.name`, which podman and
skopeo read. Nothing of the user's own image store is read or changed.
"""
import contextlib
import io
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile

LAYOUT = {"imageLayoutVersion": "1.0.0"}


class Archive:
    """Use: `with Archive(out) as archive: archive.add(...)`; the file appears when all of it is written."""

    def __init__(self, out):
        self.out = pathlib.Path(out)
        self.entries = []

    def __enter__(self):
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.scratch = tempfile.TemporaryDirectory(prefix="weft-images-")
        self.layout = pathlib.Path(self.scratch.name) / "layout"
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self._write()
        finally:
            self.scratch.cleanup()

    def _buildah(self, command, *arguments):
        store = pathlib.Path(self.scratch.name)
        done = subprocess.run(["buildah", "--storage-driver", "vfs", "--root", store / "root", "--runroot", store / "run",
                               command, *map(str, arguments)], text=True, capture_output=True,
                              env={**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": self.scratch.name})
        if done.returncode:
            raise SystemExit(f"buildah {command} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def add(self, files, images, user):
        """One layer with `files` {path in the image: file}, and over it `images` {name: (entry point, environment)}.

        `user` is numeric: there is no /etc/passwd."""
        container = self._buildah("from", "scratch")
        for place, file in files.items():
            mode = "0755" if os.access(file, os.X_OK) else "0644"
            self._buildah("copy", "--quiet", "--chown", "0:0", "--chmod", mode, container, file, place)
        for name, (entry_point, environment) in images.items():
            settings = ["--user", user, "--entrypoint", json.dumps(entry_point), "--env", "-"]
            for key, value in environment.items():
                settings += ["--env", f"{key}={value}"]
            self._buildah("config", *settings, container)
            image = self._buildah("commit", "--quiet", "--timestamp", "0", "--omit-history", container)
            self._buildah("push", "--quiet", image, f"oci:{self.layout}:{name}")
        self._buildah("rm", container)

    def _write(self):
        index = json.loads((self.layout / "index.json").read_text())
        for entry in index["manifests"]:
            name = entry["annotations"]["org.opencontainers.image.ref.name"]
            entry["annotations"]["io.containerd.image.name"] = name
        index["manifests"].sort(key=lambda entry: entry["annotations"]["io.containerd.image.name"])
        part = self.out.with_suffix(".part")
        with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
            self._put(tar, "oci-layout", json.dumps(LAYOUT).encode())
            self._put(tar, "index.json", json.dumps(index, sort_keys=True).encode())
            for blob in sorted((self.layout / "blobs" / "sha256").iterdir()):
                self._put(tar, f"blobs/sha256/{blob.name}", blob.read_bytes())
        part.replace(self.out)

    @staticmethod
    def _put(tar, name, data):
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o644
        tar.addfile(entry, io.BytesIO(data))


@contextlib.contextmanager
def stripped(program):
    """The program without symbols, which are of no use where no debugger is."""
    with tempfile.TemporaryDirectory() as scratch:
        place = pathlib.Path(scratch) / program.name
        subprocess.run(["strip", "--strip-all", "-o", place, program], check=True)
        yield place
