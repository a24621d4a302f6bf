import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/**
 * A server that speaks MongoDB's protocol, with its data in memory: no registry has MongoDB's own.
 * PORT [--bind_ip_all]: on the loopback, until its standard input ends; or everywhere, until it is killed.
 */
class MongodbServer {
  public static void main(String[] arguments) throws Exception {
    var backend = new MemoryBackend();
    backend.version(ServerVersion.MONGO_3_6);
    var server = new MongoServer(backend);
    boolean everywhere = List.of(arguments).contains("--bind_ip_all");
    server.bind(everywhere ? "0.0.0.0" : "127.0.0.1", Integer.parseInt(arguments[0]));
    System.out.println("listening");
    if (everywhere) return; // the server's own threads go on
    System.in.read();
    server.shutdownNow();
  }
}
