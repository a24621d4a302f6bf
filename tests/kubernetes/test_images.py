"""The images: what is in them, how large they are, and that the same sources give the same bytes."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile

import pytest

from harness import BUILD, ROOT, VERSION, run

IMAGES = ROOT / "build/images"
LIMITS_MB = {"program": 14, "image": 12}  # design of the release


class Image:
    """One image of an archive, by its name."""

    def __init__(self, archive, name):
        self.tar = tarfile.open(archive)
        index = json.load(self.tar.extractfile("index.json"))
        entry = [m for m in index["manifests"] if m["annotations"]["io.containerd.image.name"] == name][0]
        self.manifest = self.blob(entry["digest"])
        self.config = self.blob(self.manifest["config"]["digest"])["config"]

    def blob(self, digest):
        return json.load(self.tar.extractfile("blobs/sha256/" + digest.removeprefix("sha256:")))

    def files(self):
        found = {}
        for layer in self.manifest["layers"]:
            data = self.tar.extractfile("blobs/sha256/" + layer["digest"].removeprefix("sha256:"))
            with tarfile.open(fileobj=data) as content:
                found.update({m.name: m for m in content.getmembers()})
        return found


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_image_of_weft_is_one_static_program_without_a_user_name():
    image = Image(IMAGES / "weft.tar", f"weft.dev/weft:{VERSION}")
    assert image.config["Entrypoint"] == ["/weft"] and image.config["User"] == "1337:1337"
    files = image.files()
    assert list(files) == ["weft"] and files["weft"].mode & 0o7777 == 0o755 and files["weft"].mtime == 0
    assert "INTERP" not in run("readelf", "-lW", BUILD / "src/cli/weft").stdout


def test_each_image_name_of_bookinfo_is_the_same_layer_with_its_own_entry_point():
    layers, entries = set(), {}
    with tarfile.open(IMAGES / "bookinfo.tar") as tar:
        names = [m["annotations"]["io.containerd.image.name"] for m in json.load(tar.extractfile("index.json"))["manifests"]]
    for name in names:
        image = Image(IMAGES / "bookinfo.tar", name)
        layers.add(tuple(layer["digest"] for layer in image.manifest["layers"]))
        entries[name] = image.config["Entrypoint"]
        assert image.config["User"] == "1000:1000"
    assert len(layers) == 1 and f"weft.dev/bookinfo:{VERSION}" in names
    manifests = "".join(m.read_text() for m in (ROOT / "samples/bookinfo/platform/kube").glob("*.yaml"))
    named = set(re.findall(r"image: (\S*/examples-bookinfo-(?:productpage|details|reviews|ratings)-v\S*)", manifests))
    assert named and {n if "." in n.split("/")[0] else f"docker.io/{n}" for n in named} <= set(names)
    flooding = Image(IMAGES / "bookinfo.tar", "registry.istio.io/release/examples-bookinfo-productpage-v-flooding:1.20.3")
    assert "FLOOD_FACTOR=100" in flooding.config["Env"]
    assert entries["docker.io/istio/examples-bookinfo-reviews-v3:0.2.3"] == ["/bookinfo", "reviews", "9080"]


def test_bookinfo_finds_the_authorities_of_the_web_where_openssl_looks():
    files = Image(IMAGES / "bookinfo.tar", f"weft.dev/bookinfo:{VERSION}").files()
    place = run("openssl", "version", "-d").stdout.split('"')[1] + "/cert.pem"
    assert place.removeprefix("/") in files, sorted(files)
    assert files[place.removeprefix("/")].size > 100_000 and files[place.removeprefix("/")].mode & 0o7777 == 0o644


@pytest.mark.parametrize("name, place", [("weft", "src/cli/weft"), ("bookinfo", "samples/bookinfo/bookinfo")])
def test_sizes_are_those_of_the_design(name, place):
    with tempfile.TemporaryDirectory() as scratch:
        run("strip", "--strip-all", "-o", f"{scratch}/program", BUILD / place)
        program = os.path.getsize(f"{scratch}/program") / 1e6
    image = (IMAGES / f"{name}.tar").stat().st_size / 1e6
    print(f"\n{name}: stripped {program:.1f} MB (at most {LIMITS_MB['program']}), image {image:.1f} MB (at most {LIMITS_MB['image']})")
    assert program <= LIMITS_MB["program"] and image <= LIMITS_MB["image"]


def test_packing_twice_in_two_places_gives_the_same_bytes():
    with tempfile.TemporaryDirectory(prefix="weft-pack-") as scratch:
        run(ROOT / "scripts/images", "--out", scratch, timeout=120)
        for name in ("weft.tar", "bookinfo.tar"):
            assert digest(IMAGES / name) == digest(type(IMAGES)(scratch) / name), name


def test_two_clones_in_two_paths_compile_to_the_same_bytes():
    """Every way into the programs that a path or a time could have: compiled objects of one source from two paths, without
    the compiler's cache; and the linked program holds the path of neither the sources nor the build."""
    commands = json.loads(run("ninja", "-C", BUILD, "-t", "compdb").stdout)
    chosen = [c for c in commands if re.search(r"src/(net/(loop|stream)|base/error|http/server)\.cc$", c["file"])]
    assert chosen
    with tempfile.TemporaryDirectory(prefix="weft-clone-of-another-length-") as scratch:
        clone = type(ROOT)(scratch) / "weft"
        shutil.copytree(ROOT / "src", clone / "src")
        (clone / "build").mkdir()
        (clone / "build/release").symlink_to(BUILD)
        objects = {}
        for command in chosen:
            for where in (ROOT, clone):
                line = re.sub(r"^\S*ccache ", "", command["command"]).replace(f"{ROOT}/src", f"{where}/src")
                line = re.sub(r" -o \S+", f" -o {scratch}/out.o", line)
                line = re.sub(r" -MF \S+", f" -MF {scratch}/out.d", line)
                subprocess.run(line, shell=True, cwd=command["directory"], check=True)
                objects.setdefault(command["file"], set()).add(digest(type(ROOT)(scratch) / "out.o"))
    assert all(len(found) == 1 for found in objects.values()), {f: len(o) for f, o in objects.items()}
    for program in ("src/cli/weft", "samples/bookinfo/bookinfo"):
        assert str(ROOT).encode() not in (BUILD / program).read_bytes(), program
