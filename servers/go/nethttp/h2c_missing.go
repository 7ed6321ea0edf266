//go:build !go1.24

package main

import (
	"errors"
	"net/http"
)

// speakH2C fails: before Go 1.24 net/http speaks HTTP/2 only over TLS.
func speakH2C(*http.Server) error {
	return errors.New("--h2c needs Go 1.24")
}
