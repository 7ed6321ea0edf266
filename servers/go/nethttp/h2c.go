//go:build go1.24

package main

import "net/http"

// speakH2C adds HTTP/2 without TLS, for clients that begin a connection with HTTP/2.
func speakH2C(server *http.Server) error {
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return nil
}
