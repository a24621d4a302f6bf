"""The software that is sent through sidecars: how its server starts, what a client does with it, and how fast that goes.

Ports are named where the name says HTTP; most others have no name, so that the first bytes have to tell what they are.
"""
import dataclasses

PYTHON = "/usr/bin/python3"
CURL = "curl -sS --max-time 60"
AB_RESULT = "grep -E '^(Complete|Failed|Non-2xx|Document)'"


@dataclasses.dataclass(frozen=True)
class Software:
    name: str
    server: str  # a shell line in the server's pod, in its folder
    port: int
    client: str  # a shell line in the client's pod, in an empty folder; its output and exit code are compared
    port_name: str = ""
    config: tuple = ()  # files of servers/ that are copied to the server's folder, with @DIR@ and @SITE@ filled in
    load: str = ""  # a shell line that does `count` units of work
    count: int = 1
    unit: str = "requests/s"
    user: int | None = None
    behind: tuple = ()  # what this one calls
    more_ports: tuple = ()  # pairs of a name and a number
    headless: bool = False  # whether NAME-pods leads to its pods


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    line: str
    servers: tuple  # which have to be there; the first one's log is shown
    load: str = ""
    count: int = 1
    unit: str = "requests/s"


def battery(url, *abilities):
    return f"{PYTHON} $HERE/clients/http_battery.py {url} {' '.join(abilities)}"


def ab(url, count=3000, options="-k"):
    return {"load": f"ab -q {options} -n {count} -c 8 {url}", "count": count}


NGINX = "exec nginx -p $DIR -c $DIR/{0}"
APACHE = "mkdir -p put && exec apache2 -D FOREGROUND -d $DIR -f $DIR/{0}"
GO = "exec $BUILT/server"

