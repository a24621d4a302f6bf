"""The shape that tools and rules rely on, over every manifest of platform/kube: names, labels, ports, volumes."""
import pytest
import yaml

from harness import SAMPLE

KUBE = SAMPLE / "platform/kube"
APPLICATIONS = {"details": 9080, "ratings": 9080, "reviews": 9080, "productpage": 9080, "mongodb": 27017, "mysqldb": 3306}
IPV6_FIRST, IPV4_FIRST = ["IPv6", "IPv4"], ["IPv4", "IPv6"]
FAMILIES = {"details": IPV6_FIRST, "ratings": IPV6_FIRST, "reviews": IPV4_FIRST, "productpage": IPV4_FIRST}
SCRAPE = {"prometheus.io/scrape": "true", "prometheus.io/port": "9080", "prometheus.io/path": "/metrics"}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}


def objects(kind):
    """[(file name without its ending, object)] of this kind."""
    return [(file.stem, one) for file in sorted(KUBE.glob("*.yaml")) if file.name != "kustomization.yaml"
            for one in yaml.safe_load_all(file.read_text()) if one["kind"] == kind]


def label_of(entry):
    return f"{entry[0]}:{entry[1]['metadata']['name']}"


def of_2017(file):
    return file.endswith("-2017")


@pytest.mark.parametrize("entry", objects("Service"), ids=label_of)
def test_a_service_selects_its_application_and_names_its_port_for_the_protocol(entry):
    file, service = entry
    name, spec = service["metadata"]["name"], service["spec"]
    application = spec["selector"]["app"]
    version = name.removeprefix(application + "-") if name != application else None
    assert spec["selector"] == {"app": application, **({"version": version} if version else {})}
    port_name = {"mongodb": "mongo", "mysqldb": "mysql" if of_2017(file) else "tcp"}.get(application, "http")
    assert spec["ports"] == [{"port": APPLICATIONS[application], "name": port_name}]
    if not version:
        labels = {"app": application} if of_2017(file) else {"app": application, "service": application}
        assert service["metadata"]["labels"] == labels
    if "dualstack" in file:
        assert (spec["ipFamilyPolicy"], spec["ipFamilies"]) == ("RequireDualStack", FAMILIES[application])
    else:
        assert "ipFamilies" not in spec and "ipFamilyPolicy" not in spec


