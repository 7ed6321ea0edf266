import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The flags of the process contract, and the environment variables that stand for them. */
final class Flags {
  private static final List<String> NAMES =
      List.of("host", "port", "workers", "max-connections", "idle-timeout", "drain-timeout");

  private static final String HELP = String.join("\n",
      "The endpoint on Jetty", "",
      "  --host HOST               address or name to listen on [default: 127.0.0.1]",
      "  --port PORT               port to listen on; 0 takes a free one [default: 8080]",
      "  --workers N               selectors, which wait for requests [default: one per core]",
      "  --max-connections N       connections open at once; further ones wait [default: as descriptors allow]",
      "  --idle-timeout SECONDS    time for a client to send or to read anything [default: 60]",
      "  --drain-timeout SECONDS   time for open connections to finish after SIGTERM [default: 10]",
      "  --version                 print the version",
      "  --help                    print this");

  final boolean version;
  final String host;
  final int port;
  final int workers;
  /** 0 means no limit. */
  final int maxConnections;
  final Duration idleTimeout;
  final Duration drainTimeout;

  private final Map<String, String> given;

  /** Reads the flags. For an invalid flag it prints one line and exits with 2. */
  Flags(String[] arguments) {
    given = parse(arguments);
    version = given.containsKey("version");
    host = value("host", "127.0.0.1", text -> text);
    port = value("port", "8080", number(0, 65535));
    workers = value("workers", String.valueOf(Runtime.getRuntime().availableProcessors()), number(1, 1000));
    maxConnections = value("max-connections", "0", number(0, Integer.MAX_VALUE));
    idleTimeout = value("idle-timeout", "60", Flags::seconds);
    drainTimeout = value("drain-timeout", "10", Flags::seconds);
  }

  private static Map<String, String> parse(String[] arguments) {
    Map<String, String> given = new HashMap<>();
    for (int at = 0; at < arguments.length; at++) {
      String[] parts = arguments[at].split("=", 2);
      String name = parts[0].startsWith("--") ? parts[0].substring(2) : "";
      if (name.equals("help")) {
        System.out.println(HELP);
        System.exit(0);
      } else if (name.equals("version")) {
        given.put(name, "");
      } else if (!NAMES.contains(name)) {
        fail("unknown argument " + arguments[at]);
      } else if (parts.length == 2) {
        given.put(name, parts[1]);
      } else if (++at < arguments.length) {
        given.put(name, arguments[at]);
      } else {
        fail("--" + name + ": a value is missing");
      }
    }
    return given;
  }

  private <T> T value(String name, String standard, Function<String, T> read) {
    String variable = name.replace('-', '_').toUpperCase();
    String set = System.getenv(variable);
    String text = given.get(name);
    String origin = "--" + name;
    if (text == null) {
      // An empty variable counts as unset.
      text = set == null || set.isEmpty() ? standard : set;
      origin = variable;
    }
    try {
      return read.apply(text);
    } catch (IllegalArgumentException error) {
      return fail(origin + " " + text + ": not a valid value");
    }
  }

  private static Function<String, Integer> number(int least, int most) {
    return text -> {
      int number = Integer.parseInt(text);
      if (number < least || number > most) {
        throw new IllegalArgumentException();
      }
      return number;
    };
  }

  private static Duration seconds(String text) {
    double seconds = Double.parseDouble(text);
    if (!(seconds > 0 && seconds < 1e9)) {
      throw new IllegalArgumentException();
    }
    return Duration.ofMillis(Math.max(1, Math.round(seconds * 1000)));
  }

  private static <T> T fail(String message) {
    System.err.println("error: " + message);
    System.exit(2);
    return null;
  }
}