SERVERS = [
    # Servers of files.
    Software("nginx", NGINX.format("nginx.conf"), 80, battery("http://nginx", "files", "connections", "put", "large"), "http",
             ("nginx.conf",), headless=True, **ab("http://nginx/small.txt")),
    Software("apache", APACHE.format("apache.conf"), 80, battery("http://apache", "files", "connections", "large"), "", ("apache.conf",),
             **ab("http://apache/small.txt")),
    Software("http-server", f"exec {PYTHON} -m http.server -d $SITE 8000", 8000, battery("http://http-server:8000", "files"), "http-files",
             **ab("http://http-server:8000/small.txt", 1000, "")),
    # Servers of applications.
    Software("go", GO, 8080, battery("http://go:8080", "app", "odd", "connections", "early", "large"), "http",
             **ab("http://go:8080/bytes?n=300")),
    Software("node", "exec node $HERE/servers/node_http.js", 3000, battery("http://node:3000", "app", "odd", "connections", "early"), "",
             **ab("http://node:3000/bytes?n=300")),
    Software("java", "exec java -cp $BUILT Server", 7000, battery("http://java:7000", "app", "connections"), "http-web",
             **ab("http://java:7000/bytes?n=300")),
    Software("gunicorn", "exec gunicorn --chdir $HERE/servers -w 2 -b 0.0.0.0:8080 apps:wsgi", 8080,
             battery("http://gunicorn:8080", "app", "connections"), "",
             **ab("http://gunicorn:8080/bytes?n=300", 1000)),
    Software("uvicorn", f"exec {PYTHON} -m uvicorn --app-dir $HERE/servers --host 0.0.0.0 --port 8000 --no-access-log apps:asgi", 8000,
             battery("http://uvicorn:8000", "app", "connections"), "http", **ab("http://uvicorn:8000/bytes?n=300", 1000)),
    Software("aiohttp", f"exec {PYTHON} $HERE/servers/apps.py", 8082, battery("http://aiohttp:8082", "app", "odd", "connections"), "http",
             **ab("http://aiohttp:8082/bytes?n=300", 1000)),
    # Reverse proxies with their defaults: each hop goes through two sidecars. nginx asks in HTTP/1.0, sidecars in HTTP/1.1: Node
    # says a length to the latter only.
    Software("nginx-proxy", NGINX.format("nginx-proxy.conf"), 80, battery("http://nginx-proxy", "app", "connections", "large") +
             "; UNCOMPARED=content-length " + battery("http://nginx-proxy/node", "app", "connections"),
             "http", ("nginx-proxy.conf",), behind=("go", "node", "websocket"), **ab("http://nginx-proxy/bytes?n=300", 1000)),
    Software("apache-proxy", APACHE.format("apache-proxy.conf"), 80, battery("http://apache-proxy", "app", "connections"), "http",
             ("apache-proxy.conf",),
             behind=("node", "websocket"), **ab("http://apache-proxy/bytes?n=300", 1000)),
    Software("haproxy", "exec haproxy -db -f haproxy.cfg", 80, battery("http://haproxy", "app", "connections", "large"), "http",
             ("haproxy.cfg",),
             behind=("go", "websocket"),
             **ab("http://haproxy/bytes?n=300", 1000)),
    Software("go-proxy", GO + " http://go:8080", 8000, battery("http://go-proxy:8000", "app", "connections", "early"), "http",
             behind=("go",),
             **ab("http://go-proxy:8000/bytes?n=300", 1000)),
    # Programs over HTTP.
    Software("git", """git init -q --bare repository.git && git -C repository.git config http.receivepack true &&
        git -C repository.git symbolic-ref HEAD refs/heads/main && chown -R www-data: repository.git && cat git.conf >> apache.conf &&
        exec apache2 -D FOREGROUND -d $DIR -f $DIR/apache.conf""", 80, "bash $HERE/clients/git.sh", "http", ("apache.conf", "git.conf"),
             load="for i in 1 2 3 4 5; do git clone -q http://git/git/repository.git $i; done", count=5, unit="clones/s"),
    Software("apt", f"bash $HERE/servers/apt_repository.sh $DIR/www && sed -i s#$SITE#$DIR/www# nginx.conf && {NGINX.format('nginx.conf')}",
             80, "bash $HERE/clients/apt.sh", "", ("nginx.conf",)),
    Software("pip", f"{PYTHON} $HERE/servers/pip_index.py www && exec {PYTHON} -m http.server -d www 8000", 8000,
             f"{PYTHON} -m pip -q install --no-cache-dir --target got --index-url http://pip:8000/simple/ --trusted-host pip real-hello && "
             f"PYTHONPATH=got {PYTHON} -m real_hello && cat got/real_hello/data | sha256sum", "http"),
    # Databases, queues, mail, shells and files over TCP.
    Software("redis", "exec redis-server --save '' --bind 0.0.0.0 --protected-mode no --dir $DIR", 6379, "bash $HERE/clients/redis.sh",
             headless=True, load="redis-benchmark -h redis -t set,get -n 10000 -c 8 -q", count=20000),
    Software("postgresql", """PATH=$(echo /usr/lib/postgresql/*/bin):$PATH && initdb -D data -A trust -U postgres >&2 &&
        echo host all all 0.0.0.0/0 trust >> data/pg_hba.conf &&
        exec postgres -D data -c listen_addresses=* -c unix_socket_directories=$DIR -c fsync=off -c shared_buffers=16MB""", 5432,
             "bash $HERE/clients/postgresql.sh", "", user=65534,
             load="pgbench -h postgresql -U postgres -n -S -c 4 -t 500 postgres", count=2000, unit="queries/s"),
    Software("mariadb", """mariadb-install-db --no-defaults --datadir=$DIR/data --auth-root-authentication-method=normal --skip-test-db >&2 &&
        exec mariadbd --no-defaults --user=root --datadir=$DIR/data --socket=$DIR/socket --bind-address=0.0.0.0 --port=3306
        --init-file=$DIR/mariadb.sql""".replace("\n", " "), 3306, "bash $HERE/clients/mariadb.sh", "", ("mariadb.sql",),
             load="for i in {1..2000}; do echo \"select $i;\"; done | mariadb -h mariadb -u shop -N | tail -1", count=2000, unit="queries/s"),
    Software("memcached", "exec memcached -u nobody -l 0.0.0.0", 11211, f"{PYTHON} $HERE/clients/memcached.py compare", "",
             load=f"{PYTHON} $HERE/clients/memcached.py load 5000", count=5000),
    Software("mosquitto", "exec mosquitto -c mosquitto.conf", 1883, "bash $HERE/clients/mosquitto.sh", "", ("mosquitto.conf",),
             load="bash $HERE/clients/mosquitto.sh 3000", count=3000, unit="messages/s"),
    Software("nats", "exec nats-server -a 0.0.0.0 -p 4222", 4222, f"{PYTHON} $HERE/clients/nats.py 1000", "",
             load=f"{PYTHON} $HERE/clients/nats.py 20000", count=20000, unit="messages/s"),
    Software("ssh", "ssh-keygen -q -t ed25519 -N '' -f host && install -d -m 755 /run/sshd && exec /usr/sbin/sshd -D -e -f $DIR/sshd_config", 22,
             "bash $HERE/clients/ssh.sh", "", ("sshd_config",), load="bash $HERE/clients/ssh.sh load", count=64, unit="MB/s"),
    Software("smtp", f"exec {PYTHON} $HERE/servers/mail.py", 25, f"{PYTHON} $HERE/clients/mail.py 1", "",
             load=f"{PYTHON} $HERE/clients/mail.py 100", count=100, unit="mails/s"),
    Software("rsync", "mkdir put && exec rsync --daemon --no-detach --config=rsyncd.conf --port=873 --log-file=/dev/stderr", 873,
             "bash $HERE/clients/rsync.sh", "", ("rsyncd.conf",), load="rsync -W rsync://rsync/site/large.bin .", count=64, unit="MB/s"),
    Software("nginx-tls", f"""openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=nginx-tls -keyout tls.key
        -out tls.pem 2>/dev/null && {NGINX.format("nginx-tls.conf")}""".replace("\n", " "), 443, "bash $HERE/clients/tls.sh", "any",
             ("nginx-tls.conf",), more_ports=(("https", 8443), ("http2", 82), ("other", 83)), load=f"{CURL} -k -o /dev/null https://nginx-tls/large.bin", count=64,
             unit="MB/s"),
    Software("tcp", f"exec {PYTHON} $HERE/servers/tcp.py", 7070, f"{PYTHON} $HERE/clients/tcp.py tcp"),
    Software("websocket", "exec node $HERE/servers/node_ws.js", 8081, "node $HERE/clients/websocket.js compare -", "http",
             load="node $HERE/clients/websocket.js load 3000", count=3000, unit="messages/s"),
]

