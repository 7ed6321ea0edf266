module server-nethttp

go 1.19
