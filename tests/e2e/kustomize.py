"""Renders the kustomizations of the sample where no kubectl is: just the fields they use, and an error for any other.

The cluster suite renders the same folders with kubectl and compares.
"""
import copy

import yaml

KNOWN = {"apiVersion", "kind", "resources", "namespace", "images", "patches"}


def documents(file):
    return [one for one in yaml.safe_load_all(file.read_text()) if one]


def render(folder):
    """The objects of a folder with a kustomization.yaml, its resources first."""
    [settings] = documents(folder / "kustomization.yaml")
    assert set(settings) <= KNOWN, f"{folder}: {set(settings) - KNOWN} is not known here"
    found = []
    for name in settings["resources"]:
        place = (folder / name).resolve()
        found += render(place) if place.is_dir() else documents(place)
    for one in found:
        if "namespace" in settings and one["kind"] != "Namespace":
            one["metadata"]["namespace"] = settings["namespace"]
        for image in settings.get("images", []):
            rename_image(one, image)
        for patch in settings.get("patches", []):
            if one["kind"] == patch["target"]["kind"]:
                apply_patch(one, patch)
    return found


def rename_image(one, image):
    assert set(image) == {"name", "newName"}, image
    for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        name, _, tag = container["image"].rpartition(":")
        if name == image["name"]:
            container["image"] = f"{image['newName']}:{tag}"


def apply_patch(one, patch):
    """JSON patches (RFC 6902) of which each adds."""
    assert set(patch) == {"target", "patch"} and set(patch["target"]) == {"kind"}, patch
    for step in yaml.safe_load(patch["patch"]):
        assert step["op"] == "add", step
        *way, last = step["path"].strip("/").split("/")
        place = one
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place[key]
        value = copy.deepcopy(step["value"])
        if last == "-":
            place.append(value)
        else:
            place[last] = value


def text_of(objects):
    return yaml.safe_dump_all(objects, sort_keys=False)
