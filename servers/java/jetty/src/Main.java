import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.eclipse.jetty.server.ConnectionLimit;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.StatisticsHandler;
import org.eclipse.jetty.util.Jetty;
import sun.misc.Signal;

/** The endpoint on Jetty: its options, the ready line, and the drain. */
public final class Main {
  /** Connections that the kernel holds until they are accepted. */
  private static final int BACKLOG = 4096;

  private static final int HEAD_BYTES = 16 * 1024;

  /** Descriptors that are kept for uses other than connections. */
  private static final long RESERVED = 200;

  /** How long connections are still accepted once a drain has begun. */
  private static final Duration DRAIN_GRACE = Duration.ofMillis(500);

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Flags flags = new Flags(arguments);
    if (flags.version) {
      System.out.printf("server-jetty 0.1.0 (jetty %s, java %s)%n", Jetty.VERSION, Runtime.version());
      return;
    }
    checkDescriptors(flags.maxConnections);
    ServerSocketChannel listener = listen(flags);

    HttpConfiguration http = new HttpConfiguration();
    http.setRequestHeaderSize(HEAD_BYTES);
    http.setSendServerVersion(false);
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server, 1, flags.workers, new HttpConnectionFactory(http));
    connector.open(listener);
    connector.setIdleTimeout(flags.idleTimeout.toMillis());
    server.addConnector(connector);
    if (flags.maxConnections > 0) {
      server.addBean(new ConnectionLimit(flags.maxConnections, connector));
    }
    Endpoint endpoint = new Endpoint();
    // With this handler, a shutdown waits for requests that are being answered.
    StatisticsHandler counted = new StatisticsHandler();
    counted.setHandler(endpoint);
    server.setHandler(counted);
    server.setStopTimeout(flags.drainTimeout.toMillis());

    CountDownLatch signal = firstSignal();
    server.start();
    announce((InetSocketAddress) listener.getLocalAddress());
    signal.await();
    drain(server, endpoint, flags.drainTimeout);
  }

  /** Fails if the connection limit exceeds the limit of descriptors, which the JVM has raised. */
  private static void checkDescriptors(int maxConnections) {
    var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long available = Math.max(system.getMaxFileDescriptorCount() - RESERVED, 0);
    if (Math.max(maxConnections, 1) > available) {
      fail("%d connections: the limit of open files leaves %d; raise it (`ulimit -n`) or ask for fewer",
          Math.max(maxConnections, 1), available);
    }
  }

  /** Listens on the first of the host's addresses that is available. */
  private static ServerSocketChannel listen(Flags flags) {
    try {
      IOException last = null;
      for (InetAddress address : InetAddress.getAllByName(flags.host)) {
        ServerSocketChannel listener = ServerSocketChannel.open();
        try {
          listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
          return listener.bind(new InetSocketAddress(address, flags.port), BACKLOG);
        } catch (IOException error) {
          listener.close();
          last = error;
        }
      }
      throw last;
    } catch (UnknownHostException error) {
      return fail("host %s: unknown", flags.host);
    } catch (IOException error) {
      return fail("cannot listen on %s:%d: %s", flags.host, flags.port, error.getMessage());
    }
  }

  /** Counts down at the first SIGTERM or SIGINT. The second ends the process at once. */
  private static CountDownLatch firstSignal() {
    CountDownLatch first = new CountDownLatch(1);
    for (String name : new String[] {"TERM", "INT"}) {
      Signal.handle(new Signal(name), signal -> {
        if (first.getCount() == 0) {
          Runtime.getRuntime().halt(128 + signal.getNumber());
        }
        first.countDown();
      });
    }
    return first;
  }

  private static void announce(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    String shown = address.getAddress() instanceof Inet6Address ? "[" + shortened(host) + "]" : host;
    System.out.printf("listening on http://%s:%d%n", shown, address.getPort());
    System.out.flush();
  }

  /** An IPv6 address with `::` in place of its first row of zeros, as it is usually written. */
  private static String shortened(String address) {
    return address.replaceFirst("(^|:)(0(:|$)){2,}", "::");
  }

  /**
   * Makes answers close their connections. After a grace period Jetty stops, which closes idle
   * connections; at the limit the process ends.
   */
  private static void drain(Server server, Endpoint endpoint, Duration limit) throws Exception {
    endpoint.isDraining = true;
    Thread watch = new Thread(() -> {
      try {
        Thread.sleep(limit.toMillis());
      } catch (InterruptedException error) {
        // No thread interrupts this one.
      }
      Runtime.getRuntime().halt(0);
    });
    watch.setDaemon(true);
    watch.start();
    Thread.sleep(Math.min(DRAIN_GRACE.toMillis(), limit.toMillis()));
    server.stop();
    System.exit(0);
  }

  private static <T> T fail(String message, Object... values) {
    System.err.printf("error: " + message + "%n", values);
    System.exit(1);
    return null;
  }
}
