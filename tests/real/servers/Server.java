import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Executors;

/** Java's own HttpServer with the endpoints that http_battery.py calls "app". */
public class Server {
  static final byte[] BLOCK = new byte[1 << 20];

  static void bytes(HttpExchange exchange, int n, int size, boolean chunked) throws IOException {
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
    if (head) exchange.getResponseHeaders().set("Content-Length", String.valueOf(n));
    exchange.sendResponseHeaders(200, head || (n == 0 && !chunked) ? -1 : chunked ? 0 : n);
    if (head) return;
    try (OutputStream out = exchange.getResponseBody()) {
      for (; n > 0; n -= size) out.write(BLOCK, 0, Math.min(n, size));
    }
  }

  static void text(HttpExchange exchange, String text) throws IOException {
    exchange.sendResponseHeaders(200, text.length());
    exchange.getResponseBody().write(text.getBytes());
  }

  static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  static void handle(HttpExchange exchange) throws Exception {
    String path = exchange.getRequestURI().getPath(), query = exchange.getRequestURI().getQuery();
    int n = query != null && query.startsWith("n=") ? Integer.parseInt(query.substring(2)) : 0;
    switch (path) {
      case "/bytes" -> bytes(exchange, n, 1 << 20, false);
      case "/stream" -> bytes(exchange, n, 1000, true);
      case "/none" -> exchange.sendResponseHeaders(204, -1);
      case "/cookies" -> {
        exchange.getResponseHeaders().add("Set-Cookie", "a=1");
        exchange.getResponseHeaders().add("Set-Cookie", "b=2; Path=/");
        text(exchange, "cookies");
      }
      case "/sum" -> {
        MessageDigest sum = MessageDigest.getInstance("SHA-256");
        byte[] piece = new byte[65536];
        long length = 0;
        for (int got; (got = exchange.getRequestBody().read(piece)) > 0; length += got) sum.update(piece, 0, got);
        text(exchange, length + " " + HexFormat.of().formatHex(sum.digest()) + "\n");
      }
      default -> {
        exchange.getRequestBody().readAllBytes();
        List<String> headers = new ArrayList<>();
        exchange.getRequestHeaders().forEach((name, values) ->
            values.forEach(value -> headers.add("[" + quoted(name) + "," + quoted(value) + "]")));
        text(exchange, "{\"method\":" + quoted(exchange.getRequestMethod()) + ",\"target\":"
            + quoted(exchange.getRequestURI().toString()) + ",\"headers\":[" + String.join(",", headers) + "]}");
      }
    }
  }

  public static void main(String[] arguments) throws IOException {
    for (int i = 0; i < BLOCK.length; i++) BLOCK[i] = (byte) i;
    HttpServer server = HttpServer.create(new InetSocketAddress(7000), 0);
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.createContext("/", exchange -> {
      try (exchange) {
        handle(exchange);
      } catch (Exception error) {
        System.err.println(error);
      }
    });
    server.start();
  }
}