CLIENTS = [
    Client("curl", "bash $HERE/clients/curl.sh http://nginx http://go:8080 http://node:3000", ("nginx", "go", "node"),
           f"{CURL} -o /dev/null http://nginx/large.bin", 64, "MB/s"),
    Client("requests", f"{PYTHON} $HERE/clients/with_requests.py http://go:8080 20", ("go",),
           f"{PYTHON} $HERE/clients/with_requests.py http://go:8080 500", 500),
    Client("aiohttp client", f"{PYTHON} $HERE/clients/with_aiohttp.py http://node:3000 20", ("node",),
           f"{PYTHON} $HERE/clients/with_aiohttp.py http://node:3000 500", 500),
    Client("node client", "node $HERE/clients/node_client.js http://go:8080 20", ("go",),
           "node $HERE/clients/node_client.js http://go:8080 500", 500),
    Client("go client", "$BUILT/client http://node:3000 20 && $BUILT/client http://go:8080 20", ("node", "go")),
    Client("java client", "java -cp $BUILT Client http://go:8080 20", ("go",)),
    Client("ab, closing", f"ab -q -n 500 -c 8 http://nginx/small.txt | {AB_RESULT}", ("nginx",),
           "ab -q -n 1000 -c 8 http://nginx/small.txt", 1000),
    Client("ab -k, POST", f"ab -q -k -n 500 -c 8 -p $SITE/page.html -T text/plain http://go:8080/sum | {AB_RESULT}", ("go",)),
    Client("ab, many", f"ab -q -n 3000 -c 300 http://go:8080/bytes?n=10000 | {AB_RESULT}", ("go",)),
    Client("names", "bash $HERE/clients/names.sh", ("nginx", "apache", "redis")),
    Client("nginx websocket", "node $HERE/clients/websocket.js compare - ws://nginx-proxy/socket", ("nginx-proxy",)),
    Client("apache websocket", "node $HERE/clients/websocket.js compare - ws://apache-proxy/socket", ("apache-proxy",)),
    Client("haproxy websocket", "node $HERE/clients/websocket.js compare - ws://haproxy/socket", ("haproxy",)),
    Client("wrk", "wrk -t 1 -c 16 -d 1 http://nginx/small.txt | grep -E 'Socket errors|Non-2xx' || echo no errors", ("nginx",)),
]
