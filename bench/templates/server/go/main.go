// The endpoint on net/http, without its mux: one handler for every path.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const version = "0.1.0"

// The endpoint: replace this function and pathOf.
func handle(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	path := pathOf(r.RequestURI)
	if !strings.HasPrefix(path, "/") {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	body := "Hello, visitor! You've requested: " + path + "\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	io.WriteString(w, body)
}

// pathOf returns the path of a request target as the client sent it: not decoded, not cleaned,
// without query and fragment. It is empty for a target that is invalid.
func pathOf(target string) string {
	target, _, _ = strings.Cut(target, "#")
	target, _, _ = strings.Cut(target, "?")
	if rest := strings.TrimPrefix(strings.ToLower(target), "http://"); len(rest) < len(target) {
		host, _, _ := strings.Cut(rest, "/")
		if host == "" || strings.Contains(host, "@") {
			return ""
		}
		if target = target[len("http://"+host):]; target == "" {
			return "/"
		}
	}
	return target
}

// The process contract: flags, a ready line, a version, and a graceful shutdown.
func main() {
	host := flag.String("host", environment("HOST", "127.0.0.1"), "`address` to listen on")
	port := flag.String("port", environment("PORT", "8080"), "`port` to listen on; 0 takes a free one")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Printf("server-NAME %s (go %s)\n", version, strings.TrimPrefix(runtime.Version(), "go"))
		return
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(*host, *port))
	if err != nil {
		fail(err)
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(handle),
		MaxHeaderBytes:    16 << 10,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       60 * time.Second,
	}
	drained := drainOnSignal(server)
	fmt.Printf("listening on http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		fail(err)
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
		limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if server.Shutdown(limit) != nil {
			server.Close() // the limit has passed: close the remaining connections
		}
		close(drained)
	}()
	return drained
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(1)
}
