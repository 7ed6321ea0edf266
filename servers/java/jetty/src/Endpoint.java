import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.http.BadMessageException;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.handler.AbstractHandler;

/** The endpoint as a Jetty handler. */
final class Endpoint extends AbstractHandler {
  private static final int BODY_LIMIT = 1024 * 1024;

  /** A field in its encoded form, since `setContentType` would leave out the space. */
  private static final HttpField TYPE =
      new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, "text/plain; charset=utf-8");

  /** Whether each answer closes its connection. */
  volatile boolean isDraining;

  @Override
  public void handle(String target, Request base, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    base.setHandled(true);
    if (isDraining) {
      response.setHeader("Connection", "close");
    }
    String method = request.getMethod();
    if (method.equals("GET") || method.equals("HEAD")) {
      // The path as the client sent it: `target` is decoded.
      String path = base.getHttpURI().getPath();
      byte[] body = ("Hello, visitor! You've requested: " + path + "\n").getBytes(StandardCharsets.UTF_8);
      base.getResponse().getHttpFields().put(TYPE);
      response.setContentLength(body.length);
      response.getOutputStream().write(body);
    } else {
      refuse(request, response);
    }
  }

  private static void refuse(HttpServletRequest request, HttpServletResponse response) {
    int status = HttpServletResponse.SC_METHOD_NOT_ALLOWED;
    try {
      if (request.getContentLengthLong() > BODY_LIMIT || !isDiscarded(request.getInputStream())) {
        status = HttpServletResponse.SC_REQUEST_ENTITY_TOO_LARGE;
      }
    } catch (IOException | BadMessageException error) {
      // The body is malformed, or the client has left. Jetty itself would answer with 500.
      status = HttpServletResponse.SC_BAD_REQUEST;
    }
    response.setStatus(status);
    if (status == HttpServletResponse.SC_METHOD_NOT_ALLOWED) {
      response.setHeader("Allow", "GET, HEAD");
    } else {
      response.setHeader("Connection", "close");
    }
  }

  /** Reads a body and drops it. Returns whether it is within the limit. */
  private static boolean isDiscarded(InputStream body) throws IOException {
    byte[] buffer = new byte[8 * 1024];
    int left = BODY_LIMIT;
    int read = 0;
    while (read >= 0 && left >= 0) {
      left -= read;
      read = body.read(buffer);
    }
    return left >= 0;
  }
}
