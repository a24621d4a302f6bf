import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Java's own HttpClient, which asks each server whether it speaks h2c.   Client.java URL COUNT */
public class Client {
  public static void main(String[] arguments) throws Exception {
    String url = arguments[0];
    HttpClient client = HttpClient.newHttpClient();
    List<CompletableFuture<HttpResponse<byte[]>>> all = new ArrayList<>();
    for (int n = 0; n < Integer.parseInt(arguments[1]); n++)
      all.add(client.sendAsync(HttpRequest.newBuilder(URI.create(url + "/bytes?n=" + n)).build(), BodyHandlers.ofByteArray()));
    int right = 0;
    for (int n = 0; n < all.size(); n++)
      if (all.get(n).get().statusCode() == 200 && all.get(n).get().body().length == n) right++;
    System.out.println(right);
    byte[] body = new byte[3000000];
    for (HttpRequest.BodyPublisher publisher : List.of(BodyPublishers.ofByteArray(body), BodyPublishers.noBody(),
        BodyPublishers.ofByteArrays(Arrays.asList(body, body)))) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/sum")).POST(publisher).build();
      System.out.print(client.send(request, BodyHandlers.ofString()).body());
    }
    HttpRequest expecting = HttpRequest.newBuilder(URI.create(url + "/sum")).expectContinue(true).POST(BodyPublishers.ofString("waited for")).build();
    System.out.print(client.send(expecting, BodyHandlers.ofString()).body());
    System.out.println(client.send(HttpRequest.newBuilder(URI.create(url + "/stream?n=2000000")).build(), BodyHandlers.ofByteArray()).body().length);
    System.out.println(client.send(HttpRequest.newBuilder(URI.create(url + "/none")).build(), BodyHandlers.ofString()).statusCode());
  }
}
