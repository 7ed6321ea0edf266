// The article's Go server: net/http with its defaults, one handler on the default mux.
// It adds to the article's program: the port, the ready line, --version, a graceful shutdown, TLS, and
// HTTP/2 without TLS.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	version    = "0.1.0"
	drainLimit = 10 * time.Second
)

func handler(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "Hello, visitor! You've requested: %s\n", r.URL.Path)
}

func main() {
	host := flag.String("host", fromEnvironment("HOST", "127.0.0.1"), "`address` to listen on")
	port := flag.String("port", fromEnvironment("PORT", "8080"), "`port` to listen on; 0 takes a free one")
	var speaks protocol
	flag.StringVar(&speaks.cert, "tls-cert", fromEnvironment("TLS_CERT", ""), "serve https with the certificate in this `file` (PEM)")
	flag.StringVar(&speaks.key, "tls-key", fromEnvironment("TLS_KEY", ""), "the certificate's key, a `file` (PEM)")
	flag.BoolVar(&speaks.h2c, "h2c", false, "speak HTTP/2 also with clients that begin with it, without TLS")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Printf("server-nethttp %s (go %s)\n", version, strings.TrimPrefix(runtime.Version(), "go"))
		return
	}

	if err := speaks.check(); err != nil {
		fail(2, err)
	}

	http.HandleFunc("/", handler)
	server := &http.Server{}
	if err := speaks.prepare(server); err != nil {
		fail(1, err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(*host, *port))
	if err != nil {
		fail(1, err)
	}
	drained := drainOnSignal(server)
	fmt.Printf("listening on %s://%s\n", speaks.scheme(), listener.Addr())
	if err := speaks.serve(server, listener); !errors.Is(err, http.ErrServerClosed) {
		fail(1, err)
	}
	<-drained
}

// drainOnSignal shuts the server down on the first SIGTERM or SIGINT, and exits on the second.
// The returned channel is closed once all requests that were read have been answered, or the limit
// has passed.
func drainOnSignal(server *http.Server) <-chan struct{} {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	drained := make(chan struct{})
	go func() {
		<-signals
		go func() {
			second := <-signals
			os.Exit(128 + int(second.(syscall.Signal)))
		}()
		limit, cancel := context.WithTimeout(context.Background(), drainLimit)
		defer cancel()
		if server.Shutdown(limit) != nil {
			server.Close() // the limit has passed: close the remaining connections
		}
		close(drained)
	}()
	return drained
}

func fromEnvironment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(code)
}
