"""A Python package index with one wheel in the folder that is named."""
import base64
import hashlib
import pathlib
import sys
import zipfile

folder = pathlib.Path(sys.argv[1]) / "simple/real-hello"
folder.mkdir(parents=True)
files = {"real_hello/__init__.py": b"", "real_hello/__main__.py": b"print('hello from a wheel')\n",
         "real_hello/data": bytes(range(256)) * 20000,
         "real_hello-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: real-hello\nVersion: 1.0\n",
         "real_hello-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: real\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
record = "".join(f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
                 for name, data in files.items()) + "real_hello-1.0.dist-info/RECORD,,\n"
wheel = folder / "real_hello-1.0-py3-none-any.whl"
with zipfile.ZipFile(wheel, "w") as archive:
    for name, data in {**files, "real_hello-1.0.dist-info/RECORD": record.encode()}.items():
        archive.writestr(zipfile.ZipInfo(name, (2023, 11, 14, 0, 0, 0)), data)
digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
(folder / "index.html").write_text(f'<!DOCTYPE html><html><body><a href="{wheel.name}#sha256={digest}">{wheel.name}</a></body></html>\n')
