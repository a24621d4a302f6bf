"""What the meshes of these tests are made of: a server behind a Service on port 10000, and a pod to call it from."""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [CONTAINER]}
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: SERVICE}
spec: {selector: {app: NAME}, ports: [{name: grpc, port: 10000}]}
---
"""
CALLER = DEPLOYMENT.replace("NAME", "caller").replace("CONTAINER", "{name: caller, image: idle, args: [infinity]}")


def server(name, service, image, arguments):
    container = (f"{{name: {name}, image: {image}, args: [{arguments}], ports: [{{containerPort: 10000}}], "
                 "readinessProbe: {tcpSocket: {port: 10000}, periodSeconds: 1}}")
    return (SERVICE + DEPLOYMENT).replace("SERVICE", service).replace("NAME", name).replace("CONTAINER", container)