@pytest.mark.parametrize("entry", objects("Deployment"), ids=label_of)
def test_a_deployment_is_one_pod_labelled_with_application_and_version(entry):
    file, deployment = entry
    name, spec = deployment["metadata"]["name"], deployment["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert set(labels) == {"app", "version"} and name == f"{labels['app']}-{labels['version']}"
    assert spec["replicas"] == 1
    if of_2017(file):
        assert deployment["apiVersion"] == "extensions/v1beta1" and "selector" not in spec
        assert "labels" not in deployment["metadata"]
    else:
        assert deployment["apiVersion"] == "apps/v1" and spec["selector"]["matchLabels"] == labels
        assert deployment["metadata"]["labels"] == labels
    [container] = spec["template"]["spec"]["containers"]
    assert container["name"] == labels["app"] and container["imagePullPolicy"] == "IfNotPresent"
    assert container["ports"] == [{"containerPort": APPLICATIONS[labels["app"]]}]


@pytest.mark.parametrize("entry", objects("Deployment"), ids=label_of)
def test_a_deployments_image_is_the_originals_of_its_time(entry):
    file, deployment = entry
    name = deployment["metadata"]["name"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    image = {"mongodb-v1": "mongodb", "mysqldb-v1": "mysqldb"}.get(name, "ratings-v2" if name.startswith("ratings-v2") else name)
    before, tag = ("istio", "0.2.3") if of_2017(file) else ("registry.istio.io/release", "1.20.3")
    assert container["image"] == f"{before}/examples-bookinfo-{image}:{tag}"


@pytest.mark.parametrize("entry", objects("Deployment"), ids=label_of)
def test_a_container_is_restricted_where_the_file_says_so_and_only_there(entry):
    file, deployment = entry
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    context = container.get("securityContext", {})
    if file == "bookinfo-psa":
        assert {key: context.get(key) for key in RESTRICTED} == RESTRICTED
    else:
        assert not context


def volumes_of(deployment):
    """{where it is mounted: kind of volume}; every volume is mounted and every mount has one."""
    spec = deployment["spec"]["template"]["spec"]
    mounts = {m["name"]: m["mountPath"] for m in spec["containers"][0].get("volumeMounts", [])}
    volumes = {v["name"]: [key for key in v if key != "name"][0] for v in spec.get("volumes", [])}
    assert set(mounts) == set(volumes)
    return {mounts[name]: volumes[name] for name in mounts}


@pytest.mark.parametrize("entry", objects("Deployment"), ids=label_of)
def test_pods_of_today_have_the_folders_that_the_originals_write_to(entry):
    file, deployment = entry
    application = deployment["metadata"]["name"].split("-")[0]
    folders = {"mongodb": ["/data/db"], "mysqldb": ["/var/lib/mysql"]}.get(application, [])
    if not of_2017(file):
        folders = {"reviews": ["/tmp", "/opt/ibm/wlp/output"], "productpage": ["/tmp"]}.get(application, folders)
    if deployment["metadata"]["name"] == "ratings-v2-sqlite":
        folders = ["/var/lib/ratings"]
    assert volumes_of(deployment) == {folder: "emptyDir" for folder in folders}
    environment = deployment["spec"]["template"]["spec"]["containers"][0].get("env", [])
    assert ({"name": "LOG_DIR", "value": "/tmp/logs"} in environment) == (application == "reviews" and not of_2017(file))


@pytest.mark.parametrize("entry", objects("Deployment"), ids=label_of)
def test_productpage_of_today_asks_to_be_scraped_and_nobody_else(entry):
    file, deployment = entry
    annotations = deployment["spec"]["template"]["metadata"].get("annotations")
    wanted = deployment["metadata"]["name"] == "productpage-v1" and not of_2017(file)
    assert annotations == (SCRAPE if wanted else None)


@pytest.mark.parametrize("file", ["bookinfo", "bookinfo-psa", "bookinfo-dualstack"])
def test_each_service_has_an_account_of_its_own_labelled_with_its_name_and_used(file):
    accounts = {one["metadata"]["name"]: one["metadata"]["labels"] for f, one in objects("ServiceAccount") if f == file}
    assert accounts == {f"bookinfo-{name}": {"account": name} for name in FAMILIES}
    for f, deployment in objects("Deployment"):
        if f == file:
            application = deployment["metadata"]["name"].split("-")[0]
            assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == f"bookinfo-{application}"


def test_only_two_other_pods_have_an_account():
    used = {f: d["spec"]["template"]["spec"]["serviceAccountName"] for f, d in objects("Deployment")
            if "serviceAccountName" in d["spec"]["template"]["spec"] and f not in ("bookinfo", "bookinfo-psa", "bookinfo-dualstack")}
    assert used == {"bookinfo-add-serviceaccount-2017": "bookinfo-productpage", "bookinfo-ratings-v2": "bookinfo-ratings-v2"}
    [account] = [one for f, one in objects("ServiceAccount") if f == "bookinfo-ratings-v2"]
    assert "labels" not in account["metadata"]


def test_the_databases_in_a_variable_are_those_of_the_services():
    variables = {f: {v["name"]: v.get("value") for v in d["spec"]["template"]["spec"]["containers"][0].get("env", [])}
                 for f, d in objects("Deployment")}
    for file in ("bookinfo-ratings-v2", "bookinfo-ratings-v2-2017"):
        assert variables[file] == {"MONGO_DB_URL": "mongodb://mongodb:27017/test"}
    for file, host in (("bookinfo-ratings-v2-mysql", "mysqldb"), ("bookinfo-ratings-v2-mysql-2017", "mysqldb"),
                       ("bookinfo-ratings-v2-mysql-vm", "mysqldb.vm.svc.cluster.local")):
        assert variables[file] == {"DB_TYPE": "mysql", "MYSQL_DB_HOST": host, "MYSQL_DB_PORT": "3306",
                                   "MYSQL_DB_USER": "root", "MYSQL_DB_PASSWORD": "password"}
    assert variables["bookinfo-details-v2"] == {"DO_NOT_ENCRYPT": "true"}
