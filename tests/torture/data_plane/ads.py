"""An ADS server (state of the world) that is told what to serve as JSON and remembers what was acknowledged or rejected."""
import functools
import pathlib
import subprocess
import tempfile
import threading
from concurrent import futures

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[3]
PREFIX = "type.googleapis.com/"
CLUSTER = PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINTS = PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = PREFIX + "envoy.config.listener.v3.Listener"
ROUTES = PREFIX + "envoy.config.route.v3.RouteConfiguration"
ORDER = [CLUSTER, ENDPOINTS, LISTENER, ROUTES]
NAME = {CLUSTER: "name", ENDPOINTS: "clusterName", LISTENER: "name", ROUTES: "name"}


@functools.cache
def pool():
    """The messages of src/xds/proto, read from a descriptor set: no generated code that must fit the library's version."""
    made = descriptor_pool.DescriptorPool()
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        protos = sorted(str(p.relative_to(ROOT / "src")) for p in (ROOT / "src/xds/proto").glob("*.proto"))
        subprocess.run(["protoc", "-I", ROOT / "src", "-I", "/usr/include", "--include_imports", f"--descriptor_set_out={out.name}", *protos],
                       check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out.name).read_bytes())
    for file in files.file:
        made.Add(file)
    return made


def message(full_name):
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(full_name))


def packed(type_url, resource):
    made = json_format.ParseDict(resource, message(type_url.removeprefix(PREFIX))(), descriptor_pool=pool())
    return any_pb2.Any(type_url=type_url, value=made.SerializeToString(deterministic=True)).SerializeToString()


class AdsServer:
    """`publish(resources)` with {type_url: [JSON resource, ...]}; `wait_applied()` blocks until each type's last version is acknowledged."""

    def __init__(self, port):
        self.request = message("envoy.service.discovery.v3.DiscoveryRequest")
        self.response = message("envoy.service.discovery.v3.DiscoveryResponse")
        self.changed = threading.Condition()
        self.version, self.resources = 0, {t: [] for t in ORDER}
        self.acknowledged, self.rejected, self.streams = {}, [], 0
        handler = grpc.method_handlers_generic_handler(
            "envoy.service.discovery.v3.AggregatedDiscoveryService",
            {"StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(
                self.stream, request_deserializer=self.request.FromString, response_serializer=lambda m: m.SerializeToString())})
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((handler,))
        self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()

    def publish(self, resources):
        with self.changed:
            self.version += 1
            self.resources = {t: {r[NAME[t]]: packed(t, r) for r in resources.get(t, [])} for t in ORDER}
            self.changed.notify_all()
            return self.version

    def wait_applied(self, version, seconds):
        with self.changed:
            return self.changed.wait_for(
                lambda: all(self.acknowledged.get(t, 0) >= version for t in self.acknowledged) and self.acknowledged, seconds)

    def stream(self, requests, context):
        with self.changed:
            self.streams += 1
        asked, sent, over = {}, {}, threading.Event()

        def read():
            try:
                for request in requests:
                    with self.changed:
                        names = list(request.resource_names)
                        fresh = request.type_url not in asked or asked[request.type_url] != names
                        asked[request.type_url] = names
                        if fresh:
                            sent.pop(request.type_url, None)
                        if request.HasField("error_detail"):
                            self.rejected.append((request.type_url, request.error_detail.message))
                        if request.response_nonce and not request.HasField("error_detail"):
                            self.acknowledged[request.type_url] = int(request.version_info)
                        self.changed.notify_all()
            except grpc.RpcError:
                pass
            finally:
                over.set()
                with self.changed:
                    self.changed.notify_all()

        threading.Thread(target=read, daemon=True).start()
        while not over.is_set():
            with self.changed:
                self.changed.wait_for(lambda: over.is_set() or self.due(asked, sent), 1)
                due = self.due(asked, sent)
                response = self.make(due, asked[due]) if due and not over.is_set() else None
                if response is not None:
                    sent[due] = self.version
            if response is not None:
                yield response

    def due(self, asked, sent):
        return next((t for t in ORDER if t in asked and sent.get(t) != self.version), None)

    def make(self, type_url, names):
        response = self.response(version_info=str(self.version), type_url=type_url, nonce=str(self.version))
        for name, resource in self.resources.get(type_url, {}).items():
            if type_url in (CLUSTER, LISTENER) or name in names:
                response.resources.add().ParseFromString(resource)
        return response

    def stop(self):
        self.server.stop(0)
