package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// protocol says what clients speak: HTTP/1.1; with a certificate, HTTP/2 or HTTP/1.1 over TLS 1.3; with
// h2c, HTTP/2 or HTTP/1.1, without TLS.
type protocol struct {
	cert, key string
	h2c       bool
}

// check returns an error for an invalid combination of flags.
func (p protocol) check() error {
	switch {
	case p.cert != "" && p.key == "":
		return errors.New("--tls-cert needs --tls-key, the file with the certificate's key")
	case p.cert == "" && p.key != "":
		return errors.New("--tls-key needs --tls-cert, the file with the key's certificate")
	case p.cert != "" && p.h2c:
		return errors.New("--h2c cannot be used with --tls-cert, with which clients agree on HTTP/2")
	}
	return nil
}

// prepare makes the server speak the protocol. Over TLS, net/http itself offers h2 and http/1.1.
func (p protocol) prepare(server *http.Server) error {
	if p.h2c {
		return speakH2C(server)
	}
	if p.cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("%s with the key %s: %w", p.cert, p.key, err)
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	return nil
}

// serve answers requests until the server is shut down.
func (p protocol) serve(server *http.Server, listener net.Listener) error {
	if p.cert != "" {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

func (p protocol) scheme() string {
	if p.cert != "" {
		return "https"
	}
	return "http"
}
