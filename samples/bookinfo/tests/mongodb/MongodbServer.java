import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;

/** A server that speaks MongoDB's protocol, with its data in memory: no registry has MongoDB's own. */
class MongodbServer {
  public static void main(String[] arguments) throws Exception {
    var backend = new MemoryBackend();
    backend.version(ServerVersion.MONGO_3_6);
    var server = new MongoServer(backend);
    server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
    System.out.println("listening");
    System.in.read(); // until the test closes it
    server.shutdownNow();
  }
}
