"""ratings v2 in the one-machine mode: its databases are pods like others, and the mesh carries what they say."""
import concurrent.futures
import contextlib
import os
import pathlib
import shlex
import sqlite3
import subprocess
import sys

import pytest

from harness import BOOKINFO, GATEWAY, NETWORKING, SAMPLE, SUBSETS, instance, sockets, stars, wait_for

sys.path.append(str(SAMPLE / "tests"))
import mongodb_server
from shop import BINARY

KUBE = SAMPLE / "platform/kube"
# No package of Debian has MongoDB's server: a user names a command for the image, and so does this test.
MONGODB_IMAGE = "registry.istio.io/release/examples-bookinfo-mongodb"


def mongodb_command():
    return shlex.join([str(BINARY), "mongodb", "27017", "--", *mongodb_server.command(), "27017"])


@pytest.fixture(scope="module")
def shop():
    with instance(BOOKINFO, GATEWAY, SUBSETS, KUBE / "bookinfo-ratings-v2-sqlite.yaml", KUBE / "bookinfo-mysql.yaml",
                  KUBE / "bookinfo-ratings-v2-mysql.yaml", KUBE / "bookinfo-db.yaml", KUBE / "bookinfo-ratings-v2.yaml",
                  up_options=["--image", f"{MONGODB_IMAGE}={mongodb_command()}"]) as mesh:
        mesh.wait_ready(count=11, seconds=60)
        yield mesh


def choose(mesh, database):
    mesh.apply(NETWORKING / f"virtual-service-ratings-{database}.yaml")


@contextlib.contextmanager
def statements_in(mesh, pod, statements):
    """A session on the server, opened inside its pod, that has run these statements and stays until the end."""
    client = subprocess.Popen(
        ["nsenter", "-t", str(mesh.application_pid(pod)), "-n", "/usr/bin/mariadb", "--no-defaults", "--protocol=tcp",
         "-h127.0.0.1", "-P3306", "-uroot", "-n", "--batch", "--skip-column-names", "test"],
        env={"PATH": os.environ["PATH"], "MYSQL_PWD": "password"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client.stdin.write(statements + " SELECT 'done';\n")
    client.stdin.flush()
    assert client.stdout.readline() == "done\n"
    try:
        yield
    finally:
        client.communicate(timeout=20)


def ratings_failed(mesh):
    page = mesh.get("/productpage").text
    return page.count("Ratings service is currently unavailable") == 2 and stars(page) == 0


def page_has_stars(mesh, count):
    page = mesh.get("/productpage").text
    return "PublisherA" in page and stars(page) == count


def test_sqlite_is_made_and_seeded_in_the_pods_own_volume(shop):
    choose(shop, "sqlite")
    wait_for("nine stars", lambda: page_has_stars(shop, 9))
    [file] = shop.state_dir().rglob("ratings.db")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE ratings SET Rating = 1 WHERE ReviewID = 1")
    wait_for("five stars", lambda: page_has_stars(shop, 5))
    assert not pathlib.Path("/var/lib/ratings").exists(), "the machine's own folders are left alone"


def peers_of(pid, look):
    return {peer.rsplit(":", 1)[0] for _, peer, owners in look if pid in owners}


def test_mysql_comes_up_as_a_pod_and_its_bytes_go_through_the_sidecars(shop):
    choose(shop, "mysql")
    wait_for("nine stars", lambda: page_has_stars(shop, 9), seconds=60)
    server = shop.pod_name("mysqldb")
    client = shop.pods("ratings", "v2-mysql")[0]["status"]["podIP"]
    program, sidecar = shop.application_pid(server), shop.sidecar_pid(server)
    with statements_in(shop, server, "LOCK TABLES ratings WRITE;"), concurrent.futures.ThreadPoolExecutor() as pool:
        page = pool.submit(shop.get, "/productpage")

        def held_up():
            """A look at all of a call: each of its sockets has an owner, and the server a peer besides the test's own client."""
            look = sockets(program)
            calls = [owners for _, peer, owners in look if peer.startswith(client + ":")]
            return calls and all(calls) and len(peers_of(program, look)) > 1 and look
        open_now = wait_for("a session that the lock holds up", held_up)
        assert page.result().text.count("Ratings service is currently unavailable") == 2
    for local, peer, owners in open_now:
        if peer.startswith(client + ":"):
            assert owners == {sidecar} and local.endswith(":15006"), "ratings reached the server past its sidecar"
    assert peers_of(program, open_now) == {"127.0.0.6", "127.0.0.1"}, "the sidecar, and the client of the test"
    wait_for("nine stars again", lambda: page_has_stars(shop, 9))


def test_mongodb_is_asked_through_the_sidecars(shop):
    choose(shop, "db")
    wait_for("nine stars", lambda: page_has_stars(shop, 9), seconds=60)


def test_a_database_that_goes_costs_only_the_stars_and_comes_back_seeded(shop):
    choose(shop, "mysql")
    wait_for("nine stars", lambda: page_has_stars(shop, 9), seconds=60)
    shop.weft("scale", "deployment", "mysqldb-v1", "--replicas=0")
    wait_for("pages without ratings", lambda: ratings_failed(shop))
    shop.weft("scale", "deployment", "mysqldb-v1", "--replicas=1")
    wait_for("nine stars", lambda: page_has_stars(shop, 9), seconds=60)


def test_a_mysql_server_of_another_namespace_stands_in_for_the_virtual_machine():
    """The name mysqldb.vm.svc.cluster.local of the manifest, here a Service in the namespace vm with the server behind it."""
    with instance(BOOKINFO, GATEWAY, SUBSETS, KUBE / "bookinfo-ratings-v2-mysql-vm.yaml",
                  NETWORKING / "virtual-service-ratings-mysql-vm.yaml") as mesh:
        wait_for("pages without ratings", lambda: ratings_failed(mesh))
        mesh.apply(text="apiVersion: v1\nkind: Namespace\nmetadata: {name: vm, labels: {istio-injection: enabled}}\n")
        mesh.weft("apply", "-n", "vm", "-f", KUBE / "bookinfo-mysql.yaml")
        wait_for("nine stars", lambda: page_has_stars(mesh, 9), seconds=60)
        assert [p["metadata"]["namespace"] for p in mesh.objects("pods", "-n", "vm")] == ["vm"]
        assert not mesh.pods("mysqldb"), "the server is in the other namespace alone"


def test_the_database_files_of_2017_work_with_the_shop_of_2017():
    with instance(KUBE / "bookinfo-2017.yaml", KUBE / "bookinfo-mysql-2017.yaml", SUBSETS,
                  KUBE / "bookinfo-ratings-v2-mysql-2017.yaml", NETWORKING / "virtual-service-ratings-db.yaml",
                  up_options=["--image", f"istio/examples-bookinfo-mongodb={mongodb_command()} --bind_ip_all"]) as mesh:
        wait_for("nine stars", lambda: page_has_stars(mesh, 9), seconds=60)
        pod = mesh.pod_name("ratings", "v2")
        wait_for("the request in version 2", lambda: '"/ratings/0"' in mesh.log(pod, "ratings"))
        # The file for MongoDB takes its place: no stars without that server, and its own with it.
        mesh.apply(KUBE / "bookinfo-ratings-v2-2017.yaml")
        wait_for("pages without ratings", lambda: ratings_failed(mesh), seconds=60)
        mesh.apply(KUBE / "bookinfo-db-2017.yaml")
        wait_for("nine stars", lambda: page_has_stars(mesh, 9), seconds=60)
