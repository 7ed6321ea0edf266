//go:build go1.24

package main

import "net/http"

// speakH2C makes the server speak HTTP/2 also with clients that begin with it, without TLS.
func speakH2C(server *http.Server) error {
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return nil
}
